#include "sandbox/interrupt.h"

namespace sandglass {

const char* name_of(InterruptKind kind) {
  switch (kind) {
    case InterruptKind::kFinished: return "finished";
    case InterruptKind::kHostCall: return "host call";
    case InterruptKind::kTrap: return "trap";
    case InterruptKind::kOutOfGas: return "out of gas";
    case InterruptKind::kPageFault: return "page fault";
    case InterruptKind::kStep: return "step";
    case InterruptKind::kInterrupted: return "interrupted";
    case InterruptKind::kDeadlineExceeded: return "deadline exceeded";
  }
  return "unknown interrupt";
}

const char* name_of(TrapKind kind) {
  switch (kind) {
    case TrapKind::kInstruction: return "trap instruction";
    case TrapKind::kInvalidInstruction: return "invalid instruction";
    case TrapKind::kInvalidJump: return "jump or branch to an invalid target";
    case TrapKind::kInvalidDynamicJump: return "dynamic jump to an invalid address";
    case TrapKind::kMemoryAccess: return "memory access out of bounds";
  }
  return "unknown trap";
}

}  // namespace sandglass
