// Differential fuzzing: random programs on the interpreter and on a compiled backend must agree in everything
// that a host can see. Every program follows from its seed alone, so a difference is reproduced by
// `differential --first SEED --count 1`.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>

#include "tests/differential/lockstep.h"

namespace {

using Clock = std::chrono::steady_clock;

int run(uint64_t first, uint64_t count, double seconds, sandglass::Backend backend) {
  sandglass::fuzz::LockstepCounts counts;
  const auto begin = Clock::now();
  const bool is_terminal = ::isatty(STDERR_FILENO) != 0;
  uint64_t seed = first;
  for (; seed - first < count; ++seed) {
    if (seed % 256 == 0) {
      const double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
      if (seconds > 0 && elapsed > seconds) break;
      if (is_terminal)
        fmt::print(stderr, "\r{} programs, {:.0f} per second", counts.programs, counts.programs / elapsed);
    }
    if (const auto difference = sandglass::fuzz::run_lockstep(seed, backend, counts)) {
      fmt::print("\nDIFFERENCE {}\n", *difference);
      return 1;
    }
  }
  fmt::print("{}seeds {}..{}: {} programs, {} stops compared, {} skipped as endless: 0 differences\n",
             is_terminal ? "\n" : "", first, seed - 1, counts.programs, counts.stops, counts.skipped);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs random programs on the interpreter and on a compiled backend and compares every stop"};
  uint64_t first = 1, count = UINT64_MAX;
  double seconds = 0;
  std::string backend_name = "generic";
  app.add_option("--first", first, "first seed")->capture_default_str();
  app.add_option("--count", count, "number of seeds; without it and --seconds: 10,000");
  app.add_option("--seconds", seconds, "stop after this time");
  app.add_option("--backend", backend_name, "backend to compare with the interpreter")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const auto backend = sandglass::backend_named(backend_name);
  if (!backend) {
    fmt::print(stderr, "no backend is called '{}'\n", backend_name);
    return 64;
  }
  if (count == UINT64_MAX && seconds == 0) count = 10'000;
  return run(first, count, seconds, *backend);
}
