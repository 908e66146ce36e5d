// ElfFile: a 64-bit little-endian ELF file, read with every offset and index checked.
//
// Knows what all ELF files have (sections, symbols, relocations) and nothing about RISC-V. It copies no
// content: the bytes must outlive it. Reading costs O(n) in time and memory.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sandbox/base/result.h"

namespace sandglass::linker {

enum ElfType : uint16_t { kElfRelocatable = 1, kElfExecutable = 2, kElfShared = 3 };
inline constexpr uint16_t kElfMachineRiscv = 243;
enum ElfSectionType : uint32_t {
  kElfSymbolTable = 2,
  kElfStringTable = 3,
  kElfRela = 4,
  kElfNoBits = 8,
  kElfRel = 9
};
enum ElfSectionFlag : uint64_t { kElfWrite = 1, kElfAlloc = 2, kElfExec = 4, kElfTls = 0x400 };
enum ElfSymbolType : uint8_t {
  kElfNoType = 0,
  kElfObject = 1,
  kElfFunction = 2,
  kElfSectionSymbol = 3,
  kElfTlsSymbol = 6
};
inline constexpr uint16_t kElfUndefined = 0;

struct ElfSection {
  std::string_view name;
  uint32_t type = 0;
  uint64_t flags = 0;
  uint64_t address = 0;
  uint64_t size_bytes = 0;         // in memory
  std::span<const uint8_t> bytes;  // in the file: all of them, or none (kElfNoBits)
  uint32_t link = 0;               // meaning depends on the type; checked by those who follow it
  uint32_t info = 0;
  bool has(ElfSectionFlag flag) const { return (flags & flag) != 0; }
};

struct ElfSymbol {
  std::string_view name;
  uint64_t value = 0;
  uint64_t size_bytes = 0;
  uint16_t section = kElfUndefined;
  uint8_t type = kElfNoType;
};

struct ElfRelocation {
  uint64_t address = 0;
  int64_t addend = 0;
  uint32_t type = 0;
  uint32_t symbol = 0;  // index into symbols(), checked
};

class ElfFile {
 public:
  // Fails with kBadProgram; `where` is an offset into the file.
  static Result<ElfFile> read(std::span<const uint8_t> bytes);

  uint16_t type() const { return type_; }
  uint16_t machine() const { return machine_; }
  uint32_t flags() const { return flags_; }
  const std::vector<ElfSection>& sections() const { return sections_; }
  // Those of the (only) symbol table; symbol 0 is the undefined one.
  const std::vector<ElfSymbol>& symbols() const { return symbols_; }
  // The entries of a section of type kElfRela.
  Result<std::vector<ElfRelocation>> relocations(const ElfSection& section) const;

 private:
  ElfFile() = default;
  Status read_sections(std::span<const uint8_t> bytes);
  Status read_symbols();

  uint16_t type_ = 0, machine_ = 0;
  uint32_t flags_ = 0;
  std::span<const uint8_t> file_;
  std::vector<ElfSection> sections_;
  std::vector<ElfSymbol> symbols_;
};

}  // namespace sandglass::linker
