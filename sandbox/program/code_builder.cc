#include "sandbox/program/code_builder.h"

#include "sandbox/program/program.h"

namespace sandglass {
namespace {

// Collects the final bytes.
class CodeWriter {
 public:
  CodeWriter(CodeBuilder::Code& code, InstructionSet set, size_t size) : code_(code), set_(set) {
    code.bytes.reserve(size);
    code.bitmask.resize((size + 7) / 8);
  }

  void byte(uint8_t value, bool is_start) {
    const size_t at = code_.bytes.size();
    if (is_start) code_.bitmask[at / 8] |= static_cast<uint8_t>(1u << (at % 8));
    code_.bytes.push_back(value);
  }

  // The distance is the last operand: it may be stretched by repeating its sign.
  void jump(Instruction in, uint32_t target, size_t size) {
    in.pc = static_cast<uint32_t>(code_.bytes.size());
    in.target = target;
    uint8_t bytes[kMaxInstructionBytes];
    const size_t shortest = encode_instruction(in, set_, bytes);
    SG_CHECK(shortest <= size);
    const auto sign = static_cast<uint8_t>(static_cast<int32_t>(target - in.pc) < 0 ? 0xff : 0);
    for (size_t i = 0; i < size; ++i) byte(i < shortest ? bytes[i] : sign, i == 0);
  }

 private:
  CodeBuilder::Code& code_;
  InstructionSet set_;
};

}  // namespace

void CodeBuilder::begin_instruction(Opcode opcode) {
  if (at_block_start_) block_ = here();
  at_block_start_ = is_terminator(opcode);
}

void CodeBuilder::append_fixed(std::span<const uint8_t> bytes) {
  fixed_.insert(fixed_.end(), bytes.begin(), bytes.end());
  fixed_starts_.resize(fixed_.size(), false);
}

void CodeBuilder::add(const Instruction& in) {
  uint8_t bytes[kMaxInstructionBytes];
  const size_t size = encode_instruction(in, set_, bytes);
  SG_CHECK(size != 0);
  add_raw({bytes, size});
}

void CodeBuilder::add_raw(std::span<const uint8_t> bytes) {
  begin_instruction(opcode_map(set_)[bytes.front()]);
  fixed_starts_.push_back(true);
  append_fixed(bytes);
}

void CodeBuilder::add_gap(std::span<const uint8_t> bytes) { append_fixed(bytes); }

void CodeBuilder::add_jump(const Instruction& in, uint32_t label) { append_jump(in, label, 0); }

void CodeBuilder::add_jump_to_offset(const Instruction& in, uint32_t target) {
  append_jump(in, kNoLabel, target);
}

void CodeBuilder::append_jump(const Instruction& in, uint32_t label, uint32_t absolute_target) {
  Instruction to_itself = in;
  to_itself.target = to_itself.pc;
  uint8_t bytes[kMaxInstructionBytes];
  const size_t size = encode_instruction(to_itself, set_, bytes);
  SG_CHECK(size != 0);
  const CodePosition at = here();
  begin_instruction(in.opcode);
  sites_.push_back({.at = at,
                    .absolute_target = absolute_target,
                    .is_absolute = label == kNoLabel,
                    .bytes_before_distance = static_cast<uint8_t>(size)});
  jumps_.push_back({in, label});
}

Result<CodeBuilder::Code> CodeBuilder::finish(std::span<const CodePosition> labels) {
  for (size_t i = 0; i < jumps_.size(); ++i) {
    if (!sites_[i].is_absolute) sites_[i].target = labels[jumps_[i].label];
  }
  Code code{.layout = lay_out_code(sites_)};
  const uint64_t size = uint64_t{fixed_.size()} + code.layout.jump_bytes_before.back();
  if (size > kMaxCodeBytes) {
    return Error::make(ErrorKind::kBadProgram, "the code is longer than 32 MiB");
  }
  CodeWriter writer(code, set_, size);
  uint32_t copied = 0;
  const auto copy_fixed_until = [&](uint32_t end) {
    for (; copied < end; ++copied) writer.byte(fixed_[copied], fixed_starts_[copied]);
  };
  for (size_t i = 0; i < jumps_.size(); ++i) {
    copy_fixed_until(sites_[i].at.fixed_bytes);
    const uint32_t target =
        sites_[i].is_absolute ? sites_[i].absolute_target : code.layout.offset_of(sites_[i].target);
    writer.jump(jumps_[i].in, target, code.layout.jump_bytes(i));
  }
  copy_fixed_until(static_cast<uint32_t>(fixed_.size()));
  return code;
}

}  // namespace sandglass
