// Every way to write a statement: forms of PolkaVM's assembler, its defects mended, and what we add.
#include <gtest/gtest.h>

#include "tests/assembler/helpers.h"

namespace sandglass::test {
namespace {

struct Same {
  std::string_view text;
  std::string_view canonical;  // what the disassembler writes for it
};

void expect_same(std::span<const Same> rows, InstructionSet set = InstructionSet::kLatest64) {
  for (const Same& row : rows) {
    const auto program = program_from(assembled(row.text, set));
    ASSERT_NE(program, nullptr);
    EXPECT_EQ(statements_of(*program), row.canonical) << row.text;
    EXPECT_EQ(bytes_of(row.canonical, set), code_text(program->parts())) << row.text;
  }
}

TEST(Statement, NeedsNoBlanksBetweenPieces) {
  constexpr Same kRows[] = {
      {"a0=a1+a2", "a0 = a1 + a2"},
      {"a0=a1-a2", "a0 = a1 - a2"},
      {"a0=a1&~a2", "a0 = a1 & ~a2"},
      {"a0=a1 |   ~ a2", "a0 = a1 | ~a2"},
      {"a0=~(a1^a2)", "a0 = ~(a1 ^ a2)"},
      {"a0 = ~ ( a1 ^ a2 )", "a0 = ~(a1 ^ a2)"},
      {"a0=maxs(a1,a2)", "a0 = maxs(a1, a2)"},
      {"a0=u8[a1+4]", "a0 = u8 [a1 + 0x4]"},
      {"u8[a1]=a2", "u8 [a1] = a2"},
      {"u16[4]=5", "u16 [0x4] = 0x5"},
      {"a0=5,jump[a1]", "a0 = 5, jump [a1]"},
      {"jump pc+9 if a0<s a1", "jump pc + 9 if a0 <s a1"},
      {"\tjump\tpc + 9 \t if a0 == a1\t", "jump pc + 9 if a0 == a1"},
      {"[a0..a0+a2]=u8 a1", "memset"},
      {"[ a0 .. a0 + a2 ] = u8 a1", "memset"},
  };
  expect_same(kRows);
}

TEST(Statement, ReadsAnOperatorAsFarAsItGoesLikePolkaVM) {
  constexpr Same kRows[] = {
      {"a0 = a1>>a2", "a0 = a1 >>a 0x2"}, {"a0 = a1>>r2", "a0 = a1 >>r 0x2"},
      {"a0 = a1<s1", "a0 = a1 <s 0x1"},   {"a0 = a1 >> a2", "a0 = a1 >> a2"},
      {"a0 = a1 << r2", "a0 = a1 << t0"},
  };
  expect_same(kRows);
}

TEST(Statement, KnowsAllNamesOfTheRegisters) {
  constexpr Same kRows[] = {
      {"r0 = r1", "ra = sp"}, {"r2 = r3", "t0 = t1"},   {"r4 = r5", "t2 = s0"},   {"r6 = r7", "s1 = a0"},
      {"r8 = r9", "a1 = a2"}, {"r10 = r11", "a3 = a4"}, {"r12 = r12", "a5 = a5"}, {"nop", "ra = ra"},
  };
  expect_same(kRows);
  for (const char* name : {"r13", "r00", "r01", "r", "r1x", "zero", "A0", "x1"}) {
    EXPECT_NE(error_of(std::string("a0 = ") + name), "ok") << name;
  }
}

TEST(Statement, MirrorsWhatStandsTheOtherWayRound) {
  constexpr Same kRows[] = {
      {"a0 = 5 + a1", "a0 = a1 + 0x5"},
      {"a0 = 5 * a1", "a0 = a1 * 0x5"},
      {"a0 = 5 & a1", "a0 = a1 & 0x5"},
      {"a0 = 5 | a1", "a0 = a1 | 0x5"},
      {"a0 = 5 ^ a1", "a0 = a1 ^ 0x5"},
      {"a0 = 5 <u a1", "a0 = a1 >u 0x5"},
      {"a0 = 5 >u a1", "a0 = a1 <u 0x5"},
      {"a0 = 5 <s a1", "a0 = a1 >s 0x5"},
      {"a0 = 5 >s a1", "a0 = a1 <s 0x5"},
      {"a0 = a1 >u a2", "a0 = a2 <u a1"},
      {"a0 = a1 >s a2", "a0 = a2 <s a1"},
      {"jump pc + 99 if 5 == a1", "jump pc + 99 if a1 == 5"},
      {"jump pc + 99 if 5 != a1", "jump pc + 99 if a1 != 5"},
      {"jump pc + 99 if 5 <u a1", "jump pc + 99 if a1 >u 5"},
      {"jump pc + 99 if 5 <=u a1", "jump pc + 99 if a1 >=u 5"},
      {"jump pc + 99 if 5 >u a1", "jump pc + 99 if a1 <u 5"},
      {"jump pc + 99 if 5 >=u a1", "jump pc + 99 if a1 <=u 5"},
      {"jump pc + 99 if 5 <s a1", "jump pc + 99 if a1 >s 5"},
      {"jump pc + 99 if 5 <=s a1", "jump pc + 99 if a1 >=s 5"},
      {"jump pc + 99 if 5 >s a1", "jump pc + 99 if a1 <s 5"},
      {"jump pc + 99 if 5 >=s a1", "jump pc + 99 if a1 <=s 5"},
      {"jump pc + 99 if a1 >u a2", "jump pc + 99 if a2 <u a1"},
      {"jump pc + 99 if a1 <=u a2", "jump pc + 99 if a2 >=u a1"},
      {"jump pc + 99 if a1 >s a2", "jump pc + 99 if a2 <s a1"},
      {"jump pc + 99 if a1 <=s a2", "jump pc + 99 if a2 >=s a1"},
  };
  expect_same(kRows);
}

TEST(Statement, SubtractsAConstantByAddingItsNegative) {
  constexpr Same kRows[] = {
      {"a0 = a1 - 5", "a0 = a1 - 5"},
      {"a0 = a1 + -5", "a0 = a1 - 5"},
      {"a0 = a1 + 0xfffffffffffffffb", "a0 = a1 - 5"},
      {"a0 = a1 - -5", "a0 = a1 + 0x5"},
      {"a0 = a1 - +5", "a0 = a1 - 5"},
      {"a0 = a1 - 4095", "a0 = a1 - 4095"},
      {"a0 = a1 - 4096", "a0 = a1 + 0xfffffffffffff000"},
      {"a0 = a1 - 2147483648", "a0 = a1 + 0xffffffff80000000"},
      {"a0 = 5 - a1", "a0 = 0x5 - a1"},
      {"a0 = -5 - a1", "a0 = 0xfffffffffffffffb - a1"},
      {"a0 = 0 - a1", "a0 = -a1"},
      {"a0 = - a1", "a0 = -a1"},
      {"i32 a0 = -a1", "i32 a0 = -a1"},
      {"i32 a0 = a1 - 1", "i32 a0 = a1 - 1"},
      {"i32 a0 = a1 - -2147483648", "i32 a0 = a1 + 0xffffffff80000000"},
  };
  expect_same(kRows);
  // A + 2^31 has no encoding; PolkaVM assembles A - 2^31 here.
  EXPECT_NE(error_of("a0 = a1 - -2147483648"), "ok");
}

TEST(Statement, MendsTheConditionalMoves) {
  constexpr Same kRows[] = {
      {"a0 = a1 if a2 != 0", "a0 = a1 if a2 != 0"},
      {"a0 = 7 if a2 != 0x0", "a0 = 0x7 if a2 != 0"},
      {"a0 = -1 if a2 == 0b0", "a0 = 0xffffffffffffffff if a2 == 0"},
      {"a0 = 0xffffffff if a2 == 0", "a0 = 0xffffffffffffffff if a2 == 0"},
  };
  expect_same(kRows);
  EXPECT_EQ(bytes_of("a0 = a1 if a2 == 0"), "da 98 07");
  EXPECT_EQ(bytes_of("a0 = a1 if a2 != 0"), "db 98 07");
  EXPECT_EQ(bytes_of("a0 = 7 if a1 == 0"), "93 87 07");
  EXPECT_EQ(bytes_of("a0 = 7 if a1 != 0"), "94 87 07");
}

TEST(Statement, TakesOffsetsOfEitherSign) {
  constexpr Same kRows[] = {
      {"a0 = u8 [a1 - 4]", "a0 = u8 [a1 - 0x4]"},
      {"a0 = u8 [a1 + -4]", "a0 = u8 [a1 - 0x4]"},
      {"a0 = u8 [a1 - -4]", "a0 = u8 [a1 + 0x4]"},
      {"a0 = u8 [a1 + 0xfffffffc]", "a0 = u8 [a1 - 0x4]"},
      {"a0 = u8 [a1 + 0xfffffffffffffffc]", "a0 = u8 [a1 - 0x4]"},
      {"a0 = u8 [a1 + 0]", "a0 = u8 [a1]"},
      {"a0 = u8 [a1 - 0x80000000]", "a0 = u8 [a1 - 0x80000000]"},
      {"a0 = u8 [0xffff0000]", "a0 = u8 [0xffff0000]"},
      {"a0 = u8 [-65536]", "a0 = u8 [0xffff0000]"},
      {"u32 [a1 - 8] = 3", "u32 [a1 - 0x8] = 0x3"},
      {"u32 [a1 - 8] = a3", "u32 [a1 - 0x8] = a3"},
      {"jump [a1 - 8]", "jump [a1 - 0x8]"},
      {"jump [ra + 0]", "ret"},
      {"a0 = 1, jump [a1 - 8]", "a0 = 1, jump [a1 - 0x8]"},
      {"tmp = a1, a0 = 1, jump [tmp - 8]", "a0 = 1, jump [a1 - 0x8]"},
      {"tmp = a0, a0 = -1, jump [tmp]", "tmp = a0, a0 = -1, jump [tmp]"},
      {"tmp = a0, a0 = 0xffffffff, jump [tmp + 1]", "tmp = a0, a0 = -1, jump [tmp + 0x1]"},
  };
  expect_same(kRows);
}

TEST(Statement, StoresConstantsThatFit) {
  constexpr Same kRows[] = {
      {"u8 [a1] = 255", "u8 [a1] = 0xff"},
      {"u8 [a1] = -1", "u8 [a1] = -1"},
      {"u8 [a1] = -128", "u8 [a1] = -128"},
      {"u16 [a1] = 65535", "u16 [a1] = 0xffff"},
      {"u16 [a1] = -32768", "u16 [a1] = -32768"},
      {"u32 [a1] = 0xffffffff", "u32 [a1] = -1"},
      {"u32 [a1] = -2147483648", "u32 [a1] = -2147483648"},
      {"u64 [a1] = 0xffffffffffffffff", "u64 [a1] = -1"},
      {"u64 [8] = 0", "u64 [0x8] = 0"},
  };
  expect_same(kRows);
  for (const char* text :
       {"u8 [a1] = 256", "u8 [a1] = -129", "u16 [a1] = 65536", "u16 [a1] = -32769", "u32 [a1] = 0x100000000",
        "u32 [a1] = -2147483649", "u64 [a1] = 0xffffffff", "u64 [a1] = 0x80000000"}) {
    EXPECT_EQ(error_of(text), "1: the constant does not fit into what is stored: " + std::string(text));
  }
}

TEST(Statement, ChoosesTheLengthOfALoadedConstant) {
  EXPECT_EQ(bytes_of("a0 = 0"), "33 07");
  EXPECT_EQ(bytes_of("a0 = -1"), "33 07 ff");
  EXPECT_EQ(bytes_of("a0 = 0xffffffffffffffff"), "33 07 ff");
  EXPECT_EQ(bytes_of("a0 = 18446744073709551615"), "33 07 ff");
  EXPECT_EQ(bytes_of("a0 = 128"), "33 07 80 00");
  EXPECT_EQ(bytes_of("a0 = 0b101"), "33 07 05");
  EXPECT_EQ(bytes_of("a0 = +5"), "33 07 05");
  EXPECT_EQ(bytes_of("a0 = -0x10"), "33 07 f0");
  EXPECT_EQ(bytes_of("a0 = 0xAbC"), "33 07 bc 0a");
  EXPECT_EQ(bytes_of("a0 = 0x7fffffff"), "33 07 ff ff ff 7f");
  EXPECT_EQ(bytes_of("a0 = 0xffffffff"), "14 07 ff ff ff ff 00 00 00 00");
  EXPECT_EQ(bytes_of("a0 = -3000000000"), "14 07 00 a2 2f 4d ff ff ff ff");
  EXPECT_EQ(bytes_of("a0 = -9223372036854775808"), "14 07 00 00 00 00 00 00 00 80");
  EXPECT_EQ(bytes_of("a0 = i64 -1"), "14 07 ff ff ff ff ff ff ff ff");
  EXPECT_EQ(bytes_of("a0 = i64 5"), "14 07 05 00 00 00 00 00 00 00");
}

TEST(Statement, ReadsConstantsAs32BitsInASetOf32Bits) {
  constexpr Same kRows[] = {
      {"a0 = 0xffffffff", "a0 = 0xffffffff"},
      {"a0 = -1", "a0 = 0xffffffff"},
      {"a0 = a1 & 0xffffffff", "a0 = a1 & 0xffffffff"},
      {"a0 = a1 + 0xffffffff", "a0 = a1 - 1"},
      {"i32 a0 = a1 + a2", "a0 = a1 + a2"},
      {"a0 = a1 >>r 3", "a0 = a1 >>r 0x3"},
      {"a0 = cpop a1", "a0 = cpop a1"},
      {"a0 = -1 if a1 == 0", "a0 = 0xffffffff if a1 == 0"},
      {"a0 = 0xffffffff, jump pc + 99", "a0 = -1, jump pc + 99"},
      {"u8 [a1] = -1", "u8 [a1] = -1"},
  };
  expect_same(kRows, InstructionSet::kLatest32);
  EXPECT_EQ(error_of("a0 = 0x100000000", InstructionSet::kLatest32),
            "1: the number does not fit into a signed 32-bit constant: a0 = 0x100000000");
}

TEST(Statement, WrapsConstantsOnlyWhere32BitsCount) {
  EXPECT_EQ(bytes_of("i32 a0 = a1 + 0xffffffff"), bytes_of("i32 a0 = a1 + -1"));
  EXPECT_EQ(bytes_of("jump pc + 99 if a0 == 0xffffffff"), bytes_of("jump pc + 99 if a0 == -1"));
  EXPECT_EQ(bytes_of("ecalli 0xffffffff"), bytes_of("ecalli -1"));
  for (const char* text : {"a0 = a1 + 0xffffffff", "a0 = a1 & 0x80000000", "a0 = 0xffffffff, jump pc + 99",
                           "a0 = a1 * -2147483649"}) {
    EXPECT_NE(error_of(text), "ok") << text;
  }
}

TEST(Statement, IgnoresTheMarkerWhereThereIsOneWidth) {
  constexpr Same kRows[] = {
      {"i32 a0 = a1", "a0 = a1"},
      {"i32 a0 = 5", "a0 = 0x5"},
      {"i32 a0 = u8 [a1]", "a0 = u8 [a1]"},
      {"i32 u8 [a1] = a0", "u8 [a1] = a0"},
      {"i32 a0 = sext8 a1", "a0 = sext8 a1"},
      {"i32 a0 = maxs(a1, a2)", "a0 = maxs(a1, a2)"},
      {"i32 a0 = a1 if a2 == 0", "a0 = a1 if a2 == 0"},
      {"a0 = i32 [a1]", "a0 = i32 [a1]"},
  };
  expect_same(kRows);
  for (const char* op : {"&", "|", "^", "& ~", "| ~", "<u", "<s", ">u", ">s", "mulh"}) {
    EXPECT_TRUE(
        error_of(std::string("i32 a0 = a1 ") + op + " a2").starts_with("1: this operation has no i32"))
        << op;
  }
}

TEST(Statement, MayEndInAComment) {
  constexpr Same kRows[] = {
      {"trap // c", "trap"},
      {"trap//c", "trap"},
      {"a0 = a1 // c", "a0 = a1"},
      {"a0 = a1 /u a2 // c", "a0 = a1 /u a2"},
      {"u8 [a1] = 5 // 6", "u8 [a1] = 0x5"},
      {"jump pc + 99 // x if a0 == 0", "jump pc + 99"},
      {"ecalli 5 // 'x'", "ecalli 5"},
  };
  expect_same(kRows);
  EXPECT_EQ(bytes_of("// nothing\n   // here\n\n\t\r\n"), "");
  EXPECT_EQ(bytes_of("trap\r\n\r\ntrap"), "00 | 00");
}

}  // namespace
}  // namespace sandglass::test
