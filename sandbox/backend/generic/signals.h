// Signals of the generic backend: faults of guests, and requests to stop them.
//
// One handler per process serves SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGTRAP, and SIGURG as the request to
// stop. It takes a guest out only when the thread is running one and the instruction pointer lies in that
// guest's code; every other signal goes to the handler that was there before (one installed later must pass
// on what it does not know). The handler runs on the thread's alternate signal stack; a thread without one
// gets its own at its first run. It leaves a guest by jumping to the host's exit, which costs less than
// returning through the kernel.
#pragma once

#include <csignal>
#include <cstdint>

#include "sandbox/abi/vm_context.h"
#include "sandbox/base/result.h"
#include "sandbox/compiler/native_code.h"

namespace sandglass {

// The guest that a thread is running right now.
struct RunningGuest {
  VmContext* context = nullptr;
  const NativeCode* code = nullptr;
  bool is_metered = false;  // r15 holds the gas

  // What the handler found when it took the guest out; signal is 0 when it did not.
  int signal = 0;
  uint32_t native_offset = 0;  // where the guest was
  uint64_t temporary = 0;      // rcx
  bool is_stepping = false;    // on its way to the next instruction boundary
};

// Installs the handler (once per process).
Status install_signal_handlers();
// Asks a guest to stop; ignored by default, and hardly anybody uses it.
inline constexpr int kStopSignal = SIGURG;

// Gives this thread an alternate signal stack if it has none. Without memory for one the process stops: a
// fault could not be handled.
void ensure_signal_stack();

// Runs the guest until it leaves or is taken out.
void run_guest(RunningGuest& guest);

// The kernel's number of the calling thread; free of charge after the first call.
pid_t this_thread_id();
// Makes a guest that thread `thread_id` may be running look at its stop_requested.
void request_stop(pid_t thread_id);

// Asks the guest that the calling thread runs, or is about to run, to stop, once, after the given times: of
// the wall clock and of the thread's CPU clock; 0: none.
class DeadlineTimer {
 public:
  // `stop_bit` is or-ed into `stop_requested`, which must live until disarm().
  static void arm(uint64_t wall_ns, uint64_t cpu_ns, uint32_t* stop_requested, uint32_t stop_bit);
  static void disarm();
};

}  // namespace sandglass
