#include "tests/gas/random_block.h"

namespace sandglass::test {
namespace {

uint64_t pick(std::mt19937_64& random, uint64_t count) { return random() % count; }

bool exists(Opcode opcode, InstructionSet set) { return info_of(opcode).byte[static_cast<size_t>(set)] >= 0; }

Opcode random_opcode(std::mt19937_64& random, InstructionSet set, bool terminator) {
  for (;;) {
    const auto opcode = static_cast<Opcode>(pick(random, kOpcodeCount));
    if (exists(opcode, set) && is_terminator(opcode) == terminator) return opcode;
  }
}

Opcode inner_opcode(std::mt19937_64& random, const BlockShape& shape) {
  if (!shape.favourites.empty() && pick(random, 100) < shape.favourite_percent) {
    const Opcode opcode = shape.favourites[pick(random, shape.favourites.size())];
    if (exists(opcode, shape.set)) return opcode;
  }
  return random_opcode(random, shape.set, false);
}

void append(std::mt19937_64& random, const BlockShape& shape, Opcode opcode, ProgramParts& parts) {
  auto reg = [&] { return static_cast<Reg>(pick(random, shape.registers)); };
  Instruction in = {.pc = static_cast<uint32_t>(parts.code.size()), .opcode = opcode};
  in.dst = reg(), in.src1 = reg(), in.src2 = reg(), in.base = reg();
  in.imm = pick(random, 100);
  in.target = in.pc + static_cast<uint32_t>(pick(random, 40)) - 20;
  uint8_t bytes[kMaxInstructionBytes];
  const size_t length = encode_instruction(in, shape.set, bytes);
  SG_CHECK(length > 0);
  parts.code.insert(parts.code.end(), bytes, bytes + length);
  parts.bitmask.resize(parts.code.size() / 8 + 1);
  parts.bitmask[in.pc / 8] |= static_cast<uint8_t>(1 << in.pc % 8);
}

}  // namespace

std::shared_ptr<const Program> random_block(std::mt19937_64& random, const BlockShape& shape) {
  ProgramParts parts;
  parts.instruction_set = shape.set;
  const uint64_t count = pick(random, shape.max_instructions) + 1;
  for (uint64_t i = 0; i < count; ++i) append(random, shape, inner_opcode(random, shape), parts);
  if (pick(random, 8) != 0) append(random, shape, random_opcode(random, shape.set, true), parts);
  for (uint64_t i = pick(random, 4); i > 0; --i) {
    parts.code.push_back(static_cast<uint8_t>(pick(random, 4) == 0 ? pick(random, 4) : random()));
  }
  parts.bitmask.resize((parts.code.size() + 7) / 8);
  auto program = Program::from_parts(std::move(parts));
  SG_CHECK(program.has_value());
  return *program;
}

BlockShape random_shape(std::mt19937_64& random) {
  constexpr uint32_t kLengths[] = {3, 6, 6, 12, 12, 24, 40, 200};
  constexpr uint32_t kRegisters[] = {2, 4, 13, 13};
  BlockShape shape;
  shape.set = static_cast<InstructionSet>(pick(random, kInstructionSetCount));
  shape.max_instructions = kLengths[pick(random, std::size(kLengths))];
  shape.registers = kRegisters[pick(random, std::size(kRegisters))];
  for (uint64_t i = pick(random, 4); i > 0; --i) {
    shape.favourites.push_back(random_opcode(random, shape.set, false));
  }
  const uint64_t special = pick(random, 50);
  if (special == 0) {  // decoding runs far ahead of everything else
    shape.max_instructions = 1000;
    shape.favourites = {Opcode::kMoveReg};
    shape.favourite_percent = 97;
  } else if (special < 10) {  // what needs no unit and what does become ready at the same time
    shape.favourites = {Opcode::kLoadImm, Opcode::kLoadImm, Opcode::kLoadIndirectU8, Opcode::kAndImm};
    shape.favourite_percent = 95;
  }
  return shape;
}

}  // namespace sandglass::test
