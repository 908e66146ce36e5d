// Constants: what registers are known to hold makes instructions with immediate operands.
//
//   a1 = 0x30008; a0 = u32 [a1 + 4]           a0 = u32 [0x3000c]
//   a1 = 5; jump @x if a1 <u a0               jump @x if a0 >u 5
//   a1 = 1; a1 = a1 << 40                     a1 = 0x10000000000
//
// From the beginning of a block on; what was known at the end of another is forgotten. The instruction that
// made the constant stays; when nobody wants it any more, the optimizer drops it.
#pragma once

#include "workloads/linker/liveness.h"

namespace sandglass::linker {

void use_constants(Code& code, const FlowGraph& graph);

}  // namespace sandglass::linker
