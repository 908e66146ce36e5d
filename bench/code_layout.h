// CodeLayout: instructions whose jumps name other instructions → code bytes, bitmask and offsets.
//
// Offsets depend on the lengths of branches, and these on offsets. Lengths start short and only grow, so the
// search comes to an end; a branch that turns out longer than needed is padded with sign bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "sandbox/program/program.h"

namespace sandglass::bench {

inline constexpr size_t kNoTarget = SIZE_MAX;

struct CodeItem {
  Instruction in;             // pc and target are filled in by the layout
  size_t target = kNoTarget;  // index of the item where a jump, branch or call goes
};

class CodeLayout {
 public:
  // Keeps a reference to the items. Every opcode must belong to the set. Costs a few passes over the items.
  CodeLayout(std::vector<CodeItem>& items, InstructionSet set);

  uint32_t offset_of(size_t item) const { return offsets_[item]; }
  // Sets the instruction set, the code and the bitmask.
  void emit(ProgramParts& parts);

 private:
  void place();
  bool grow();
  size_t encode(size_t i, uint8_t* buffer);

  std::vector<CodeItem>& items_;
  InstructionSet set_;
  std::vector<uint32_t> offsets_;
  std::vector<uint8_t> lengths_;
};

}  // namespace sandglass::bench
