// Workloads: the guest programs that the suite times and the tests verify, each with a native twin.
//
// A workload is a guest, embedded at build time: PVM assembly (workloads/<name>/<name>.s) or a program in C
// or C++ (programs.h). It has two sizes with their expected results, and a twin: the same algorithm in scalar
// C++. Verify once, then time:
//
//   const Workload& sieve = *find_workload("sieve");
//   auto program = SG_TRY(load(sieve));
//   auto sandbox = SG_TRY(Sandbox::create(SG_TRY(Module::create(program))));
//   SG_TRY(prepare(*sandbox, sieve, sieve.quick));        // not timed
//   Outcome outcome = SG_TRY(finish(*sandbox, sieve));    // timed
//   SG_CHECK(outcome == expected_outcome(sieve.quick));
//
// The contract that a workload keeps is in workloads/README.md.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sandbox/backend/sandbox.h"

namespace sandglass {

struct WorkloadSize {
  std::array<uint64_t, 2> arguments;  // a0, a1
  uint64_t expected = 0;              // a0 when the guest has finished
  uint64_t stops = 0;                 // host calls, or traps, on the way there
  // That the guest executes: exactly what CostModel::naive() charges. 0: nobody says, as compilers differ.
  uint64_t instructions = 0;
};

// The same algorithm in scalar C++. `memory` plays the guest's RW data: `memory_bytes` zeroed bytes (with the
// input, if there is one, at their start); it may be null when the workload needs none.
using Twin = uint64_t (*)(uint64_t a0, uint64_t a1, uint8_t* memory);

// What reports put together.
enum class WorkloadKind : uint8_t { kAssembly, kKernel, kProgram, kSoftFloat };
const char* name_of(WorkloadKind kind);  // "assembly", "kernel", "program", "soft float"

struct Workload {
  std::string_view name;
  WorkloadKind kind = WorkloadKind::kAssembly;
  std::string_view stresses;  // a short phrase for tables
  std::string_view assembly;
  std::span<const uint8_t> container;  // instead of `assembly`
  std::string_view entry = "main";
  WorkloadSize quick;  // below a million instructions: for tests, on every backend
  WorkloadSize full;   // for timing: 4 to 100 ms for the twin, if it has anything to do
  Twin twin = nullptr;
  Twin fast_twin = nullptr;  // what this machine can do at best; null: nobody made one
  // Where RW data starts for the guest, and the size of the part that guest and twin use alike, at either
  // size: the same bytes are in it when they are done.
  uint32_t memory_base = 0x20000;
  size_t memory_bytes = 0;
  // Bytes that must be at memory_base before the call; null: none. Depends on nothing but the size.
  std::vector<uint8_t> (*input)(const WorkloadSize& size) = nullptr;
  // The host call that the guest makes size.stops times. The host has nothing to do but to go on.
  std::optional<uint32_t> host_call;
  // For guests that trap size.stops times: the export where the host goes on after each trap, with registers
  // and memory as they are. Empty: a trap is a failure.
  std::string_view resume_at;
  // The first touch of memory is what is timed: every timed call needs memory that nobody touched before,
  // guest and twin alike.
  bool needs_fresh_memory = false;
};

// Sorted as in the README: from doing nothing to doing much.
std::span<const Workload> workloads();
// Null when there is none of that name.
const Workload* find_workload(std::string_view name);

// A program that is all about its one stop. Small enough to be compiled in every iteration of a benchmark.
struct StopSnippet {
  std::string_view name;
  std::string_view assembly;                  // exports "main"
  uint64_t argument = 0;                      // a0
  InterruptKind kind = InterruptKind::kTrap;  // kOutOfGas: the module must meter gas (kSync)
  TrapKind trap = TrapKind::kInstruction;     // when kind is kTrap
};
std::span<const StopSnippet> stop_snippets();
const StopSnippet* find_stop_snippet(std::string_view name);

struct Outcome {
  uint64_t result = 0;  // a0
  uint64_t stops = 0;
  bool operator==(const Outcome&) const = default;
};
inline Outcome expected_outcome(const WorkloadSize& size) { return {size.expected, size.stops}; }

// Assembles the text, or parses the container.
Result<std::shared_ptr<const Program>> load(std::string_view assembly);
Result<std::shared_ptr<const Program>> load(const Workload& workload);

// Writes the input and sets registers and pc for a call. Costs a copy of the input.
Status prepare(Sandbox& sandbox, const Workload& workload, const WorkloadSize& size);

// Runs until the guest finishes, going on after the host calls or traps that belong to the workload. Any
// other stop is an error (kViolation, `detail` = the kind of interrupt). Does no more per stop than a minimal
// host would: compare a number, count, go on.
Result<Outcome> finish(Sandbox& sandbox, const Workload& workload);

// What the twin says, in memory of its own. For verification; to time a twin, call it on memory that is
// reused.
uint64_t run_twin(const Workload& workload, const WorkloadSize& size);

}  // namespace sandglass
