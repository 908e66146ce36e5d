// The text and the bytes of every instruction in every set, in both directions.
#include <gtest/gtest.h>

#include <set>

#include "tests/assembler/helpers.h"

namespace sandglass::test {
namespace {

struct OpcodeRow {
  std::string_view mnemonic;
  std::string_view bytes;  // in latest64
  std::string_view text;   // in latest64
};

// dst a0, sources a1 and a2, base a3, offset 0x10, constant 0x44, target 20 bytes on.
constexpr OpcodeRow kRows[] = {
    {"trap", "00", "trap"},
    {"fallthrough", "01", "fallthrough"},
    {"memset", "02", "memset"},
    {"unlikely", "03", "unlikely"},
    {"ecalli", "0a 44", "ecalli 68"},
    {"load_imm64", "14 07 88 77 66 55 44 33 22 11", "a0 = 0x1122334455667788"},
    {"store_imm_u8", "1e 01 10 44", "u8 [0x10] = 0x44"},
    {"store_imm_u16", "1f 01 10 44", "u16 [0x10] = 0x44"},
    {"store_imm_u32", "20 01 10 44", "u32 [0x10] = 0x44"},
    {"store_imm_u64", "21 01 10 44", "u64 [0x10] = 0x44"},
    {"jump", "28 14", "jump pc + 20"},
    {"jump_indirect", "32 0a 10", "jump [a3 + 0x10]"},
    {"load_imm", "33 07 44", "a0 = 0x44"},
    {"load_u8", "34 07 10", "a0 = u8 [0x10]"},
    {"load_i8", "35 07 10", "a0 = i8 [0x10]"},
    {"load_u16", "36 07 10", "a0 = u16 [0x10]"},
    {"load_i16", "37 07 10", "a0 = i16 [0x10]"},
    {"load_u32", "38 07 10", "a0 = u32 [0x10]"},
    {"load_i32", "39 07 10", "a0 = i32 [0x10]"},
    {"load_u64", "3a 07 10", "a0 = u64 [0x10]"},
    {"store_u8", "3b 08 10", "u8 [0x10] = a1"},
    {"store_u16", "3c 08 10", "u16 [0x10] = a1"},
    {"store_u32", "3d 08 10", "u32 [0x10] = a1"},
    {"store_u64", "3e 08 10", "u64 [0x10] = a1"},
    {"store_imm_indirect_u8", "46 1a 10 44", "u8 [a3 + 0x10] = 0x44"},
    {"store_imm_indirect_u16", "47 1a 10 44", "u16 [a3 + 0x10] = 0x44"},
    {"store_imm_indirect_u32", "48 1a 10 44", "u32 [a3 + 0x10] = 0x44"},
    {"store_imm_indirect_u64", "49 1a 10 44", "u64 [a3 + 0x10] = 0x44"},
    {"load_imm_and_jump", "50 17 44 14", "a0 = 68, jump pc + 20"},
    {"branch_eq_imm", "51 18 44 14", "jump pc + 20 if a1 == 68"},
    {"branch_not_eq_imm", "52 18 44 14", "jump pc + 20 if a1 != 68"},
    {"branch_less_unsigned_imm", "53 18 44 14", "jump pc + 20 if a1 <u 68"},
    {"branch_less_or_equal_unsigned_imm", "54 18 44 14", "jump pc + 20 if a1 <=u 68"},
    {"branch_greater_or_equal_unsigned_imm", "55 18 44 14", "jump pc + 20 if a1 >=u 68"},
    {"branch_greater_unsigned_imm", "56 18 44 14", "jump pc + 20 if a1 >u 68"},
    {"branch_less_signed_imm", "57 18 44 14", "jump pc + 20 if a1 <s 68"},
    {"branch_less_or_equal_signed_imm", "58 18 44 14", "jump pc + 20 if a1 <=s 68"},
    {"branch_greater_or_equal_signed_imm", "59 18 44 14", "jump pc + 20 if a1 >=s 68"},
    {"branch_greater_signed_imm", "5a 18 44 14", "jump pc + 20 if a1 >s 68"},
    {"move_reg", "64 87", "a0 = a1"},
    {"sbrk", "65 87", "a0 = sbrk a1"},
    {"count_set_bits_64", "66 87", "a0 = cpop a1"},
    {"count_set_bits_32", "67 87", "i32 a0 = cpop a1"},
    {"count_leading_zero_bits_64", "68 87", "a0 = clz a1"},
    {"count_leading_zero_bits_32", "69 87", "i32 a0 = clz a1"},
    {"count_trailing_zero_bits_64", "6a 87", "a0 = ctz a1"},
    {"count_trailing_zero_bits_32", "6b 87", "i32 a0 = ctz a1"},
    {"sign_extend_8", "6c 87", "a0 = sext8 a1"},
    {"sign_extend_16", "6d 87", "a0 = sext16 a1"},
    {"zero_extend_16", "6e 87", "a0 = zext16 a1"},
    {"reverse_byte", "6f 87", "a0 = reverse a1"},
    {"store_indirect_u8", "78 a8 10", "u8 [a3 + 0x10] = a1"},
    {"store_indirect_u16", "79 a8 10", "u16 [a3 + 0x10] = a1"},
    {"store_indirect_u32", "7a a8 10", "u32 [a3 + 0x10] = a1"},
    {"store_indirect_u64", "7b a8 10", "u64 [a3 + 0x10] = a1"},
    {"load_indirect_u8", "7c a7 10", "a0 = u8 [a3 + 0x10]"},
    {"load_indirect_i8", "7d a7 10", "a0 = i8 [a3 + 0x10]"},
    {"load_indirect_u16", "7e a7 10", "a0 = u16 [a3 + 0x10]"},
    {"load_indirect_i16", "7f a7 10", "a0 = i16 [a3 + 0x10]"},
    {"load_indirect_u32", "80 a7 10", "a0 = u32 [a3 + 0x10]"},
    {"load_indirect_i32", "81 a7 10", "a0 = i32 [a3 + 0x10]"},
    {"load_indirect_u64", "82 a7 10", "a0 = u64 [a3 + 0x10]"},
    {"add_imm_32", "83 87 44", "i32 a0 = a1 + 0x44"},
    {"and_imm", "84 87 44", "a0 = a1 & 0x44"},
    {"xor_imm", "85 87 44", "a0 = a1 ^ 0x44"},
    {"or_imm", "86 87 44", "a0 = a1 | 0x44"},
    {"mul_imm_32", "87 87 44", "i32 a0 = a1 * 0x44"},
    {"set_less_than_unsigned_imm", "88 87 44", "a0 = a1 <u 0x44"},
    {"set_less_than_signed_imm", "89 87 44", "a0 = a1 <s 0x44"},
    {"shift_logical_left_imm_32", "8a 87 44", "i32 a0 = a1 << 0x44"},
    {"shift_logical_right_imm_32", "8b 87 44", "i32 a0 = a1 >> 0x44"},
    {"shift_arithmetic_right_imm_32", "8c 87 44", "i32 a0 = a1 >>a 0x44"},
    {"negate_and_add_imm_32", "8d 87 44", "i32 a0 = 0x44 - a1"},
    {"set_greater_than_unsigned_imm", "8e 87 44", "a0 = a1 >u 0x44"},
    {"set_greater_than_signed_imm", "8f 87 44", "a0 = a1 >s 0x44"},
    {"shift_logical_left_imm_alt_32", "90 87 44", "i32 a0 = 0x44 << a1"},
    {"shift_logical_right_imm_alt_32", "91 87 44", "i32 a0 = 0x44 >> a1"},
    {"shift_arithmetic_right_imm_alt_32", "92 87 44", "i32 a0 = 0x44 >>a a1"},
    {"cmov_if_zero_imm", "93 87 44", "a0 = 0x44 if a1 == 0"},
    {"cmov_if_not_zero_imm", "94 87 44", "a0 = 0x44 if a1 != 0"},
    {"add_imm_64", "95 87 44", "a0 = a1 + 0x44"},
    {"mul_imm_64", "96 87 44", "a0 = a1 * 0x44"},
    {"shift_logical_left_imm_64", "97 87 44", "a0 = a1 << 0x44"},
    {"shift_logical_right_imm_64", "98 87 44", "a0 = a1 >> 0x44"},
    {"shift_arithmetic_right_imm_64", "99 87 44", "a0 = a1 >>a 0x44"},
    {"negate_and_add_imm_64", "9a 87 44", "a0 = 0x44 - a1"},
    {"shift_logical_left_imm_alt_64", "9b 87 44", "a0 = 0x44 << a1"},
    {"shift_logical_right_imm_alt_64", "9c 87 44", "a0 = 0x44 >> a1"},
    {"shift_arithmetic_right_imm_alt_64", "9d 87 44", "a0 = 0x44 >>a a1"},
    {"rotate_right_imm_64", "9e 87 44", "a0 = a1 >>r 0x44"},
    {"rotate_right_imm_alt_64", "9f 87 44", "a0 = 0x44 >>r a1"},
    {"rotate_right_imm_32", "a0 87 44", "i32 a0 = a1 >>r 0x44"},
    {"rotate_right_imm_alt_32", "a1 87 44", "i32 a0 = 0x44 >>r a1"},
    {"branch_eq", "aa 98 14", "jump pc + 20 if a1 == a2"},
    {"branch_not_eq", "ab 98 14", "jump pc + 20 if a1 != a2"},
    {"branch_less_unsigned", "ac 98 14", "jump pc + 20 if a1 <u a2"},
    {"branch_less_signed", "ad 98 14", "jump pc + 20 if a1 <s a2"},
    {"branch_greater_or_equal_unsigned", "ae 98 14", "jump pc + 20 if a1 >=u a2"},
    {"branch_greater_or_equal_signed", "af 98 14", "jump pc + 20 if a1 >=s a2"},
    {"load_imm_and_jump_indirect", "b4 a7 01 44 10", "a0 = 68, jump [a3 + 0x10]"},
    {"add_32", "be 98 07", "i32 a0 = a1 + a2"},
    {"sub_32", "bf 98 07", "i32 a0 = a1 - a2"},
    {"mul_32", "c0 98 07", "i32 a0 = a1 * a2"},
    {"div_unsigned_32", "c1 98 07", "i32 a0 = a1 /u a2"},
    {"div_signed_32", "c2 98 07", "i32 a0 = a1 /s a2"},
    {"rem_unsigned_32", "c3 98 07", "i32 a0 = a1 %u a2"},
    {"rem_signed_32", "c4 98 07", "i32 a0 = a1 %s a2"},
    {"shift_logical_left_32", "c5 98 07", "i32 a0 = a1 << a2"},
    {"shift_logical_right_32", "c6 98 07", "i32 a0 = a1 >> a2"},
    {"shift_arithmetic_right_32", "c7 98 07", "i32 a0 = a1 >>a a2"},
    {"add_64", "c8 98 07", "a0 = a1 + a2"},
    {"sub_64", "c9 98 07", "a0 = a1 - a2"},
    {"mul_64", "ca 98 07", "a0 = a1 * a2"},
    {"div_unsigned_64", "cb 98 07", "a0 = a1 /u a2"},
    {"div_signed_64", "cc 98 07", "a0 = a1 /s a2"},
    {"rem_unsigned_64", "cd 98 07", "a0 = a1 %u a2"},
    {"rem_signed_64", "ce 98 07", "a0 = a1 %s a2"},
    {"shift_logical_left_64", "cf 98 07", "a0 = a1 << a2"},
    {"shift_logical_right_64", "d0 98 07", "a0 = a1 >> a2"},
    {"shift_arithmetic_right_64", "d1 98 07", "a0 = a1 >>a a2"},
    {"and", "d2 98 07", "a0 = a1 & a2"},
    {"xor", "d3 98 07", "a0 = a1 ^ a2"},
    {"or", "d4 98 07", "a0 = a1 | a2"},
    {"mul_upper_signed_signed", "d5 98 07", "a0 = a1 mulh a2"},
    {"mul_upper_unsigned_unsigned", "d6 98 07", "a0 = a1 mulhu a2"},
    {"mul_upper_signed_unsigned", "d7 98 07", "a0 = a1 mulhsu a2"},
    {"set_less_than_unsigned", "d8 98 07", "a0 = a1 <u a2"},
    {"set_less_than_signed", "d9 98 07", "a0 = a1 <s a2"},
    {"cmov_if_zero", "da 98 07", "a0 = a1 if a2 == 0"},
    {"cmov_if_not_zero", "db 98 07", "a0 = a1 if a2 != 0"},
    {"rotate_left_64", "dc 98 07", "a0 = a1 <<r a2"},
    {"rotate_left_32", "dd 98 07", "i32 a0 = a1 <<r a2"},
    {"rotate_right_64", "de 98 07", "a0 = a1 >>r a2"},
    {"rotate_right_32", "df 98 07", "i32 a0 = a1 >>r a2"},
    {"and_inverted", "e0 98 07", "a0 = a1 & ~a2"},
    {"or_inverted", "e1 98 07", "a0 = a1 | ~a2"},
    {"xnor", "e2 98 07", "a0 = ~(a1 ^ a2)"},
    {"maximum", "e3 98 07", "a0 = maxs(a1, a2)"},
    {"maximum_unsigned", "e4 98 07", "a0 = maxu(a1, a2)"},
    {"minimum", "e5 98 07", "a0 = mins(a1, a2)"},
    {"minimum_unsigned", "e6 98 07", "a0 = minu(a1, a2)"},
};

// What PolkaVM's table says about the other sets: who lacks what, and how jam_v1 counts.
bool is_64_bit_only(std::string_view mnemonic) {
  static const std::set<std::string_view> kNames = {
      "load_imm64",        "load_u32",          "load_u64",
      "store_u64",         "store_imm_u64",     "store_imm_indirect_u64",
      "load_indirect_u32", "load_indirect_u64", "store_indirect_u64"};
  return mnemonic.ends_with("_64") || kNames.contains(mnemonic);
}

bool exists(std::string_view mnemonic, InstructionSet set) {
  const bool needs_latest = mnemonic == "memset" || mnemonic == "sbrk";
  if (set == InstructionSet::kLatest64) return true;
  if (set == InstructionSet::kLatest32) return !is_64_bit_only(mnemonic);
  return !needs_latest && (set == InstructionSet::kJamV1 || mnemonic != "unlikely");
}

std::string bytes_in(const OpcodeRow& row, InstructionSet set) {
  std::string bytes(row.bytes);
  const unsigned long number = std::stoul(bytes.substr(0, 2), nullptr, 16);
  const bool one_less = number == 3 || (number >= 102 && number <= 111);
  if (set != InstructionSet::kJamV1 || !one_less) return bytes;
  constexpr char kDigits[] = "0123456789abcdef";
  bytes[0] = kDigits[(number - 1) / 16];
  bytes[1] = kDigits[(number - 1) % 16];
  return bytes;
}

// latest32 needs no marker: there is only one width.
std::string text_in(const OpcodeRow& row, InstructionSet set) {
  const bool has_marker = row.text.starts_with("i32 a0");
  return std::string(set == InstructionSet::kLatest32 && has_marker ? row.text.substr(4) : row.text);
}

class OpcodeText : public testing::TestWithParam<InstructionSet> {};

TEST_P(OpcodeText, AssemblesToTheBytesOfTheSet) {
  for (const OpcodeRow& row : kRows) {
    if (!exists(row.mnemonic, GetParam())) continue;
    EXPECT_EQ(bytes_of(text_in(row, GetParam()), GetParam()), bytes_in(row, GetParam())) << row.text;
  }
}

TEST_P(OpcodeText, IsWhatTheDisassemblerWrites) {
  for (const OpcodeRow& row : kRows) {
    if (!exists(row.mnemonic, GetParam())) continue;
    const auto program = program_from(assembled("%raw " + bytes_in(row, GetParam()), GetParam()));
    EXPECT_EQ(statements_of(*program), text_in(row, GetParam()));
  }
}

TEST_P(OpcodeText, IsRefusedInASetWithoutTheInstruction) {
  for (const OpcodeRow& row : kRows) {
    if (exists(row.mnemonic, GetParam()) || row.mnemonic.ends_with("_64")) continue;
    const bool is_imm64 = row.mnemonic == "load_imm64";
    EXPECT_EQ(error_of(is_imm64 ? "a0 = i64 5" : row.text, GetParam()),
              "1: the instruction set lacks this instruction: " + std::string(row.mnemonic));
  }
}

// The marker picks the 32-bit twin in the 64-bit sets and is the default in latest32.
TEST_P(OpcodeText, TakesTheMarkerInEverySet) {
  for (const OpcodeRow& row : kRows) {
    if (!row.text.starts_with("i32 a0")) continue;
    EXPECT_EQ(bytes_of(row.text, GetParam()), bytes_in(row, GetParam())) << row.text;
  }
}

TEST_P(OpcodeText, CoversEveryInstruction) {
  std::set<std::string_view> missing;
  for (size_t i = 0; i < kOpcodeCount; ++i) missing.insert(name_of(static_cast<Opcode>(i)));
  for (const OpcodeRow& row : kRows) EXPECT_EQ(missing.erase(row.mnemonic), 1u) << row.mnemonic;
  EXPECT_TRUE(missing.empty());
  size_t count = 0;
  for (const OpcodeRow& row : kRows) count += exists(row.mnemonic, GetParam());
  constexpr size_t kCounts[] = {138, 106, 141, 139};  // by InstructionSet
  EXPECT_EQ(count, kCounts[static_cast<size_t>(GetParam())]);
}

INSTANTIATE_TEST_SUITE_P(Sets, OpcodeText,
                         testing::Values(InstructionSet::kReviveV1, InstructionSet::kLatest32,
                                         InstructionSet::kLatest64, InstructionSet::kJamV1),
                         [](const auto& info) { return std::string(name_of(info.param)); });

}  // namespace
}  // namespace sandglass::test
