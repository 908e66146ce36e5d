// What is wrong with a statement, in which line, and which piece of it.
#include <gtest/gtest.h>

#include "tests/assembler/helpers.h"

namespace sandglass::test {
namespace {

struct Mistake {
  std::string_view text;
  std::string_view error;  // after "2: "
};

constexpr Mistake kMistakes[] = {
    {"foo", "cannot parse the statement: foo"},
    {"42", "cannot parse the statement: 42"},
    {"trap trap", "unexpected text at the end of the line: trap"},
    {"trap # c", "unexpected text at the end of the line: # c"},
    {"a0", "cannot parse the statement: a0"},
    {"a0 =", "expected a register: "},
    {"a0 = // c", "expected a register: // c"},
    {"a0 = a1 +", "expected a register: "},
    {"a0 = a1 + a2 + a3", "unexpected text at the end of the line: + a3"},
    {"a0 = a1 a2", "not an operator: a0 = a1 a2"},
    {"a0 = a1 / a2", "not an operator: a0 = a1 / a2"},
    {"a0 = a1 <=u a2", "not an operator: a0 = a1 <=u a2"},
    {"a0 = a1 == a2", "not an operator: a0 = a1 == a2"},
    {"a0 = a1 mulhx a2", "not an operator: a0 = a1 mulhx a2"},
    {"a0 = 1 + 2", "an operation needs a register: a0 = 1 + 2"},
    {"a0 = a1 /u 5", "this operation takes no constant here: a0 = a1 /u 5"},
    {"a0 = 5 %s a1", "this operation takes no constant here: a0 = 5 %s a1"},
    {"a0 = a1 <<r 5", "this operation takes no constant here: a0 = a1 <<r 5"},
    {"a0 = a1 & ~5", "this operation takes no constant here: a0 = a1 & ~5"},
    {"a0 = a1 | ~5", "this operation takes no constant here: a0 = a1 | ~5"},
    {"a0 = a1 mulhu 5", "this operation takes no constant here: a0 = a1 mulhu 5"},
    {"a0 = i64", "expected a number: "},
    {"a0 = i64 a1", "expected a number: a1"},
    {"a0 = 0x", "expected a number: 0x"},
    {"a0 = 0X5", "not a number: 0X5"},
    {"a0 = 0x5g", "not a number: 0x5g"},
    {"a0 = 0b12", "not a number: 0b12"},
    {"a0 = 12a", "not a number: 12a"},
    {"a0 = 1_000", "not a number: 1_000"},
    {"a0 = --1", "expected a number: -1"},
    {"a0 = 18446744073709551616", "the number does not fit into 64 bits: 18446744073709551616"},
    {"a0 = 0x10000000000000000", "the number does not fit into 64 bits: 0x10000000000000000"},
    {"a0 = -9223372036854775809", "the number does not fit into 64 bits: -9223372036854775809"},
    {"a0 = a1 + 0xffffffff", "the number does not fit into a signed 32-bit constant: a0 = a1 + 0xffffffff"},
    {"a0 = cpop 5", "expected a register: 5"},
    {"a0 = maxs(a1)", "expected something else here: )"},
    {"a0 = maxs(a1, 5)", "expected a register: 5)"},
    {"a0 = maxs a1, a2", "expected something else here: a1, a2"},
    {"a0 = ~a1", "expected something else here: a1"},
    {"a0 = ~(a1 | a2)", "expected something else here: | a2)"},
    {"a0 = u8", "expected something else here: "},
    {"a0 = u8 a1", "expected something else here: a1"},
    {"a0 = u8 [a1", "expected something else here: "},
    {"a0 = u8 [a1 + a2]", "expected a number: a2]"},
    {"a0 = u8 [a1 + 0x100000000]", "the number does not fit into 32 bits: 0x100000000]"},
    {"a0 = u8 [a1 - -2147483649]", "the number does not fit into 32 bits: -2147483649]"},
    {"a0 = u8 []", "expected a number: ]"},
    {"a0 = i64 [a1]", "expected a number: [a1]"},
    {"i8 [a1] = a0", "only u8, u16, u32 and u64 can be stored: i8 [a1] = a0"},
    {"i16 [a1] = 5", "only u8, u16, u32 and u64 can be stored: i16 [a1] = 5"},
    {"i32 [a1] = a0", "cannot parse the statement: i32 [a1] = a0"},
    {"u8 [a1] + a0", "expected something else here: + a0"},
    {"u8 [a1] =", "expected a number: "},
    {"[a0..a1 + a2] = u8 a1", "cannot parse the statement: [a0..a1 + a2] = u8 a1"},
    {"ecalli", "expected a number: "},
    {"ecalli a0", "expected a number: a0"},
    {"ecalli 4294967296", "the number does not fit into 32 bits: 4294967296"},
    {"ecalli 'x", "the name has no closing quote: 'x"},
    {"jump", "expected a label or a code offset: "},
    {"jump a0", "expected a label or a code offset: a0"},
    {"jump [5]", "an indirect jump needs a register: jump [5]"},
    {"jump pc +", "expected a number: "},
    {"jump pc * 4", "unexpected text at the end of the line: * 4"},
    {"jump 5 a0 == a1", "unexpected text at the end of the line: a0 == a1"},
    {"jump 5 if", "expected a register: "},
    {"jump 5 if a0", "not a comparison: jump 5 if a0"},
    {"jump 5 if a0 < a1", "not a comparison: jump 5 if a0 < a1"},
    {"jump 5 if 1 == 2", "a comparison needs a register: jump 5 if 1 == 2"},
    {"jump 5 if a0 == 0x100000000", "the number does not fit into 32 bits: jump 5 if a0 == 0x100000000"},
    {"a0 = 5, a1", "expected a jump after the comma: a0 = 5, a1"},
    {"a0 = a1, jump 5", "not an operator: a0 = a1, jump 5"},
    {"a0 = 5, jump [6]", "an indirect jump needs a register: a0 = 5, jump [6]"},
    {"a0 = 5, jump [a0]", "write: tmp = REG, REG = n, jump [tmp]: a0 = 5, jump [a0]"},
    {"tmp = a0", "expected something else here: "},
    {"tmp = a0, a0 = 5, jump [a0]", "expected jump [tmp]: tmp = a0, a0 = 5, jump [a0]"},
    {"tmp = a0, a0 = a1, jump [tmp]", "expected a number: a1, jump [tmp]"},
    {"a0 = a1 if a2", "a conditional move tests == 0 or != 0: a0 = a1 if a2"},
    {"a0 = a1 if a2 == 1", "a conditional move tests == 0 or != 0: a0 = a1 if a2 == 1"},
    {"a0 = a1 if a2 <u 0", "a conditional move tests == 0 or != 0: a0 = a1 if a2 <u 0"},
    {"a0 = a1 if 0 == a2", "expected a register: 0 == a2"},
    {"a0 = 0x100000000 if a2 == 0", "the number does not fit into 32 bits: a0 = 0x100000000 if a2 == 0"},
    {"pub x:", "cannot parse the statement: pub x:"},
};

TEST(StatementError, NamesTheRuleTheLineAndThePiece) {
  for (const Mistake& mistake : kMistakes) {
    const std::string text = "trap\n  " + std::string(mistake.text) + "  \ntrap\nfoo";
    EXPECT_EQ(error_of(text), "2: " + std::string(mistake.error)) << mistake.text;
  }
}

TEST(StatementError, CutsALongPiece) {
  const Result<ProgramParts> parts = assemble(std::string(1000, 'x'));
  ASSERT_FALSE(parts);
  EXPECT_EQ(std::string_view(parts.error().detail), std::string(63, 'x'));
}

TEST(StatementError, TakesBytesOfAnyKind) {
  for (int byte = 0; byte < 256; ++byte) {
    for (const char* text : {"", "a0 = ", "jump ", "@", "%", "%import '", "u8 [a0", "ecalli "}) {
      const std::string line = text + std::string(1, static_cast<char>(byte));
      (void)error_of(line + "\n" + line + line);
    }
  }
  EXPECT_EQ(error_of(std::string_view("trap\n\0", 6)), "2: cannot parse the statement: ");
}

TEST(EmptyText, IsAProgramWithoutCode) {
  EXPECT_EQ(assembled("").code.size(), 0u);
  EXPECT_FALSE(Program::from_parts(assembled("// nothing")));
}

}  // namespace
}  // namespace sandglass::test
