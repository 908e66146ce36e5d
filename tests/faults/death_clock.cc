#include "tests/faults/death_clock.h"

#include <algorithm>

#include "sandbox/backend/linux/turns.h"

namespace sandglass::faults {

void DeathClock::begin(pid_t worker) {
  const std::lock_guard lock(mutex_);
  runs_[worker] = {};
}

void DeathClock::end(pid_t worker, bool has_died) {
  const uint64_t now_ns = monotonic_ns();
  const std::lock_guard lock(mutex_);
  const auto run = runs_.find(worker);
  if (run == runs_.end()) return;
  if (has_died && run->second.is_aimed_at) {
    const uint64_t reported_ns = run->second.reported_ns;
    delays_.push_back(reported_ns == 0 ? 0 : now_ns - std::min(now_ns, reported_ns));
  }
  runs_.erase(run);
}

void DeathClock::aim(pid_t worker) {
  const std::lock_guard lock(mutex_);
  if (const auto run = runs_.find(worker); run != runs_.end()) run->second.is_aimed_at = true;
}

void DeathClock::report(pid_t worker) {
  const uint64_t now_ns = monotonic_ns();
  const std::lock_guard lock(mutex_);
  if (const auto run = runs_.find(worker); run != runs_.end()) run->second.reported_ns = now_ns;
}

std::vector<uint64_t> DeathClock::delays() const {
  const std::lock_guard lock(mutex_);
  std::vector<uint64_t> sorted = delays_;
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace sandglass::faults
