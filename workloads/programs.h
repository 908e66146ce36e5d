// Workloads in C and C++ (programs.def, programs.cmake). They are among workloads(); this is what is special
// about them: a build that lacks clang-19, or could not have the sources of others, lacks them and says why.
#pragma once

#include <span>
#include <string_view>

#include "workloads/workloads.h"

namespace sandglass {

// Those that were built.
std::span<const Workload> guest_programs();
// The others, one "name: reason" each.
std::span<const std::string_view> missing_programs();

}  // namespace sandglass
