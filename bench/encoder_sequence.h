// A sequence of x86-64 instructions like those that the compiler emits, as data, for any encoder to write
// down.
//
// The sequence can be run as a function: it starts by setting every register it uses, touches only a buffer
// that gs points to, and stores the registers in the end. So two encoders agree when the code they wrote
// leaves the same buffer, whatever bytes they chose. The forms and how often they occur are in one table,
// SG_ENCODER_FORMS.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sandbox/base/result.h"
#include "sandbox/compiler/x64_encoder.h"

namespace sandglass::bench {

using x64::Alu;
using x64::Condition;
using x64::Shift;

// X(enumerator, weight, call on the encoder). a, b: registers; value: an immediate or a displacement.
// Weights as counted in the machine code of generated programs, roughly.
#define SG_ENCODER_FORMS(X)                                               \
  X(kMov, 9, template mov<true>(op.a, op.b))                              \
  X(kMovsxd, 7, movsxd(op.a, op.b))                                       \
  X(kAdd, 6, template alu<Alu::kAdd, true>(op.a, op.b))                   \
  X(kAdd32, 3, template alu<Alu::kAdd, false>(op.a, op.b))                \
  X(kSub, 2, template alu<Alu::kSub, true>(op.a, op.b))                   \
  X(kXor, 3, template alu<Alu::kXor, true>(op.a, op.b))                   \
  X(kAddImm, 10, template alu_imm<Alu::kAdd, true>(op.a, op.value))       \
  X(kAddImm32, 5, template alu_imm<Alu::kAdd, false>(op.a, op.value))     \
  X(kAndImm, 3, template alu_imm<Alu::kAnd, true>(op.a, op.value))        \
  X(kCompare, 6, template alu<Alu::kCmp, true>(op.a, op.b))               \
  X(kCompareImm, 7, template alu_imm<Alu::kCmp, true>(op.a, op.value))    \
  X(kLea, 4, lea(op.a, op.b, op.value))                                   \
  X(kShiftLeftBy, 3, shift_left_by(op.a, op.a, op.b))                     \
  X(kLoad64, 8, load64(op.a, op.b, op.value))                             \
  X(kLoadSigned32, 3, load_signed32(op.a, op.b, op.value))                \
  X(kLoadByte, 4, load_byte(op.a, op.b, op.value))                        \
  X(kStore64, 5, store64(op.a, op.b, op.value))                           \
  X(kStore32, 3, store32(op.a, op.b, op.value))                           \
  X(kShiftLeft, 3, template shift<Shift::kShl, true>(op.a, op.value))     \
  X(kShiftRight32, 2, template shift<Shift::kShr, false>(op.a, op.value)) \
  X(kImul, 2, imul(op.a, op.b))                                           \
  X(kSetBelow, 2, set_below(op.a))                                        \
  X(kCmovNotEqual, 1, cmov_not_equal(op.a, op.b))                         \
  X(kConstant, 6, constant(op.a, op.value))                               \
  X(kJumpNotEqual, 6, template jump_forward<Condition::kNotEqual>())      \
  X(kJumpBelow, 3, template jump_forward<Condition::kBelow>())

enum class FormId : uint8_t {
#define SG_FORM(name, ...) name,
  SG_ENCODER_FORMS(SG_FORM)
#undef SG_FORM
      kBind,  // where the last forward jump goes
};

struct EncoderOp {
  FormId form;
  uint8_t a = 0, b = 0;  // x64::Register
  int32_t value = 0;
};

// `count` instructions besides kBind and what comes before and behind them.
std::vector<EncoderOp> make_encoder_sequence(uint64_t seed, size_t count);

// Writes the sequence with `encoder`, one call per instruction.
template <typename Encoder>
void encode_sequence(Encoder& encoder, std::span<const EncoderOp> ops) {
  for (const EncoderOp& op : ops) {
    switch (op.form) {
#define SG_FORM(name, weight, ...) \
  case FormId::name: encoder.__VA_ARGS__; break;
      SG_ENCODER_FORMS(SG_FORM)
#undef SG_FORM
      case FormId::kBind: encoder.bind(); break;
    }
  }
  encoder.ret();
}

// Runs code that an encoder wrote for a sequence and returns what it left in the buffer.
Result<std::vector<uint8_t>> run_encoded(std::span<const uint8_t> code);

}  // namespace sandglass::bench
