#include "workloads/linker/linker.h"

#include <algorithm>

#include "sandbox/program/function_names.h"
#include "sandbox/program/memory_map.h"
#include "workloads/linker/code_pointers.h"
#include "workloads/linker/emit.h"
#include "workloads/linker/layout.h"
#include "workloads/linker/optimizer.h"
#include "workloads/linker/records.h"
#include "workloads/linker/relocations.h"
#include "workloads/linker/tracer.h"

namespace sandglass::linker {
namespace {

constexpr uint32_t kStackGranule = 4096;

std::vector<LinkedSection> list_sections(const Layout& layout) {
  std::vector<LinkedSection> list;
  const std::vector<ElfSection>& sections = layout.file().sections();
  for (size_t i = 0; i < sections.size(); ++i) {
    const Place place = layout.place_of(i);
    if (place == Place::kNotLoaded) continue;
    list.push_back(
        {std::string(sections[i].name), name_of(place), sections[i].address, sections[i].size_bytes});
  }
  return list;
}

// Functions of which something is left, by address.
std::vector<NamedFunction> functions_in(const Layout& layout, const Code& code) {
  std::vector<NamedFunction> kept;
  const auto& lines = code.lines;
  for (const NamedFunction& function : layout.functions()) {
    const auto line = std::lower_bound(lines.begin(), lines.end(), function.begin,
                                       [](const Line& l, uint32_t address) { return l.address < address; });
    if (line != lines.end() && line->address - function.begin < std::max(function.size_bytes, 1u)) {
      kept.push_back(function);
    }
  }
  return kept;
}

// The rest of a region is zero anyway.
std::vector<uint8_t> without_final_zeroes(std::vector<uint8_t> bytes) {
  while (!bytes.empty() && bytes.back() == 0) bytes.pop_back();
  return bytes;
}

// What one run works on, step by step.
class Link {
 public:
  Link(const ElfFile& file, const LinkOptions& options)
      : options_(options), layout_(Layout::create(file, problems_)) {}

  LinkResult run() {
    LinkResult result;
    if (problems_.empty()) result.sections = list_sections(layout_);
    if (auto parts = make_parts(); parts && problems_.empty()) {
      auto program = Program::from_parts(std::move(*parts));
      if (program) {
        result.program = *program;
      } else {
        problems_.add(to_string(program.error()));
      }
    }
    result.problems = problems_.take();
    return result;
  }

 private:
  std::optional<ProgramParts> make_parts() {
    if (!problems_.empty()) return std::nullopt;
    const Relocations relocations = Relocations::collect(layout_, problems_);
    const std::vector<ExportRecord> exports = read_exports(layout_, relocations, problems_);
    const std::vector<DataPointer> pointers = find_code_pointers(layout_, relocations, problems_);
    const uint32_t stack_bytes = stack_size();
    if (!problems_.empty()) return std::nullopt;

    std::vector<Root> roots;
    for (const ExportRecord& entry : exports)
      roots.push_back({entry.function, "export '" + std::string(entry.name) + "'"});
    add_roots(layout_, pointers, roots);
    Code code = trace(layout_, relocations, roots, problems_);
    if (!problems_.empty()) return std::nullopt;
    std::vector<uint32_t> pointed_by_data, entries;
    for (const DataPointer& pointer : pointers) pointed_by_data.push_back(pointer.target);
    for (const ExportRecord& entry : exports) entries.push_back(entry.function);
    code.pointed.insert(code.pointed.end(), pointed_by_data.begin(), pointed_by_data.end());
    sort_unique(code.pointed);
    if (options_.optimize) optimize(code, entries, pointed_by_data);

    ProgramParts parts;
    if (!add_code(code, exports, parts)) return std::nullopt;
    patch_code_pointers(layout_, pointers, code.pointed);
    add_data(parts, stack_bytes);
    return parts;
  }

  uint32_t stack_size() {
    const uint64_t wanted = std::max(options_.min_stack_bytes, largest_stack_bytes(layout_, problems_));
    return static_cast<uint32_t>(std::min<uint64_t>(round_up(wanted, kStackGranule), UINT32_MAX));
  }

  bool add_code(const Code& code, const std::vector<ExportRecord>& exports, ProgramParts& parts) {
    const std::vector<NamedFunction> functions = functions_in(layout_, code);
    std::vector<uint32_t> places;
    for (const ExportRecord& entry : exports) places.push_back(entry.function);
    for (const NamedFunction& function : functions) places.push_back(function.begin);
    sort_unique(places);
    auto emitted = emit(code, places);
    if (!emitted) {
      problems_.add(to_string(emitted.error()));
      return false;
    }
    const auto offset_of = [&](uint32_t address) {
      return emitted->places[static_cast<size_t>(std::lower_bound(places.begin(), places.end(), address) -
                                                 places.begin())];
    };
    for (const ExportRecord& entry : exports)
      parts.exports.push_back({offset_of(entry.function), std::string(entry.name)});
    for (const std::string_view name : emitted->imports) parts.imports.emplace_back(std::string(name));
    if (!options_.strip) {
      FunctionNames names;
      for (const NamedFunction& function : functions) names.add(offset_of(function.begin), function.name);
      parts.debug_sections.push_back(names.to_section());
    }
    parts.code = std::move(emitted->bytes);
    parts.bitmask = std::move(emitted->bitmask);
    parts.jump_table = std::move(emitted->jump_table);
    return true;
  }

  void add_data(ProgramParts& parts, uint32_t stack_bytes) {
    parts.ro_data_bytes = layout_.read_only().size_bytes;
    parts.rw_data_bytes = layout_.read_write().size_bytes;
    parts.stack_bytes = stack_bytes;
    parts.ro_data = without_final_zeroes(std::move(layout_.read_only().bytes));
    parts.rw_data = without_final_zeroes(std::move(layout_.read_write().bytes));
    const auto map = MemoryMap::create(kMinPageBytes, {.ro_data_bytes = parts.ro_data_bytes,
                                                       .rw_data_bytes = parts.rw_data_bytes,
                                                       .stack_bytes = parts.stack_bytes});
    if (!map) problems_.add(to_string(map.error()));
  }

  const LinkOptions& options_;
  Problems problems_;
  Layout layout_;
};

}  // namespace

LinkResult link(std::span<const uint8_t> elf, const LinkOptions& options) {
  const auto file = ElfFile::read(elf);
  if (!file) return {.problems = {to_string(file.error())}};
  return Link(*file, options).run();
}

}  // namespace sandglass::linker
