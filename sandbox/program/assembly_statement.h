// One line of assembly text → one instruction whose place in the code is not known yet.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sandbox/base/result.h"
#include "sandbox/program/assembly_operands.h"
#include "sandbox/program/instruction.h"

namespace sandglass {

struct Statement {
  Instruction in;                       // without pc and target
  CodeTarget target;                    // of a jump; or, for a load_imm, the label whose address it loads
  std::optional<std::string> import{};  // of an ecalli by name
};

// `line` is a statement: no label, no directive, not empty. A failure is kBadProgram and lacks its line.
// The instruction is in the instruction set when this succeeds.
Result<Statement> parse_statement(std::string_view line, InstructionSet set);

}  // namespace sandglass
