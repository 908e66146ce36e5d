// Interrupt: why run() came back. The fate of a guest is a value, never an error.
#pragma once

#include <cstdint>
#include <optional>

#include "sandbox/memory/access_map.h"

namespace sandglass {

// What the pc pair says after each stop (pc = program_counter(), next = next_program_counter()):
//
//   kind                pc                     next                    run() again goes on?
//   kFinished           none                   none                    no: set a pc first
//   kTrap               the instruction        none                    no; registers and memory are kept
//   kHostCall           the ecalli             the one behind it       yes; write results to registers first
//   kPageFault          the instruction        the same                yes, once the page is accessible
//   kOutOfGas  sync     the block's start      the same                yes, after set_gas()
//              entry    none                   the pc that was set     yes, after set_gas()
//              async    none                   none                    no
//   kStep               about to run           the same                yes
//   kInterrupted        about to run           the same                yes
//   kDeadlineExceeded   about to run           the same                yes
//
// kOutOfGas "entry": the guest was to start inside a block whose whole cost could not be paid. A memset that
// runs out of gas stops at itself, with a0 and a2 saying what is left.
enum class InterruptKind : uint8_t {
  kFinished,
  kHostCall,
  kTrap,
  kOutOfGas,
  kPageFault,
  kStep,
  kInterrupted,
  kDeadlineExceeded,
};
const char* name_of(InterruptKind kind);

enum class TrapKind : uint8_t {
  kInstruction,         // a trap instruction
  kInvalidInstruction,  // an undefined opcode, or a place where no instruction starts
  kInvalidJump,         // a static jump or branch to, or past, a place that is no jump target
  kInvalidDynamicJump,  // a dynamic jump to an address that is not in the jump table
  kMemoryAccess,        // a load, store or memset outside of what it may access
};
const char* name_of(TrapKind kind);

// A guest access that did not happen. All of it or nothing is done, except for memset.
struct MemoryFault {
  uint32_t address = 0;     // first byte of the access
  uint32_t size_bytes = 0;  // 1 for memset: the byte it stopped at
  Access access = Access::kRead;
};

struct Interrupt {
  InterruptKind kind = InterruptKind::kFinished;
  uint32_t host_call = 0;                  // kHostCall: the number
  TrapKind trap = TrapKind::kInstruction;  // kTrap: why
  MemoryFault fault;                       // kPageFault, and kTrap with kMemoryAccess
  uint32_t page_address = 0;               // kPageFault: the missing page
  uint32_t page_bytes = 0;
  bool is_write_protected = false;  // kPageFault: the page is there, but read-only
};

}  // namespace sandglass
