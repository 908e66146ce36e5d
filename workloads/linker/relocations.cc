#include "workloads/linker/relocations.h"

#include <fmt/format.h>

#include <algorithm>

namespace sandglass::linker {
namespace {

// By number, from the RISC-V ELF psABI.
constexpr std::string_view kNames[] = {"NONE",
                                       "32",
                                       "64",
                                       "RELATIVE",
                                       "COPY",
                                       "JUMP_SLOT",
                                       "TLS_DTPMOD32",
                                       "TLS_DTPMOD64",
                                       "TLS_DTPREL32",
                                       "TLS_DTPREL64",
                                       "TLS_TPREL32",
                                       "TLS_TPREL64",
                                       "TLSDESC",
                                       "13",
                                       "14",
                                       "15",
                                       "BRANCH",
                                       "JAL",
                                       "CALL",
                                       "CALL_PLT",
                                       "GOT_HI20",
                                       "TLS_GOT_HI20",
                                       "TLS_GD_HI20",
                                       "PCREL_HI20",
                                       "PCREL_LO12_I",
                                       "PCREL_LO12_S",
                                       "HI20",
                                       "LO12_I",
                                       "LO12_S",
                                       "TPREL_HI20",
                                       "TPREL_LO12_I",
                                       "TPREL_LO12_S",
                                       "TPREL_ADD",
                                       "ADD8",
                                       "ADD16",
                                       "ADD32",
                                       "ADD64",
                                       "SUB8",
                                       "SUB16",
                                       "SUB32",
                                       "SUB64",
                                       "GOT32_PCREL",
                                       "42",
                                       "ALIGN",
                                       "RVC_BRANCH",
                                       "RVC_JUMP",
                                       "RVC_LUI",
                                       "GPREL_I",
                                       "GPREL_S",
                                       "TPREL_I",
                                       "TPREL_S",
                                       "RELAX",
                                       "SUB6",
                                       "SET6",
                                       "SET8",
                                       "SET16",
                                       "SET32",
                                       "32_PCREL",
                                       "IRELATIVE",
                                       "PLT32",
                                       "SET_ULEB128",
                                       "SUB_ULEB128",
                                       "TLSDESC_HI20",
                                       "TLSDESC_LOAD_LO12",
                                       "TLSDESC_ADD_LO12",
                                       "TLSDESC_CALL"};

bool says_nothing(uint32_t type) { return type == 0 || type == kRelocRelax || type == kRelocAlign; }

constexpr auto kByAddress = [](const Relocation& a, const Relocation& b) { return a.address < b.address; };

}  // namespace

std::string_view relocation_name(uint32_t type) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const std::string_view name : kNames) all.push_back(fmt::format("R_RISCV_{}", name));
    return all;
  }();
  return type < names.size() ? std::string_view(names[type]) : "a relocation of unknown type";
}

bool is_thread_local_relocation(uint32_t type) {
  return type < std::size(kNames) && (kNames[type].starts_with("TLS") || kNames[type].starts_with("TPREL"));
}

Relocations Relocations::collect(const Layout& layout, Problems& problems) {
  Relocations all;
  bool has_any = false;
  const std::vector<ElfSection>& sections = layout.file().sections();
  for (const ElfSection& section : sections) {
    if ((section.type != kElfRela && section.type != kElfRel) || section.info >= sections.size()) continue;
    const Place place = layout.place_of(section.info);
    if (place == Place::kNotLoaded) continue;
    if (section.type == kElfRel) {
      problems.add(
          fmt::format("section {} has relocations without addends: link with ld.lld-19", section.name));
      continue;
    }
    const auto relocations = layout.file().relocations(section);
    if (!relocations) {
      problems.add(to_string(relocations.error()));
      continue;
    }
    has_any = true;
    std::vector<Relocation>& list = place == Place::kCode      ? all.code_
                                    : place == Place::kRecords ? all.records_
                                                               : all.data_;
    const ElfSection& patched = sections[section.info];
    for (const ElfRelocation& entry : *relocations) {
      if (says_nothing(entry.type)) continue;
      if (entry.address < patched.address || entry.address - patched.address >= patched.size_bytes) {
        problems.add(fmt::format("section {} has a relocation for {:#x}, outside of {}", section.name,
                                 entry.address, patched.name));
        break;
      }
      const ElfSymbol& symbol = layout.file().symbols()[entry.symbol];
      list.push_back({.address = static_cast<uint32_t>(entry.address),
                      .type = entry.type,
                      .symbol = entry.symbol,
                      .target = symbol.value + static_cast<uint64_t>(entry.addend)});
    }
  }
  if (!has_any) problems.add("the ELF file has no relocations: link with ld.lld-19 --emit-relocs");
  for (auto* list : {&all.code_, &all.data_, &all.records_})
    std::stable_sort(list->begin(), list->end(), kByAddress);
  return all;
}

const Relocation* Relocations::in_code(uint32_t address) const {
  const auto at = std::lower_bound(code_.begin(), code_.end(), Relocation{.address = address}, kByAddress);
  return at != code_.end() && at->address == address ? &*at : nullptr;
}

std::string Relocations::describe(const Layout& layout, const Relocation& relocation) {
  const ElfSymbol& symbol = layout.file().symbols()[relocation.symbol];
  std::string_view name = symbol.name;
  if (name.empty() && symbol.section < layout.file().sections().size())
    name = layout.file().sections()[symbol.section].name;
  std::string text = fmt::format("{} against '{}'", relocation_name(relocation.type), name);
  if (relocation.target != symbol.value) text += fmt::format("+{:#x}", relocation.target - symbol.value);
  return text;
}

}  // namespace sandglass::linker
