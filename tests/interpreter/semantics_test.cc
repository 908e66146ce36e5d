// The arithmetic, against rules it must obey for all operands instead of against examples (tests/spec has
// those).
#include "sandbox/interpreter/semantics.h"

#include <gtest/gtest.h>

#include <random>

namespace sandglass::semantics {
namespace {

static_assert(compute<uint64_t>(Opcode::kAdd32, 0x7fffffff, 1) == 0xffffffff80000000);
static_assert(compute<uint32_t>(Opcode::kAdd32, 0x7fffffff, 1) == 0x80000000);
static_assert(compute<uint64_t>(Opcode::kDivUnsigned32, 5, uint64_t{1} << 32) == UINT64_MAX);
static_assert(compute<uint64_t>(Opcode::kDivSigned64, uint64_t{1} << 63, UINT64_MAX) == uint64_t{1} << 63);
static_assert(compute<uint64_t>(Opcode::kRemSigned32, 0x80000000, UINT64_MAX) == 0);
static_assert(compute<uint64_t>(Opcode::kReverseByte, 0x0102030405060708, 0) == 0x0807060504030201);
static_assert(compute<uint32_t>(Opcode::kReverseByte, 0x01020304, 0) == 0x04030201);
static_assert(compute<uint64_t>(Opcode::kSignExtend8, 0x1280, 0) == 0xffffffffffffff80);
static_assert(compute<uint32_t>(Opcode::kSignExtend16, 0x128000, 0) == 0xffff8000);
static_assert(is_taken<uint32_t>(Opcode::kBranchLessSigned, 0x80000000, 0));
static_assert(!is_taken<uint64_t>(Opcode::kBranchLessSigned, 0x80000000, 0));
static_assert(extend_loaded(Opcode::kLoadI8, 0x80) == 0xffffffffffffff80);
static_assert(extend_loaded(Opcode::kLoadIndirectU32, 0x80000000) == 0x80000000);

constexpr int kRounds = 20'000;

template <typename Word>
class SemanticsTest : public ::testing::Test {
 protected:
  // Random words, with small numbers and those near powers of two more often than chance has them.
  Word operand() {
    const auto value = static_cast<Word>(random_());
    switch (random_() % 4) {
      case 0: return static_cast<Word>(value % 7) - 3;
      case 1: return static_cast<Word>((Word{1} << (value % (sizeof(Word) * 8))) - random_() % 3);
      default: return value;
    }
  }

  static constexpr bool kIsWide = sizeof(Word) == 8;
  static Word run(Opcode narrow, Opcode wide, Word a, Word b) {
    return compute<Word>(kIsWide ? wide : narrow, a, b);
  }

  std::mt19937_64 random_{7};
};

using Words = ::testing::Types<uint32_t, uint64_t>;
TYPED_TEST_SUITE(SemanticsTest, Words);

TYPED_TEST(SemanticsTest, QuotientAndRemainderGiveTheDividendBack) {
  for (int i = 0; i < kRounds; ++i) {
    const TypeParam a = this->operand(), b = this->operand();
    const TypeParam q = this->run(Opcode::kDivUnsigned32, Opcode::kDivUnsigned64, a, b);
    const TypeParam r = this->run(Opcode::kRemUnsigned32, Opcode::kRemUnsigned64, a, b);
    const TypeParam sq = this->run(Opcode::kDivSigned32, Opcode::kDivSigned64, a, b);
    const TypeParam sr = this->run(Opcode::kRemSigned32, Opcode::kRemSigned64, a, b);
    ASSERT_EQ(static_cast<TypeParam>(q * b + r), a) << b;
    ASSERT_EQ(static_cast<TypeParam>(sq * b + sr), a) << b;
    if (b == 0) continue;
    ASSERT_LT(r, b) << a;
    const auto signed_r = static_cast<Signed<TypeParam>>(sr);
    ASSERT_TRUE(signed_r == 0 || (signed_r < 0) == (static_cast<Signed<TypeParam>>(a) < 0)) << a << " " << b;
  }
}

// By halves, as it is done on paper.
template <typename Word>
Word upper_by_halves(Word a, Word b) {
  constexpr unsigned kHalf = sizeof(Word) * 4;
  const Word low = (Word{1} << kHalf) - 1;
  const Word a0 = a & low, a1 = a >> kHalf, b0 = b & low, b1 = b >> kHalf;
  const Word middle = a1 * b0 + ((a0 * b0) >> kHalf);
  return a1 * b1 + (middle >> kHalf) + (((middle & low) + a0 * b1) >> kHalf);
}

TYPED_TEST(SemanticsTest, UpperProductsAgreeWithTheSchoolMethod) {
  for (int i = 0; i < kRounds; ++i) {
    const TypeParam a = this->operand(), b = this->operand();
    const TypeParam upper = upper_by_halves(a, b);
    const TypeParam a_fix = static_cast<Signed<TypeParam>>(a) < 0 ? b : 0;
    const TypeParam b_fix = static_cast<Signed<TypeParam>>(b) < 0 ? a : 0;
    ASSERT_EQ(compute<TypeParam>(Opcode::kMulUpperUnsignedUnsigned, a, b), upper);
    ASSERT_EQ(compute<TypeParam>(Opcode::kMulUpperSignedUnsigned, a, b),
              static_cast<TypeParam>(upper - a_fix));
    ASSERT_EQ(compute<TypeParam>(Opcode::kMulUpperSignedSigned, a, b),
              static_cast<TypeParam>(upper - a_fix - b_fix));
  }
}

TYPED_TEST(SemanticsTest, RotationsAreMadeOfShifts) {
  constexpr TypeParam kBits = sizeof(TypeParam) * 8;
  for (int i = 0; i < kRounds; ++i) {
    const TypeParam a = this->operand(), count = this->operand();
    const TypeParam left = this->run(Opcode::kRotateLeft32, Opcode::kRotateLeft64, a, count);
    const TypeParam right = this->run(Opcode::kRotateRight32, Opcode::kRotateRight64, left, count);
    ASSERT_EQ(right, a) << count;
    if (count % kBits == 0) continue;
    const TypeParam high = this->run(Opcode::kShiftLogicalLeft32, Opcode::kShiftLogicalLeft64, a, count);
    const TypeParam low =
        this->run(Opcode::kShiftLogicalRight32, Opcode::kShiftLogicalRight64, a, kBits - count % kBits);
    ASSERT_EQ(left, high | low) << count;
  }
}

TYPED_TEST(SemanticsTest, ArithmeticShiftDividesTowardsMinusInfinity) {
  for (int i = 0; i < kRounds; ++i) {
    const TypeParam a = this->operand(), count = this->operand();
    const TypeParam logical = this->run(Opcode::kShiftLogicalRight32, Opcode::kShiftLogicalRight64,
                                        static_cast<TypeParam>(~a), count);
    const bool is_negative = static_cast<Signed<TypeParam>>(a) < 0;
    const TypeParam expected =
        is_negative ? static_cast<TypeParam>(~logical)
                    : this->run(Opcode::kShiftLogicalRight32, Opcode::kShiftLogicalRight64, a, count);
    ASSERT_EQ(this->run(Opcode::kShiftArithmeticRight32, Opcode::kShiftArithmeticRight64, a, count),
              expected);
  }
}

TYPED_TEST(SemanticsTest, ComparisonsBranchesAndExtremaAgree) {
  for (int i = 0; i < kRounds; ++i) {
    const TypeParam a = this->operand(), b = this->operand();
    const bool less = compute<TypeParam>(Opcode::kSetLessThanUnsigned, a, b) != 0;
    const bool less_signed = compute<TypeParam>(Opcode::kSetLessThanSigned, a, b) != 0;
    const TypeParam sign = TypeParam{1} << (sizeof(TypeParam) * 8 - 1);
    ASSERT_EQ(less_signed, (compute<TypeParam>(Opcode::kSetLessThanUnsigned, a ^ sign, b ^ sign) != 0));
    ASSERT_EQ(is_taken<TypeParam>(Opcode::kBranchLessUnsigned, a, b), less);
    ASSERT_EQ(is_taken<TypeParam>(Opcode::kBranchGreaterOrEqualUnsignedImm, a, b), !less);
    ASSERT_EQ(is_taken<TypeParam>(Opcode::kBranchGreaterSignedImm, b, a), less_signed);
    ASSERT_EQ(is_taken<TypeParam>(Opcode::kBranchLessOrEqualSignedImm, b, a), !less_signed);
    ASSERT_EQ(compute<TypeParam>(Opcode::kMinimumUnsigned, a, b), less ? a : b);
    ASSERT_EQ(compute<TypeParam>(Opcode::kMaximum, a, b), less_signed ? b : a);
  }
}

TYPED_TEST(SemanticsTest, CountsAddUp) {
  for (int i = 0; i < kRounds; ++i) {
    const TypeParam a = this->operand();
    const TypeParam bits = sizeof(TypeParam) * 8;
    const TypeParam leading =
        this->run(Opcode::kCountLeadingZeroBits32, Opcode::kCountLeadingZeroBits64, a, 0);
    const TypeParam trailing =
        this->run(Opcode::kCountTrailingZeroBits32, Opcode::kCountTrailingZeroBits64, a, 0);
    const TypeParam below = static_cast<TypeParam>((a & (0 - a)) - 1);
    ASSERT_EQ(this->run(Opcode::kCountSetBits32, Opcode::kCountSetBits64, below, 0), trailing);
    ASSERT_TRUE(leading == bits ? a == 0 : (a >> (bits - 1 - leading)) == 1) << a;
  }
}

}  // namespace
}  // namespace sandglass::semantics
