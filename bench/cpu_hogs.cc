#include "bench/cpu_hogs.h"

namespace sandglass::bench {
namespace {

int spin_in_child(void*) {
  for (;;) asm volatile("");
}

}  // namespace

Result<CpuHogs> CpuHogs::start(size_t count) {
  CpuHogs hogs;
  for (size_t i = 0; i < count; ++i) hogs.hogs_.push_back(SG_TRY(Child::fork(spin_in_child, nullptr)));
  return hogs;
}

}  // namespace sandglass::bench
