#include "bench/affinity.h"

#include <vector>

namespace sandglass::bench {
namespace {

std::vector<int> allowed_cores() {
  cpu_set_t allowed;
  std::vector<int> cores;
  SG_CHECK(sched_getaffinity(0, sizeof allowed, &allowed) == 0);  // fails only above 1,024 cores
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &allowed)) cores.push_back(core);
  }
  return cores;
}

}  // namespace

Cores same_core() {
  const int core = allowed_cores().front();
  return {core, core};
}

Result<Cores> two_cores() {
  const std::vector<int> cores = allowed_cores();
  if (cores.size() < 2) return Error::make(ErrorKind::kUnsupported, "needs two cores");
  return Cores{cores[0], cores[1]};
}

Status pin_process(int pid, int core) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(core, &only);
  if (sched_setaffinity(pid, sizeof only, &only) != 0) return Error::os("pin a process to a core");
  return {};
}

Result<ScopedPin> ScopedPin::to(int core) {
  cpu_set_t old;
  if (sched_getaffinity(0, sizeof old, &old) != 0) return Error::os("ask for the affinity");
  SG_TRY(pin_process(0, core));
  return ScopedPin(old);
}

ScopedPin::~ScopedPin() {
  if (is_active_) sched_setaffinity(0, sizeof old_, &old_);
}

}  // namespace sandglass::bench
