// The encoders that encoder/ compares, each behind one virtual call per sequence.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "bench/encoder_sequence.h"

namespace sandglass::bench {

class EncoderUnderTest {
 public:
  virtual ~EncoderUnderTest() = default;
  // The machine code, valid until the next call. Starts afresh every time, in memory that is kept.
  virtual std::span<const uint8_t> encode(std::span<const EncoderOp> ops) = 0;
};

// Enough for any sequence of the suite.
inline constexpr size_t kEncoderBufferBytes = 128 * 1024;

std::unique_ptr<EncoderUnderTest> make_own_encoder();     // sandbox/compiler/x64_encoder.h
std::unique_ptr<EncoderUnderTest> make_asmjit_encoder();  // where SANDGLASS_HAVE_ASMJIT
std::unique_ptr<EncoderUnderTest> make_xbyak_encoder();   // where SANDGLASS_HAVE_XBYAK

// Goes through the sequence without encoding anything; the result depends on every instruction.
uint64_t dispatch_only(std::span<const EncoderOp> ops);

}  // namespace sandglass::bench
