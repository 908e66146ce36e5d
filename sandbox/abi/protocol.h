// The turn-taking protocol between the host and a worker process.
//
//   host page (written by the host alone)          worker page (written by the worker alone)
//   sequence, command, entry ────────── n ──────►  the worker sees a new number and executes `command`
//                            ◄───────── n ───────  sequence, stop: done; what it reports lies in its page
//
// The number grows by one per command, so an answer that is stale, early or made up is not the one expected:
// the host then takes the worker for hostile. The one thing that the host ever writes into the worker's page
// is kWorkerDied, when its supervisor has seen the end of the process.
//
// What a turn costs is the cache lines that travel between two cores, 70 to 140 ns each. So an ordinary turn
// moves one each way, and each begins with the word that the other side looks at:
//
//   host page   0   sequence, command, where to go on, gas, a0 … a3        one line for the worker to read
//              64   what hardly ever changes
//             128   the other registers, if the host has changed any       lines that changed_regs asks for
//             256   changes of the address space                           with kChange
//   worker page 0   VmContext: the worker's own                            lines that stay with the worker …
//             256   sequence, reason, where it stopped, gas, a0 … a3       one line for the host to read
//             320   a4, a5                                                 its neighbour, when asked for
//             384   what hardly ever changes, what few signals need, last words
//
// … unless the host wants to know a register that is none of the arguments a0 … a5: these stay where the exit
// of the emitted code stores them, in the worker's VmContext, and the host copies them all, once, when it is
// first asked for one. What it has not copied it does not send back either: the worker has it still.
//
// Waiting is spinning first and a shared futex on the word after that. A waiter announces that it sleeps,
// then looks again, then sleeps unless the word has changed (futex(2) checks that once more); the other side
// stores its word, then looks whether somebody sleeps. Both orders are sequentially consistent, so no wake-up
// is lost. The fence between store and look costs an ordinary turn nothing: whoever has stored its word waits
// for the other side anyway, which takes longer than the fence.
//
// The host copies what it reads exactly once and checks it. Freestanding: compiled into both binaries.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sandbox/abi/address_space.h"
#include "sandbox/abi/vm_context.h"

namespace sandglass {

enum class WorkerCommand : uint8_t {
  kNone = 0,
  kRun,       // enter the guest as HostPage says
  kChange,    // carry out HostPage::changes, after receiving a module's image when receives_image says so
  kStepOnce,  // only inside a stop by signal: one machine instruction more, then report again
};

// Registers by how far they are from the host, one bit each: near ones travel with every turn, a0 … a3, which
// most host functions are content with; next ones lie beside them, a4 and a5; far ones are all the others.
inline constexpr uint32_t kFirstNearReg = 7, kNearRegs = 4, kFirstNextReg = 11, kNextRegs = 2;
inline constexpr uint32_t kNearRegBits = ((1u << kNearRegs) - 1) << kFirstNearReg;
inline constexpr uint32_t kNextRegBits = ((1u << kNextRegs) - 1) << kFirstNextReg;
inline constexpr uint32_t kFarRegBits = (1u << 13) - 1 - kNearRegBits - kNextRegBits;

// One change of the address space.
struct MemoryChange {
  enum class Kind : uint32_t {
    kMapImage,      // file_offset of the image that came with this command, private
    kMapMemory,     // file_offset of the guest-memory file, shared
    kMapHostFile,   // file_offset of the host's file, shared
    kMapAnonymous,  // zeroes, private
    kUnmap,
    kProtect,
    kDiscard,   // MADV_DONTNEED
    kPopulate,  // MADV_POPULATE_WRITE
  };
  uint64_t address = 0;
  uint64_t size_bytes = 0;
  uint64_t file_offset = 0;
  Kind kind = Kind::kUnmap;
  uint32_t protection = 0;  // PROT_…
};

struct HostPage {
  static constexpr uint32_t kMaxChanges = 64;

  // Futex word of the worker; the last of its line to be written.
  alignas(128) uint32_t sequence;
  WorkerCommand command;
  // kRun: the register, by its number, that decides about VmContext::zero_flag_value.
  uint8_t zero_flag_reg;
  // kRun: one bit for each register in `regs`.
  uint16_t changed_regs;
  // Whether the host sleeps, or may be about to: then it needs a wake-up.
  uint32_t host_sleeps;
  // The core that the host's thread is on. When they are on one core the worker does not look: the host
  // cannot write while the worker runs.
  uint32_t core;
  // kRun: what VmContext is to hold.
  uint64_t resume_address;
  int64_t gas;
  uint64_t near_regs[kNearRegs];

  // Asks a running guest to stop; comes with the signal kWorkerStopSignal.
  alignas(64) uint32_t stop_requested;
  // How often the worker looks at the word before it sleeps.
  uint32_t looks;
  // kChange.
  uint32_t receives_image;
  uint32_t change_count;

  // By number; only those in changed_regs, which are never near ones, mean anything.
  alignas(128) uint64_t regs[13];

  alignas(128) MemoryChange changes[kMaxChanges];
};
static_assert(offsetof(HostPage, stop_requested) == 64 && offsetof(HostPage, regs) == 128);
static_assert(offsetof(HostPage, changes) == 256 && sizeof(HostPage) <= worker_space::kPageBytes);

// The host's file: its page, and the parts of a module's jump table that the host copies for a worker, which
// costs less than mapping them. Nobody but the host can ever map it writable.
namespace host_file {
inline constexpr uint64_t kReturnSlots = worker_space::kPageBytes;
inline constexpr uint64_t kJumpTable = 2 * worker_space::kPageBytes;
inline constexpr uint64_t kBytes = (2 + worker_space::kHostTablePages) * worker_space::kPageBytes;
}  // namespace host_file

// Numbers in WorkerPage::sequence that no command ever has.
inline constexpr uint32_t kWorkerBorn = 0;
inline constexpr uint32_t kWorkerDied = 0xffff'ffff;
// The worker answers this number when it has set itself up.
inline constexpr uint32_t kFirstSequence = 1;

struct WorkerPage {
  // The host never writes it, and reads nothing but registers and, for a signal in the middle of a memset,
  // how far that had got.
  VmContext context;

  // Futex word of the host; the last of its line to be written.
  alignas(128) uint32_t sequence;
  ExitReason exit_reason;
  // kSignal: the signal's number. Which address the guest wanted is not told: the host works that out from
  // the instruction and the registers, and compares it with its own map.
  uint32_t exit_argument;
  // The core that the worker was on when it began to wait for the command.
  uint32_t core;
  // kSignal: where the guest was.
  uint64_t resume_address;
  int64_t gas;
  uint64_t near_regs[kNearRegs];
  uint64_t next_regs[kNextRegs];

  // Whether the worker sleeps, or may be about to.
  alignas(128) uint32_t worker_sleeps;
  // How kChange ended: 0, or the errno of change number failed_change.
  uint32_t change_errno;
  uint32_t failed_change;
  // kSignal: rcx, and what is at the top of the guest's stack: where a routine that was called returns to.
  alignas(64) uint64_t temporary;
  uint64_t stack_word;
  // Last words of a worker that ends itself, without a terminating zero.
  uint32_t message_bytes;
  char message[252];
};
static_assert(offsetof(WorkerPage, context) == 0 && offsetof(WorkerPage, sequence) == 256);
static_assert(offsetof(WorkerPage, next_regs) == 320 && offsetof(WorkerPage, worker_sleeps) == 384);
static_assert(sizeof(WorkerPage) <= worker_space::kPageBytes);

// SIGURG: ignored by default and used by hardly anybody.
inline constexpr int kWorkerStopSignal = 23;

// Exit statuses of a worker that ends itself.
enum WorkerExit : int {
  kExitSetup = 101,           // could not set itself up; the message says what
  kExitFaultOutside = 102,    // a fault outside of guest code
  kExitFaultInHandler = 103,  // a fault while a fault was being handled
  kExitProtocol = 104,        // a command that makes no sense
};

}  // namespace sandglass
