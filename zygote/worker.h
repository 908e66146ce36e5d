// A worker: waits for commands of the host and runs guests.
#pragma once

#include "sandbox/abi/launch.h"
#include "sandbox/abi/protocol.h"

namespace sandglass::zygote {

// A freshly forked child of the template becomes a worker.
[[noreturn]] void become_worker(const SpawnRequest& request);

// For the signal handler. -----------------------------------------------------------------------------------

inline const HostPage* host_page() { return reinterpret_cast<const HostPage*>(worker_space::kHostPage); }
inline WorkerPage* worker_page() { return reinterpret_cast<WorkerPage*>(worker_space::kWorkerPage); }

// Puts what the context says about the guest's stop where the host looks for it.
void publish_stop();
// Tells the host that the command has been carried out.
void answer();
// Waits for the next command.
WorkerCommand wait_for_command();
// Leaves a command for the main loop, to be carried out without an answer to the one before.
void leave_for_main_loop();

// Says why and ends the process.
[[noreturn]] void die(WorkerExit status, const char* message);

// Installs the handler for faults and for requests to stop. 0 or -errno.
long install_signal_handlers();

extern "C" {
// Runs the guest until it leaves or is taken out; see sandbox/abi/guest_entry.h.
void zygote_enter(VmContext* context);
// Between these two the registers are still in the context; the first instruction looks at stop_requested.
extern const char zygote_enter_check[], zygote_enter_end[];
// Where emitted code leaves to, on VmContext::host_stack.
extern const char zygote_host_exit[];
}

}  // namespace sandglass::zygote
