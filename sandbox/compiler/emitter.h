// Emitter: the encoder plus what one translated instruction leaves for the next ones.
#pragma once

#include <cstdint>
#include <vector>

#include "sandbox/compiler/registers.h"
#include "sandbox/compiler/x64_encoder.h"
#include "sandbox/program/instruction.h"

namespace sandglass {

// A division whose divisor turned out to be special leaves the straight line; its rare cases are written
// behind the code. Positions are addresses in the buffer that is being written.
struct RareDivision {
  uint8_t* jump_end;  // behind the rel32 of the jump to patch
  uint8_t* return_to;
  uint8_t dividend, divisor;
  uint8_t quotient, remainder;  // destinations; kNoRegister when not wanted
  bool wide, is_signed, sign_extend;
};
inline constexpr uint8_t kNoRegister = 0xff;

class Emitter : public x64::X64Encoder {
 public:
  // The guest register whose being zero the zero flag tells right now, kNoRegister when unknown. An
  // instruction that sets the flags as its result demands says so; the translator forgets it after the next
  // instruction.
  uint8_t zero_flag_of = kNoRegister;

  std::vector<RareDivision> rare_divisions;
};

constexpr uint8_t number(Reg reg) { return static_cast<uint8_t>(reg); }

}  // namespace sandglass
