// The reader under attack: blobs cut off and changed everywhere. Worth most under AddressSanitizer: every
// blob lies in an allocation of exactly its size.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/program/samples.h"

namespace sandglass {
namespace {

using test::Blob;

Blob rich_blob() { return serialize(*test::must_make(test::rich_parts())); }

// What holds for every program, however odd.
void expect_consistent(const Program& program) {
  for (uint32_t pc = 0; pc <= program.code_bytes() + 2; ++pc) {
    const Instruction in = program.decode(pc);
    ASSERT_EQ(in.opcode, program.opcode_at(pc));
    ASSERT_LE(in.next_pc - in.pc, kMaxInstructionBytes);
    ASSERT_LE(std::max({in.dst, in.src1, in.src2, in.base}), Reg::a5);
    const auto block = program.block_start(pc);
    ASSERT_EQ(block == pc, program.is_jump_target(pc));
    ASSERT_TRUE(!block || program.is_jump_target(*block));
  }
  (void)program.validate_code();
}

// Either refuses or yields a program that survives a second trip.
void expect_refused_or_sound(const Blob& blob) {
  const auto program = Program::parse(blob);
  if (!program) {
    EXPECT_EQ(program.error().kind, ErrorKind::kBadProgram);
    EXPECT_LE(program.error().where, blob.size());
    return;
  }
  expect_consistent(**program);
  const auto again = Program::parse(serialize(**program));
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ((*again)->parts(), (*program)->parts());
}

TEST(HostileBlob, EveryPrefixIsRefused) {
  const Blob blob = rich_blob();
  for (size_t size = 0; size < blob.size(); ++size) {
    const Blob prefix(blob.begin(), blob.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(Program::parse(prefix)) << size;
    const auto lying = Program::parse(test::with_stated_length(prefix));
    ASSERT_FALSE(lying) << size;
    EXPECT_EQ(lying.error().kind, ErrorKind::kBadProgram);
    EXPECT_LE(lying.error().where, size);
  }
}

TEST(HostileBlob, EveryPrefixOfBareCodeIsRefused) {
  const Blob blob = serialize_bare_code(*test::must_make(test::rich_parts()));
  for (size_t size = 0; size < blob.size(); ++size) {
    EXPECT_FALSE(Program::parse_bare_code(Blob(blob.begin(), blob.begin() + static_cast<ptrdiff_t>(size))));
  }
}

TEST(HostileBlob, EveryChangeOfOneByteIsRefusedOrSound) {
  const Blob blob = rich_blob();
  for (size_t i = 0; i < blob.size(); ++i) {
    for (int change = 1; change < 256; ++change) {
      Blob changed = blob;
      changed[i] = static_cast<uint8_t>(changed[i] ^ change);
      ASSERT_NO_FATAL_FAILURE(expect_refused_or_sound(changed)) << "byte " << i << " changed by " << change;
    }
  }
}

TEST(HostileBlob, EveryByteLeftOutOrDoubledIsRefusedOrSound) {
  const Blob blob = rich_blob();
  for (size_t i = 0; i < blob.size(); ++i) {
    Blob shorter = blob, longer = blob;
    shorter.erase(shorter.begin() + static_cast<ptrdiff_t>(i));
    longer.insert(longer.begin() + static_cast<ptrdiff_t>(i), blob[i]);
    ASSERT_NO_FATAL_FAILURE(expect_refused_or_sound(test::with_stated_length(shorter))) << i;
    ASSERT_NO_FATAL_FAILURE(expect_refused_or_sound(test::with_stated_length(longer))) << i;
  }
}

TEST(HostileBlob, SeveralChangesAreRefusedOrSound) {
  const Blob blob = rich_blob();
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    Blob changed = blob;
    for (uint32_t changes = 2 + random() % 4; changes > 0; --changes) {
      changed[13 + random() % (changed.size() - 13)] = static_cast<uint8_t>(random());
    }
    ASSERT_NO_FATAL_FAILURE(expect_refused_or_sound(changed)) << "round " << round;
  }
}

TEST(HostileBlob, NoiseAsBareCodeIsRefusedOrSound) {
  std::mt19937 random(2);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    const size_t code_bytes = 1 + random() % 60;
    Blob blob = {static_cast<uint8_t>(random() % 3), static_cast<uint8_t>(random() % 3),
                 static_cast<uint8_t>(code_bytes)};
    for (size_t rest = blob[0] * blob[1] + code_bytes + (code_bytes + 7) / 8; rest > 0; --rest) {
      blob.push_back(static_cast<uint8_t>(random()));
    }
    const auto program = Program::parse_bare_code(blob, static_cast<InstructionSet>(round % 4));
    if (!program) continue;
    ++accepted;
    ASSERT_NO_FATAL_FAILURE(expect_consistent(**program));
    const auto again =
        Program::parse_bare_code(serialize_bare_code(**program), (*program)->instruction_set());
    ASSERT_TRUE(again) << to_string(again.error());
    EXPECT_EQ((*again)->parts(), (*program)->parts());
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace sandglass
