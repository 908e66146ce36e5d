// CodeOutline: what a disassembler must know about the code before it writes the first line.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sandbox/program/program.h"

namespace sandglass {

class CodeOutline {
 public:
  // `program` must outlive the outline.
  explicit CodeOutline(const Program& program);

  // Something refers to this offset by label: a jump, the jump table or an export.
  bool has_label(uint32_t pc) const { return pc < labels_.size() && labels_[pc]; }
  // The text of this instruction assembles to exactly its bytes.
  bool is_assemblable(const Instruction& in) const;
  // This jump is written with a label.
  bool uses_label(const Instruction& in) const;

 private:
  std::vector<uint32_t> labelled_jumps() const;
  void place_labels();
  void pin_lengths();
  bool pin_other_lengths(std::span<const uint32_t> jumps);

  const Program& program_;
  std::vector<bool> labels_;  // per code offset
  std::vector<bool> pinned_;  // per code offset: a jump that the assembler would give another length
};

// The bytes of `in` are the ones that encode_instruction() chooses.
bool is_canonical(const Program& program, const Instruction& in);

// Where linear reading goes on after an instruction, gaps skipped; code_bytes() at the end.
uint32_t next_start(const Program& program, uint32_t pc);

}  // namespace sandglass
