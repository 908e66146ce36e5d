// Suite: the benchmarks, by name, and the rules that hold for all of them.
//
//   void add_host_call(Suite& suite) {                                    // a family
//     suite.add("host_call/generic/loop", [] { return Loop::create(Backend::kGeneric); });
//   }
//
// What is added makes a fixture, a Result<std::unique_ptr<F>>, where F has
//
//   bool run();                       one operation, timed; whether its answer is right
//   bool run(Nanoseconds& spent);     or this: the fixture times a part of the operation itself
//   void report(benchmark::State&);   optional: counters besides the time
//   bool is_consistent() const;       optional: asked once after the timed loop; false is a wrong answer
//   static constexpr bool kIsLatency = true;
//                                     optional, beside the second run(): the spread matters, so the counters
//                                     p50_ns, p99_ns and mean_over_p50 are made from the single operations
//
// The suite makes the fixture outside of the timed loop, runs it once to verify the answer, and only then
// times it. A wrong answer, then or later, is an error of the benchmark and makes the process fail: never a
// fast result. Where this machine lacks something (the fixture is an Error of kUnsupported), the benchmark is
// skipped with that message, and nothing has failed. Only one fixture is alive at any time, so it may own a
// signal handler or much memory.
//
// Times and rates are wall time; Google Benchmark's cpu_time stands beside it in the results.
// Names never get a suffix: settings like the number of iterations are not part of them.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "bench/exit_codes.h"
#include "bench/latency.h"
#include "bench/noise.h"
#include "bench/options.h"
#include "bench/progress.h"
#include "sandbox/base/result.h"

namespace sandglass::bench {

using Nanoseconds = std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;

// Counters for report(), made from wall time, when an iteration does `amount` of something. The names of the
// second kind begin with "ns_per_".
inline benchmark::Counter amount_per_second(double amount) {
  return {amount, benchmark::Counter::kIsIterationInvariantRate};
}
inline benchmark::Counter ns_per(double amount) {
  return {1e-9 * amount, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert};
}

template <typename Fixture>
concept TimesItself = requires(Fixture& fixture, Nanoseconds& spent) {
  { fixture.run(spent) } -> std::same_as<bool>;
};

template <typename Fixture>
concept IsLatency = TimesItself<Fixture> && requires {
  requires Fixture::kIsLatency;
};

class Suite {
 public:
  explicit Suite(const Options& options) : options_(options) {}

  // For families: the seed of what they generate.
  uint64_t seed() const { return options_.seed; }

  // Fixtures are made by `prepare` when the benchmark's turn has come. `unit` is for the eye only.
  template <typename Prepare>
  void add(std::string name, Prepare prepare, benchmark::TimeUnit unit = benchmark::kNanosecond);

  // Runs, or lists, what the options select. What is wrong goes to standard error.
  ExitCode run();

 private:
  struct Entry {
    std::string name;
    std::function<void(benchmark::State&)> body;
    benchmark::TimeUnit unit;
    bool times_itself;
  };

  Result<std::vector<const Entry*>> selected() const;
  // Hogs take the CPU for a slice of the scheduler's now and then, some milliseconds. A mean over fewer than
  // dozens of slices is luck, so names that end in "/hogs" are given this much time at least.
  static constexpr double kMinSecondsBesideHogs = 0.1;
  bool needs_more_time(const Entry& entry) const;
  void register_entry(const Entry& entry);
  ExitCode measure_all(const std::vector<const Entry*>& entries);
  void fail(benchmark::State& state, const std::string& message);
  void fail_or_skip(benchmark::State& state, const Error& error);

  template <typename Fixture, typename Prepare>
  Fixture* fixture(const std::string& name, const Prepare& prepare, benchmark::State& state);
  template <typename Fixture>
  void measure(Fixture& fixture, benchmark::State& state);

  Options options_;
  std::vector<Entry> entries_;
  Progress progress_;
  size_t failures_ = 0;
  std::shared_ptr<void> fixture_;  // verified
  std::string fixture_name_;       // whose it is
};

// Implementation. ------------------------------------------------------------------------------------------

namespace internal {

template <typename Fixture>
bool run_once(Fixture& fixture) {
  if constexpr (TimesItself<Fixture>) {
    Nanoseconds unused{};
    return fixture.run(unused);
  } else {
    return fixture.run();
  }
}

}  // namespace internal

template <typename Prepare>
void Suite::add(std::string name, Prepare prepare, benchmark::TimeUnit unit) {
  using Pointer = std::remove_cvref_t<decltype(prepare().value())>;
  using Fixture = typename Pointer::element_type;
  auto body = [this, name, prepare](benchmark::State& state) {
    if (Fixture* made = fixture<Fixture>(name, prepare, state)) measure(*made, state);
  };
  entries_.push_back({std::move(name), std::move(body), unit, TimesItself<Fixture>});
}

// Null after a failure, which has been noted then.
template <typename Fixture, typename Prepare>
Fixture* Suite::fixture(const std::string& name, const Prepare& prepare, benchmark::State& state) {
  if (fixture_name_ == name) return static_cast<Fixture*>(fixture_.get());
  fixture_.reset();  // before the next one is made
  fixture_name_.clear();
  auto made = prepare();
  if (!made) {
    fail_or_skip(state, made.error());
    return nullptr;
  }
  std::shared_ptr<Fixture> owner = std::move(made).value();
  if (!internal::run_once(*owner)) {
    fail(state, "a wrong answer before timing");
    return nullptr;
  }
  fixture_name_ = name;
  fixture_ = owner;
  return owner.get();
}

template <typename Fixture>
void Suite::measure(Fixture& fixture, benchmark::State& state) {
  bool is_right = true;
  [[maybe_unused]] std::conditional_t<IsLatency<Fixture>, Latencies, std::monostate> latencies;
  const NoiseReading before = read_noise();
  if constexpr (TimesItself<Fixture>) {
    for (auto unused : state) {
      Nanoseconds spent{};
      is_right &= fixture.run(spent);
      state.SetIterationTime(std::chrono::duration<double>(spent).count());
      if constexpr (IsLatency<Fixture>) latencies.add(spent);
    }
  } else {
    for (auto unused : state) is_right &= fixture.run();
  }
  report_noise(before, read_noise(), state);
  if constexpr (requires { fixture.is_consistent(); }) is_right &= fixture.is_consistent();
  if (!is_right) return fail(state, "a wrong answer while timing");
  if constexpr (IsLatency<Fixture>) latencies.report(state);
  if constexpr (requires { fixture.report(state); }) fixture.report(state);
}

}  // namespace sandglass::bench
