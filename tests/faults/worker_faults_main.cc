// Soak: threads make, use and drop sandboxes, while others kill and stop worker processes and templates at
// random moments. Each step must end within a bound, with a right answer or with kWorkerDied, and at the end
// nothing may be left over. What a seed fixes is what each thread does, not when.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>
#include <thread>

#include "sandbox/backend/linux/turns.h"
#include "tests/faults/injector.h"
#include "tests/faults/live_heap.h"
#include "tests/faults/operator.h"
#include "tests/faults/processes.h"

namespace sandglass::faults {
namespace {

// Creating one may wait for a template and for two answers, five seconds each.
constexpr uint64_t kBoundNs = 30'000'000'000;

struct Options {
  double seconds = 0;
  uint64_t count = 0, faults = 0;
  uint64_t seed = 1;
  size_t threads = 4, injectors = 2;
  uint64_t pause_us = 2000;
  uint64_t max_p99_us = 1'000'000;  // of a machine that may be busy
};

// What a phase does: cycles and faults until both counts are reached, or the time is over.
struct Phase {
  uint64_t seed, end_ns, cycles, faults;
};

bool is_over(const Phase& phase, const Theatre& theatre, const FaultCounts& counts) {
  return monotonic_ns() >= phase.end_ns ||
         (theatre.cycles.load() >= phase.cycles && counts.all() >= phase.faults);
}

void operate(const Phase& phase, size_t thread, Theatre& theatre, Station& station,
             const FaultCounts& counts) {
  Operator op(phase.seed * 1000 + thread, theatre, station);
  while (!is_over(phase, theatre, counts)) {
    if (const Status status = op.cycle(); !status) {
      fmt::print(stderr, "WRONG, seed {}, thread {}, cycle {}, {}, {}: {}\n", phase.seed, thread,
                 station.cycle.load(), station.scenario.load(), op.failed_step(), to_string(status.error()));
      std::_Exit(1);
    }
  }
}

void print(const Theatre& theatre, const FaultCounts& counts, uint64_t longest_ns) {
  fmt::print("{} cycles, {} runs, {} right, {} died; {} kills and {} stops, of templates {} and {}\n",
             theatre.cycles.load(), theatre.runs.load(), theatre.right.load(), theatre.died.load(),
             counts.kills.load(), counts.stops.load(), counts.template_kills.load(),
             counts.template_stops.load());
  for (const auto& [error, times] : theatre.errors()) fmt::print("  {:7} x {}\n", times, error);
  fmt::print("  longest step {:.3f} ms\n", static_cast<double>(longest_ns) / 1e6);
}

double percentile_us(const std::vector<uint64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  return static_cast<double>(sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))]) /
         1e3;
}

// True when the deaths of workers were noticed in time.
bool print_delays(const std::vector<uint64_t>& delays, uint64_t max_p99_us) {
  const double p99_us = percentile_us(delays, 0.99);
  fmt::print(
      "  from the pidfd's report of a death to the return of run(): {} times, p50 {:.0f} us, p90 {:.0f} us, "
      "p99 {:.0f} us, at most {:.0f} us\n",
      delays.size(), percentile_us(delays, 0.5), percentile_us(delays, 0.9), p99_us,
      percentile_us(delays, 1));
  return p99_us <= static_cast<double>(max_p99_us);
}

bool play(const Phase& phase, const Options& options) {
  Theatre theatre;
  FaultCounts counts;
  std::vector<std::unique_ptr<Station>> stations;
  for (size_t i = 0; i < options.threads; ++i) stations.push_back(std::make_unique<Station>());
  {
    const Watch watch(stations, phase.seed, kBoundNs);
    std::vector<std::unique_ptr<Injector>> injectors;
    for (size_t i = 0; i < options.injectors; ++i) {
      injectors.push_back(std::make_unique<Injector>(
          phase.seed * 1000 + 500 + i, std::chrono::microseconds(options.pause_us), theatre.clock, counts));
    }
    std::vector<std::thread> threads;
    for (size_t i = 0; i < options.threads; ++i)
      threads.emplace_back([&, i] { operate(phase, i, theatre, *stations[i], counts); });
    for (std::thread& thread : threads) thread.join();
  }
  uint64_t longest_ns = 0;
  for (const auto& station : stations) longest_ns = std::max(longest_ns, station->longest_ns.load());
  print(theatre, counts, longest_ns);
  return print_delays(theatre.clock.delays(), options.max_p99_us);
}

// Processes take a moment to vanish.
Holdings settled_holdings() {
  Holdings holdings = count_holdings();
  for (int i = 0; i < 100 && holdings.children > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    holdings = count_holdings();
  }
  return holdings;
}

void print(const char* when, const Holdings& h) {
  const LiveHeap heap = live_heap();
  fmt::print(
      "{}: {} descriptors, {} mappings, {} children, {} objects of {} bytes, {} bytes allocated, {} KiB "
      "resident\n",
      when, h.descriptors, h.mappings, h.children, heap.blocks, heap.bytes, h.allocated_bytes,
      h.resident_bytes >> 10);
}

// A percent, and for what is resident a few pages that the kernel may have faulted around.
bool has_leaked(const Holdings& before, const LiveHeap& heap_before, const Holdings& after) {
  constexpr size_t kFewPagesBytes = size_t{16} << 10;
  const LiveHeap heap = live_heap();
  return after.descriptors != before.descriptors || after.children != 0 || after.mappings > before.mappings ||
         heap.blocks > heap_before.blocks || heap.bytes > heap_before.bytes ||
         after.allocated_bytes > before.allocated_bytes + before.allocated_bytes / 100 ||
         after.resident_bytes > before.resident_bytes + before.resident_bytes / 100 + kFewPagesBytes;
}

// Tables are as long as the most workers at a time have made them, so there are more of them here than in any
// round that follows.
bool gather_a_crowd() {
  constexpr size_t kCrowd = 40;
  Theatre theatre;
  std::vector<std::unique_ptr<Sandbox>> crowd;
  const auto pool = theatre.fresh_workers.get();
  while (pool && crowd.size() < kCrowd) {
    auto sandbox = Sandbox::create(theatre.first, {.workers = *pool});
    if (!sandbox) break;
    crowd.push_back(std::move(*sandbox));
  }
  return crowd.size() == kCrowd;
}

// A warm-up, then rounds of the same length: what leaks grows from each to the next.
int run(const Options& options) {
  constexpr uint64_t kRounds = 4;
  const auto end_of_round = [&options] {
    if (options.seconds <= 0) return std::numeric_limits<uint64_t>::max();
    return monotonic_ns() + static_cast<uint64_t>(options.seconds * 1e9 / (kRounds + 1));
  };
  const bool is_counted = options.count != 0 || options.faults != 0;
  const uint64_t cycles = is_counted ? options.count / kRounds : std::numeric_limits<uint64_t>::max();
  const uint64_t faults = is_counted ? options.faults / kRounds : cycles;
  if (!gather_a_crowd()) {
    fmt::print(stderr, "WRONG: there are not as many workers as there should be\n");
    return 1;
  }
  Holdings before, after;
  LiveHeap heap_before;
  bool is_in_time = true;
  for (uint64_t round = 0; round <= kRounds; ++round) {
    is_in_time &= play({options.seed + round, end_of_round(), cycles, faults}, options);
    after = settled_holdings();
    print(round == 0 ? "after the warm-up" : "after a round", after);
    if (round > 0) continue;
    before = after;
    heap_before = live_heap();
  }
  if (!is_in_time) fmt::print(stderr, "LATE, seed {}: deaths were not noticed in time\n", options.seed);
  const bool leaks = has_leaked(before, heap_before, after);
  if (leaks) fmt::print(stderr, "LEAK, seed {}\n", options.seed);
  return leaks || !is_in_time ? 1 : 0;
}

// The allocator keeps freed memory for every thread, ever more until each of its caches is full: that would
// hide small leaks. Its caches can only be turned off from outside.
void restart_without_caches(char** argv) {
  constexpr const char
      *kVariable = "GLIBC_TUNABLES",
      *kValue = "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=131072";
  if (const char* now = std::getenv(kVariable); now != nullptr && std::string_view(now) == kValue) return;
  ::setenv(kVariable, kValue, 1);
  ::execv("/proc/self/exe", argv);
  fmt::print(stderr, "worker_faults: cannot start itself again: {}\n", std::strerror(errno));
  std::_Exit(1);
}

}  // namespace
}  // namespace sandglass::faults

int main(int argc, char** argv) {
  sandglass::faults::restart_without_caches(argv);
  CLI::App app{"Kills and stops worker processes at random moments while they are used"};
  sandglass::faults::Options options;
  app.add_option("--seconds", options.seconds, "stop after this time");
  app.add_option("--count", options.count, "sandboxes to make, use and drop, after a warm-up");
  app.add_option("--faults", options.faults, "kills and stops to reach");
  app.add_option("--seed", options.seed, "what the threads do")->capture_default_str();
  app.add_option("--threads", options.threads, "threads that use sandboxes")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--injectors", options.injectors, "threads that kill and stop")->capture_default_str();
  app.add_option("--pause-us", options.pause_us, "mean time between two faults of a thread")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--max-p99-us", options.max_p99_us, "fail when deaths are noticed later")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (options.seconds == 0 && options.count == 0 && options.faults == 0) options.count = 10'000;
  return sandglass::faults::run(options);
}
