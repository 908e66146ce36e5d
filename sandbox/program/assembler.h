#pragma once

#include <string_view>

#include "sandbox/program/program.h"

namespace sandglass {

struct AssemblerOptions {
  InstructionSet default_set = InstructionSet::kLatest64;  // when the text has no %isa directive
};

// On failure: kBadProgram, `where` = line number (from 1), `detail` = the offending piece of text.
Result<ProgramParts> assemble(std::string_view text, const AssemblerOptions& options = {});

}  // namespace sandglass
