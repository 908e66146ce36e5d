#include <sys/prctl.h>

#include <algorithm>

#include "sandbox/abi/hardening_calls.h"
#include "sandbox/backend/linux/doctor/feature_probes.h"
#include "sandbox/backend/linux/doctor/throwaway_child.h"
#include "sandbox/backend/linux/hardening.h"

namespace sandglass::probes {

Result<int> hardening(HardeningRow row) {
  return run_in_child([row]() -> Result<int> {
    const long result = apply_hardening(row, [](int operation, unsigned long a, unsigned long b) -> long {
      const int value = ::prctl(operation, a, b, 0, 0);
      return value < 0 ? -errno : value;
    });
    if (result >= 0) return 0;
    errno = static_cast<int>(-result);
    return Error::os(kHardenings[row].what.data());
  });
}

}  // namespace sandglass::probes
