// The turn-taking protocol between the host and a worker process.
//
//   host page (read-only in the worker)      worker page (written by both)
//   sequence ────────── n ──────────►  the worker sees a new number and executes `command`
//                       ◄───────── n ────── sequence: done; what it reports lies in its page
//
// Each side writes only its own sequence word and waits for the other's. The number grows by one per command,
// so an answer that is stale, early or made up is not the one expected: the host then takes the worker for
// hostile. A third value of the worker's word, kWorkerDied, is written by the host's supervisor when the
// process has ended.
//
// Waiting is spinning first and a shared futex on the word after that. A waiter announces that it sleeps,
// then looks again, then sleeps unless the word has changed (futex(2) checks that once more); the other side
// stores its word, then looks whether somebody sleeps. Both orders are sequentially consistent, so no wake-up
// is lost.
//
// The host copies what it reads exactly once and checks it. Freestanding: compiled into both binaries.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sandbox/abi/address_space.h"
#include "sandbox/abi/vm_context.h"

namespace sandglass {

enum class WorkerCommand : uint32_t {
  kNone = 0,
  kRun,       // enter the guest at VmContext::resume_address
  kChange,    // carry out HostPage::changes, after receiving a module's image when receives_image says so
  kStepOnce,  // only inside a stop by signal: one machine instruction more, then report again
};

// One change of the address space.
struct MemoryChange {
  enum class Kind : uint32_t {
    kMapImage,      // file_offset of the image that came with this command, private
    kMapMemory,     // file_offset of the guest-memory file, shared
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
  static constexpr uint32_t kMaxChanges = 32;

  // Futex word of the worker.
  alignas(64) uint32_t sequence;
  WorkerCommand command;
  // Whether the host sleeps, or may be about to: then it needs a wake-up.
  uint32_t host_sleeps;
  // The core that the host's thread is on, and how often the worker looks at the word before it sleeps. When
  // they are on one core it does not look: the host cannot write while the worker runs.
  uint32_t core;
  uint32_t looks;
  uint32_t receives_image;
  uint32_t change_count;
  // Asks a running guest to stop; comes with the signal kWorkerStopSignal.
  alignas(64) uint32_t stop_requested;
  alignas(64) MemoryChange changes[kMaxChanges];
};
static_assert(sizeof(HostPage) <= worker_space::kPageBytes);

// What a signal handler found when it took the guest out. Which address the guest wanted is not among it: the
// host works that out from the instruction and the registers, and compares it with its own map.
struct SignalReport {
  uint64_t native_registers[16];  // rax rcx rdx rbx rsp rbp rsi rdi r8 … r15
  uint64_t instruction_pointer;
  uint64_t stack_word;  // at the top of the guest's stack: where a routine that was called returns to
  uint32_t signal;
};

// Numbers in WorkerPage::sequence that no command ever has.
inline constexpr uint32_t kWorkerBorn = 0;
inline constexpr uint32_t kWorkerDied = 0xffff'ffff;
// The worker answers this number when it has set itself up.
inline constexpr uint32_t kFirstSequence = 1;

struct WorkerPage {
  VmContext context;
  // Futex word of the host.
  alignas(64) uint32_t sequence;
  // Whether the worker sleeps, or may be about to.
  uint32_t worker_sleeps;
  // The core it was on when it answered.
  uint32_t core;
  // How kChange ended: 0, or the errno of change number failed_change.
  uint32_t change_errno;
  uint32_t failed_change;
  alignas(64) SignalReport report;
  // Last words of a worker that ends itself, without a terminating zero.
  uint32_t message_bytes;
  char message[252];
};
static_assert(offsetof(WorkerPage, context) == 0);
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
