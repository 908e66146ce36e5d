// The rows of the templates: what each opcode that fits the pattern becomes.
#pragma once

#include "sandbox/compiler/opcode_kinds.h"
#include "sandbox/compiler/templates.h"

namespace sandglass {
namespace rows {

// value_bytes and mode of the ways in which a value is written.
constexpr uint32_t kImmediate = 0x01010104, kByte = 0x01010101, kFourBytes = 0x04040404;
constexpr uint32_t kDisplacement = 0x00000104, kMemoryMode = 0x00004080;

constexpr uint32_t kGuestPrefixes = 0x6765, kGuestPrefixes16 = 0x676566;

constexpr Template arithmetic(bool wide, bool extends_sign, uint8_t opcode, bool is_ordered = false) {
  return {.is_used = true,
          .is_wide = wide,
          .has_mov = true,
          .extends_sign = extends_sign,
          .sets_zero_flag = true,
          .is_ordered = is_ordered,
          .into_reg = true,
          .reg = Slot::kThird,
          .rm = is_ordered ? Slot::kHigh : Slot::kSecond,
          .mov_source = is_ordered ? Slot::kLow : Slot::kFirst,
          .opcode = opcode};
}

constexpr Template immediate(bool wide, bool extends_sign, uint8_t number) {
  return {.is_used = true,
          .is_wide = wide,
          .has_mov = true,
          .extends_sign = extends_sign,
          .sets_zero_flag = true,
          .reg = Slot::kFixed,
          .rm = Slot::kLow,
          .fixed = number,
          .small_toggle = 0x02,
          .opcode = 0x81,
          .value_bytes = kImmediate};
}

constexpr Template shift(bool wide, bool extends_sign, uint8_t number) {
  return {.is_used = true,
          .is_wide = wide,
          .has_mov = true,
          .extends_sign = extends_sign,
          .reg = Slot::kFixed,
          .rm = Slot::kLow,
          .fixed = number,
          .opcode = 0xc1,
          .value_bytes = kByte};
}

// dst = operation(src) in one instruction.
constexpr Template unary(bool wide, uint32_t opcode, uint8_t opcode_bytes, uint8_t prefix = 0) {
  return {.is_used = true,
          .is_wide = wide,
          .opcode_bytes = opcode_bytes,
          .prefix_bytes = static_cast<uint8_t>(prefix != 0),
          .prefixes = prefix,
          .opcode = opcode};
}

constexpr Template memory(const AccessForm& form) {
  return {.is_used = true,
          .is_wide = form.wide,
          .is_memory = true,
          .opcode_bytes = form.opcode_bytes,
          .prefix_bytes = static_cast<uint8_t>(form.prefix16 ? 3 : 2),
          .prefixes = form.prefix16 ? kGuestPrefixes16 : kGuestPrefixes,
          .opcode = form.opcode,
          .value_bytes = kDisplacement,
          .mode = kMemoryMode};
}

}  // namespace rows

// Not used for an opcode that does not fit.
template <bool is_64>
constexpr Template template_of(Opcode op) {
  using namespace rows;
  using enum Opcode;
  const bool narrow = is_narrow(op);
  const bool wide = is_64 && !narrow;
  const bool extends = is_64 && narrow;
  const OpcodeShape shape = shape_of(op);
  if (shape.form == Form::DstBaseOff) return memory(load_form(shape.access_bytes, shape.is_signed, is_64));
  if (shape.form == Form::SrcBaseOff) return memory(store_form(shape.access_bytes));
  switch (op) {
    case kAdd32:
    case kAdd64:
      return arithmetic(wide, extends, 0x03);
    case kSub32:
    case kSub64:
      return arithmetic(wide, extends, 0x2b, true);
    case kAnd:
      return arithmetic(wide, false, 0x23);
    case kOr:
      return arithmetic(wide, false, 0x0b);
    case kXor:
      return arithmetic(wide, false, 0x33);
    case kAndImm:
      return immediate(wide, false, 4);
    case kOrImm:
      return immediate(wide, false, 1);
    case kXorImm:
      return immediate(wide, false, 6);
    case kShiftLogicalLeftImm32:
    case kShiftLogicalLeftImm64:
      return shift(wide, extends, 4);
    case kShiftLogicalRightImm32:
    case kShiftLogicalRightImm64:
      return shift(wide, extends, 5);
    case kShiftArithmeticRightImm32:
    case kShiftArithmeticRightImm64:
      return shift(wide, extends, 7);
    case kMoveReg:
      return unary(is_64, 0x8b, 1);
    case kSignExtend8:
      return unary(is_64, 0xbe0f, 2);
    case kSignExtend16:
      return unary(is_64, 0xbf0f, 2);
    case kZeroExtend16:
      return unary(false, 0xb70f, 2);
    case kCountSetBits32:
    case kCountSetBits64:
      return unary(wide, 0xb80f, 2, 0xf3);
    case kCountLeadingZeroBits32:
    case kCountLeadingZeroBits64:
      return unary(wide, 0xbd0f, 2, 0xf3);
    case kCountTrailingZeroBits32:
    case kCountTrailingZeroBits64:
      return unary(wide, 0xbc0f, 2, 0xf3);
    case kLoadImm:
      return {.is_used = true,
              .is_wide = is_64,
              .reg = Slot::kFixed,
              .rm = Slot::kLow,
              .opcode = 0xc7,
              .value_bytes = kFourBytes};
    default:
      return {};
  }
}

}  // namespace sandglass
