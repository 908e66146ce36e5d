// Short ways to say: this text becomes these bytes, that text, or this error.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sandbox/program/assembler.h"
#include "sandbox/program/disassembler.h"
#include "sandbox/program/program.h"

namespace sandglass::test {

// Fails the test and returns empty parts when the text does not assemble.
ProgramParts assembled(std::string_view text, InstructionSet set = InstructionSet::kLatest64);

std::shared_ptr<const Program> program_from(ProgramParts parts);

// "33 07 05 | 00": the code, with a bar between instructions and a ~ before each byte that belongs to none.
std::string code_text(const ProgramParts& parts);

// The only instruction of the assembled text as bytes, or the error.
std::string bytes_of(std::string_view text, InstructionSet set = InstructionSet::kLatest64);

// Lines of the disassembly that are neither directives nor labels, without their indentation.
std::string statements_of(const Program& program);

// Empty when disassembling and assembling gives the same parts, or else what went wrong.
std::string round_trip_problem(const Program& program);

// "3: the label does not exist: x", or "ok".
std::string error_of(std::string_view text, InstructionSet set = InstructionSet::kLatest64);

}  // namespace sandglass::test
