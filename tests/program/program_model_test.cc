// Program against a slow model of the same rules, on random code with short and long gaps.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/program/samples.h"

namespace sandglass {
namespace {

// The rules as a reader of the specification would write them down, one bit at a time.
class Model {
 public:
  explicit Model(const ProgramParts& parts) : parts_(parts) {
    for (uint32_t pc = 0; pc < size(); ++pc) {
      if (is_target(pc)) walk_block(pc);
    }
  }

  uint32_t size() const { return static_cast<uint32_t>(parts_.code.size()); }
  bool is_start(uint32_t pc) const { return pc < size() && (parts_.bitmask[pc / 8] >> (pc % 8) & 1) != 0; }

  uint32_t skip(uint32_t pc) const {
    uint32_t skip = 0;
    while (skip < 24 && pc + skip + 1 < size() && !is_start(pc + skip + 1)) ++skip;
    return skip;
  }

  Opcode opcode(uint32_t pc) const {
    if (!is_start(pc)) return Opcode::kInvalid;
    const auto set = static_cast<size_t>(parts_.instruction_set);
    for (size_t i = 0; i < kOpcodeCount; ++i) {
      if (kOpcodeInfo[i].byte[set] == parts_.code[pc]) return static_cast<Opcode>(i);
    }
    return Opcode::kInvalid;
  }

  bool is_target(uint32_t pc) const {
    if (!is_start(pc)) return false;
    if (pc == 0) return true;
    uint32_t before = pc - 1;
    while (before > 0 && !is_start(before)) --before;
    return is_start(before) && before + 1 + skip(before) == pc && is_terminator(opcode(before));
  }

  std::optional<uint32_t> block(uint32_t pc) const {
    const auto found = block_of_.find(pc);
    return found == block_of_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  void walk_block(uint32_t begin) {
    for (uint32_t pc = begin; is_start(pc); pc += 1 + skip(pc)) {
      block_of_[pc] = begin;
      if (opcode(pc) == Opcode::kInvalid || is_terminator(opcode(pc))) return;
    }
  }

  const ProgramParts& parts_;
  std::map<uint32_t, uint32_t> block_of_;
};

ProgramParts random_parts(std::mt19937& random) {
  ProgramParts parts{.instruction_set = static_cast<InstructionSet>(random() % 4)};
  const uint8_t favourites[] = {0, 1, 100, 40, 170, 51, 255};
  parts.code.resize(1 + random() % 120);
  for (uint8_t& byte : parts.code) {
    byte = random() % 2 == 0 ? favourites[random() % std::size(favourites)] : static_cast<uint8_t>(random());
  }
  parts.bitmask.resize((parts.code.size() + 7) / 8);
  const uint32_t longest_gap = 1 + random() % 40;
  for (uint32_t pc = random() % 4 == 0 ? random() % 30 : 0; pc < parts.code.size();
       pc += 1 + random() % longest_gap) {
    parts.bitmask[pc / 8] |= static_cast<uint8_t>(1u << (pc % 8));
  }
  return parts;
}

void expect_agreement(const Program& program, const Model& model) {
  for (uint32_t pc = 0; pc < model.size() + 3; ++pc) {
    ASSERT_EQ(program.is_instruction_start(pc), model.is_start(pc)) << pc;
    ASSERT_EQ(program.opcode_at(pc), model.opcode(pc)) << pc;
    ASSERT_EQ(program.is_jump_target(pc), model.is_target(pc)) << pc;
    ASSERT_EQ(program.block_start(pc), model.block(pc)) << pc;
  }
  for (uint32_t pc = 0; pc < model.size(); ++pc) ASSERT_EQ(program.skip_at(pc), model.skip(pc)) << pc;
}

TEST(ProgramModel, AgreesOnRandomCode) {
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    const ProgramParts parts = random_parts(random);
    const auto program = test::must_make(parts);
    const Model model(parts);
    ASSERT_NO_FATAL_FAILURE(expect_agreement(*program, model)) << "round " << round;
  }
}

}  // namespace
}  // namespace sandglass
