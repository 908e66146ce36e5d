// Reads what blob_format.h draws. The input is hostile: every read goes through Cursor, which knows where its
// stretch of the blob ends, and nothing is allocated for a count before the bytes behind it are seen.
#include <algorithm>
#include <string>

#include "sandbox/program/blob_format.h"
#include "sandbox/program/program.h"

namespace sandglass {
namespace {

using namespace blob_format;
using Bytes = std::span<const uint8_t>;

Error bad(const char* what, uint64_t where, std::string_view detail = {}) {
  return Error::make(ErrorKind::kBadProgram, what, where, detail);
}

uint64_t little_endian(Bytes bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{bytes[i]} << (8 * i);
  return value;
}

// Reads one stretch of the blob from front to back. A failing read names the offset of what does not fit.
class Cursor {
 public:
  explicit Cursor(Bytes blob) : Cursor(blob, 0) {}

  size_t offset() const { return begin_ + used_; }
  size_t remaining() const { return bytes_.size() - used_; }

  Result<Bytes> take(size_t size_bytes, const char* what) {
    if (size_bytes > remaining()) return bad(what, offset());
    used_ += size_bytes;
    return bytes_.subspan(used_ - size_bytes, size_bytes);
  }
  Bytes take_rest() { return take(remaining(), "").value(); }

  Result<uint8_t> byte(const char* what) { return SG_TRY(take(1, what))[0]; }

  Result<uint32_t> varint(const char* what) {
    const std::optional<Varint> varint = read_varint(bytes_.subspan(used_));
    if (!varint) return bad(what, offset());
    used_ += varint->size_bytes;
    return varint->value;
  }

  // The next `size_bytes` as a stretch of their own.
  Result<Cursor> stretch(size_t size_bytes, const char* what) {
    const size_t begin = offset();
    return Cursor(SG_TRY(take(size_bytes, what)), begin);
  }

  Status expect_end(const char* what) const {
    if (remaining() != 0) return bad(what, offset());
    return {};
  }

 private:
  Cursor(Bytes bytes, size_t begin) : bytes_(bytes), begin_(begin) {}

  Bytes bytes_;
  size_t begin_ = 0;  // offset of bytes_ in the blob
  size_t used_ = 0;
};

Status check_size(Bytes blob) {
  if (blob.size() > kMaxBlobBytes) return bad("the blob is longer than 1 GiB", kMaxBlobBytes);
  return {};
}

Status read_header(Cursor& in, size_t blob_bytes, ProgramParts& parts) {
  const Bytes magic = SG_TRY(in.take(kMagic.size(), "the blob is too short for a header"));
  const auto wrong = std::mismatch(magic.begin(), magic.end(), kMagic.begin()).first;
  if (wrong != magic.end()) {
    return bad("the blob does not start with 'PVM\\0'", static_cast<uint64_t>(wrong - magic.begin()));
  }
  const uint8_t version = SG_TRY(in.byte("the blob is too short for a header"));
  if (version >= kInstructionSetCount) {
    return bad("the blob's version is unknown", kVersionOffset, std::to_string(version));
  }
  parts.instruction_set = static_cast<InstructionSet>(version);
  const Bytes stated = SG_TRY(in.take(sizeof(uint64_t), "the blob is too short for a header"));
  if (little_endian(stated) != blob_bytes) {
    return bad("the blob does not have the length it states", kBlobBytesOffset);
  }
  return {};
}

Status read_memory_config(Cursor& in, ProgramParts& parts) {
  constexpr const char* kWhat = "the memory configuration has a malformed size";
  parts.ro_data_bytes = SG_TRY(in.varint(kWhat));
  parts.rw_data_bytes = SG_TRY(in.varint(kWhat));
  parts.stack_bytes = SG_TRY(in.varint(kWhat));
  return in.expect_end("the memory configuration is longer than its three sizes");
}

Status read_data(Cursor& in, size_t region_bytes, std::vector<uint8_t>& data, const char* what) {
  if (in.remaining() > region_bytes) return bad(what, in.offset() + region_bytes);
  const Bytes bytes = in.take_rest();
  data.assign(bytes.begin(), bytes.end());
  return {};
}

Status read_ro_data(Cursor& in, ProgramParts& parts) {
  return read_data(in, parts.ro_data_bytes, parts.ro_data, "the read-only data is longer than its region");
}

Status read_rw_data(Cursor& in, ProgramParts& parts) {
  return read_data(in, parts.rw_data_bytes, parts.rw_data, "the read-write data is longer than its region");
}

Status read_imports(Cursor& in, ProgramParts& parts) {
  const size_t count_offset = in.offset();
  const uint32_t count = SG_TRY(in.varint("the number of imports is malformed"));
  if (count > kMaxImports) return bad("the program has more than 1024 imports", count_offset);
  const size_t table_offset = in.offset();
  const Bytes table = SG_TRY(in.take(4 * count, "the imports section is too short for its table"));
  const Bytes symbols = in.take_rest();
  parts.imports.resize(count);
  size_t named_up_to = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t begin = little_endian(table.subspan(4 * i, 4));
    const uint64_t end = i + 1 < count ? little_endian(table.subspan(4 * i + 4, 4)) : symbols.size();
    if (begin > end || end > symbols.size()) continue;
    if (begin < named_up_to) return bad("two imports share bytes of their names", table_offset + 4 * i);
    parts.imports[i].emplace(symbols.begin() + begin, symbols.begin() + end);
    named_up_to = end;
  }
  return {};
}

Status read_exports(Cursor& in, ProgramParts& parts) {
  const size_t count_offset = in.offset();
  const uint32_t count = SG_TRY(in.varint("the number of exports is malformed"));
  if (count > kMaxExports) return bad("the program has more than 1 Mi exports", count_offset);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t pc = SG_TRY(in.varint("the code offset of an export is malformed"));
    const uint32_t name_bytes = SG_TRY(in.varint("the name length of an export is malformed"));
    const Bytes name = SG_TRY(in.take(name_bytes, "the name of an export is cut off"));
    parts.exports.push_back({.pc = pc, .name = std::string(name.begin(), name.end())});
  }
  return in.expect_end("the exports section is longer than its exports");
}

std::vector<uint32_t> decode_jump_table(Bytes table, size_t entry_bytes) {
  if (entry_bytes == 0) return {};
  std::vector<uint32_t> entries(table.size() / entry_bytes);
  for (size_t i = 0; i < entries.size(); ++i) {
    entries[i] = static_cast<uint32_t>(little_endian(table.subspan(i * entry_bytes, entry_bytes)));
  }
  return entries;
}

// The bitmask is what is left: one bit per code byte, and nothing else.
Status read_bitmask(Cursor& in, ProgramParts& parts) {
  const Bytes bitmask =
      SG_TRY(in.take((parts.code.size() + 7) / 8, "the bitmask is too short for one bit per code byte"));
  SG_TRY(in.expect_end("the bitmask is longer than one bit per code byte"));
  const size_t used_bits = parts.code.size() % 8;
  if (used_bits != 0 && bitmask.back() >> used_bits != 0) {
    return bad("the unused bits at the end of the bitmask must be 0", in.offset() - 1);
  }
  parts.bitmask.assign(bitmask.begin(), bitmask.end());
  return {};
}

Status read_code(Cursor& in, ProgramParts& parts) {
  const size_t count_offset = in.offset();
  const uint32_t count = SG_TRY(in.varint("the number of jump table entries is malformed"));
  if (count > kMaxJumpTableEntries) return bad("the jump table has more than 16 Mi entries", count_offset);
  const size_t entry_bytes_offset = in.offset();
  const uint8_t entry_bytes = SG_TRY(in.byte("the size of a jump table entry is missing"));
  if (entry_bytes > kMaxJumpTableEntryBytes) {
    return bad("a jump table entry is longer than 4 bytes", entry_bytes_offset);
  }
  const size_t code_bytes_offset = in.offset();
  const uint32_t code_bytes = SG_TRY(in.varint("the length of the code is malformed"));
  if (code_bytes == 0) return bad("the program has no code", code_bytes_offset);
  if (code_bytes > kMaxCodeBytes) return bad("the code is longer than 32 MiB", code_bytes_offset);

  const Bytes table = SG_TRY(in.take(size_t{count} * entry_bytes, "the jump table is cut off"));
  const Bytes code = SG_TRY(in.take(code_bytes, "the code is cut off"));
  parts.jump_table = decode_jump_table(table, entry_bytes);
  parts.code.assign(code.begin(), code.end());
  return read_bitmask(in, parts);
}

struct SectionRule {
  SectionId id;
  Status (*read)(Cursor& payload, ProgramParts& parts);
};

// In the order of the file; a region's size comes before its data.
constexpr SectionRule kSections[] = {
    {kMemoryConfig, read_memory_config},
    {kRoData, read_ro_data},
    {kRwData, read_rw_data},
    {kImports, read_imports},
    {kExports, read_exports},
    {kCode, read_code},
};

Status read_optional(uint8_t id, size_t where, Cursor& payload, ProgramParts& parts) {
  if (parts.debug_sections.size() == kMaxOptionalSections) {
    return bad("the program has more than 1024 optional sections", where);
  }
  const Bytes bytes = payload.take_rest();
  parts.debug_sections.push_back({.id = id, .payload = {bytes.begin(), bytes.end()}});
  return {};
}

Status read_section(uint8_t id, size_t where, Cursor& payload, ProgramParts& parts) {
  for (const SectionRule& rule : kSections) {
    if (rule.id == id) return rule.read(payload, parts);
  }
  return read_optional(id, where, payload, parts);
}

// Known ids rise; behind the first optional one there are only optional ones.
bool may_follow(uint8_t id, uint8_t previous) { return is_optional(id) || (id > previous && id <= kCode); }

Status read_sections(Cursor& in, ProgramParts& parts) {
  for (uint8_t previous = kEnd;;) {
    const size_t where = in.offset();
    const uint8_t id = SG_TRY(in.byte("the blob ends without an end marker"));
    if (id == kEnd) return parts.code.empty() ? bad("the program has no code", where) : Status();
    if (!may_follow(id, previous)) return bad("this section may not be here", where, std::to_string(id));
    const uint32_t payload_bytes = SG_TRY(in.varint("the length of a section is malformed"));
    Cursor payload = SG_TRY(in.stretch(payload_bytes, "a section is cut off"));
    SG_TRY(read_section(id, where, payload, parts));
    previous = id;
  }
}

}  // namespace

Result<std::shared_ptr<const Program>> Program::parse(std::span<const uint8_t> blob) {
  SG_TRY(check_size(blob));
  Cursor in(blob);
  ProgramParts parts;
  SG_TRY(read_header(in, blob.size(), parts));
  SG_TRY(read_sections(in, parts));
  return from_parts(std::move(parts));
}

Result<std::shared_ptr<const Program>> Program::parse_bare_code(std::span<const uint8_t> blob,
                                                                InstructionSet set) {
  SG_TRY(check_size(blob));
  Cursor in(blob);
  ProgramParts parts{.instruction_set = set};
  SG_TRY(read_code(in, parts));
  return from_parts(std::move(parts));
}

}  // namespace sandglass
