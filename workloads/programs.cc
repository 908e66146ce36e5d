#include "workloads/programs.h"

// Made by programs.cmake: SG_IF_BUILT_<name>(text) is the text for a program that was built and nothing for
// another; SG_MISSING_PROGRAMS is a list of strings.
#include "workloads/built_programs.h"

// The embedded container, and run() of the two twins.
#define SG_PROGRAM(name, ...)                                                                           \
  SG_IF_BUILT_##name(extern "C" const uint8_t sandglass_guest_##name[], sandglass_guest_##name##_end[]; \
                     extern "C" uint64_t name##_scalar_run(uint64_t argument);                          \
                     extern "C" uint64_t name##_fast_run(uint64_t argument);)
#include "workloads/programs.def"
#undef SG_PROGRAM

namespace sandglass {
namespace {

template <uint64_t (*run)(uint64_t)>
uint64_t as_twin(uint64_t argument, uint64_t, uint8_t*) {
  return run(argument);
}

}  // namespace

std::span<const Workload> guest_programs() {
  static const std::vector<Workload> all = {
#define SG_PROGRAM(program, what_kind, what, quick_argument, quick_result, full_argument, full_result) \
  SG_IF_BUILT_##program({.name = #program,                                                             \
                         .kind = WorkloadKind::what_kind,                                              \
                         .stresses = what,                                                             \
                         .container = {sandglass_guest_##program, sandglass_guest_##program##_end},    \
                         .entry = "run",                                                               \
                         .quick = {.arguments = {quick_argument}, .expected = quick_result},           \
                         .full = {.arguments = {full_argument}, .expected = full_result},              \
                         .twin = as_twin<program##_scalar_run>,                                        \
                         .fast_twin = as_twin<program##_fast_run>}, )
#include "workloads/programs.def"
#undef SG_PROGRAM
  };
  return all;
}

std::span<const std::string_view> missing_programs() {
  static const std::vector<std::string_view> all = {SG_MISSING_PROGRAMS};
  return all;
}

}  // namespace sandglass
