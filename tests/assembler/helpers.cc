#include "tests/assembler/helpers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

namespace sandglass::test {
namespace {

bool starts_at(const ProgramParts& parts, size_t at) { return (parts.bitmask[at / 8] >> (at % 8) & 1) != 0; }

// Enough of a text for a failure message.
std::string_view excerpt(std::string_view text) { return text.substr(0, 4000); }

const char* first_difference(const ProgramParts& a, const ProgramParts& b) {
  if (a.instruction_set != b.instruction_set) return "instruction set";
  if (a.code != b.code) return "code";
  if (a.bitmask != b.bitmask) return "bitmask";
  if (a.jump_table != b.jump_table) return "jump table";
  if (a.exports != b.exports) return "exports";
  if (a.imports != b.imports) return "imports";
  if (a.ro_data != b.ro_data || a.rw_data != b.rw_data) return "data";
  if (a.debug_sections != b.debug_sections) return "debug sections";
  return a == b ? nullptr : "sizes";
}

}  // namespace

ProgramParts assembled(std::string_view text, InstructionSet set) {
  Result<ProgramParts> parts = assemble(text, {.default_set = set});
  if (parts) return *parts;
  ADD_FAILURE() << to_string(parts.error()) << " in:\n" << excerpt(text);
  return {};
}

std::shared_ptr<const Program> program_from(ProgramParts parts) {
  auto program = Program::from_parts(std::move(parts));
  if (program) return *program;
  ADD_FAILURE() << to_string(program.error());
  return nullptr;
}

std::string code_text(const ProgramParts& parts) {
  std::string text;
  bool in_instruction = false;
  for (size_t at = 0; at < parts.code.size(); ++at) {
    const bool starts = starts_at(parts, at);
    if (at != 0) text += starts ? " | " : " ";
    in_instruction |= starts;
    text += fmt::format("{}{:02x}", in_instruction ? "" : "~", parts.code[at]);
  }
  return text;
}

std::string bytes_of(std::string_view text, InstructionSet set) {
  const Result<ProgramParts> parts = assemble(text, {.default_set = set});
  return parts ? code_text(*parts) : error_of(text, set);
}

std::string statements_of(const Program& program) {
  std::istringstream lines(disassemble(program));
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("    ")) all += line.substr(4) + "\n";
  }
  if (!all.empty()) all.pop_back();
  return all;
}

std::string round_trip_problem(const Program& program) {
  for (const bool comments : {false, true}) {
    const std::string text = disassemble(program, {.show_offsets = comments, .show_raw_bytes = comments});
    const Result<ProgramParts> again = assemble(text);
    if (!again) return fmt::format("{} in:\n{}", to_string(again.error()), excerpt(text));
    const char* difference = first_difference(*again, program.parts());
    if (difference != nullptr) return fmt::format("another {} after:\n{}", difference, excerpt(text));
  }
  return {};
}

std::string error_of(std::string_view text, InstructionSet set) {
  const Result<ProgramParts> parts = assemble(text, {.default_set = set});
  if (parts) return "ok";
  const Error& error = parts.error();
  EXPECT_EQ(error.kind, ErrorKind::kBadProgram);
  return fmt::format("{}: {}: {}", error.where, error.what, error.detail);
}

}  // namespace sandglass::test
