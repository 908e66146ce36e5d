// Emitter: the encoder, as the translation of guest instructions speaks of it.
#pragma once

#include <cstdint>

#include "sandbox/compiler/registers.h"
#include "sandbox/compiler/x64_encoder.h"
#include "sandbox/program/instruction.h"

namespace sandglass {

inline constexpr uint8_t kNoRegister = 0xff;

using Emitter = x64::X64Encoder;

constexpr uint8_t number(Reg reg) { return static_cast<uint8_t>(reg); }

}  // namespace sandglass
