// What the tests of the workloads share: making a sandbox for a program, and names for the
// parameters.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "workloads/workloads.h"

namespace sandglass {

inline constexpr GasMetering kAllGasModes[] = {GasMetering::kNone, GasMetering::kSync, GasMetering::kAsync};
std::string name_of(GasMetering gas);

Result<std::unique_ptr<Sandbox>> make_guest(const std::shared_ptr<const Program>& program, Backend backend,
                                            GasMetering gas);
Result<std::unique_ptr<Sandbox>> make_guest(std::string_view assembly, Backend backend, GasMetering gas);

// `size_bytes` of the guest's memory from `address` on.
Result<std::vector<uint8_t>> read_guest(const Sandbox& sandbox, uint32_t address, size_t size_bytes);

}  // namespace sandglass
