// Emitter: the encoder plus what one translated instruction tells the next one. Small enough to live in
// registers while an instruction is translated.
#pragma once

#include <cstdint>

#include "sandbox/compiler/registers.h"
#include "sandbox/compiler/x64_encoder.h"
#include "sandbox/program/instruction.h"

namespace sandglass {

inline constexpr uint8_t kNoRegister = 0xff;

class Emitter : public x64::X64Encoder {
 public:
  // The guest register whose being zero the zero flag tells right now, kNoRegister when unknown. An
  // instruction that sets the flags as its result demands says so; it holds for the next instruction only.
  uint8_t zero_flag_of = kNoRegister;
};

constexpr uint8_t number(Reg reg) { return static_cast<uint8_t>(reg); }

}  // namespace sandglass
