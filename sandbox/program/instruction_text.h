// One instruction as text, in the syntax of assembler.h.
#pragma once

#include <string>
#include <string_view>

#include "sandbox/program/instruction.h"

namespace sandglass {

// The pieces that an instruction alone does not know.
struct InstructionContext {
  InstructionSet set = InstructionSet::kLatest64;
  std::string_view target = {};  // how to write the target; empty: as distance
  std::string_view import = {};  // how to write the argument of ecalli; empty: as number
};

// Appends the text of `in` to `out`. Parsing that text gives the same opcode and operands. Returns false and
// appends nothing when no text does: for Opcode::kInvalid and for constants that their store would cut off.
bool append_instruction_text(std::string& out, const Instruction& in, const InstructionContext& context);

}  // namespace sandglass
