// How a process gets a hardening, for itself and for what it forks. The zygote does it for real, `sandglass
// doctor` and the suite try it. A worker cannot take any of them back: the filter allows no prctl(2).
//
// Freestanding: compiled into both binaries.
#pragma once

#include <asm/errno.h>
#include <linux/prctl.h>
#include <stdint.h>

#include "sandbox/abi/launch.h"

namespace sandglass {

// `prctl(operation, a, b)` makes the call: its result or -errno. Returns 0 or -errno.
template <typename Prctl>
long forbid_speculation(Prctl prctl, unsigned long kind) {
  const long state = prctl(PR_GET_SPECULATION_CTRL, kind, 0ul);
  if (state < 0) return state;
  // This CPU does not do it, or nobody on this machine is allowed to.
  const bool is_off = (state & (PR_SPEC_DISABLE | PR_SPEC_FORCE_DISABLE)) != 0;
  if (state == PR_SPEC_NOT_AFFECTED || ((state & PR_SPEC_PRCTL) == 0 && is_off)) return 0;
  return prctl(PR_SET_SPECULATION_CTRL, kind, (unsigned long)PR_SPEC_FORCE_DISABLE);
}

template <typename Prctl>
long apply_hardening(HardeningRow row, Prctl prctl) {
  switch (row) {
    case kHardening_forbid_store_bypass: return forbid_speculation(prctl, PR_SPEC_STORE_BYPASS);
    case kHardening_isolate_predictor: return forbid_speculation(prctl, PR_SPEC_INDIRECT_BRANCH);
    case kHardening_flush_l1_cache:
      return prctl(PR_SET_SPECULATION_CTRL, (unsigned long)PR_SPEC_L1D_FLUSH, (unsigned long)PR_SPEC_ENABLE);
    case kHardening_forbid_timestamp: return prctl(PR_SET_TSC, (unsigned long)PR_TSC_SIGSEGV, 0ul);
    case kHardeningCount: break;
  }
  return -EINVAL;
}

}  // namespace sandglass
