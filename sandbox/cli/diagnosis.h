// Why a guest stopped, for a person.
#pragma once

#include <string>
#include <string_view>

#include "sandbox/backend/sandbox.h"

namespace sandglass::cli {

// The instruction at pc as assembly text, or that there is none.
std::string describe_instruction(const Program& program, uint32_t pc);

// Several lines, the last one without its end: what happened, where, which access, how much gas is left, all
// registers. `reason` says why a host call was not served, or which limit has been exceeded if not the
// deadline.
std::string describe_stop(const Sandbox& sandbox, const Interrupt& stop, std::string_view reason);

}  // namespace sandglass::cli
