// Decoding against a second decoder that follows the specification's argument classes: every opcode of every
// set, on random bytes, with every skip, in the middle and at the end of the code.
#include <gtest/gtest.h>

#include <random>

#include "tests/program/instruction_samples.h"
#include "tests/program/samples.h"

namespace sandglass {
namespace {

// The bytes after the opcode. Those behind the end of the code read as zero.
class Arguments {
 public:
  Arguments(const std::vector<uint8_t>& code, uint32_t pc, int skip)
      : code_(code), first_(pc + 1), skip_(skip) {}

  int b(int i) const {
    const size_t at = first_ + static_cast<size_t>(i);
    return at < code_.size() ? code_[at] : 0;
  }
  Reg low(int i) const { return static_cast<Reg>(std::min(b(i) % 16, 12)); }
  Reg high(int i) const { return static_cast<Reg>(std::min(b(i) / 16, 12)); }

  int64_t imm(int at, int length) const {
    if (length <= 0) return 0;
    int64_t value = 0;
    for (int i = length - 1; i >= 0; --i) value = value * 256 + b(at + i);
    const int64_t range = int64_t{1} << (8 * length);
    return value < range / 2 ? value : value - range;
  }
  // The last immediate, which has what `used` bytes leave of skip.
  int64_t rest(int used) const { return imm(used, std::clamp(skip_ - used, 0, 4)); }

  uint64_t literal64(int at) const {
    uint64_t value = 0;
    for (int i = 7; i >= 0; --i) value = value * 256 + static_cast<uint64_t>(b(at + i));
    return value;
  }

 private:
  const std::vector<uint8_t>& code_;
  size_t first_;
  int skip_;
};

int length_in(int bits) { return std::min(4, bits % 8); }

Instruction expected_at(const ProgramParts& parts, uint32_t pc, Opcode opcode, int skip) {
  const Arguments a(parts.code, pc, skip);
  Instruction in{.pc = pc, .next_pc = pc + 1 + static_cast<uint32_t>(skip), .opcode = opcode};
  const auto set_imm = [&in](int64_t value) { in.imm = static_cast<uint64_t>(value); };
  const auto set_offset = [&in](int64_t value) { in.offset = static_cast<uint32_t>(value); };
  const auto set_target = [&in, pc](int64_t distance) { in.target = static_cast<uint32_t>(pc + distance); };
  const int low_length = length_in(a.b(0)), high_length = length_in(a.b(0) / 16),
            second_length = length_in(a.b(1));
  switch (info_of(opcode).form) {
    case Form::None: break;
    case Form::Imm: set_imm(a.rest(0)); break;
    case Form::Target: set_target(a.rest(0)); break;
    case Form::DstImm64: in.dst = a.low(0), in.imm = a.literal64(1); break;
    case Form::BaseOff: in.base = a.low(0), set_offset(a.rest(1)); break;
    case Form::DstImm: in.dst = a.low(0), set_imm(a.rest(1)); break;
    case Form::DstAddr: in.dst = a.low(0), set_offset(a.rest(1)); break;
    case Form::SrcAddr: in.src1 = a.low(0), set_offset(a.rest(1)); break;
    case Form::AddrImm: set_offset(a.imm(1, low_length)), set_imm(a.rest(1 + low_length)); break;
    case Form::BaseOffImm:
      in.base = a.low(0), set_offset(a.imm(1, high_length)), set_imm(a.rest(1 + high_length));
      break;
    case Form::DstImmTarget:
      in.dst = a.low(0), set_imm(a.imm(1, high_length)), set_target(a.rest(1 + high_length));
      break;
    case Form::SrcImmTarget:
      in.src1 = a.low(0), set_imm(a.imm(1, high_length)), set_target(a.rest(1 + high_length));
      break;
    case Form::DstSrc: in.dst = a.low(0), in.src1 = a.high(0); break;
    case Form::SrcBaseOff: in.src1 = a.low(0), in.base = a.high(0), set_offset(a.rest(1)); break;
    case Form::DstBaseOff: in.dst = a.low(0), in.base = a.high(0), set_offset(a.rest(1)); break;
    case Form::DstSrcImm: in.dst = a.low(0), in.src1 = a.high(0), set_imm(a.rest(1)); break;
    case Form::SrcSrcTarget: in.src1 = a.low(0), in.src2 = a.high(0), set_target(a.rest(1)); break;
    case Form::DstBaseImmOff:
      in.dst = a.low(0), in.base = a.high(0), set_imm(a.imm(2, second_length)),
      set_offset(a.rest(2 + second_length));
      break;
    case Form::DstSrcSrc: in.src1 = a.low(0), in.src2 = a.high(0), in.dst = a.low(1); break;
  }
  return in;
}

class Decode : public testing::TestWithParam<InstructionSet> {
 protected:
  // `before` bytes, the instruction with `skip` argument bytes, `after` more, all of them random.
  ProgramParts random_parts(uint8_t opcode_byte, uint32_t before, uint32_t skip, uint32_t after) {
    std::vector<uint8_t> code(before + 1 + skip + after);
    for (uint8_t& byte : code) byte = static_cast<uint8_t>(random_());
    code[before] = opcode_byte;
    ProgramParts parts = test::code_parts(std::move(code), {before}, GetParam());
    const uint32_t next = before + 1 + skip;
    if (after > 0) parts.bitmask[next / 8] |= static_cast<uint8_t>(1u << (next % 8));
    return parts;
  }

  std::mt19937 random_{4};
};

TEST_P(Decode, AgreesWithTheSpecificationOnRandomBytes) {
  for (size_t i = 0; i < kOpcodeCount; ++i) {
    const int byte = kOpcodeInfo[i].byte[static_cast<size_t>(GetParam())];
    if (byte < 0) continue;
    for (uint32_t skip = 0; skip <= 24; ++skip) {
      for (uint32_t after : {0u, 0u, 0u, 1u, 2u, 3u, 7u, 20u}) {
        const uint32_t before = random_() % 12;
        const ProgramParts parts = random_parts(static_cast<uint8_t>(byte), before, skip, after);
        ASSERT_EQ(test::must_make(parts)->decode(before),
                  expected_at(parts, before, static_cast<Opcode>(i), static_cast<int>(skip)));
      }
    }
  }
}

TEST_P(Decode, EveryUndefinedByteIsInvalidWithItsLength) {
  for (int byte = 0; byte < 256; ++byte) {
    if (opcode_map(GetParam())[static_cast<size_t>(byte)] != Opcode::kInvalid) continue;
    const ProgramParts parts = random_parts(static_cast<uint8_t>(byte), 3, 5, 2);
    EXPECT_EQ(test::must_make(parts)->decode(3), (Instruction{.pc = 3, .next_pc = 9})) << byte;
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, Decode,
                         testing::Values(InstructionSet::kReviveV1, InstructionSet::kLatest32,
                                         InstructionSet::kLatest64, InstructionSet::kJamV1),
                         [](const auto& info) { return std::string(name_of(info.param)); });

// The oddities one by one, so that a failure says which one it is.

Instruction decoded(std::vector<uint8_t> code, const std::vector<uint32_t>& starts, uint32_t pc = 0) {
  return test::make_program(std::move(code), starts)->decode(pc);
}

TEST(DecodeOddities, RegisterNibbles13To15AreA5) {
  for (int nibble = 12; nibble < 16; ++nibble) {
    const auto both = static_cast<uint8_t>(nibble * 17);
    const Instruction in = decoded({190, both, both}, {0});
    EXPECT_EQ(in.dst, Reg::a5);
    EXPECT_EQ(in.src1, Reg::a5);
    EXPECT_EQ(in.src2, Reg::a5);
  }
}

TEST(DecodeOddities, TheHighNibbleOfALoneRegisterIsIgnored) {
  EXPECT_EQ(decoded({51, 0xf7, 5}, {0}).dst, Reg::a0);
  EXPECT_EQ(decoded({190, 0x21, 0xf7}, {0}).dst, Reg::a0);
}

TEST(DecodeOddities, LengthsAbove4Are4) {
  for (uint8_t length : {4, 5, 6, 7, 12, 15}) {  // bit 3 does not count
    const Instruction in = decoded({30, length, 1, 2, 3, 4, 5}, {0});
    EXPECT_EQ(in.offset, 0x04030201u) << int{length};
    EXPECT_EQ(in.imm, 5u);
  }
  EXPECT_EQ(decoded({30, 8, 5}, {0}).offset, 0u) << "bit 3 alone is length 0";
  EXPECT_EQ(decoded({70, 0xf2, 1, 2, 3, 4}, {0}).offset, 0x04030201u);
  EXPECT_EQ(decoded({180, 0x10, 0xff, 1, 2, 3, 4, 9}, {0}).imm, 0x04030201u);
}

TEST(DecodeOddities, FixedPartsReachIntoTheNextInstruction) {
  const Instruction in = decoded({190, 190, 0x21, 7}, {0, 1});  // skip 0: b0 and b1 belong to the next one
  EXPECT_EQ(in.next_pc, 1u);
  EXPECT_EQ(in.src1, Reg::a5);
  EXPECT_EQ(in.src2, static_cast<Reg>(190 >> 4));
  EXPECT_EQ(in.dst, Reg::sp);
}

TEST(DecodeOddities, TheFirstOfTwoImmediatesReachesIntoTheNextInstruction) {
  const Instruction in = decoded({30, 2, 0, 1}, {0, 2});  // skip 1
  EXPECT_EQ(in.offset, 0x100u);
  EXPECT_EQ(in.imm, 0u);
}

TEST(DecodeOddities, TheLastImmediateShrinksWithSkip) {
  EXPECT_EQ(decoded({51, 7, 0xff, 0xff, 0xff}, {0, 2}).imm, 0u);
  EXPECT_EQ(decoded({51, 7, 0x80, 0x01, 0xff}, {0, 3}).imm, uint64_t{0} - 128);
  EXPECT_EQ(decoded({51, 0xff, 0xff}, {0, 1}).imm, 0u);
}

TEST(DecodeOddities, TheLastImmediateHasAtMost4Bytes) {
  EXPECT_EQ(decoded({10, 1, 2, 3, 4, 5, 6}, {0}).imm, 0x04030201u);
  EXPECT_EQ(decoded({10, 0, 0, 0, 0x80, 5}, {0}).imm, 0xffffffff80000000u);
}

TEST(DecodeOddities, BytesBehindTheEndAreZero) {
  EXPECT_EQ(decoded({190}, {0}).dst, Reg::ra);
  EXPECT_EQ(decoded({30, 4, 0xff}, {0}).offset, 0xffu);
  EXPECT_EQ(decoded({20, 0x07, 0xff, 0xff}, {0}).imm, 0xffffu);
}

TEST(DecodeOddities, A64BitLiteralHas8BytesWhateverSkipSays) {
  EXPECT_EQ(decoded({20, 7, 1, 2, 3, 4, 5, 6, 7, 0x88}, {0, 3}).imm, 0x8807060504030201u);
}

TEST(DecodeOddities, TargetsWrapAround) {
  EXPECT_EQ(decoded({0, 40, 0xfe}, {0, 1}, 1).target, 0xffffffffu);
  EXPECT_EQ(decoded({0, 40, 0xff, 0xff, 0xff, 0x7f}, {0, 1}, 1).target, 0x80000000u);
  EXPECT_EQ(decoded({0, 40}, {0, 1}, 1).target, 1u) << "without a byte the distance is 0";
}

}  // namespace
}  // namespace sandglass
