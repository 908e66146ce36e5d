// Optimizer: few and cheap changes that need no trust in how the code was made.
//
//   constants          constants.h
//   what nobody wants  a register that is written and then never read (liveness.h); memory accesses stay, as
//                      they may trap; borrowed registers are not saved where nobody wants them
//   host calls         a call of a function that is a host call and a return becomes the host call
//   jumps              to a jump go where that goes; to the next line disappear
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/linker/tracer.h"

namespace sandglass::linker {

// `entries`: addresses (ascending) where the host may begin. `pointed_by_data`: where code pointers in data
// point to; those in code may get fewer. Cost: O(n log n).
void optimize(Code& code, const std::vector<uint32_t>& entries, const std::vector<uint32_t>& pointed_by_data);

}  // namespace sandglass::linker
