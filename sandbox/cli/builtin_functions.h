// The host functions that `sandglass run --allow NAME` can hand to a guest. A guest gets none unasked.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/backend/host_functions.h"

namespace sandglass::cli {

// Why a function did not serve a call; outlives the functions.
struct Refusal {
  std::string reason;
};

struct Builtin {
  std::string_view name;
  std::string_view help;
  HostCallResult (*serve)(Sandbox& guest, Refusal& refusal);
};

std::span<const Builtin> builtins();

// Fails with kInvalidArgument for an unknown or repeated name.
Result<HostFunctions> allow_builtins(std::span<const std::string> names, Refusal& refusal);

}  // namespace sandglass::cli
