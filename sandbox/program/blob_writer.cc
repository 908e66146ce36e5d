// Writes what blob_format.h draws, always in the same and shortest way, so that equal programs give equal
// bytes.
#include <algorithm>

#include "sandbox/program/blob_format.h"
#include "sandbox/program/program.h"

namespace sandglass {
namespace {

using namespace blob_format;
using Buffer = std::vector<uint8_t>;

void append_uint(Buffer& out, uint64_t value, size_t size_bytes) {
  for (size_t i = 0; i < size_bytes; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

template <typename Bytes>
void append(Buffer& out, const Bytes& bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// The program's own size limit keeps every length below 2^32.
void append_varint(Buffer& out, size_t value) { write_varint(out, static_cast<uint32_t>(value)); }

void append_section(Buffer& out, uint8_t id, const Buffer& payload) {
  out.push_back(id);
  append_varint(out, payload.size());
  append(out, payload);
}

void append_section_unless_empty(Buffer& out, uint8_t id, const Buffer& payload) {
  if (!payload.empty()) append_section(out, id, payload);
}

Buffer memory_config(const ProgramParts& parts) {
  if ((parts.ro_data_bytes | parts.rw_data_bytes | parts.stack_bytes) == 0) return {};
  Buffer out;
  write_varint(out, parts.ro_data_bytes);
  write_varint(out, parts.rw_data_bytes);
  write_varint(out, parts.stack_bytes);
  return out;
}

// A named import begins where the one before it ends. So an unnamed one right behind it has to begin there as
// well, and is unnamed because the next begins out of bounds; the other unnamed ones begin there.
Buffer imports(const ProgramParts& parts) {
  if (parts.imports.empty()) return {};
  Buffer out, symbols;
  append_varint(out, parts.imports.size());
  bool begin_is_taken = false;
  for (const std::optional<std::string>& name : parts.imports) {
    append_uint(out, name || begin_is_taken ? symbols.size() : UINT32_MAX, 4);
    if (name) append(symbols, *name);
    begin_is_taken = name.has_value();
  }
  append(out, symbols);
  return out;
}

Buffer exports(const ProgramParts& parts) {
  if (parts.exports.empty()) return {};
  Buffer out;
  append_varint(out, parts.exports.size());
  for (const Export& entry : parts.exports) {
    write_varint(out, entry.pc);
    append_varint(out, entry.name.size());
    append(out, entry.name);
  }
  return out;
}

// Counts up to the most significant non-zero byte of the largest entry. A table needs at least one byte per
// entry even if all are 0: a table of zero-sized entries reads as empty.
size_t jump_table_entry_bytes(const std::vector<uint32_t>& table) {
  if (table.empty()) return 0;
  const uint32_t largest = *std::max_element(table.begin(), table.end());
  return std::max<size_t>(1, (static_cast<size_t>(std::bit_width(largest)) + 7) / 8);
}

Buffer code(const ProgramParts& parts) {
  Buffer out;
  const size_t entry_bytes = jump_table_entry_bytes(parts.jump_table);
  append_varint(out, parts.jump_table.size());
  out.push_back(static_cast<uint8_t>(entry_bytes));
  append_varint(out, parts.code.size());
  for (uint32_t entry : parts.jump_table) append_uint(out, entry, entry_bytes);
  append(out, parts.code);
  append(out, parts.bitmask);
  return out;
}

}  // namespace

std::vector<uint8_t> serialize(const Program& program) {
  const ProgramParts& parts = program.parts();
  Buffer out(kMagic.begin(), kMagic.end());
  out.push_back(static_cast<uint8_t>(parts.instruction_set));
  append_uint(out, 0, sizeof(uint64_t));  // blob_bytes, known at the end
  append_section_unless_empty(out, kMemoryConfig, memory_config(parts));
  append_section_unless_empty(out, kRoData, parts.ro_data);
  append_section_unless_empty(out, kRwData, parts.rw_data);
  append_section_unless_empty(out, kImports, imports(parts));
  append_section_unless_empty(out, kExports, exports(parts));
  append_section(out, kCode, code(parts));
  for (const DebugSection& section : parts.debug_sections) append_section(out, section.id, section.payload);
  out.push_back(kEnd);
  for (size_t i = 0; i < sizeof(uint64_t); ++i) {
    out[kBlobBytesOffset + i] = static_cast<uint8_t>(uint64_t{out.size()} >> (8 * i));
  }
  return out;
}

std::vector<uint8_t> serialize_bare_code(const Program& program) { return code(program.parts()); }

}  // namespace sandglass
