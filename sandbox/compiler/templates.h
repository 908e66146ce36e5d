// Templates: how most instructions are translated, as data.
//
// A mispredicted branch costs more than translating an instruction does, and a jump to a function per opcode
// is one that real programs make hard to predict. So whatever has the shape
//
//   [mov dst, src]  [prefixes] REX opcode ModRM [SIB] [displacement or immediate]  [movsxd dst, dst]
//
// is a row of a table, and one routine without branches writes them all. The rest has functions
// (translate_instruction.cc).
#pragma once

#include <cstdint>

#include "sandbox/compiler/emitter.h"
#include "sandbox/program/isa.h"

namespace sandglass {

// Where a register of the machine instruction comes from. The guest's encoding has up to three: the nibbles
// of the first argument byte and the low nibble of the second one. kFirst and kSecond are the first two in
// the order in which a commutative operation wants them: if one of them is the third, it comes first.
enum class Slot : uint8_t { kLow, kHigh, kThird, kFirst, kSecond, kFixed };

struct Template {
  bool is_used = false;
  bool is_wide = false;         // 64-bit operands
  bool has_mov = false;         // the destination gets `mov_source` first, unless it is the same
  bool is_memory = false;       // ModRM addresses memory, so the value is a displacement
  bool extends_sign = false;    // of the 32-bit result
  bool sets_zero_flag = false;  // as the result demands
  bool is_ordered = false;      // does not commute: not for a destination that is the second source only
  bool into_reg = false;        // the destination is in ModRM.reg, else in ModRM.rm
  Slot reg = Slot::kLow, rm = Slot::kHigh, mov_source = Slot::kHigh;
  uint8_t fixed = 0;  // the number in ModRM.reg for Slot::kFixed
  uint8_t opcode_bytes = 1;
  uint8_t prefix_bytes = 0;
  uint8_t small_toggle = 0;  // flips these opcode bits when the value fits into one byte
  uint8_t value_at = 1;      // where the value starts in the argument bytes
  uint32_t prefixes = 0;
  uint32_t opcode = 0;  // 0F first when it has two bytes
  // Indexed by 0: the value needs four bytes, 1: it fits into one, 3: it is a displacement of 0 that can be
  // left out.
  uint32_t value_bytes = 0;    // a byte per case
  uint32_t mode = 0xc0c0c0c0;  // the mode bits of ModRM, a byte per case
};

// Writes the instruction whose bytes behind the opcode are `arguments`, or returns false and writes nothing
// when its operands do not fit the template. With a row that is known at compile time, hardly a branch
// remains.
[[gnu::always_inline]] inline bool emit_from_template(Emitter& e, const Template& row,
                                                      const uint8_t* arguments, uint32_t skip) {
  const uint32_t guest_low = number(internal::reg_from(arguments[0]));
  const uint32_t guest_high = number(internal::reg_from(arguments[0] >> 4u));
  const uint32_t guest_third = number(internal::reg_from(arguments[1]));
  if (row.is_ordered && guest_third == guest_high && guest_third != guest_low) return false;

  const uint32_t low = kNativeRegs[guest_low], high = kNativeRegs[guest_high],
                 third = kNativeRegs[guest_third];
  const bool swaps = guest_third == guest_high;
  const auto slot = [&](Slot wanted) -> uint32_t {
    switch (wanted) {
      case Slot::kLow:
        return low;
      case Slot::kHigh:
        return high;
      case Slot::kThird:
        return third;
      case Slot::kFirst:
        return e.choose(swaps, high, low);
      case Slot::kSecond:
        return e.choose(swaps, low, high);
      case Slot::kFixed:
        return row.fixed;
    }
    return 0;
  };
  const uint32_t value_length = internal::rest_length(skip, row.value_at);
  const auto value = static_cast<int32_t>(internal::read_imm(arguments + row.value_at, value_length));
  e.template_op(row, slot(row.reg), slot(row.rm), slot(row.mov_source), value);
  if (row.sets_zero_flag) e.zero_flag_of = static_cast<uint8_t>(row.into_reg ? guest_third : guest_low);
  return true;
}

}  // namespace sandglass
