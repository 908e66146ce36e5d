#include <fmt/format.h>

#include <vector>

#include "bench/jailed_guests.h"
#include "bench/jailed_rows.h"
#include "sandbox/backend/linux/jail.h"

namespace sandglass::bench {
namespace {

constexpr int kPatienceMs = 10'000;

class SpawnedWorker {
 public:
  static constexpr bool kIsLatency = true;

  static Result<std::unique_ptr<SpawnedWorker>> create(const Seating& seating, bool with_userfaultfd,
                                                       size_t hogs = 0) {
    std::unique_ptr<SeatedJail> jail = SG_TRY(SeatedJail::create(seating, hogs));
    return std::unique_ptr<SpawnedWorker>(new SpawnedWorker(std::move(jail), with_userfaultfd));
  }

  bool run(Nanoseconds& spent) {
    const auto start = Clock::now();
    const Result<std::unique_ptr<Worker>> worker = jail_->jail().spawn(with_userfaultfd_);
    spent = Clock::now() - start;
    if (!worker) return false;
    // It has told that it is ready; it also carries out a command.
    const bool is_right = (*worker)->process_id() > 0 && (*worker)->change({}).has_value();
    jail_->jail().forget(**worker);
    // Its end is not a part of the next one's beginning.
    (*worker)->kill();
    return is_right && is_gone(**worker, kPatienceMs);
  }

 private:
  SpawnedWorker(std::unique_ptr<SeatedJail> jail, bool with_userfaultfd)
      : jail_(std::move(jail)), with_userfaultfd_(with_userfaultfd) {}

  std::unique_ptr<SeatedJail> jail_;
  bool with_userfaultfd_;
};

constexpr const char* kSteps[] = {
#define JAIL_STEP(name, text, is_required) #name,
#include "sandbox/abi/jail_steps.def"
#undef JAIL_STEP
};
static_assert(std::size(kSteps) == kJailStepCount);

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class Engine {
 public:
  static constexpr bool kIsLatency = true;

  static Result<std::unique_ptr<Engine>> create(size_t hogs) {
    SG_TRY(SeatedJail::create(kAnywhere));  // may it?
    return std::unique_ptr<Engine>(new Engine(SG_TRY(CpuHogs::start(hogs))));
  }

  bool run(Nanoseconds& spent) {
    const auto start = Clock::now();
    const Result<std::unique_ptr<Jail>> jail = Jail::launch({});
    spent = Clock::now() - start;
    if (!jail) return false;
    const auto times = (*jail)->step_times();
    for (size_t i = 0; i < times.size(); ++i) {
      if (!times[i].is_left_out && times[i].is_asked_for) steps_us_[i].push_back(times[i].microseconds);
    }
    // All steps are in there, once.
    double sum_us = 0;
    for (const Jail::StepTime& time : times) sum_us += time.microseconds;
    return sum_us > 0 && sum_us < std::chrono::duration<double, std::micro>(spent).count();
  }

  void report(benchmark::State& state) const {
    for (size_t i = 0; i < std::size(kSteps); ++i) {
      if (steps_us_[i].empty()) continue;
      state.counters[fmt::format("step_{:02}_{}_us", i + 1, kSteps[i])] = median(steps_us_[i]);
    }
  }

 private:
  explicit Engine(CpuHogs hogs) : hogs_(std::move(hogs)) {}

  CpuHogs hogs_;
  std::array<std::vector<double>, kJailStepCount> steps_us_;
};

}  // namespace

void add_jailed_spawns(Suite& suite) {
  constexpr auto kUnit = benchmark::kMicrosecond;
  for (const Seating& seating : {kAnywhere, kSameCore}) {
    suite.add(
        fmt::format("spawn/linux/worker/{}", seating.name),
        [seating] { return SpawnedWorker::create(seating, false); }, kUnit);
  }
  suite.add(
      "spawn/linux/worker_userfaultfd/same_core", [] { return SpawnedWorker::create(kSameCore, true); },
      kUnit);
  suite.add(
      "spawn/linux/worker/same_core/hogs", [] { return SpawnedWorker::create(kSameCore, false, kHogs); },
      kUnit);
  for (const size_t hogs : {size_t{0}, kHogs}) {
    suite.add(
        hogs == 0 ? "spawn/linux/engine" : "spawn/linux/engine/hogs", [hogs] { return Engine::create(hogs); },
        kUnit);
  }
}

}  // namespace sandglass::bench
