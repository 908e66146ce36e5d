// The fixed routines at the start of a module's code: how emitted code calls for help and how it leaves.
//
// A stop that is not expected is a `call` of its routine; the return address tells the host where the guest
// was, so that the code of a stop is five bytes and costs nothing until it happens. But nothing ever returns
// to it, and from then on the processor guesses every return wrongly, up to the host's outermost caller: see
// trap/generic/out_of_gas beside trap/generic/instruction in the suite. Stops that programs make on purpose
// therefore push a native offset and jump. All routines end in one exit, which stores the registers into the
// context and jumps to VmContext::host_exit on the host's stack.
#pragma once

#include "sandbox/compiler/emitter.h"
#include "sandbox/compiler/native_code.h"

namespace sandglass {

// Writes the routines at the cursor; offsets are relative to `base`.
Trampolines emit_trampolines(Emitter& e, const uint8_t* base, bool is_64, GasMetering gas);

}  // namespace sandglass
