// Station: what one thread of the soak is doing, for those who watch it and who interrupt its guest.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "sandbox/backend/sandbox.h"

namespace sandglass::faults {

class Station {
 public:
  // The step that begins; each must end within the watchdog's bound. A string literal.
  void enter(const char* step);
  void rest() { enter(nullptr); }
  const char* step() const { return step_.load(); }
  uint64_t begin_ns() const { return begin_ns_.load(); }

  std::atomic<const char*> scenario{""};
  std::atomic<uint64_t> cycle{0};
  std::atomic<int> process{0};  // the worker, as far as it is known
  std::atomic<uint64_t> longest_ns{0};

  // Whose guest interrupt() stops; null: nobody's.
  void set_target(Sandbox* sandbox);
  void interrupt();

 private:
  std::atomic<const char*> step_{nullptr};
  std::atomic<uint64_t> begin_ns_{0};
  std::mutex target_mutex_;
  Sandbox* target_ = nullptr;
};

// Aborts the program, after saying who hangs where, when a step takes longer than `bound_ns`; interrupts the
// guests of random stations at random moments.
class Watch {
 public:
  Watch(std::vector<std::unique_ptr<Station>>& stations, uint64_t seed, uint64_t bound_ns);
  ~Watch();

 private:
  void interrupt_at_random();
  void look_for_hangs();

  std::vector<std::unique_ptr<Station>>& stations_;
  const uint64_t seed_, bound_ns_;
  std::atomic<bool> is_over_{false};
  std::thread interrupter_, watchdog_;
};

}  // namespace sandglass::faults
