// An ELF executable made by hand: small, right in every field, and open to be made wrong. No tools needed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sandglass::linker {

struct ImageSection {
  std::string name;
  uint32_t type = 1;
  uint64_t flags = 0;
  uint64_t address = 0;
  std::vector<uint8_t> bytes;
  uint32_t link = 0, info = 0;
  uint64_t size_bytes = 0;  // of a section of type 8, which has no bytes
};

struct ImageSymbol {
  std::string name;
  uint64_t value = 0;
  uint16_t section = 1;
  uint8_t type = 0;
};

struct ImageRelocation {
  uint64_t address = 0;
  uint32_t type = 0;
  uint32_t symbol = 0;
  int64_t addend = 0;
};

// The sections follow the null section; behind them come the symbol table, its names and the section names.
struct ElfImage {
  uint16_t type = 2, machine = 243;
  uint32_t flags = 9;  // compressed, rv64e
  std::vector<ImageSection> sections;
  std::vector<ImageSymbol> symbols;

  uint32_t symbol_table_index() const { return static_cast<uint32_t>(sections.size()) + 1; }
  std::vector<uint8_t> bytes() const;
};

std::vector<uint8_t> relocation_bytes(const std::vector<ImageRelocation>& relocations);

// `main: li a0, 42; ret`, exported, with a relocation section for its code, some read-only and read-write
// data with a pointer to main in each.
ElfImage small_image();

}  // namespace sandglass::linker
