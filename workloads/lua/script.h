// The script: one task for each of the things that interpreters spend their time on.
#pragma once

constexpr char kScript[] = R"lua(
local rounds = ...
local checksum = 0xcbf29ce484222325
local function add(number) checksum = (checksum ~ number) * 0x100000001b3 end

-- calls and integers
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end

-- arrays and branches: how many ways there are to place n queens
local function queens(n)
  local columns, rising, falling = {}, {}, {}
  local function place(row)
    if row > n then return 1 end
    local ways = 0
    for column = 1, n do
      local up, down = row + column, row - column + n
      if not (columns[column] or rising[up] or falling[down]) then
        columns[column], rising[up], falling[down] = true, true, true
        ways = ways + place(row + 1)
        columns[column], rising[up], falling[down] = nil, nil, nil
      end
    end
    return ways
  end
  return place(1)
end

-- floating point, which the guest has in software only
local function integral(steps)
  local sum = 0.0
  for i = 1, steps do
    local x = (i - 0.5) / steps
    sum = sum + 4.0 / (1.0 + x * x)
  end
  return math.floor(sum / steps * 1e12)
end

-- strings, patterns, tables with strings as keys, sorting with a closure
local function words(count)
  local pieces, seed = {}, 12345
  for i = 1, count do
    seed = (seed * 1103515245 + 12345) % 2147483648
    pieces[i] = string.format("word%d", seed // 65536 % 97)
  end
  local counts, names = {}, {}
  for word in table.concat(pieces, " "):gmatch("%a+%d+") do
    if not counts[word] then names[#names + 1] = word end
    counts[word] = (counts[word] or 0) + 1
  end
  table.sort(names, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a < b
  end)
  local text = table.concat(names, ","):gsub("word", "w"):upper()
  local sum = #text
  for i = 1, #text do sum = sum * 31 + text:byte(i) end
  return sum
end

-- coroutines, and objects for the garbage collector
local Tree = {}
Tree.__index = Tree
local function insert(tree, key)
  if not tree then return setmetatable({key = key}, Tree) end
  if key < tree.key then tree.left = insert(tree.left, key) else tree.right = insert(tree.right, key) end
  return tree
end
function Tree:walk()
  if self.left then self.left:walk() end
  coroutine.yield(self.key)
  if self.right then self.right:walk() end
end
local function sorted(count)
  local tree, seed = nil, 42
  for _ = 1, count do
    seed = (seed * 1103515245 + 12345) % 2147483648
    tree = insert(tree, seed)
  end
  local sum, place = 0, 0
  for key in coroutine.wrap(function() tree:walk() end) do
    place = place + 1
    sum = sum + key * place
  end
  return sum
end

for _ = 1, rounds do
  add(fib(16))
  add(queens(6))
  add(integral(1000))
  add(words(500))
  add(sorted(300))
end
return checksum
)lua";
