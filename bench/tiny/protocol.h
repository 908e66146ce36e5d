// What the fork server in tiny/program.cc answers. Needs nothing but a compiler.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sandglass::bench {

struct ForkAnswer {
  uint64_t spent_ns;  // fork, the child's whole life, reaping; only where a child was run
  int32_t status;     // as wait4(2) has it; negative: an errno of clone(2)
};
static_assert(sizeof(ForkAnswer) == 16);

inline constexpr size_t kMostForksKept = 1024;

}  // namespace sandglass::bench
