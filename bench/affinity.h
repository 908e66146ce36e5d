// Cores: on which the processes of a benchmark run. The caller's thread is pinned only while a ScopedPin
// lives.
#pragma once

#include <sched.h>

#include "sandbox/base/result.h"

namespace sandglass::bench {

struct Cores {
  int caller;
  int peer;
};
// The first core this thread may use, for both. Always there.
Cores same_core();
// The first two; kUnsupported where the thread may use only one.
Result<Cores> two_cores();

// Pins another process, which must be single-threaded.
Status pin_process(int pid, int core);

// Pins the thread that makes it; its destructor, on the same thread, gives the old affinity back.
class ScopedPin {
 public:
  static Result<ScopedPin> to(int core);
  ScopedPin(ScopedPin&& other) noexcept
      : old_(other.old_), is_active_(std::exchange(other.is_active_, false)) {}
  ScopedPin& operator=(ScopedPin&&) = delete;
  ~ScopedPin();

 private:
  explicit ScopedPin(const cpu_set_t& old) : old_(old) {}

  cpu_set_t old_;
  bool is_active_ = true;
};

}  // namespace sandglass::bench
