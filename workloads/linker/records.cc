#include "workloads/linker/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "sandbox/base/units.h"

namespace sandglass::linker {
namespace {

constexpr std::string_view kExports = ".sandglass.exports";
constexpr std::string_view kStack = ".sandglass.stack";
constexpr uint8_t kVersion = 1;
constexpr size_t kNameHeaderBytes = 4;

template <typename Integer>
Integer get(std::span<const uint8_t> bytes, size_t offset) {
  Integer value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// version, zero, length, name
std::optional<std::string_view> name_at(std::span<const uint8_t> bytes) {
  if (bytes.size() < kNameHeaderBytes || bytes[0] != kVersion || bytes[1] != 0) return std::nullopt;
  const auto size = get<uint16_t>(bytes, 2);
  if (size == 0 || size > bytes.size() - kNameHeaderBytes) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(bytes.data()) + kNameHeaderBytes, size);
}

const Relocation* function_at(const Relocations& relocations, uint64_t address) {
  const auto& all = relocations.in_records();
  const auto at = std::lower_bound(all.begin(), all.end(), address,
                                   [](const Relocation& r, uint64_t a) { return r.address < a; });
  return at != all.end() && at->address == address && at->type == kReloc64 ? &*at : nullptr;
}

}  // namespace

std::vector<ExportRecord> read_exports(const Layout& layout, const Relocations& relocations,
                                       Problems& problems) {
  std::vector<ExportRecord> exports;
  std::unordered_set<std::string_view> names;
  for (const ElfSection& section : layout.file().sections()) {
    if (section.name != kExports) continue;
    for (size_t at = 0; at < section.bytes.size() && !problems.full();) {
      const auto where = [&] { return fmt::format("{}+{:#x}", section.name, at); };
      const Relocation* function = function_at(relocations, section.address + at);
      const auto name = section.bytes.size() - at > 8 ? name_at(section.bytes.subspan(at + 8)) : std::nullopt;
      if (function == nullptr || !name) {
        problems.add(where() + ": a damaged export: use SANDGLASS_EXPORT (sandglass/guest.h)");
        return exports;
      }
      if (layout.code_at(function->target) == nullptr || function->target % 2 != 0) {
        problems.add(fmt::format("{}: export '{}' is no function ({})", where(), *name,
                                 Relocations::describe(layout, *function)));
      } else if (!names.insert(*name).second) {
        problems.add(fmt::format("{}: '{}' is exported twice", where(), *name));
      } else {
        exports.push_back({static_cast<uint32_t>(function->target), *name});
      }
      at += round_up(8 + kNameHeaderBytes + name->size() + 1, 8);
    }
  }
  if (exports.empty() && problems.empty()) {
    problems.add("the program exports nothing: use SANDGLASS_EXPORT (sandglass/guest.h)");
  }
  return exports;
}

std::optional<std::string_view> import_name(const Layout& layout, uint64_t address) {
  return name_at(layout.record_at(address));
}

uint32_t largest_stack_bytes(const Layout& layout, Problems& problems) {
  uint32_t largest = 0;
  for (const ElfSection& section : layout.file().sections()) {
    if (section.name != kStack) continue;
    if (section.bytes.size() % sizeof(uint32_t) != 0) {
      problems.add(
          fmt::format("section {} has a broken size: use SANDGLASS_STACK_BYTES (sandglass/guest.h)", kStack));
      return 0;
    }
    for (size_t at = 0; at < section.bytes.size(); at += sizeof(uint32_t)) {
      largest = std::max(largest, get<uint32_t>(section.bytes, at));
    }
  }
  return largest;
}

}  // namespace sandglass::linker
