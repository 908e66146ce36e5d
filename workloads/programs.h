// Workloads in C and C++ (workloads/sdk/programs.cmake), with their native twins.
//
// Their sources are others': a build that could not have them lacks the programs, and says why.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sandglass {

struct ProgramSize {
  uint64_t argument;
  uint64_t expected;
};

struct GuestProgram {
  std::string_view name;
  std::string_view stresses;
  ProgramSize quick;  // for tests
  ProgramSize full;   // for timing: 4 to 100 ms for a twin
  // The same sources, compiled as programs usually are, and without vector instructions, which PVM lacks.
  uint64_t (*ordinary_twin)(uint64_t argument);
  uint64_t (*scalar_twin)(uint64_t argument);
};

// Those that were built.
std::span<const GuestProgram> guest_programs();
// The others, one "name: reason" each.
std::span<const std::string_view> missing_programs();

}  // namespace sandglass
