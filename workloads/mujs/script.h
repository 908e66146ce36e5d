// The script: what programs in JavaScript spend their time on. It calls report() with integers and strings.
#pragma once

constexpr char kScript[] = R"js(
// A scheduler: devices and workers with priorities, which pass messages through queues of their own.
function Message(kind, load) {
  this.kind = kind;
  this.load = load;
  this.next = null;
}
function Queue() { this.first = this.last = null; }
Queue.prototype.put = function (message) {
  message.next = null;
  if (this.last) this.last.next = message; else this.first = message;
  this.last = message;
};
Queue.prototype.take = function () {
  var message = this.first;
  this.first = message.next;
  if (!this.first) this.last = null;
  return message;
};

function Task(name, priority) {
  this.name = name;
  this.priority = priority;
  this.inbox = new Queue();
  this.turns = 0;
}
Task.prototype.isReady = function () { return this.inbox.first !== null; };

function Device(name, priority, seed) {
  Task.call(this, name, priority);
  this.state = seed;
}
Device.prototype = Object.create(Task.prototype);
Device.prototype.turn = function (scheduler) {
  var message = this.inbox.take();
  this.state = (this.state * 1103 + 12345) % 65536;
  message.kind = this.state & 1 ? "odd" : "even";
  message.load += this.state % 16;
  scheduler.send(message.kind + "s", message);
};

function Worker(name, priority, devices) {
  Task.call(this, name, priority);
  this.devices = devices;
  this.sum = 0;
}
Worker.prototype = Object.create(Task.prototype);
Worker.prototype.turn = function (scheduler) {
  var message = this.inbox.take();
  this.sum = (this.sum * 31 + message.load) % 1000003;
  if (message.load < scheduler.limit) scheduler.send(this.devices[this.sum % this.devices.length], message);
};

function Scheduler(limit) {
  this.limit = limit;
  this.tasks = [];
  this.byName = {};
}
Scheduler.prototype.add = function (task) {
  this.byName[task.name] = task;
  this.tasks.push(task);
  this.tasks.sort(function (a, b) { return b.priority - a.priority; });
};
Scheduler.prototype.send = function (name, message) { this.byName[name].inbox.put(message); };
Scheduler.prototype.run = function () {
  for (;;) {
    var next = null;
    for (var i = 0; i < this.tasks.length && !next; i++) if (this.tasks[i].isReady()) next = this.tasks[i];
    if (!next) return;
    next.turns++;
    next.turn(this);
  }
};

function schedule(messages, limit) {
  var scheduler = new Scheduler(limit);
  scheduler.add(new Device("disk", 30, 7));
  scheduler.add(new Device("net", 40, 11));
  scheduler.add(new Worker("odds", 20, ["disk", "net", "disk"]));
  scheduler.add(new Worker("evens", 10, ["net", "disk"]));
  for (var i = 0; i < messages; i++) scheduler.send(i % 3 ? "disk" : "net", new Message("new", i));
  scheduler.run();
  scheduler.tasks.forEach(function (task) {
    report(task.name + ":" + task.turns);
    report(task.sum || task.state);
  });
}

// Arrays and branches: how many ways there are to place n queens.
function queens(n) {
  var columns = [], rising = [], falling = [];
  function place(row) {
    if (row === n) return 1;
    var ways = 0;
    for (var column = 0; column < n; column++) {
      var up = row + column, down = row - column + n;
      if (columns[column] || rising[up] || falling[down]) continue;
      columns[column] = rising[up] = falling[down] = true;
      ways += place(row + 1);
      columns[column] = rising[up] = falling[down] = false;
    }
    return ways;
  }
  return place(0);
}

// Strings: a text is built, taken apart with a pattern, counted in an object, sorted and written as JSON.
function words(count) {
  var text = "", seed = 42;
  for (var i = 0; i < count; i++) {
    seed = (seed * 1103 + 12345) % 65536;
    text += "word" + (seed % 61) + (i % 7 ? " " : ", ");
    if (text.length > 200) {
      digest(text);
      text = "";
    }
  }
  digest(text);
}
function digest(text) {
  var counts = {};
  text.replace(/[a-z]+(\d+)/g, function (word, number) {
    counts[word] = (counts[word] || 0) + number.length;
    return word;
  });
  var names = Object.keys(counts).sort(function (a, b) { return counts[b] - counts[a] || (a < b ? -1 : 1); });
  var line = JSON.stringify({names: names.slice(0, 5), pairs: JSON.parse("[" + counts[names[0]] + ", 2.5]")});
  report(line.toUpperCase());
  var sum = 0;
  for (var i = 0; i < text.length; i++) sum = ((sum << 5) - sum + text.charCodeAt(i)) | 0;
  report(sum);
}

// Objects that come and go: a tree with closures, of which half is garbage.
function tree(count) {
  var root = null, seed = 1;
  function insert(node, key) {
    if (!node) return {key: key, left: null, right: null, label: function () { return "k" + key; }};
    var side = key < node.key ? "left" : "right";
    node[side] = insert(node[side], key);
    return node;
  }
  function walk(node, visit) {
    if (!node) return;
    walk(node.left, visit);
    visit(node);
    walk(node.right, visit);
  }
  for (var i = 0; i < count; i++) {
    seed = (seed * 1103 + 12345) % 65536;
    root = insert(i === count >> 1 ? null : root, seed);
  }
  var labels = [];
  walk(root, function (node) { labels.push(node.label()); });
  return labels.join();
}

// Real numbers.
function integral(steps) {
  var sum = 0;
  for (var i = 0; i < steps; i++) {
    var x = (i + 0.5) / steps;
    sum += Math.sqrt(1 - x * x);
  }
  return Math.floor(sum / steps * 4e12);
}

for (var round = 0; round < rounds; round++) {
  schedule(4, 50);
  report(queens(4));
  words(24);
  report(tree(16));
  report(integral(40));
}
)js";
