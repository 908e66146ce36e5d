// What a WorkerPool has done and has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>

namespace sandglass {

// Why a worker was dropped. The first four are the quarantine: something was wrong with it.
enum class DropReason : uint8_t {
  kViolation,          // it made a forbidden system call
  kProtocolViolation,  // it answered nonsense
  kDied,               // it died, or had to be killed because it did not answer; in use or idle
  kUnclean,            // it could not be reset
  kNoReuse,            // WorkerReuse::kNever
  kUses,               // max_uses
  kAge,                // max_age
  kIdleTime,           // max_idle_time
  kTooManyIdle,        // max_idle
  kMadePlace,          // max_live, for one that was needed
  kCleared,            // WorkerPool::clear()
};
inline constexpr size_t kDropReasonCount = 11;
std::string_view name_of(DropReason reason);

struct WorkerPoolStatistics {
  // Since the pool was made. -----------------------------------------------------------------------------
  uint64_t spawned = 0;
  uint64_t failed_spawns = 0;
  uint64_t exhausted = 0;      // calls that max_live has refused
  uint64_t reused = 0;         // workers handed out that a guest had used
  uint64_t reused_loaded = 0;  // and that had the module loaded still
  uint64_t reused_spare = 0;   // workers handed out that had been forked ahead
  uint64_t returned = 0;
  std::array<uint64_t, kDropReasonCount> dropped = {};
  uint64_t jails_made = 0;
  uint64_t jails_lost = 0;  // their template was killed or does not answer
  // Now. ---------------------------------------------------------------------------------------------------
  size_t live = 0;   // workers: in use, idle and spare
  size_t idle = 0;   // waiting for a guest, spare ones among them
  size_t spare = 0;  // forked ahead
  size_t jails = 0;

  uint64_t dropped_for(DropReason reason) const { return dropped[static_cast<size_t>(reason)]; }
  uint64_t violations() const { return dropped_for(DropReason::kViolation); }
  uint64_t deaths() const { return dropped_for(DropReason::kDied); }
  uint64_t quarantined() const { return std::accumulate(dropped.begin(), dropped.begin() + 4, uint64_t{0}); }
};

}  // namespace sandglass
