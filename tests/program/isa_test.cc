// The opcode table, compared with the instruction sets as their specification lists them: runs of consecutive
// numbers in latest64, and how the other three sets differ from it.
#include <gtest/gtest.h>

#include <set>
#include <string_view>
#include <vector>

#include "sandbox/program/isa.h"

namespace sandglass {
namespace {

struct Run {
  int first;
  std::vector<std::string_view> mnemonics;
};

const Run kLatest64[] = {
    {0, {"trap", "fallthrough", "memset", "unlikely"}},
    {10, {"ecalli"}},
    {20, {"load_imm64"}},
    {30, {"store_imm_u8", "store_imm_u16", "store_imm_u32", "store_imm_u64"}},
    {40, {"jump"}},
    {50,
     {"jump_indirect", "load_imm", "load_u8", "load_i8", "load_u16", "load_i16", "load_u32", "load_i32",
      "load_u64", "store_u8", "store_u16", "store_u32", "store_u64"}},
    {70,
     {"store_imm_indirect_u8", "store_imm_indirect_u16", "store_imm_indirect_u32", "store_imm_indirect_u64"}},
    {80,
     {"load_imm_and_jump", "branch_eq_imm", "branch_not_eq_imm", "branch_less_unsigned_imm",
      "branch_less_or_equal_unsigned_imm", "branch_greater_or_equal_unsigned_imm",
      "branch_greater_unsigned_imm", "branch_less_signed_imm", "branch_less_or_equal_signed_imm",
      "branch_greater_or_equal_signed_imm", "branch_greater_signed_imm"}},
    {100,
     {"move_reg", "sbrk", "count_set_bits_64", "count_set_bits_32", "count_leading_zero_bits_64",
      "count_leading_zero_bits_32", "count_trailing_zero_bits_64", "count_trailing_zero_bits_32",
      "sign_extend_8", "sign_extend_16", "zero_extend_16", "reverse_byte"}},
    {120,
     {"store_indirect_u8",
      "store_indirect_u16",
      "store_indirect_u32",
      "store_indirect_u64",
      "load_indirect_u8",
      "load_indirect_i8",
      "load_indirect_u16",
      "load_indirect_i16",
      "load_indirect_u32",
      "load_indirect_i32",
      "load_indirect_u64",
      "add_imm_32",
      "and_imm",
      "xor_imm",
      "or_imm",
      "mul_imm_32",
      "set_less_than_unsigned_imm",
      "set_less_than_signed_imm",
      "shift_logical_left_imm_32",
      "shift_logical_right_imm_32",
      "shift_arithmetic_right_imm_32",
      "negate_and_add_imm_32",
      "set_greater_than_unsigned_imm",
      "set_greater_than_signed_imm",
      "shift_logical_left_imm_alt_32",
      "shift_logical_right_imm_alt_32",
      "shift_arithmetic_right_imm_alt_32",
      "cmov_if_zero_imm",
      "cmov_if_not_zero_imm",
      "add_imm_64",
      "mul_imm_64",
      "shift_logical_left_imm_64",
      "shift_logical_right_imm_64",
      "shift_arithmetic_right_imm_64",
      "negate_and_add_imm_64",
      "shift_logical_left_imm_alt_64",
      "shift_logical_right_imm_alt_64",
      "shift_arithmetic_right_imm_alt_64",
      "rotate_right_imm_64",
      "rotate_right_imm_alt_64",
      "rotate_right_imm_32",
      "rotate_right_imm_alt_32"}},
    {170,
     {"branch_eq", "branch_not_eq", "branch_less_unsigned", "branch_less_signed",
      "branch_greater_or_equal_unsigned", "branch_greater_or_equal_signed"}},
    {180, {"load_imm_and_jump_indirect"}},
    {190,
     {"add_32",
      "sub_32",
      "mul_32",
      "div_unsigned_32",
      "div_signed_32",
      "rem_unsigned_32",
      "rem_signed_32",
      "shift_logical_left_32",
      "shift_logical_right_32",
      "shift_arithmetic_right_32",
      "add_64",
      "sub_64",
      "mul_64",
      "div_unsigned_64",
      "div_signed_64",
      "rem_unsigned_64",
      "rem_signed_64",
      "shift_logical_left_64",
      "shift_logical_right_64",
      "shift_arithmetic_right_64",
      "and",
      "xor",
      "or",
      "mul_upper_signed_signed",
      "mul_upper_unsigned_unsigned",
      "mul_upper_signed_unsigned",
      "set_less_than_unsigned",
      "set_less_than_signed",
      "cmov_if_zero",
      "cmov_if_not_zero",
      "rotate_left_64",
      "rotate_left_32",
      "rotate_right_64",
      "rotate_right_32",
      "and_inverted",
      "or_inverted",
      "xnor",
      "maximum",
      "maximum_unsigned",
      "minimum",
      "minimum_unsigned"}},
};

std::set<std::pair<int, std::string_view>> listed_in(InstructionSet set) {
  std::set<std::pair<int, std::string_view>> entries;
  for (const OpcodeInfo& info : kOpcodeInfo) {
    const int byte = info.byte[static_cast<size_t>(set)];
    if (byte >= 0) entries.emplace(byte, info.mnemonic);
  }
  return entries;
}

std::set<std::pair<int, std::string_view>> latest64_entries() {
  std::set<std::pair<int, std::string_view>> entries;
  for (const Run& run : kLatest64) {
    for (size_t i = 0; i < run.mnemonics.size(); ++i) {
      entries.emplace(run.first + static_cast<int>(i), run.mnemonics[i]);
    }
  }
  return entries;
}

template <typename Change>
std::set<std::pair<int, std::string_view>> latest64_changed(Change byte_in_other_set) {
  std::set<std::pair<int, std::string_view>> entries;
  for (const auto& [byte, mnemonic] : latest64_entries()) {
    const int other = byte_in_other_set(byte, mnemonic);
    if (other >= 0) entries.emplace(other, mnemonic);
  }
  return entries;
}

TEST(OpcodeTable, Latest64IsTheWholeList) {
  EXPECT_EQ(listed_in(InstructionSet::kLatest64), latest64_entries());
  EXPECT_EQ(latest64_entries().size(), 141u);
  EXPECT_EQ(kOpcodeCount, 141u);
}

TEST(OpcodeTable, JamLacksTwoAndCountsSomeOneLower) {
  const auto expected = latest64_changed([](int byte, std::string_view mnemonic) {
    if (mnemonic == "memset" || mnemonic == "sbrk") return -1;
    if (mnemonic == "unlikely") return 2;
    return byte >= 102 && byte <= 111 ? byte - 1 : byte;
  });
  EXPECT_EQ(listed_in(InstructionSet::kJamV1), expected);
  EXPECT_EQ(expected.size(), 139u);
}

TEST(OpcodeTable, ReviveLacksThree) {
  const auto expected = latest64_changed([](int byte, std::string_view mnemonic) {
    return mnemonic == "memset" || mnemonic == "sbrk" || mnemonic == "unlikely" ? -1 : byte;
  });
  EXPECT_EQ(listed_in(InstructionSet::kReviveV1), expected);
  EXPECT_EQ(expected.size(), 138u);
}

TEST(OpcodeTable, Latest32LacksWhatNeeds64Bits) {
  const auto expected = latest64_changed([](int byte, std::string_view mnemonic) {
    const bool is_wide = mnemonic.ends_with("_64") || mnemonic.ends_with("_u64") ||
                         mnemonic == "load_imm64" || mnemonic == "load_u32" ||
                         mnemonic == "load_indirect_u32";
    return is_wide ? -1 : byte;
  });
  EXPECT_EQ(listed_in(InstructionSet::kLatest32), expected);
  EXPECT_EQ(expected.size(), 106u);
}

TEST(OpcodeTable, TheMapsAreTheTableTurnedAround) {
  for (size_t set = 0; set < kInstructionSetCount; ++set) {
    size_t defined = 0;
    for (int byte = 0; byte < 256; ++byte) {
      const Opcode opcode = kOpcodeMaps[set][static_cast<size_t>(byte)];
      if (opcode == Opcode::kInvalid) continue;
      EXPECT_EQ(info_of(opcode).byte[set], byte);
      ++defined;
    }
    EXPECT_EQ(defined, listed_in(static_cast<InstructionSet>(set)).size());
    EXPECT_EQ(kOpcodeMaps[set][255], Opcode::kInvalid) << "255 is never assigned";
  }
}

TEST(OpcodeTable, MnemonicsAreUnique) {
  std::set<std::string_view> mnemonics;
  for (const OpcodeInfo& info : kOpcodeInfo)
    EXPECT_TRUE(mnemonics.insert(info.mnemonic).second) << info.mnemonic;
}

TEST(OpcodeTable, TerminatorsAreTrapsJumpsAndBranches) {
  for (size_t i = 0; i < kOpcodeCount; ++i) {
    const OpcodeInfo& info = kOpcodeInfo[i];
    const bool branches = info.mnemonic.starts_with("branch_") || info.mnemonic == "fallthrough";
    const bool leaves = info.mnemonic == "trap" || info.mnemonic.find("jump") != std::string_view::npos;
    EXPECT_EQ(info.flow, leaves     ? Flow::NoFallthrough
                         : branches ? Flow::EndsBlock
                                    : Flow::Next)
        << info.mnemonic;
    EXPECT_EQ(is_terminator(static_cast<Opcode>(i)), leaves || branches) << info.mnemonic;
  }
}

TEST(OpcodeTable, InvalidEndsItsBlockButIsNoTerminator) {
  EXPECT_EQ(info_of(Opcode::kInvalid).flow, Flow::NoFallthrough);
  EXPECT_FALSE(is_terminator(Opcode::kInvalid));
}

TEST(OpcodeTable, AccessSizesAndDirectionsFollowTheMnemonic) {
  for (size_t i = 0; i < kOpcodeCount; ++i) {
    const OpcodeInfo& info = kOpcodeInfo[i];
    const bool stores = info.mnemonic.starts_with("store_");
    const bool accesses =
        stores || (info.mnemonic.starts_with("load_") && !info.mnemonic.starts_with("load_imm"));
    const auto has_bits = [&info](std::string_view bits) { return info.mnemonic.ends_with(bits); };
    const int bytes = has_bits("8") ? 1 : has_bits("16") ? 2 : has_bits("32") ? 4 : 8;
    EXPECT_EQ(info.access_bytes, accesses ? bytes : 0) << info.mnemonic;
    EXPECT_EQ(is_store(info.form), stores) << info.mnemonic;
  }
}

TEST(InstructionSets, HaveNames) {
  EXPECT_EQ(name_of(InstructionSet::kReviveV1), "revive_v1");
  EXPECT_EQ(name_of(InstructionSet::kLatest32), "latest32");
  EXPECT_EQ(name_of(InstructionSet::kLatest64), "latest64");
  EXPECT_EQ(name_of(InstructionSet::kJamV1), "jam_v1");
  for (size_t i = 0; i < kInstructionSetCount; ++i) {
    const auto set = static_cast<InstructionSet>(i);
    EXPECT_EQ(instruction_set_named(name_of(set)), set);
  }
  EXPECT_EQ(instruction_set_named("latest"), std::nullopt);
  EXPECT_EQ(instruction_set_named(""), std::nullopt);
}

TEST(InstructionSets, OnlyLatest32Has32BitRegisters) {
  EXPECT_FALSE(is_64_bit(InstructionSet::kLatest32));
  for (auto set : {InstructionSet::kReviveV1, InstructionSet::kLatest64, InstructionSet::kJamV1}) {
    EXPECT_TRUE(is_64_bit(set));
  }
}

TEST(InstructionSets, SbrkIsInTheOnesThatSaySo) {
  for (size_t i = 0; i < kInstructionSetCount; ++i) {
    EXPECT_EQ(has_sbrk(static_cast<InstructionSet>(i)), info_of(Opcode::kSbrk).byte[i] >= 0);
  }
}

TEST(Registers, AreNumberedAsEncoded) {
  EXPECT_EQ(static_cast<int>(Reg::ra), 0);
  EXPECT_EQ(static_cast<int>(Reg::sp), 1);
  EXPECT_EQ(static_cast<int>(Reg::a0), 7);
  EXPECT_EQ(static_cast<int>(Reg::a5), 12);
  EXPECT_EQ(name_of(Reg::t2), "t2");
  EXPECT_EQ(name_of(Reg::s1), "s1");
}

}  // namespace
}  // namespace sandglass
