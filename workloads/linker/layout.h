// Layout: which section of the ELF file is what, and where the guest finds it.
//
// guest.ld puts data where the blob's memory map has it (sandbox/program/memory_map.h), so its addresses are
// final; code and records lie where no data can be:
//
//   0x1_0000           read-only data
//   next 64 KiB, +64K  read-write data, zeroed data
//   0x7000_0000        code: its addresses mean nothing to a guest, and every use of one is rewritten
//   0x7f00_0000        records of guest.h: exports, imports, stack sizes; not loaded
//
// The sections' names do not matter except for the records (".sandglass."). What is read-only follows from
// the addresses: the first gap as wide as the guard separates it from read-write data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/linker/elf_file.h"
#include "workloads/linker/problems.h"

namespace sandglass::linker {

enum class Place : uint8_t { kReadOnly, kReadWrite, kCode, kRecords, kNotLoaded };
std::string_view name_of(Place place);

struct CodeSection {
  std::string_view name;
  uint32_t begin = 0;
  std::span<const uint8_t> bytes;
  uint32_t end() const { return begin + static_cast<uint32_t>(bytes.size()); }
  bool contains(uint64_t address) const { return address >= begin && address < end(); }
};

struct DataRegion {
  uint32_t begin = 0;
  uint32_t size_bytes = 0;
  std::vector<uint8_t> bytes;  // what the file has of it; the rest is zero
};

struct NamedFunction {
  uint32_t begin = 0;
  uint32_t size_bytes = 0;
  std::string_view name;
};

class Layout {
 public:
  // `file` must outlive the layout.
  static Layout create(const ElfFile& file, Problems& problems);

  const ElfFile& file() const { return *file_; }
  Place place_of(size_t section) const { return places_[section]; }
  const std::vector<CodeSection>& code() const { return code_; }  // ascending, without overlaps
  const CodeSection* code_at(uint64_t address) const;
  DataRegion& read_only() { return read_only_; }
  DataRegion& read_write() { return read_write_; }
  const DataRegion& read_only() const { return read_only_; }
  const DataRegion& read_write() const { return read_write_; }
  // The bytes from `address` to the end of the record section it lies in; empty when it lies in none.
  std::span<const uint8_t> record_at(uint64_t address) const;
  // Functions of the symbol table, ascending by address, one per address.
  const std::vector<NamedFunction>& functions() const { return functions_; }

  // ".text+0x1c in 'main'", for messages.
  std::string describe(uint64_t address) const;

 private:
  explicit Layout(const ElfFile& file) : file_(&file) {}
  void check_target(Problems& problems) const;
  void classify(Problems& problems);
  void place_data(std::vector<size_t> data, Problems& problems);
  void fill(DataRegion& region, Place place, Problems& problems) const;
  void collect_functions();

  const ElfFile* file_;
  std::vector<Place> places_;  // parallel to the sections
  std::vector<CodeSection> code_;
  DataRegion read_only_, read_write_;
  std::vector<NamedFunction> functions_;
};

}  // namespace sandglass::linker
