// Into emitted code and back: the one entry, the one exit.
#pragma once

#include <cstdint>

#include "sandbox/abi/vm_context.h"

namespace sandglass {

extern "C" {
// Runs emitted code at context->resume_address until it leaves. Points GS at guest address 0 (and leaves it
// there: nothing else in a 64-bit Linux process uses GS), switches to the guest's stack, loads the registers.
// Leaves at once with ExitReason::kInterrupted when stop_requested is set. Costs about as much as storing and
// loading all registers twice.
void sandglass_enter(VmContext* context);

// Between these two a stop can be made by going to sandglass_host_exit with the context's host stack, since
// the context still holds the registers; the first instruction looks at stop_requested.
extern const char sandglass_enter_check[], sandglass_enter_end[];
// Where emitted code, or a signal handler on its behalf, returns to the caller of sandglass_enter.
extern const char sandglass_host_exit[];
}

// Whether the CPU and the kernel (Linux 5.9) let a process set its GS base itself.
bool can_set_gs_base();

}  // namespace sandglass
