// SG_CHECK: stops the process on a bug of ours. Never for bad input: that is an Error (result.h).
#pragma once

#include <cstdio>
#include <cstdlib>

namespace sandglass::internal {
[[noreturn, gnu::cold]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: sandglass bug: SG_CHECK(%s) failed\n", file, line, condition);
  std::abort();
}
}  // namespace sandglass::internal

#define SG_CHECK(condition) \
  ((condition) ? void() : ::sandglass::internal::check_failed(#condition, __FILE__, __LINE__))
