// VmContext: the state of one guest that host and emitted code share.
//
// Compiled backends put it into the page directly below guest address 0, where emitted code reaches it with a
// fixed negative offset from its memory base. While the guest runs, the emitted code owns it; while the host
// runs, the host does. Freestanding: this header includes nothing of ours.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace sandglass {

// Why emitted code left through its exit.
enum class ExitReason : uint32_t {
  kNone = 0,     // still inside; also what a fault leaves behind
  kFinished,     // dynamic jump to the return-to-host address
  kHostCall,     // exit_argument = number; resume_address = behind the call
  kTrap,         // exit_argument = TrapKind; resume_address = behind the code of the trap
  kOutOfGas,     // resume_address = behind the exit of the block that could not be paid
  kStep,         // resume_address = the instruction about to run
  kSbrk,         // resume_address = behind the instruction
  kMemset,       // memset ran out of gas; a0 and a2 say what is left
  kInterrupted,  // the entry saw a request to stop before the first instruction
  kSignal,       // worker processes: a signal took the guest out; exit_argument = its number
};

// The first two cache lines are all that an ordinary stop writes.
struct alignas(64) VmContext {
  // Guest registers; emitted code loads them on entry and stores them on exit.
  uint64_t regs[13];
  // Gas left. Emitted code keeps it in a register while it runs.
  int64_t gas;
  // Native address where the entry jumps to; set by the host, and by the exit for the stops that can go on.
  uint64_t resume_address;
  uint32_t exit_argument;
  ExitReason exit_reason;
  // The entry sets the zero flag as this value demands: the guest may start behind an instruction whose flags
  // a translated branch relies on.
  uint64_t zero_flag_value;
  // Stack pointer of whoever entered, saved by the entry for the exit.
  uint64_t host_stack;
  // Top of the stack the emitted code runs on, which is also the base of its jump table.
  uint64_t guest_stack;
  // Address of guest address 0.
  uint64_t memory_base;
  // The code that the module's exit jumps to.
  uint64_t host_exit;
  // memset: a0 at its start and the number of bytes it is filling.
  uint64_t memset_start, memset_count;
  // Set by any thread to ask the guest to stop; read by the entry.
  uint32_t stop_requested;
};

static_assert(sizeof(VmContext) <= 4096, "the context is one page");

}  // namespace sandglass
