// What several families do with guests.
#pragma once

#include <limits>
#include <memory>
#include <string_view>

#include "sandbox/backend/sandbox.h"

namespace sandglass::bench {

// More gas than any benchmark uses up.
inline constexpr int64_t kPlentyOfGas = std::numeric_limits<int64_t>::max() / 2;

// kUnsupported where this machine does not let the backend run. Costs a jail, the first time.
Status need(Backend backend);

// A mebibyte of code; exports "main", and "nop", which returns at once.
Result<std::shared_ptr<const Program>> program_with_much_code(uint64_t seed);

// From assembly to a sandbox, with plenty of gas.
Result<std::unique_ptr<Sandbox>> sandbox_of(std::string_view assembly, const ModuleOptions& options);

// Runs the guest from pc. Whether it finished.
bool call(Sandbox& sandbox, uint32_t pc);

// Fails with kInvalidArgument when the program has no such export.
Result<uint32_t> export_of(const Program& program, std::string_view name);

}  // namespace sandglass::bench
