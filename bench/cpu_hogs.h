// CpuHogs: child processes that do nothing but keep CPUs busy, for benchmarks that ask what a loaded machine
// makes of an operation. The scheduler may put them anywhere the caller may run.
#pragma once

#include <span>
#include <vector>

#include "bench/child.h"

namespace sandglass::bench {

// As many as the benchmarks start whose names end in "hogs".
inline constexpr size_t kHogs = 2;

class CpuHogs {
 public:
  static Result<CpuHogs> start(size_t count);
  std::span<const Child> processes() const { return hogs_; }

 private:
  std::vector<Child> hogs_;  // killed with it
};

}  // namespace sandglass::bench
