// What instructions compute: pure functions of an opcode and its operands, for registers of 32 or 64 bits.
//
// `Word` is the register: uint32_t for latest32, uint64_t for the other sets. Rows whose name ends in 32 work
// on the low halves and sign-extend their result; rows that end in 64 exist in 64-bit sets only; all other
// rows work on a whole Word, immediates having been sign-extended to it. Nothing here traps.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "sandbox/base/check.h"
#include "sandbox/program/isa.h"

namespace sandglass::semantics {

template <typename T>
using Signed = std::make_signed_t<T>;

template <typename T>
constexpr unsigned count_of(T register_value) {
  return static_cast<unsigned>(register_value & (std::numeric_limits<T>::digits - 1));
}
template <typename T>
constexpr T shift_left(T value, T count) {
  return value << count_of(count);
}
template <typename T>
constexpr T shift_right(T value, T count) {
  return value >> count_of(count);
}
template <typename T>
constexpr T shift_right_signed(T value, T count) {
  return static_cast<T>(static_cast<Signed<T>>(value) >> count_of(count));
}
template <typename T>
constexpr T rotate_left(T value, T count) {
  return std::rotl(value, static_cast<int>(count_of(count)));
}
template <typename T>
constexpr T rotate_right(T value, T count) {
  return std::rotr(value, static_cast<int>(count_of(count)));
}

template <typename T>
constexpr T divide(T a, T b) {
  return b == 0 ? static_cast<T>(~T{0}) : a / b;
}
template <typename T>
constexpr T remainder(T a, T b) {
  return b == 0 ? a : a % b;
}
// The one quotient that does not fit, MIN / -1, wraps to MIN.
template <typename T>
constexpr T divide_signed(T a, T b) {
  if (b == 0) return static_cast<T>(~T{0});
  if (b == static_cast<T>(~T{0})) return T{0} - a;
  return static_cast<T>(static_cast<Signed<T>>(a) / static_cast<Signed<T>>(b));
}
template <typename T>
constexpr T remainder_signed(T a, T b) {
  if (b == 0) return a;
  if (b == static_cast<T>(~T{0})) return 0;
  return static_cast<T>(static_cast<Signed<T>>(a) % static_cast<Signed<T>>(b));
}

// An integer that holds every product of two Ts, whatever their signs.
template <typename T>
using Product = std::conditional_t<sizeof(T) == 8, __int128, int64_t>;
template <typename T>
using UnsignedProduct = std::conditional_t<sizeof(T) == 8, unsigned __int128, uint64_t>;

template <typename T, typename A, typename B>
constexpr T multiply_upper(A a, B b) {
  return static_cast<T>((static_cast<Product<T>>(a) * static_cast<Product<T>>(b)) >>
                        std::numeric_limits<T>::digits);
}
template <typename T>
constexpr T multiply_upper_unsigned(T a, T b) {
  return static_cast<T>((UnsignedProduct<T>{a} * UnsignedProduct<T>{b}) >> std::numeric_limits<T>::digits);
}

template <typename T>
constexpr T reverse_bytes(T value) {
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
  return __builtin_bswap32(static_cast<uint32_t>(value));
}

// The result of an instruction of the forms DstSrc (b is not looked at), DstSrcImm (b is the immediate) and
// DstSrcSrc, except for conditional moves and sbrk.
template <typename Word>
constexpr Word compute(Opcode opcode, Word a, Word b) {
  const auto a32 = static_cast<uint32_t>(a), b32 = static_cast<uint32_t>(b);
  const uint64_t a64 = a, b64 = b;
  const auto sa = static_cast<Signed<Word>>(a), sb = static_cast<Signed<Word>>(b);
  const auto low = [](uint32_t value) { return static_cast<Word>(static_cast<int32_t>(value)); };
  const auto all = [](uint64_t value) { return static_cast<Word>(value); };
  switch (opcode) {
    // clang-format off
    case Opcode::kMoveReg:                      return a;
    case Opcode::kCountSetBits32:               return low(static_cast<uint32_t>(std::popcount(a32)));
    case Opcode::kCountSetBits64:               return all(static_cast<uint64_t>(std::popcount(a64)));
    case Opcode::kCountLeadingZeroBits32:       return low(static_cast<uint32_t>(std::countl_zero(a32)));
    case Opcode::kCountLeadingZeroBits64:       return all(static_cast<uint64_t>(std::countl_zero(a64)));
    case Opcode::kCountTrailingZeroBits32:      return low(static_cast<uint32_t>(std::countr_zero(a32)));
    case Opcode::kCountTrailingZeroBits64:      return all(static_cast<uint64_t>(std::countr_zero(a64)));
    case Opcode::kSignExtend8:                  return low(static_cast<uint32_t>(static_cast<int8_t>(a)));
    case Opcode::kSignExtend16:                 return low(static_cast<uint32_t>(static_cast<int16_t>(a)));
    case Opcode::kZeroExtend16:                 return static_cast<uint16_t>(a);
    case Opcode::kReverseByte:                  return reverse_bytes(a);

    case Opcode::kAdd32:
    case Opcode::kAddImm32:                     return low(a32 + b32);
    case Opcode::kAdd64:
    case Opcode::kAddImm64:                     return all(a64 + b64);
    case Opcode::kSub32:                        return low(a32 - b32);
    case Opcode::kSub64:                        return all(a64 - b64);
    case Opcode::kNegateAndAddImm32:            return low(b32 - a32);
    case Opcode::kNegateAndAddImm64:            return all(b64 - a64);
    case Opcode::kMul32:
    case Opcode::kMulImm32:                     return low(a32 * b32);
    case Opcode::kMul64:
    case Opcode::kMulImm64:                     return all(a64 * b64);
    case Opcode::kMulUpperSignedSigned:         return multiply_upper<Word>(sa, sb);
    case Opcode::kMulUpperSignedUnsigned:       return multiply_upper<Word>(sa, b);
    case Opcode::kMulUpperUnsignedUnsigned:     return multiply_upper_unsigned(a, b);

    case Opcode::kDivUnsigned32:                return low(divide(a32, b32));
    case Opcode::kDivUnsigned64:                return all(divide(a64, b64));
    case Opcode::kDivSigned32:                  return low(divide_signed(a32, b32));
    case Opcode::kDivSigned64:                  return all(divide_signed(a64, b64));
    case Opcode::kRemUnsigned32:                return low(remainder(a32, b32));
    case Opcode::kRemUnsigned64:                return all(remainder(a64, b64));
    case Opcode::kRemSigned32:                  return low(remainder_signed(a32, b32));
    case Opcode::kRemSigned64:                  return all(remainder_signed(a64, b64));

    case Opcode::kShiftLogicalLeft32:
    case Opcode::kShiftLogicalLeftImm32:        return low(shift_left(a32, b32));
    case Opcode::kShiftLogicalLeftImmAlt32:     return low(shift_left(b32, a32));
    case Opcode::kShiftLogicalLeft64:
    case Opcode::kShiftLogicalLeftImm64:        return all(shift_left(a64, b64));
    case Opcode::kShiftLogicalLeftImmAlt64:     return all(shift_left(b64, a64));
    case Opcode::kShiftLogicalRight32:
    case Opcode::kShiftLogicalRightImm32:       return low(shift_right(a32, b32));
    case Opcode::kShiftLogicalRightImmAlt32:    return low(shift_right(b32, a32));
    case Opcode::kShiftLogicalRight64:
    case Opcode::kShiftLogicalRightImm64:       return all(shift_right(a64, b64));
    case Opcode::kShiftLogicalRightImmAlt64:    return all(shift_right(b64, a64));
    case Opcode::kShiftArithmeticRight32:
    case Opcode::kShiftArithmeticRightImm32:    return low(shift_right_signed(a32, b32));
    case Opcode::kShiftArithmeticRightImmAlt32: return low(shift_right_signed(b32, a32));
    case Opcode::kShiftArithmeticRight64:
    case Opcode::kShiftArithmeticRightImm64:    return all(shift_right_signed(a64, b64));
    case Opcode::kShiftArithmeticRightImmAlt64: return all(shift_right_signed(b64, a64));
    case Opcode::kRotateLeft32:                 return low(rotate_left(a32, b32));
    case Opcode::kRotateLeft64:                 return all(rotate_left(a64, b64));
    case Opcode::kRotateRight32:
    case Opcode::kRotateRightImm32:             return low(rotate_right(a32, b32));
    case Opcode::kRotateRightImmAlt32:          return low(rotate_right(b32, a32));
    case Opcode::kRotateRight64:
    case Opcode::kRotateRightImm64:             return all(rotate_right(a64, b64));
    case Opcode::kRotateRightImmAlt64:          return all(rotate_right(b64, a64));

    case Opcode::kAnd:
    case Opcode::kAndImm:                       return a & b;
    case Opcode::kXor:
    case Opcode::kXorImm:                       return a ^ b;
    case Opcode::kOr:
    case Opcode::kOrImm:                        return a | b;
    case Opcode::kAndInverted:                  return a & ~b;
    case Opcode::kOrInverted:                   return a | ~b;
    case Opcode::kXnor:                         return ~(a ^ b);

    case Opcode::kSetLessThanUnsigned:
    case Opcode::kSetLessThanUnsignedImm:       return a < b;
    case Opcode::kSetLessThanSigned:
    case Opcode::kSetLessThanSignedImm:         return sa < sb;
    case Opcode::kSetGreaterThanUnsignedImm:    return a > b;
    case Opcode::kSetGreaterThanSignedImm:      return sa > sb;
    case Opcode::kMaximum:                      return static_cast<Word>(std::max(sa, sb));
    case Opcode::kMaximumUnsigned:              return std::max(a, b);
    case Opcode::kMinimum:                      return static_cast<Word>(std::min(sa, sb));
    case Opcode::kMinimumUnsigned:              return std::min(a, b);
    // clang-format on
    default: break;
  }
  SG_CHECK(!"compute() does not know this opcode");
  return 0;
}

// Whether a conditional branch is taken (forms SrcImmTarget, where b is the immediate, and SrcSrcTarget).
template <typename Word>
constexpr bool is_taken(Opcode opcode, Word a, Word b) {
  const auto sa = static_cast<Signed<Word>>(a), sb = static_cast<Signed<Word>>(b);
  switch (opcode) {
    // clang-format off
    case Opcode::kBranchEq:
    case Opcode::kBranchEqImm:                     return a == b;
    case Opcode::kBranchNotEq:
    case Opcode::kBranchNotEqImm:                  return a != b;
    case Opcode::kBranchLessUnsigned:
    case Opcode::kBranchLessUnsignedImm:           return a < b;
    case Opcode::kBranchLessOrEqualUnsignedImm:    return a <= b;
    case Opcode::kBranchGreaterOrEqualUnsigned:
    case Opcode::kBranchGreaterOrEqualUnsignedImm: return a >= b;
    case Opcode::kBranchGreaterUnsignedImm:        return a > b;
    case Opcode::kBranchLessSigned:
    case Opcode::kBranchLessSignedImm:             return sa < sb;
    case Opcode::kBranchLessOrEqualSignedImm:      return sa <= sb;
    case Opcode::kBranchGreaterOrEqualSigned:
    case Opcode::kBranchGreaterOrEqualSignedImm:   return sa >= sb;
    case Opcode::kBranchGreaterSignedImm:          return sa > sb;
    // clang-format on
    default: break;
  }
  SG_CHECK(!"is_taken() does not know this opcode");
  return false;
}

// What a load puts into its register: `raw` holds the bytes read, zero-extended. The register keeps the part
// that fits.
constexpr uint64_t extend_loaded(Opcode opcode, uint64_t raw) {
  switch (opcode) {
    case Opcode::kLoadI8:
    case Opcode::kLoadIndirectI8: return static_cast<uint64_t>(int64_t{static_cast<int8_t>(raw)});
    case Opcode::kLoadI16:
    case Opcode::kLoadIndirectI16: return static_cast<uint64_t>(int64_t{static_cast<int16_t>(raw)});
    case Opcode::kLoadI32:
    case Opcode::kLoadIndirectI32: return static_cast<uint64_t>(int64_t{static_cast<int32_t>(raw)});
    default: return raw;
  }
}

}  // namespace sandglass::semantics
