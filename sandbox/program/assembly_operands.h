// The pieces that statements and directives are made of. Every function takes its piece from the scanner or
// fails with a kBadProgram error that lacks its line.
#pragma once

#include <optional>
#include <string_view>

#include "sandbox/base/result.h"
#include "sandbox/program/assembly_scanner.h"

namespace sandglass {

// Where a jump leads, an export points or a jump table entry leads, as it is written.
struct CodeTarget {
  enum class Kind : uint8_t { kNone, kLabel, kAbsolute, kDistance };
  Kind kind = Kind::kNone;
  std::string_view label = {};  // a view of the line
  uint32_t number = 0;          // code offset, or distance from the jump that contains it
};

struct Operand {
  std::optional<Reg> reg;  // or else a constant
  Number number = {};
};

struct MemoryOperand {
  std::optional<Reg> base;  // none: the offset is an absolute address
  uint32_t offset = 0;
};

Result<Reg> parse_reg(AssemblyScanner& scanner);
Result<Operand> parse_operand(AssemblyScanner& scanner);

// Any spelling of 32 bits: -1, 0xffffffff and 0xffffffffffffffff are the same.
Result<uint32_t> wrap_to_32_bits(Number number, std::string_view text);
Result<uint32_t> parse_number_32(AssemblyScanner& scanner);

Result<MemoryOperand> parse_memory_operand(AssemblyScanner& scanner);
// What follows the base register: `]`, `+ n]` or `- n]`.
Result<uint32_t> parse_offset_to_bracket(AssemblyScanner& scanner);

// "@label" or a code offset; the label ends at a blank.
Result<CodeTarget> parse_place(AssemblyScanner& scanner);
// The same, or "pc", "pc + n", "pc - n".
Result<CodeTarget> parse_jump_target(AssemblyScanner& scanner, bool label_reaches_end);

}  // namespace sandglass
