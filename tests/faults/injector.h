// Injector: a thread that kills and stops processes of this process's jails at random moments.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "tests/differential/random_program.h"
#include "tests/faults/death_clock.h"
#include "tests/faults/processes.h"

namespace sandglass::faults {

struct FaultCounts {
  std::atomic<uint64_t> kills = 0, stops = 0;  // of any process; a stop is followed by going on or by a kill
  std::atomic<uint64_t> template_kills = 0, template_stops = 0;
  uint64_t all() const { return kills + stops; }
};

class Injector {
 public:
  // Between two faults it sleeps for `mean_pause` on average.
  Injector(uint64_t seed, std::chrono::microseconds mean_pause, DeathClock& clock, FaultCounts& counts);
  // When this returns, every process that was stopped goes on or is dead.
  ~Injector();

 private:
  void run();
  void inject();
  void kill(int pidfd, pid_t process);
  void stop_for_a_while(int pidfd, pid_t process);
  std::chrono::microseconds random_stop();

  fuzz::Random random_;
  const std::chrono::microseconds mean_pause_;
  DeathClock& clock_;
  FaultCounts& counts_;
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

}  // namespace sandglass::faults
