#include "tests/linker/elf_image.h"

namespace sandglass::linker {
namespace {

using Bytes = std::vector<uint8_t>;

void put(Bytes& out, uint64_t value, size_t size) {
  for (size_t i = 0; i < size; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

uint32_t put_name(Bytes& names, const std::string& name) {
  const auto at = static_cast<uint32_t>(names.size());
  names.insert(names.end(), name.begin(), name.end());
  names.push_back(0);
  return at;
}

}  // namespace

std::vector<uint8_t> relocation_bytes(const std::vector<ImageRelocation>& relocations) {
  Bytes out;
  for (const ImageRelocation& r : relocations) {
    put(out, r.address, 8);
    put(out, uint64_t{r.symbol} << 32 | r.type, 8);
    put(out, static_cast<uint64_t>(r.addend), 8);
  }
  return out;
}

std::vector<uint8_t> ElfImage::bytes() const {
  std::vector<ImageSection> all = sections;
  Bytes names = {0}, table(24, 0);
  for (const ImageSymbol& symbol : symbols) {
    put(table, put_name(names, symbol.name), 4);
    put(table, symbol.type, 1);
    put(table, 0, 1);
    put(table, symbol.section, 2);
    put(table, symbol.value, 8);
    put(table, 0, 8);
  }
  all.push_back({.name = ".symtab", .type = 2, .bytes = table, .link = symbol_table_index() + 1});
  all.push_back({.name = ".strtab", .type = 3, .bytes = names});
  all.push_back({.name = ".shstrtab", .type = 3});
  Bytes section_names = {0};
  std::vector<uint32_t> name_offsets;
  for (const ImageSection& section : all) name_offsets.push_back(put_name(section_names, section.name));
  all.back().bytes = section_names;

  Bytes content, headers(64, 0);
  for (size_t i = 0; i < all.size(); ++i) {
    const ImageSection& section = all[i];
    put(headers, name_offsets[i], 4);
    put(headers, section.type, 4);
    put(headers, section.flags, 8);
    put(headers, section.address, 8);
    put(headers, 64 + content.size(), 8);
    put(headers, section.type == 8 ? section.size_bytes : section.bytes.size(), 8);
    put(headers, section.link, 4);
    put(headers, section.info, 4);
    put(headers, 1, 8);
    put(headers, 0, 8);
    content.insert(content.end(), section.bytes.begin(), section.bytes.end());
  }
  Bytes out = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  put(out, type, 2);
  put(out, machine, 2);
  put(out, 1, 4);
  put(out, 0, 8);
  put(out, 0, 8);
  put(out, 64 + content.size(), 8);
  put(out, flags, 4);
  put(out, 64, 2);
  put(out, 0, 2);
  put(out, 0, 2);
  put(out, 64, 2);
  put(out, all.size() + 1, 2);
  put(out, all.size(), 2);
  out.insert(out.end(), content.begin(), content.end());
  out.insert(out.end(), headers.begin(), headers.end());
  return out;
}

ElfImage small_image() {
  constexpr uint64_t kAlloc = 2, kWrite = 1, kExec = 4;
  constexpr uint64_t kCode = 0x70000000, kRecords = 0x7f000000;
  ElfImage image;
  image.symbols = {{.name = "main", .value = kCode, .section = 3, .type = 2}};
  const Bytes record = {0, 0, 0, 0x70, 0, 0, 0, 0, 1, 0, 4, 0, 'm', 'a', 'i', 'n', 0, 0, 0, 0, 0, 0, 0, 0};
  image.sections = {
      {.name = ".rodata", .flags = kAlloc, .address = 0x10000, .bytes = Bytes(16, 0)},
      {.name = ".data", .flags = kAlloc | kWrite, .address = 0x30000, .bytes = Bytes(16, 3)},
      {.name = ".text",
       .flags = kAlloc | kExec,
       .address = kCode,
       .bytes = {0x13, 0x05, 0xa0, 0x02, 0x82, 0x80}},
      {.name = ".sandglass.exports", .flags = kAlloc, .address = kRecords, .bytes = record},
      {.name = ".bss", .type = 8, .flags = kAlloc | kWrite, .address = 0x30010, .size_bytes = 100},
      {.name = ".rela.rodata",
       .type = 4,
       .bytes = relocation_bytes({{0x10000, 2, 1, 0}}),
       .link = 9,
       .info = 1},
      {.name = ".rela.data",
       .type = 4,
       .bytes = relocation_bytes({{0x30008, 2, 1, 0}}),
       .link = 9,
       .info = 2},
      {.name = ".rela.records",
       .type = 4,
       .bytes = relocation_bytes({{kRecords, 2, 1, 0}}),
       .link = 9,
       .info = 4},
  };
  return image;
}

}  // namespace sandglass::linker
