#include "tests/differential/random_program.h"

#include <algorithm>

namespace sandglass::fuzz {
namespace {

constexpr uint64_t kValues[] = {
    0, 1, 2, 3, 4, 7, 8, 31, 32, 33, 63, 64, 65, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000,
    0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
    0xffffffffffffffff, 0xfffffffffffffffe, 0xffffffff80000000, 0xffffffff7fffffff,
    // RO data, RW data, heap, stack and the edges between them, with and without high bits.
    0x10000, 0x10ff8, 0x11000, 0x30000, 0x30010, 0x30ffc, 0x31000, 0x31ffd, 0x32000, 0x33000, 0xfffdf000,
    0xfffdfff8, 0xfffe0000, 0xfffeffff, 0xffff0000, 0xffff0002, 0xfffffff8, 0x100030010, 0xffffffff00030010,
    0x7f0000030000};

// Opcodes that make programs interesting are drawn more often than their share of the table.
constexpr Opcode kFavourites[] = {Opcode::kJump,
                                  Opcode::kJumpIndirect,
                                  Opcode::kBranchEqImm,
                                  Opcode::kBranchNotEqImm,
                                  Opcode::kLoadImm,
                                  Opcode::kLoadIndirectU64,
                                  Opcode::kStoreIndirectU64,
                                  Opcode::kAddImm64,
                                  Opcode::kDivUnsigned64,
                                  Opcode::kRemUnsigned64,
                                  Opcode::kDivSigned32,
                                  Opcode::kRemSigned32,
                                  Opcode::kMemset,
                                  Opcode::kSbrk,
                                  Opcode::kEcalli,
                                  Opcode::kLoadImmAndJump,
                                  Opcode::kFallthrough,
                                  Opcode::kLoadImmAndJumpIndirect,
                                  Opcode::kStoreImmIndirectU8,
                                  Opcode::kAddImm32};

class Generator {
 public:
  Generator(Random& random, InstructionSet set) : random_(random), set_(set) {}

  ProgramParts generate() {
    ProgramParts parts;
    parts.instruction_set = set_;
    parts.ro_data_bytes = random_.chance(80) ? 4096 : 0;
    parts.rw_data_bytes = random_.chance(90) ? static_cast<uint32_t>(4096 + random_.below(4096)) : 0;
    parts.stack_bytes = random_.chance(90) ? 4096 : 0;
    parts.ro_data = bytes(parts.ro_data_bytes / 2);
    parts.rw_data = bytes(parts.rw_data_bytes / 3);
    code(parts);
    if (random_.chance(20)) mutilate(parts);
    const uint64_t entries = random_.below(8);
    for (uint64_t i = 0; i < entries; ++i) {
      parts.jump_table.push_back(random_.chance(85) ? start() : static_cast<uint32_t>(random_.below(300)));
    }
    parts.exports.push_back({.pc = 0, .name = "main"});
    return parts;
  }

 private:
  std::vector<uint8_t> bytes(size_t count) {
    std::vector<uint8_t> data(count);
    for (uint8_t& byte : data) byte = static_cast<uint8_t>(random_.next());
    return data;
  }

  Reg reg() { return static_cast<Reg>(random_.below(kRegCount)); }
  uint32_t start() { return starts_.empty() ? 0 : starts_[random_.below(starts_.size())]; }

  Opcode opcode() {
    for (;;) {
      const Opcode opcode =
          random_.chance(35) ? random_.pick(kFavourites) : static_cast<Opcode>(random_.below(kOpcodeCount));
      if (info_of(opcode).byte[static_cast<size_t>(set_)] >= 0) return opcode;
    }
  }

  Instruction instruction(uint32_t pc) {
    Instruction in{.pc = pc, .opcode = opcode()};
    // Division pairs and flags that carry over want the same operands again.
    const bool again = random_.chance(30);
    in.dst = reg();
    in.src1 = again ? last_.src1 : random_.chance(25) ? last_.dst : reg();
    in.src2 = again ? last_.src2 : reg();
    in.base = reg();
    in.offset = random_.chance(60) ? static_cast<uint32_t>(random_.below(64)) - 16
                                   : static_cast<uint32_t>(interesting_value(random_));
    in.imm = random_.chance(30)   ? random_.below(3)
             : random_.chance(50) ? random_.next() >> random_.below(64)
                                  : interesting_value(random_);
    if (info_of(in.opcode).form != Form::DstImm64)
      in.imm = internal::sign_extend(static_cast<uint32_t>(in.imm));
    if (in.opcode == Opcode::kEcalli) in.imm = random_.below(4);
    if (in.opcode == Opcode::kJumpIndirect && random_.chance(60)) in.offset = 0;
    // Mostly a place that has been or will be an instruction; forward ones are guessed.
    in.target = random_.chance(70) ? pc + static_cast<uint32_t>(random_.below(60)) : start();
    last_ = in;
    return in;
  }

  void code(ProgramParts& parts) {
    const uint64_t count = 1 + random_.below(random_.chance(10) ? 60 : 20);
    std::vector<bool> bits;
    for (uint64_t i = 0; i < count; ++i) {
      const auto pc = static_cast<uint32_t>(parts.code.size());
      uint8_t encoded[kMaxInstructionBytes];
      const size_t length = encode_instruction(instruction(pc), set_, encoded);
      parts.code.insert(parts.code.end(), encoded, encoded + length);
      bits.resize(parts.code.size());
      bits[pc] = true;
      starts_.push_back(pc);
    }
    repair_targets(parts);
    parts.bitmask.assign((parts.code.size() + 7) / 8, 0);
    for (size_t i = 0; i < bits.size(); ++i) {
      if (bits[i]) parts.bitmask[i / 8] |= static_cast<uint8_t>(1u << (i % 8));
    }
  }

  // One-byte jump distances that point into an instruction are bent to a start, most of the time.
  void repair_targets(ProgramParts& parts) {
    for (size_t i = 0; i < starts_.size(); ++i) {
      const uint32_t pc = starts_[i];
      const uint32_t next =
          i + 1 < starts_.size() ? starts_[i + 1] : static_cast<uint32_t>(parts.code.size());
      const Form form = info_of(opcode_map(set_)[parts.code[pc]]).form;
      const bool has_target = form == Form::Target || form == Form::DstImmTarget ||
                              form == Form::SrcImmTarget || form == Form::SrcSrcTarget;
      if (!has_target || next - pc < 2 || random_.chance(10)) continue;
      const auto distance = static_cast<int64_t>(start()) - pc;
      const size_t fixed = form == Form::Target ? 1 : form == Form::SrcSrcTarget ? 2 : 0;
      if (fixed != 0 && next - pc == fixed + 1 && distance == static_cast<int8_t>(distance)) {
        parts.code[next - 1] = static_cast<uint8_t>(distance);
      }
    }
  }

  void mutilate(ProgramParts& parts) {
    for (uint64_t i = 1 + random_.below(6); i > 0; --i) {
      const uint64_t at = random_.below(parts.code.size());
      switch (random_.below(4)) {
        case 0: parts.code[at] = static_cast<uint8_t>(random_.next()); break;
        case 1: parts.bitmask[at / 8] ^= static_cast<uint8_t>(1u << (at % 8)); break;
        case 2: parts.bitmask[at / 8] = 0; break;
        default: parts.code[at] ^= static_cast<uint8_t>(1u << random_.below(8)); break;
      }
    }
  }

  Random& random_;
  InstructionSet set_;
  std::vector<uint32_t> starts_;
  Instruction last_;
};

}  // namespace

uint64_t interesting_value(Random& random) {
  const uint64_t value = random.pick(kValues);
  return random.chance(20) ? value + random.below(16) - 8 : value;
}

ProgramParts random_program(Random& random, InstructionSet set) { return Generator(random, set).generate(); }

}  // namespace sandglass::fuzz
