// What a test tells an intruder to do and what the intruder found: lies at the start of the guest's RW data,
// where both can reach it. Freestanding.
#pragma once

#include <stdint.h>

#include "sandbox/abi/protocol.h"

namespace sandglass::attack {

// With no RO data, RW data starts here.
inline constexpr uint32_t kOrdersAddress = 0x20000;
// Where tests map the intruder once more, for code that runs in 32-bit mode.
inline constexpr uint64_t kLowCode = 0x40000;
inline constexpr uint64_t kLowStack = 0x30000;

// System calls. ---------------------------------------------------------------------------------------------

enum class Entry : uint64_t { kSyscall, kInt80, kSysenter, kVsyscall };

struct Call {
  uint64_t number = 0;  // for kVsyscall: the address
  uint64_t arguments[6] = {};
  Entry entry = Entry::kSyscall;
  int64_t result = 0;
  uint64_t ip = 0;  // behind the instruction that makes the call; written before it is made
};

// The worker page. ------------------------------------------------------------------------------------------

struct Write {
  uint64_t offset = 0;  // in the worker page
  uint64_t value = 0;
  uint64_t size_bytes = 8;  // 4 or 8
};

// What the intruder does when it has written.
enum class Then : uint64_t {
  kAnswer,     // stores the host's number plus `number`
  kStore,      // stores `number`
  kExit,       // exit_group(0)
  kHang,       // loops for ever
  kFlip,       // answers, then stores any numbers as fast as it can, for ever
  kForecast,   // answers, and when `argument` says so, answers the next command, before there is one
  kCloseAll,   // closes its descriptors, then answers
  kForbidden,  // getpid(2)
  kFault,      // reads address 0
  kBlockHang,  // blocks every signal with a forged rt_sigreturn(2), then loops
};

// What it does with one command of the host.
struct Move {
  static constexpr uint32_t kMaxWrites = 24;
  Then then = Then::kAnswer;
  uint64_t number = 0;
  uint64_t write_count = 0;
  Write writes[kMaxWrites] = {};
};

struct Orders {
  static constexpr uint32_t kMaxCalls = 64, kMaxMoves = 8;
  uint64_t call_count = 0;
  uint64_t calls_begun = 0;
  Call calls[kMaxCalls] = {};
  // The last one is repeated.
  uint64_t move_count = 0;
  Move moves[kMaxMoves] = {};
  uint64_t blocks_signals = 0;  // first of all
  uint64_t argument = 0;
  uint64_t forged_registers[32] = {};
};

}  // namespace sandglass::attack
