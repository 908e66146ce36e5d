// Tracer: finds the code that can run and translates it.
//
// Starts at the exports and at every code pointer in data, and follows jumps, calls and code pointers in
// code. What is never reached is left out, whatever it is: padding, data between functions, functions that
// nobody calls. So an instruction that guests do not have is an error only where it could run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "workloads/linker/lines.h"
#include "workloads/linker/relocations.h"

namespace sandglass::linker {

struct Code {
  std::vector<Line> lines;        // ascending by address; what goes on goes on with the next line
  std::vector<uint32_t> targets;  // addresses that jumps go to, ascending, without repetition
  std::vector<uint32_t> pointed;  // addresses that code pointers point to: the jump table, ascending
};

// How Code lists addresses.
template <typename T>
void sort_unique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// A place where running code may begin, and why, for messages.
struct Root {
  uint32_t address = 0;
  std::string origin;  // "export 'main'"
};

Code trace(const Layout& layout, const Relocations& relocations, const std::vector<Root>& roots,
           Problems& problems);

}  // namespace sandglass::linker
