// The templates: what each opcode that has some becomes, in each of its cases.
#pragma once

#include <optional>

#include "sandbox/compiler/opcode_kinds.h"
#include "sandbox/compiler/template_writer.h"

namespace sandglass {

// One opcode in one case. `wide` operations use 64-bit operands; mnemonics ending in _32 compute in 32 bits
// and, in 64-bit sets, extend the sign of the result.
template <bool is_64>
class TemplateMaker {
 public:
  static constexpr Cases cases_of(Opcode op);
  constexpr TemplateMaker(Opcode op, uint32_t which);
  // Nothing for an opcode without templates.
  constexpr std::optional<Template> make();

 private:
  using W = TemplateWriter;
  using Reg = TemplateWriter::Reg;
  using Alu = x64::Alu;
  static constexpr Reg kLow = W::kLow, kHigh = W::kHigh, kThird = W::kThird;
  static constexpr Reg kTemporary = W::fixed(kTemp);

  constexpr void two_registers();
  constexpr void with_value();
  constexpr void three_registers();

  constexpr void load(bool is_absolute);
  constexpr void store(bool is_absolute);
  constexpr void access(const AccessForm& form, bool is_absolute);
  constexpr void unary(uint32_t opcode, uint8_t prefix = 0);
  constexpr void move_low() {
    if (!same_) w_.mov(wide_, kLow, kHigh);
  }
  constexpr void move_third() {
    if (!third_is_low_) w_.mov(wide_, kThird, kLow);
  }
  constexpr void alu_value(Alu op, Reg reg) {
    w_.op_n(wide_, small_ ? 0x83 : 0x81, static_cast<uint8_t>(op), reg);
    w_.value(small_ ? 1 : 4);
  }
  constexpr void logic_value(Alu op) {
    move_low();
    alu_value(op, kLow);
    w_.tells_zero(ZeroFlag::kOfLow);
  }
  constexpr void shift_value(uint8_t n) {
    move_low();
    w_.op_n(wide_, 0xc1, n, kLow);
    w_.value(1);
    extend(kLow);
  }
  constexpr void multiply_value() {
    w_.op(wide_, small_ ? 0x6b : 0x69, kLow, kHigh);
    w_.value(small_ ? 1 : 4);
    extend(kLow);
  }
  constexpr void add_value();
  constexpr void set_value(x64::Condition condition);
  constexpr void commutative(uint32_t opcode);
  constexpr void arithmetic(Alu op);
  constexpr void subtract();
  constexpr void rotate(uint8_t n);
  constexpr void set(x64::Condition condition);
  constexpr void choose(x64::Condition condition, x64::Condition opposite);
  constexpr void move_if(x64::Condition condition);
  constexpr void or_inverted();
  constexpr void extend(Reg reg) {
    if (extends_) w_.movsxd(reg, reg);
  }
  constexpr void set_byte(x64::Condition condition, Reg reg) {
    w_.op(false, opcode_0f(0x90, condition), W::fixed(0), reg);
  }
  constexpr void cmov(x64::Condition condition, Reg dst, Reg src) {
    w_.op(wide_, opcode_0f(0x40, condition), dst, src);
  }
  static constexpr uint32_t opcode_of(Alu op) { return 8 * static_cast<uint32_t>(op) + 3; }
  static constexpr uint32_t opcode_0f(uint32_t base, x64::Condition condition) {
    return 0x0f | (base + static_cast<uint32_t>(condition)) << 8;
  }

  W w_;
  const Opcode op_;
  const OpcodeShape shape_ = shape_of(op_);
  const bool wide_ = is_64 && !is_narrow(op_);
  const bool extends_ = is_64 && is_narrow(op_);
  const bool small_, zero_, same_, sib_;  // of the case: Cases
  const bool third_is_low_, third_is_high_;
  bool is_made_ = true;
};

template <bool is_64>
constexpr Cases TemplateMaker<is_64>::cases_of(Opcode op) {
  switch (shape_of(op).form) {
    case Form::DstSrcSrc: return Cases::kRelation;
    case Form::DstSrcImm:
      return op == Opcode::kAddImm32 || op == Opcode::kAddImm64 ? Cases::kSum : Cases::kValue;
    case Form::DstBaseOff:
    case Form::SrcBaseOff: return Cases::kAddress;
    default: return op == Opcode::kReverseByte ? Cases::kValue : Cases::kOne;
  }
}

template <bool is_64>
constexpr TemplateMaker<is_64>::TemplateMaker(Opcode op, uint32_t which)
    : op_(op),
      small_((which & 1) != 0),
      zero_((which & 2) != 0),
      same_((which & 4) != 0),
      sib_((which & (cases_of(op) == Cases::kAddress ? 4 : 8)) != 0),
      third_is_low_((which & 1) != 0),
      third_is_high_((which & 2) != 0) {}

template <bool is_64>
constexpr std::optional<Template> TemplateMaker<is_64>::make() {
  switch (shape_.form) {
    case Form::DstBaseOff: load(false); break;
    case Form::SrcBaseOff: store(false); break;
    case Form::DstAddr: load(true); break;
    case Form::SrcAddr: store(true); break;
    case Form::DstSrc: two_registers(); break;
    case Form::DstImm:
    case Form::DstSrcImm: with_value(); break;
    case Form::DstSrcSrc: three_registers(); break;
    default: return std::nullopt;
  }
  if (!is_made_) return std::nullopt;
  return w_.done();
}

// Memory. --------------------------------------------------------------------------------------------------

template <bool is_64>
constexpr void TemplateMaker<is_64>::load(bool is_absolute) {
  access(load_form(shape_.access_bytes, shape_.is_signed, is_64), is_absolute);
}

template <bool is_64>
constexpr void TemplateMaker<is_64>::store(bool is_absolute) {
  access(store_form(shape_.access_bytes), is_absolute);
}

template <bool is_64>
constexpr void TemplateMaker<is_64>::access(const AccessForm& form, bool is_absolute) {
  if (form.prefix16) w_.byte(0x66);
  w_.byte(0x65);  // gs
  w_.byte(0x67);  // 32-bit address
  if (is_absolute) return w_.absolute(form.wide, form.opcode, kLow);
  const auto displacement = zero_    ? W::Displacement::kNone
                            : small_ ? W::Displacement::kByte
                                     : W::Displacement::kFull;
  w_.memory(form.wide, form.opcode, kLow, kHigh, displacement, sib_);
}

// Two registers. -------------------------------------------------------------------------------------------

template <bool is_64>
constexpr void TemplateMaker<is_64>::unary(uint32_t opcode, uint8_t prefix) {
  if (prefix != 0) w_.byte(prefix);
  w_.op(wide_, opcode, kLow, kHigh);
}

template <bool is_64>
constexpr void TemplateMaker<is_64>::two_registers() {
  using enum Opcode;
  switch (op_) {
    case kMoveReg: return unary(0x8b);
    case kSignExtend8: return unary(0xbe0f);
    case kSignExtend16: return unary(0xbf0f);
    case kZeroExtend16: return w_.op(false, 0xb70f, kLow, kHigh);
    case kCountSetBits32:
    case kCountSetBits64: return unary(0xb80f, 0xf3);
    case kCountLeadingZeroBits32:
    case kCountLeadingZeroBits64: return unary(0xbd0f, 0xf3);
    case kCountTrailingZeroBits32:
    case kCountTrailingZeroBits64: return unary(0xbc0f, 0xf3);
    case kReverseByte: move_low(); return w_.bswap(is_64, kLow);
    default: is_made_ = false;
  }
}

// A value. -------------------------------------------------------------------------------------------------

// lea has the shape of add but another register for the result. It leaves the flags alone.
template <bool is_64>
constexpr void TemplateMaker<is_64>::add_value() {
  if (same_) {
    alu_value(Alu::kAdd, kLow);
    w_.tells_zero(ZeroFlag::kOfLow);
  } else {
    const auto displacement = small_ ? W::Displacement::kByte : W::Displacement::kFull;
    w_.memory(wide_, 0x8d, kLow, kHigh, zero_ && sib_ ? W::Displacement::kNone : displacement, sib_);
  }
  extend(kLow);
}

template <bool is_64>
constexpr void TemplateMaker<is_64>::set_value(x64::Condition condition) {
  if (!same_) w_.op(false, 0x33, kLow, kLow);
  if (zero_) {
    w_.op(wide_, 0x85, kHigh, kHigh);
  } else {
    alu_value(Alu::kCmp, kHigh);
  }
  set_byte(condition, same_ ? kTemporary : kLow);
  if (same_) w_.op(false, 0xb60f, kLow, kTemporary);
}

template <bool is_64>
constexpr void TemplateMaker<is_64>::with_value() {
  using enum Opcode;
  using x64::Condition;
  switch (op_) {
    case kLoadImm: w_.op_n(is_64, 0xc7, 0, kLow); return w_.value(4);
    case kAddImm32:
    case kAddImm64: return add_value();
    case kAndImm: return logic_value(Alu::kAnd);
    case kOrImm: return logic_value(Alu::kOr);
    case kXorImm: return logic_value(Alu::kXor);
    case kShiftLogicalLeftImm32:
    case kShiftLogicalLeftImm64: return shift_value(4);
    case kShiftLogicalRightImm32:
    case kShiftLogicalRightImm64: return shift_value(5);
    case kShiftArithmeticRightImm32:
    case kShiftArithmeticRightImm64: return shift_value(7);
    case kMulImm32:
    case kMulImm64: return multiply_value();
    case kSetLessThanUnsignedImm: return set_value(Condition::kBelow);
    case kSetLessThanSignedImm: return set_value(Condition::kLess);
    case kSetGreaterThanUnsignedImm: return set_value(Condition::kAbove);
    case kSetGreaterThanSignedImm: return set_value(Condition::kGreater);
    default: is_made_ = false;
  }
}

// Three registers. -----------------------------------------------------------------------------------------

template <bool is_64>
constexpr void TemplateMaker<is_64>::commutative(uint32_t opcode) {
  if (!third_is_high_) move_third();
  w_.op(wide_, opcode, kThird, third_is_low_ || !third_is_high_ ? kHigh : kLow);
}

template <bool is_64>
constexpr void TemplateMaker<is_64>::arithmetic(Alu op) {
  commutative(opcode_of(op));
  w_.tells_zero(ZeroFlag::kOfThird);
  extend(kThird);
}

template <bool is_64>
constexpr void TemplateMaker<is_64>::subtract() {
  if (third_is_high_ && !third_is_low_) {
    w_.op_n(wide_, 0xf7, 3, kThird);  // neg
    w_.op(wide_, 0x03, kThird, kLow);
  } else {
    move_third();
    w_.op(wide_, 0x2b, kThird, kHigh);
  }
  w_.tells_zero(ZeroFlag::kOfThird);
  extend(kThird);
}

template <bool is_64>
constexpr void TemplateMaker<is_64>::rotate(uint8_t n) {
  w_.mov(false, kTemporary, kHigh);
  move_third();
  w_.op_n(wide_, 0xd3, n, kThird);
  extend(kThird);
}

template <bool is_64>
constexpr void TemplateMaker<is_64>::set(x64::Condition condition) {
  const bool is_source = third_is_low_ || third_is_high_;
  if (!is_source) w_.op(false, 0x33, kThird, kThird);
  w_.op(wide_, 0x3b, kLow, kHigh);
  set_byte(condition, is_source ? kTemporary : kThird);
  if (is_source) w_.op(false, 0xb60f, kThird, kTemporary);
}

// Whichever wins; `condition` holds when the first one loses.
template <bool is_64>
constexpr void TemplateMaker<is_64>::choose(x64::Condition condition, x64::Condition opposite) {
  w_.op(wide_, 0x3b, kLow, kHigh);
  if (third_is_high_) return cmov(opposite, kThird, kLow);
  move_third();
  cmov(condition, kThird, kHigh);
}

template <bool is_64>
constexpr void TemplateMaker<is_64>::move_if(x64::Condition condition) {
  w_.op(wide_, 0x85, kHigh, kHigh);
  cmov(condition, kThird, kLow);
}

template <bool is_64>
constexpr void TemplateMaker<is_64>::or_inverted() {
  w_.mov(wide_, kTemporary, kHigh);
  w_.op_n(wide_, 0xf7, 2, kTemporary);  // not
  move_third();
  w_.op(wide_, 0x0b, kThird, kTemporary);
}

template <bool is_64>
constexpr void TemplateMaker<is_64>::three_registers() {
  using enum Opcode;
  using x64::Condition;
  switch (op_) {
    case kAdd32:
    case kAdd64: return arithmetic(Alu::kAdd);
    case kSub32:
    case kSub64: return subtract();
    case kAnd: return arithmetic(Alu::kAnd);
    case kOr: return arithmetic(Alu::kOr);
    case kXor: return arithmetic(Alu::kXor);
    case kXnor: commutative(opcode_of(Alu::kXor)); return w_.op_n(wide_, 0xf7, 2, kThird);  // not
    case kOrInverted: return or_inverted();
    case kMul32:
    case kMul64: commutative(0xaf0f); return extend(kThird);
    case kRotateLeft32:
    case kRotateLeft64: return rotate(0);
    case kRotateRight32:
    case kRotateRight64: return rotate(1);
    case kSetLessThanUnsigned: return set(Condition::kBelow);
    case kSetLessThanSigned: return set(Condition::kLess);
    case kMaximum: return choose(Condition::kLess, Condition::kGreaterEqual);
    case kMaximumUnsigned: return choose(Condition::kBelow, Condition::kAboveEqual);
    case kMinimum: return choose(Condition::kGreater, Condition::kLessEqual);
    case kMinimumUnsigned: return choose(Condition::kAbove, Condition::kBelowEqual);
    case kCmovIfZero: return move_if(Condition::kEqual);
    case kCmovIfNotZero: return move_if(Condition::kNotEqual);
    default: is_made_ = false;
  }
}

}  // namespace sandglass
