#include "sandbox/pool/worker_pool_statistics.h"

namespace sandglass {

std::string_view name_of(DropReason reason) {
  switch (reason) {
    case DropReason::kViolation: return "violation";
    case DropReason::kProtocolViolation: return "protocol violation";
    case DropReason::kDied: return "died";
    case DropReason::kUnclean: return "unclean";
    case DropReason::kNoReuse: return "no reuse";
    case DropReason::kUses: return "max_uses";
    case DropReason::kAge: return "max_age";
    case DropReason::kIdleTime: return "max_idle_time";
    case DropReason::kTooManyIdle: return "max_idle";
    case DropReason::kMadePlace: return "max_live";
    case DropReason::kCleared: return "cleared";
  }
  return "unknown";
}

}  // namespace sandglass
