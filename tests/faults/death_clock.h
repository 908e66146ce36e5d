// DeathClock: how long after the kernel has reported a worker's death run() returns.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace sandglass::faults {

// Any thread may call these.
class DeathClock {
 public:
  // The one that runs the guest: right before run() and right after it.
  void begin(pid_t worker);
  void end(pid_t worker, bool has_died);
  // The one that kills: before the signal, and when the pidfd has become readable.
  void aim(pid_t worker);
  void report(pid_t worker);

  // Nanoseconds, sorted. A run() that is back before the killer has seen the death counts as 0.
  std::vector<uint64_t> delays() const;

 private:
  struct Run {
    bool is_aimed_at = false;
    uint64_t reported_ns = 0;
  };
  mutable std::mutex mutex_;
  std::unordered_map<pid_t, Run> runs_;
  std::vector<uint64_t> delays_;
};

}  // namespace sandglass::faults
