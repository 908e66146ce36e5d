// CodeBuilder: puts instructions one behind the other and then says which bytes they are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sandbox/base/result.h"
#include "sandbox/program/code_layout.h"
#include "sandbox/program/instruction.h"

namespace sandglass {

class CodeBuilder {
 public:
  explicit CodeBuilder(InstructionSet set) : set_(set) {}

  // The instruction must be in the instruction set. A target counts as distance from pc.
  void add(const Instruction& in);
  // Jumps whose length is not known yet. `label` is an index into what finish() gets.
  void add_jump(const Instruction& in, uint32_t label);
  void add_jump_to_offset(const Instruction& in, uint32_t target);
  // One instruction, not empty, as it stands.
  void add_raw(std::span<const uint8_t> bytes);
  // Bytes at which no instruction starts.
  void add_gap(std::span<const uint8_t> bytes);

  CodePosition here() const {
    return {static_cast<uint32_t>(fixed_.size()), static_cast<uint32_t>(jumps_.size())};
  }
  bool is_empty() const { return fixed_.empty() && jumps_.empty(); }
  // What the code has at least, so that a limit can be noticed early.
  size_t min_bytes() const { return fixed_.size() + jumps_.size(); }
  // The last instruction is a terminator; or there is none yet.
  bool at_block_start() const { return at_block_start_; }
  // The start of the basic block that here() is in.
  CodePosition block() const { return at_block_start_ ? here() : block_; }

  struct Code {
    std::vector<uint8_t> bytes, bitmask;
    CodeLayout layout;
  };
  // Lays the code out; `labels` says where they stand. Fails when the code is longer than kMaxCodeBytes.
  Result<Code> finish(std::span<const CodePosition> labels);

 private:
  static constexpr uint32_t kNoLabel = UINT32_MAX;
  struct Jump {
    Instruction in;
    uint32_t label;  // kNoLabel: the target is a code offset
  };

  void begin_instruction(Opcode opcode);
  void append_jump(const Instruction& in, uint32_t label, uint32_t absolute_target);
  void append_fixed(std::span<const uint8_t> bytes);

  InstructionSet set_;
  std::vector<uint8_t> fixed_;      // all bytes but those of jumps_
  std::vector<bool> fixed_starts_;  // parallel: an instruction starts here
  std::vector<JumpSite> sites_;     // parallel to jumps_
  std::vector<Jump> jumps_;
  CodePosition block_{};
  bool at_block_start_ = true;
};

}  // namespace sandglass
