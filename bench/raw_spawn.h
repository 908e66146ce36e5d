// RawSpawn: new processes, and the steps that put a jail around one, by plain system calls: what starting a
// worker can cost at least. Measured beside the backend that does it for real.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "bench/harness.h"
#include "bench/tiny_program.h"

namespace sandglass::bench {

// What the cases work with, made outside of the timed part.
struct SpawnTools {
  TinyProgram program;
  std::unique_ptr<ForkServer> server;
  Mapping stack;  // for children that share our memory
};

struct RawSpawnCase {
  std::string_view name;
  // Does it once and says how long it took. Fails unless the child has confirmed that it did its part.
  Result<Nanoseconds> (*once)(const SpawnTools& tools, uint64_t parameter);
  uint64_t parameter;
};

std::span<const RawSpawnCase> raw_process_cases();    // fork, exec, namespaces
std::span<const RawSpawnCase> raw_jail_step_cases();  // what a child does to itself

// The child did not end as it should have: a wrong answer.
Error wrong_child();

class RawSpawn {
 public:
  static constexpr bool kIsLatency = true;
  // kUnsupported where this process has no right to do it.
  static Result<std::unique_ptr<RawSpawn>> create(const RawSpawnCase& raw);
  bool run(Nanoseconds& spent);
  void report(benchmark::State& state) const;  // resident_KiB, of which a fork copies the page tables

 private:
  RawSpawn(const RawSpawnCase& raw, SpawnTools tools) : raw_(raw), tools_(std::move(tools)) {}

  const RawSpawnCase& raw_;
  SpawnTools tools_;
};

}  // namespace sandglass::bench
