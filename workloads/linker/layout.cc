#include "workloads/linker/layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "sandbox/program/memory_map.h"
#include "sandbox/program/program.h"

namespace sandglass::linker {
namespace {

constexpr uint32_t kFlagRve = 8;
constexpr uint32_t kFlagFloatAbi = 6;
constexpr std::string_view kFlags =
    "--target=riscv64-unknown-none-elf -march=rv64emac_zbb_xtheadcondmov -mabi=lp64e";
constexpr std::string_view kScript = "link with ld.lld-19 -T workloads/sdk/guest.ld";

// Between two sections that alignment separates. Wider gaps would let a small file ask for much memory.
constexpr uint64_t kMaxGapBytes = MiB(1);

Place place_of_section(const ElfSection& section) {
  if (section.name.starts_with(".sandglass.")) return Place::kRecords;
  if (!section.has(kElfAlloc) || section.size_bytes == 0) return Place::kNotLoaded;
  return section.has(kElfExec) ? Place::kCode : Place::kReadOnly;
}

}  // namespace

std::string_view name_of(Place place) {
  switch (place) {
    case Place::kReadOnly: return "read-only data";
    case Place::kReadWrite: return "read-write data";
    case Place::kCode: return "code";
    case Place::kRecords: return "records";
    case Place::kNotLoaded: return "not loaded";
  }
  return "unknown";
}

Layout Layout::create(const ElfFile& file, Problems& problems) {
  Layout layout(file);
  layout.check_target(problems);
  if (!problems.empty()) return layout;
  layout.classify(problems);
  layout.collect_functions();
  return layout;
}

void Layout::check_target(Problems& problems) const {
  if (file_->machine() != kElfMachineRiscv) {
    problems.add(fmt::format("the ELF file is for machine {}, not for RISC-V: compile with {}",
                             file_->machine(), kFlags));
  } else if (file_->type() == kElfRelocatable) {
    problems.add(fmt::format("this is an object file: {} --emit-relocs --no-relax first", kScript));
  } else if (file_->type() != kElfExecutable) {
    problems.add(
        fmt::format("the ELF file is no executable (type {}): link without -shared and -pie", file_->type()));
  } else if ((file_->flags() & kFlagRve) == 0 || (file_->flags() & kFlagFloatAbi) != 0) {
    problems.add(
        fmt::format("the ELF file has flags {:#x}, not those of rv64e with the ABI lp64e: compile with {}",
                    file_->flags(), kFlags));
  }
}

void Layout::classify(Problems& problems) {
  std::vector<size_t> data;
  for (size_t i = 0; i < file_->sections().size(); ++i) {
    const ElfSection& section = file_->sections()[i];
    places_.push_back(place_of_section(section));
    if (places_[i] == Place::kNotLoaded) continue;
    if (section.has(kElfTls)) {
      problems.add(
          fmt::format("section {} is thread-local, and guests have no thread pointer: compile with "
                      "-femulated-tls",
                      section.name));
    }
    if (section.address > UINT32_MAX || section.size_bytes > UINT32_MAX - section.address) {
      problems.add(fmt::format("section {} does not end below 4 GiB: {}", section.name, kScript));
      places_[i] = Place::kNotLoaded;
      continue;
    }
    if (places_[i] == Place::kReadOnly) data.push_back(i);
    if (places_[i] == Place::kCode && !section.bytes.empty()) {
      code_.push_back({section.name, static_cast<uint32_t>(section.address), section.bytes});
    }
  }
  std::sort(code_.begin(), code_.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  for (size_t i = 1; i < code_.size(); ++i) {
    if (code_[i].begin < code_[i - 1].end()) {
      problems.add(fmt::format("sections {} and {} overlap: {}", code_[i - 1].name, code_[i].name, kScript));
    }
  }
  if (code_.empty()) problems.add("the ELF file has no code");
  for (const CodeSection& section : code_) {
    if (section.begin % 2 != 0)
      problems.add(fmt::format("section {} begins at an odd address", section.name));
  }
  place_data(std::move(data), problems);
  for (const CodeSection& section : code_) {
    for (const DataRegion* region : {&read_only_, &read_write_}) {
      if (section.begin < region->begin + uint64_t{region->size_bytes} && region->begin < section.end()) {
        problems.add(fmt::format("section {} lies among data: {}", section.name, kScript));
      }
    }
  }
}

void Layout::place_data(std::vector<size_t> data, Problems& problems) {
  const std::vector<ElfSection>& sections = file_->sections();
  std::sort(data.begin(), data.end(),
            [&](size_t a, size_t b) { return sections[a].address < sections[b].address; });
  uint64_t ro_end = kFirstGuestAddress, rw_begin = 0, end = kFirstGuestAddress;
  for (const size_t i : data) {
    const ElfSection& section = sections[i];
    if (section.address < end) {
      problems.add(fmt::format("section {} at {:#x} begins before {:#x}, where data may begin: {}",
                               section.name, section.address, end, kScript));
      return;
    }
    const uint64_t next_region = round_up(end, kRegionGranule) + kRegionGranule;
    if (rw_begin == 0 && section.address >= next_region) {
      ro_end = end;
      rw_begin = next_region;
    }
    if (rw_begin != 0) places_[i] = Place::kReadWrite;
    if (rw_begin == 0 && section.type == kElfNoBits && section.has(kElfWrite)) {
      problems.add(
          fmt::format("section {} is to be written and lies with read-only data: {}", section.name, kScript));
    }
    const bool is_in_place = rw_begin == 0 || section.address - std::max(end, rw_begin) < kMaxGapBytes;
    if (!is_in_place) {
      problems.add(
          fmt::format("section {} at {:#x} lies far from the data before it, which ends at {:#x}: {}",
                      section.name, section.address, end, kScript));
      return;
    }
    end = section.address + section.size_bytes;
  }
  if (rw_begin == 0) ro_end = end;
  read_only_ = {.begin = kFirstGuestAddress,
                .size_bytes = static_cast<uint32_t>(ro_end - kFirstGuestAddress)};
  if (rw_begin != 0) {
    read_write_ = {.begin = static_cast<uint32_t>(rw_begin),
                   .size_bytes = static_cast<uint32_t>(end - rw_begin)};
  }
  fill(read_only_, Place::kReadOnly, problems);
  fill(read_write_, Place::kReadWrite, problems);
}

void Layout::fill(DataRegion& region, Place place, Problems& problems) const {
  // A small file may have large zeroed sections, and content behind them. That is not what linkers write.
  uint64_t content_bytes = 0, given_end = 0;
  for (size_t i = 0; i < places_.size(); ++i) {
    const ElfSection& section = file_->sections()[i];
    if (places_[i] != place || section.bytes.empty()) continue;
    content_bytes += section.bytes.size();
    given_end = std::max(given_end, section.address + section.size_bytes - region.begin);
  }
  if (given_end > content_bytes + kMaxGapBytes) {
    problems.add(fmt::format("more than 1 MiB of zeroes lies before {}: {}", name_of(place), kScript));
    return;
  }
  region.bytes.resize(given_end);
  for (size_t i = 0; i < places_.size(); ++i) {
    const ElfSection& section = file_->sections()[i];
    if (places_[i] != place || section.bytes.empty()) continue;  // zeroes may lie beyond what is given
    std::copy(section.bytes.begin(), section.bytes.end(),
              region.bytes.begin() + static_cast<ptrdiff_t>(section.address - region.begin));
  }
}

const CodeSection* Layout::code_at(uint64_t address) const {
  const auto next =
      std::upper_bound(code_.begin(), code_.end(), address,
                       [](uint64_t a, const CodeSection& section) { return a < section.begin; });
  if (next == code_.begin()) return nullptr;
  const CodeSection& section = *std::prev(next);
  return section.contains(address) ? &section : nullptr;
}

std::span<const uint8_t> Layout::record_at(uint64_t address) const {
  for (size_t i = 0; i < places_.size(); ++i) {
    const ElfSection& section = file_->sections()[i];
    if (places_[i] != Place::kRecords || address < section.address) continue;
    if (address - section.address < section.bytes.size())
      return section.bytes.subspan(address - section.address);
  }
  return {};
}

void Layout::collect_functions() {
  for (const ElfSymbol& symbol : file_->symbols()) {
    if (symbol.type != kElfFunction || symbol.name.empty() || code_at(symbol.value) == nullptr) continue;
    const auto size = static_cast<uint32_t>(std::min<uint64_t>(symbol.size_bytes, UINT32_MAX));
    functions_.push_back({static_cast<uint32_t>(symbol.value), size, symbol.name});
  }
  std::stable_sort(functions_.begin(), functions_.end(),
                   [](const auto& a, const auto& b) { return a.begin < b.begin; });
  const auto twins = std::unique(functions_.begin(), functions_.end(),
                                 [](const auto& a, const auto& b) { return a.begin == b.begin; });
  functions_.erase(twins, functions_.end());
}

std::string Layout::describe(uint64_t address) const {
  for (const ElfSection& section : file_->sections()) {
    if (!section.has(kElfAlloc) || address < section.address ||
        address - section.address >= section.size_bytes)
      continue;
    std::string text = fmt::format("{}+{:#x}", section.name, address - section.address);
    const auto next =
        std::upper_bound(functions_.begin(), functions_.end(), address,
                         [](uint64_t a, const NamedFunction& function) { return a < function.begin; });
    if (next != functions_.begin() && section.has(kElfExec))
      text += fmt::format(" in '{}'", std::prev(next)->name);
    return text;
  }
  return fmt::format("address {:#x}", address);
}

}  // namespace sandglass::linker
