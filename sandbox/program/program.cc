#include "sandbox/program/program.h"

#include "sandbox/program/blob_format.h"

namespace sandglass {
namespace {

Error bad(const char* what, uint64_t where = Error::kNowhere, std::string_view detail = {}) {
  return Error::make(ErrorKind::kBadProgram, what, where, detail);
}

Status check_code(const ProgramParts& parts) {
  if (parts.code.empty()) return bad("the program has no code");
  if (parts.code.size() > kMaxCodeBytes) return bad("the code is longer than 32 MiB", parts.code.size());
  if (parts.jump_table.size() > kMaxJumpTableEntries) {
    return bad("the jump table has more than 16 Mi entries", parts.jump_table.size());
  }
  if (parts.bitmask.size() != (parts.code.size() + 7) / 8) {
    return bad("the bitmask must have one bit per code byte", parts.bitmask.size());
  }
  const size_t used_bits = parts.code.size() & 7;
  if (used_bits != 0 && (parts.bitmask.back() >> used_bits) != 0) {
    return bad("the unused bits at the end of the bitmask must be 0", parts.bitmask.size() - 1);
  }
  return {};
}

Status check_data(const ProgramParts& parts) {
  if (parts.ro_data.size() > parts.ro_data_bytes) return bad("read-only data is longer than its region");
  if (parts.rw_data.size() > parts.rw_data_bytes) return bad("read-write data is longer than its region");
  return {};
}

// An import without a name stands for a malformed entry of an import table, and a table cannot have one by
// itself behind an import with a name: it would have to begin where that name ends.
Status check_imports(const ProgramParts& parts) {
  const auto& imports = parts.imports;
  if (imports.size() > kMaxImports) return bad("more than 1024 imports", imports.size());
  for (size_t i = 1; i < imports.size(); ++i) {
    if (imports[i] || !imports[i - 1]) continue;
    if (i + 1 == imports.size() || imports[i + 1])
      return bad("no table can have this import without a name", i);
  }
  return {};
}

Status check_exports(const ProgramParts& parts) {
  const size_t count = parts.exports.size();
  return count > blob_format::kMaxExports ? bad("more than 1 Mi exports", count) : Status();
}

Status check_optional_sections(const ProgramParts& parts) {
  const size_t count = parts.debug_sections.size();
  if (count > blob_format::kMaxOptionalSections) return bad("more than 1024 optional sections", count);
  for (const DebugSection& section : parts.debug_sections) {
    if (!blob_format::is_optional(section.id))
      return bad("an optional section needs an id from 128 on", section.id);
  }
  return {};
}

// Keeps every length that the container states below 2^32.
Status check_size(const ProgramParts& parts) {
  uint64_t bytes = parts.ro_data.size() + parts.rw_data.size();
  for (const auto& name : parts.imports) bytes += name ? name->size() : 0;
  for (const Export& entry : parts.exports) bytes += entry.name.size();
  for (const DebugSection& section : parts.debug_sections) bytes += section.payload.size();
  return bytes > kMaxBlobBytes ? bad("the program is longer than 1 GiB", bytes) : Status();
}

}  // namespace

Program::Program(ProgramParts parts)
    : parts_(std::move(parts)),
      code_bytes_(static_cast<uint32_t>(parts_.code.size())),
      padded_code_(parts_.code.size() + kCodePadding),
      padded_bitmask_(parts_.bitmask.size() + 16) {
  std::copy(parts_.code.begin(), parts_.code.end(), padded_code_.begin());
  std::copy(parts_.bitmask.begin(), parts_.bitmask.end(), padded_bitmask_.begin());
  padded_bitmask_[code_bytes_ >> 3] |= static_cast<uint8_t>(1u << (code_bytes_ & 7));
}

Result<std::shared_ptr<const Program>> Program::from_parts(ProgramParts parts) {
  for (const auto check :
       {check_code, check_data, check_imports, check_exports, check_optional_sections, check_size}) {
    SG_TRY(check(parts));
  }
  return std::shared_ptr<const Program>(new Program(std::move(parts)));
}

std::optional<uint32_t> Program::find_export(std::string_view name) const {
  for (const Export& entry : parts_.exports) {
    if (entry.name == name) return entry.pc;
  }
  return std::nullopt;
}

uint32_t Program::count_instructions() const {
  uint32_t count = 0;
  for (uint32_t pc = 0; pc < code_bytes_; pc += 64) {
    uint64_t starts;
    std::memcpy(&starts, padded_bitmask_.data() + pc / 8, sizeof starts);
    // The padding has one bit set, at code_bytes().
    if (code_bytes_ - pc < 64) starts &= (uint64_t{1} << (code_bytes_ - pc)) - 1;
    count += static_cast<uint32_t>(std::popcount(starts));
  }
  return count;
}

Instruction Program::decode(uint32_t pc) const {
  Instruction in{.pc = pc, .next_pc = pc};
  if (!is_instruction_start(pc)) return in;
  const uint32_t skip = skip_at(pc);
  in.next_pc = pc + 1 + skip;
  in.opcode = opcode_map(instruction_set())[code()[pc]];
  decode_operands(info_of(in.opcode).form, code() + pc + 1, skip, in);
  return in;
}

std::optional<uint32_t> Program::previous_instruction(uint32_t pc) const {
  for (uint32_t distance = 1; distance <= kMaxInstructionBytes && distance <= pc; ++distance) {
    if (is_instruction_start(pc - distance)) return pc - distance;
  }
  return std::nullopt;
}

bool Program::is_jump_target(uint32_t pc) const {
  if (!is_instruction_start(pc)) return false;
  if (pc == 0) return true;
  const std::optional<uint32_t> previous = previous_instruction(pc);
  return previous && is_terminator(opcode_at(*previous));
}

std::optional<uint32_t> Program::block_start(uint32_t pc) const {
  if (!is_instruction_start(pc)) return std::nullopt;
  while (!is_jump_target(pc)) {
    const std::optional<uint32_t> previous = previous_instruction(pc);
    if (!previous || opcode_at(*previous) == Opcode::kInvalid) return std::nullopt;
    pc = *previous;
  }
  return pc;
}

std::optional<uint32_t> Program::dynamic_jump_target(uint32_t address) const {
  if (address == 0 || (address & 1) != 0) return std::nullopt;
  const uint32_t index = address / 2 - 1;
  if (index >= parts_.jump_table.size() || !is_jump_target(parts_.jump_table[index])) return std::nullopt;
  return parts_.jump_table[index];
}

Status Program::validate_code() const {
  if (instruction_set() != InstructionSet::kJamV1) return {};
  for (uint32_t pc = 0; pc < code_bytes_;) {
    const Opcode opcode = opcode_at(pc);
    if (opcode == Opcode::kInvalid) return bad("an invalid instruction in a jam_v1 program", pc);
    const uint32_t next = pc + 1 + skip_at(pc);
    if (info_of(opcode).flow != Flow::NoFallthrough && !is_instruction_start(next)) {
      return bad("jam_v1 code that runs into a place without an instruction", next);
    }
    // Behind a terminator that never falls through, a gap is skipped: nothing there can be reached.
    pc = next;
    while (pc < code_bytes_ && !is_instruction_start(pc)) ++pc;
  }
  return {};
}

}  // namespace sandglass
