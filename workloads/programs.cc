#include "workloads/programs.h"

#include <vector>

// Made by CMakeLists.txt: SG_IF_BUILT_<name>(text) is the text for a program that was built and nothing for
// another; SG_MISSING_PROGRAMS is a list of strings.
#include "workloads/built_programs.h"

namespace sandglass {

#define SG_PROGRAM(name, ...)                                                    \
  SG_IF_BUILT_##name(extern "C" uint64_t name##_ordinary_run(uint64_t argument); \
                     extern "C" uint64_t name##_scalar_run(uint64_t argument);)
#include "workloads/programs.def"
#undef SG_PROGRAM

std::span<const GuestProgram> guest_programs() {
  static const std::vector<GuestProgram> all = {
#define SG_PROGRAM(name, stresses, quick, quick_expected, full, full_expected) \
  SG_IF_BUILT_##name({#name,                                                   \
                      stresses,                                                \
                      {quick, quick_expected},                                 \
                      {full, full_expected},                                   \
                      name##_ordinary_run,                                     \
                      name##_scalar_run}, )
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
