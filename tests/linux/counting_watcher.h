// A watcher that counts its calls.
#pragma once

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "sandbox/backend/linux/supervisor.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass {

// Generous: a machine under a sanitizer may be slow. Only a failing test waits that long.
constexpr std::chrono::seconds kPatience{30};

template <typename Condition>
bool comes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return true;
}

class CountingWatcher final : public Watcher {
 public:
  ~CountingWatcher() { Supervisor::forget(this); }
  void on_ready() override { ++calls_; }
  int calls() const { return calls_; }
  bool is_called() const {
    return comes_true([this] { return calls_ > 0; });
  }

 private:
  std::atomic<int> calls_ = 0;
};

// Afterwards the supervisor has dealt with everything that was ready before: it serves in the order of
// arrival.
inline void let_supervisor_catch_up() {
  const UniqueFd event(::eventfd(1, EFD_CLOEXEC));
  CountingWatcher watcher;
  ASSERT_TRUE(Supervisor::watch(event.get(), &watcher));
  ASSERT_TRUE(watcher.is_called());
}

}  // namespace sandglass
