// Operator: a thread's worth of sandboxes: makes one, uses it, drops it, and checks every answer.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "sandbox/pool/worker_pool.h"
#include "tests/differential/random_program.h"
#include "tests/faults/death_clock.h"
#include "tests/faults/station.h"

namespace sandglass::faults {

// A pool that is replaced when its jail is gone for good.
class Source {
 public:
  explicit Source(size_t max_idle) : max_idle_(max_idle) {}
  Result<std::shared_ptr<WorkerPool>> get();
  // Sandbox::create() has failed with `pool`.
  void blame(const std::shared_ptr<WorkerPool>& pool);
  void praise() { failures_in_a_row_ = 0; }

 private:
  const size_t max_idle_;
  std::atomic<int> failures_in_a_row_{0};
  std::mutex mutex_;
  std::shared_ptr<WorkerPool> pool_;
};

// What all operators share.
struct Theatre {
  Theatre();

  Source fresh_workers{0}, kept_workers{4};
  std::shared_ptr<const Module> first, second, dynamic;
  DeathClock clock;

  std::atomic<uint64_t> cycles = 0, runs = 0, right = 0, died = 0;
  // Where an error came from and what it said, and how often.
  void count(const char* step, const Error& error);
  std::map<std::string, uint64_t> errors() const;

 private:
  mutable std::mutex errors_mutex_;
  std::map<std::string, uint64_t> errors_;
};

class Operator {
 public:
  Operator(uint64_t seed, Theatre& theatre, Station& station)
      : random_(seed), theatre_(theatre), station_(station) {}

  // One sandbox. An error is one that must not be: a wrong answer, or an error of another kind than
  // kWorkerDied.
  Status cycle();
  // The step in which the last error came.
  const char* failed_step() const { return failed_step_; }

 private:
  struct Scenario {
    const char* name;
    Status (Operator::*play)();
    uint32_t percent;
    bool is_dynamic;
  };
  static const Scenario kScenarios[];

  Status create(const Scenario& scenario);
  Status use(const Scenario& scenario);
  Status judge(const Error& error);
  Result<Interrupt> run(const RunLimits& limits);
  Result<Interrupt> run_to_a_stop_of_its_own();
  Status finish();

  Status compute();
  Status call_host();
  Status grow_heap();
  Status fault_pages();
  Status run_endlessly();
  Status share_aux();
  Status sit_idle();

  fuzz::Random random_;
  Theatre& theatre_;
  Station& station_;
  std::unique_ptr<Sandbox> sandbox_;
  int worker_ = 0;
  const char* failed_step_ = "";
};

}  // namespace sandglass::faults
