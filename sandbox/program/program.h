// Program: a guest program, validated and immutable, without any OS state. Cheap to share between threads.
//
// Two formats are read (blob_format.h draws both): the container, which real .polkavm files use, and the bare
// code blob of the Gray Paper, which is only code, bitmask and jump table. Every byte is checked before a
// Program exists; an error names the broken rule and the offset in the input. Reading costs O(n) in time and
// memory: a hostile count allocates nothing that the input does not fill.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sandbox/base/result.h"
#include "sandbox/program/instruction.h"
#include "sandbox/program/isa.h"

namespace sandglass {

inline constexpr uint32_t kMaxCodeBytes = 32u << 20;
inline constexpr uint32_t kMaxJumpTableEntries = 16u << 20;
inline constexpr uint32_t kMaxImports = 1024;
inline constexpr size_t kMaxBlobBytes = size_t{1} << 30;

struct Export {
  uint32_t pc = 0;
  std::string name;  // arbitrary bytes
  bool operator==(const Export&) const = default;
};

// An optional section (id 128 and up) that is carried along but not interpreted.
struct DebugSection {
  uint8_t id = 0;
  std::vector<uint8_t> payload;
  bool operator==(const DebugSection&) const = default;
};

// What a program consists of, open to change: the assembler and the tests build one, Program checks it.
struct ProgramParts {
  InstructionSet instruction_set = InstructionSet::kLatest64;
  uint32_t ro_data_bytes = 0;  // sizes of the regions; the data may be shorter, the rest is zero
  uint32_t rw_data_bytes = 0;
  uint32_t stack_bytes = 0;
  std::vector<uint8_t> ro_data;
  std::vector<uint8_t> rw_data;
  // Empty: an entry of a malformed import table that names nothing. Behind an import with a name such entries
  // come at least two in a row; blob_format.h says how the table looks.
  std::vector<std::optional<std::string>> imports;
  std::vector<Export> exports;
  std::vector<uint32_t> jump_table;  // code offsets; may be invalid targets, which only matters when used
  std::vector<uint8_t> code;
  std::vector<uint8_t> bitmask;  // one bit per code byte, LSB first: an instruction starts here
  std::vector<DebugSection> debug_sections;
  bool operator==(const ProgramParts&) const = default;
};

class Program {
 public:
  // Reads the container format. Fails with kBadProgram; `where` is the offset of the offending byte, or of
  // the item that does not fit into what is left.
  static Result<std::shared_ptr<const Program>> parse(std::span<const uint8_t> blob);
  // Reads the bare code format, which says nothing about data, imports or exports.
  static Result<std::shared_ptr<const Program>> parse_bare_code(std::span<const uint8_t> blob,
                                                                InstructionSet set = InstructionSet::kJamV1);
  // Applies the same rules and limits. Fails with kBadProgram; `where` is the number that breaks the rule.
  static Result<std::shared_ptr<const Program>> from_parts(ProgramParts parts);

  const ProgramParts& parts() const { return parts_; }
  InstructionSet instruction_set() const { return parts_.instruction_set; }
  bool is_64_bit() const { return sandglass::is_64_bit(parts_.instruction_set); }
  std::optional<uint32_t> find_export(std::string_view name) const;

  // Code. The bytes are followed by kCodePadding zero bytes, the bitmask by a set bit at code_bytes() and
  // then zeroes, so that a decoder need not look for the end.
  static constexpr size_t kCodePadding = 32;
  uint32_t code_bytes() const { return code_bytes_; }
  const uint8_t* code() const { return padded_code_.data(); }
  const uint8_t* padded_bitmask() const { return padded_bitmask_.data(); }

  bool is_instruction_start(uint32_t pc) const {
    return pc < code_bytes_ && (padded_bitmask_[pc >> 3] >> (pc & 7) & 1) != 0;
  }
  // Bytes between the opcode at pc and the next instruction start or the end of the code, at most kMaxSkip.
  // pc must be < code_bytes().
  uint32_t skip_at(uint32_t pc) const { return std::min(distance_in(padded_bitmask_.data(), pc), kMaxSkip); }
  // The same without the limit; 57 and more may be too little.
  static uint32_t distance_in(const uint8_t* padded_bitmask, uint32_t pc) {
    uint64_t window;
    std::memcpy(&window, padded_bitmask + ((pc + 1) >> 3), 8);
    return static_cast<uint32_t>(std::countr_zero(window >> ((pc + 1) & 7)));
  }
  uint32_t count_instructions() const;  // O(code_bytes() / 64)
  // Opcode::kInvalid where no instruction starts.
  Opcode opcode_at(uint32_t pc) const {
    return is_instruction_start(pc) ? opcode_map(instruction_set())[padded_code_[pc]] : Opcode::kInvalid;
  }
  // Decodes the instruction at any pc. Where none starts (also at and beyond the end of the code) the result
  // is Opcode::kInvalid with next_pc = pc.
  Instruction decode(uint32_t pc) const;

  // Start of the instruction that lies directly before pc: the nearest start at most 25 bytes below.
  std::optional<uint32_t> previous_instruction(uint32_t pc) const;
  // Whether jumps may land at pc: an instruction starts there, and pc is 0 or follows a terminator directly.
  bool is_jump_target(uint32_t pc) const;
  // The jump target at or before pc whose basic block contains pc; nothing when pc is no instruction start or
  // lies behind a gap or an invalid instruction, where execution cannot start.
  std::optional<uint32_t> block_start(uint32_t pc) const;

  // Where a dynamic jump to guest code address `address` leads; nothing when it traps. kReturnToHost is not
  // known here.
  std::optional<uint32_t> dynamic_jump_target(uint32_t address) const;

  // JamV1 demands that no invalid instruction can be reached by decoding from the start. Programs of the
  // other sets always pass: there, invalid code traps when it is run. Checked when a module is made, not by
  // parse().
  Status validate_code() const;

 private:
  explicit Program(ProgramParts parts);

  ProgramParts parts_;
  uint32_t code_bytes_ = 0;
  std::vector<uint8_t> padded_code_;
  std::vector<uint8_t> padded_bitmask_;
};

// The container that parse() reads back as the same program, with the shortest encodings.
std::vector<uint8_t> serialize(const Program& program);
// The same for the bare code format.
std::vector<uint8_t> serialize_bare_code(const Program& program);

}  // namespace sandglass
