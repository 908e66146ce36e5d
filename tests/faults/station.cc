#include "tests/faults/station.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "sandbox/backend/linux/turns.h"
#include "tests/differential/random_program.h"
#include "tests/faults/processes.h"

namespace sandglass::faults {
namespace {

using std::chrono::microseconds;

constexpr microseconds kLongestInterruptPause(2'000), kWatchPause(200'000);

}  // namespace

void Station::enter(const char* step) {
  const uint64_t now_ns = monotonic_ns();
  if (step_.load() != nullptr) longest_ns = std::max(longest_ns.load(), now_ns - begin_ns_.load());
  step_ = nullptr;
  begin_ns_ = now_ns;
  step_ = step;
}

void Station::set_target(Sandbox* sandbox) {
  const std::lock_guard lock(target_mutex_);
  target_ = sandbox;
}

void Station::interrupt() {
  const std::lock_guard lock(target_mutex_);
  if (target_ != nullptr) target_->interrupt();
}

Watch::Watch(std::vector<std::unique_ptr<Station>>& stations, uint64_t seed, uint64_t bound_ns)
    : stations_(stations),
      seed_(seed),
      bound_ns_(bound_ns),
      interrupter_([this] { interrupt_at_random(); }),
      watchdog_([this] { look_for_hangs(); }) {}

Watch::~Watch() {
  is_over_ = true;
  interrupter_.join();
  watchdog_.join();
}

void Watch::interrupt_at_random() {
  fuzz::Random random(seed_);
  while (!is_over_) {
    stations_[random.below(stations_.size())]->interrupt();
    std::this_thread::sleep_for(microseconds(random.below(kLongestInterruptPause.count())));
  }
}

void Watch::look_for_hangs() {
  while (!is_over_) {
    std::this_thread::sleep_for(kWatchPause);
    const bool is_stuck = std::any_of(stations_.begin(), stations_.end(), [this](const auto& station) {
      const uint64_t begin_ns = station->begin_ns();
      return station->step() != nullptr && monotonic_ns() > begin_ns + bound_ns_;
    });
    if (!is_stuck) continue;
    fmt::print(stderr, "HANG, seed {}\n", seed_);
    for (const auto& station : stations_) {
      const char* const step = station->step();
      fmt::print(stderr, "  cycle {}, {}: {} for {} ms, worker {} in state '{}'\n", station->cycle.load(),
                 station->scenario.load(), step == nullptr ? "rests" : step,
                 (monotonic_ns() - station->begin_ns()) / 1'000'000, station->process.load(),
                 state_of(station->process.load()));
    }
    std::abort();
  }
}

}  // namespace sandglass::faults
