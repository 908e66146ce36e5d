#include "workloads/linker/elf_file.h"

#include <optional>

namespace sandglass::linker {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr size_t kHeaderBytes = 64;
constexpr size_t kSectionHeaderBytes = 64;
constexpr size_t kSymbolBytes = 24;
constexpr size_t kRelocationBytes = 24;

Error bad(const char* what, uint64_t where = Error::kNowhere, std::string_view detail = {}) {
  return Error::make(ErrorKind::kBadProgram, what, where, detail);
}

// The caller has checked that the bytes are there.
template <typename Integer>
Integer get(Bytes bytes, size_t offset) {
  Integer value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

bool fits(Bytes bytes, uint64_t offset, uint64_t size) {
  return offset <= bytes.size() && size <= bytes.size() - offset;
}

// The string that begins at `offset` of a string table and ends with a zero byte.
std::optional<std::string_view> string_at(Bytes table, uint64_t offset) {
  if (offset >= table.size()) return std::nullopt;
  const auto* begin = reinterpret_cast<const char*>(table.data()) + offset;
  const void* end = std::memchr(begin, 0, table.size() - offset);
  if (end == nullptr) return std::nullopt;
  return std::string_view(begin, static_cast<size_t>(static_cast<const char*>(end) - begin));
}

Status check_ident(Bytes bytes) {
  constexpr uint8_t kMagic[] = {0x7f, 'E', 'L', 'F'};
  if (bytes.size() < kHeaderBytes || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0) {
    return bad("this is no ELF file", 0);
  }
  if (bytes[4] != 2)
    return bad("this ELF file is not of 64 bits: compile with --target=riscv64-unknown-none-elf", 4);
  if (bytes[5] != 1) return bad("this ELF file is not little-endian", 5);
  return {};
}

}  // namespace

Result<ElfFile> ElfFile::read(Bytes bytes) {
  SG_TRY(check_ident(bytes));
  ElfFile file;
  file.file_ = bytes;
  file.type_ = get<uint16_t>(bytes, 16);
  file.machine_ = get<uint16_t>(bytes, 18);
  file.flags_ = get<uint32_t>(bytes, 48);
  SG_TRY(file.read_sections(bytes));
  SG_TRY(file.read_symbols());
  return file;
}

Status ElfFile::read_sections(Bytes bytes) {
  const auto table = get<uint64_t>(bytes, 40);
  const auto entry_bytes = get<uint16_t>(bytes, 58);
  const auto count = get<uint16_t>(bytes, 60);
  const auto names_index = get<uint16_t>(bytes, 62);
  if (count == 0) return bad("the ELF file has no section headers: it must not be stripped", 60);
  if (entry_bytes != kSectionHeaderBytes) return bad("section headers must have 64 bytes", 58);
  if (!fits(bytes, table, uint64_t{count} * kSectionHeaderBytes)) {
    return bad("the section headers lie outside of the file", 40);
  }
  if (names_index >= count) return bad("the section of section names does not exist", 62);
  std::vector<uint32_t> name_offsets;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t at = table + i * kSectionHeaderBytes;
    ElfSection section{.type = get<uint32_t>(bytes, at + 4),
                       .flags = get<uint64_t>(bytes, at + 8),
                       .address = get<uint64_t>(bytes, at + 16),
                       .size_bytes = get<uint64_t>(bytes, at + 32),
                       .link = get<uint32_t>(bytes, at + 40),
                       .info = get<uint32_t>(bytes, at + 44)};
    const auto offset = get<uint64_t>(bytes, at + 24);
    if (section.type != kElfNoBits && i != 0) {
      if (!fits(bytes, offset, section.size_bytes)) return bad("a section lies outside of the file", at);
      section.bytes = bytes.subspan(offset, section.size_bytes);
    }
    name_offsets.push_back(get<uint32_t>(bytes, at));
    sections_.push_back(section);
  }
  for (size_t i = 0; i < count; ++i) {
    const auto name = string_at(sections_[names_index].bytes, name_offsets[i]);
    if (!name) return bad("a section's name lies outside of the names", table + i * kSectionHeaderBytes);
    sections_[i].name = *name;
  }
  return {};
}

Status ElfFile::read_symbols() {
  const ElfSection* table = nullptr;
  for (const ElfSection& section : sections_) {
    if (section.type != kElfSymbolTable) continue;
    if (table != nullptr) return bad("the ELF file has two symbol tables");
    table = &section;
  }
  if (table == nullptr) return bad("the ELF file has no symbol table: it must not be stripped");
  if (table->bytes.size() % kSymbolBytes != 0) return bad("the symbol table has a broken size");
  if (table->link >= sections_.size()) return bad("the symbol table has no names");
  const Bytes names = sections_[table->link].bytes;
  symbols_.reserve(table->bytes.size() / kSymbolBytes);
  for (size_t at = 0; at < table->bytes.size(); at += kSymbolBytes) {
    const auto name = string_at(names, get<uint32_t>(table->bytes, at));
    if (!name) {
      return bad("a symbol's name lies outside of the names",
                 static_cast<uint64_t>(table->bytes.data() - file_.data()) + at);
    }
    symbols_.push_back({.name = *name,
                        .value = get<uint64_t>(table->bytes, at + 8),
                        .size_bytes = get<uint64_t>(table->bytes, at + 16),
                        .section = get<uint16_t>(table->bytes, at + 6),
                        .type = static_cast<uint8_t>(table->bytes[at + 4] & 15)});
  }
  if (symbols_.empty()) symbols_.emplace_back();
  return {};
}

Result<std::vector<ElfRelocation>> ElfFile::relocations(const ElfSection& section) const {
  if (section.bytes.size() % kRelocationBytes != 0) {
    return bad("a relocation section has a broken size", Error::kNowhere, section.name);
  }
  std::vector<ElfRelocation> relocations;
  relocations.reserve(section.bytes.size() / kRelocationBytes);
  for (size_t at = 0; at < section.bytes.size(); at += kRelocationBytes) {
    const auto info = get<uint64_t>(section.bytes, at + 8);
    const auto symbol = static_cast<uint32_t>(info >> 32);
    if (symbol >= symbols_.size()) {
      return bad("a relocation names a symbol that does not exist",
                 static_cast<uint64_t>(section.bytes.data() - file_.data()) + at, section.name);
    }
    relocations.push_back({.address = get<uint64_t>(section.bytes, at),
                           .addend = get<int64_t>(section.bytes, at + 16),
                           .type = static_cast<uint32_t>(info),
                           .symbol = symbol});
  }
  return relocations;
}

}  // namespace sandglass::linker
