// bench_sandbox: the catalogue of the suite. README.md says how to run it and how to read what it prints.
#include <fmt/format.h>

#include <cstdio>

#include "bench/families.h"

namespace sandglass::bench {
namespace {

constexpr void (*kFamilies[])(Suite&) = {
    add_noop,         // what does measuring cost?
    add_host_call,    // what does it cost a guest to call its host?
    add_trap,         // what does it cost when a guest stops against its will?
    add_instantiate,  // what does a fresh sandbox cost?
    add_spawn,        // what does a new process cost, and each layer around it?
    add_pool,         // what does a guest cost that gets a worker from a pool?
    add_handoff,      // what does it cost to hand the turn to another process and get it back?
    add_paging,       // what does a page cost that is touched, served by hand, or given back?
    add_kill,         // how soon is a killed process gone?
    add_footprint,    // how much memory does a process cost?
    add_hardening,    // what does each optional layer of the jail cost?
    add_gas,          // what does metering cost a guest that runs?
    add_run,          // how fast does a guest run, compared with C++?
    add_cold,         // how long until a program has answered that nobody has run before?
    add_compile,      // how fast does a program become a module?
    add_encoder,      // which x86-64 encoder is the fastest?
};

int run(std::span<const char* const> arguments) {
  const Result<Options> options = parse_options(arguments);
  if (!options) {
    fmt::print(stderr, "bench_sandbox: {} (--help explains)\n", to_string(options.error()));
    return kUsage;
  }
  if (options->help) {
    fmt::print("{}", help_text());
    return kOk;
  }
  Suite suite(*options);
  for (const auto add_family : kFamilies) add_family(suite);
  return suite.run();
}

}  // namespace
}  // namespace sandglass::bench

int main(int argc, char** argv) { return sandglass::bench::run({argv + 1, argv + argc}); }
