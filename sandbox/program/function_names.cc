#include "sandbox/program/function_names.h"

#include "sandbox/program/blob_format.h"

namespace sandglass {
namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

FunctionNames FunctionNames::of(const Program& program) {
  FunctionNames names;
  for (const DebugSection& section : program.parts().debug_sections) {
    if (section.id != blob_format::kFunctionNames || section.payload.empty()) continue;
    std::span<const uint8_t> rest(section.payload);
    if (rest[0] != kVersion) continue;
    rest = rest.subspan(1);
    const auto take = [&rest]() -> std::optional<uint32_t> {
      const auto varint = blob_format::read_varint(rest);
      if (!varint) return std::nullopt;
      rest = rest.subspan(varint->size_bytes);
      return varint->value;
    };
    uint64_t pc = 0;
    for (uint32_t left = take().value_or(0); left > 0; --left) {
      const auto distance = take();
      const auto size = distance ? take() : std::nullopt;
      if (!size || *size > rest.size() || pc + *distance > UINT32_MAX) break;
      pc += *distance;
      names.add(static_cast<uint32_t>(pc), {reinterpret_cast<const char*>(rest.data()), *size});
      rest = rest.subspan(*size);
    }
    break;
  }
  return names;
}

std::optional<FunctionNames::Place> FunctionNames::find(uint32_t pc) const {
  const auto next = std::upper_bound(functions_.begin(), functions_.end(), pc,
                                     [](uint32_t at, const Function& function) { return at < function.pc; });
  if (next == functions_.begin()) return std::nullopt;
  return Place{std::prev(next)->name, pc - std::prev(next)->pc};
}

DebugSection FunctionNames::to_section() const {
  DebugSection section{.id = blob_format::kFunctionNames, .payload = {kVersion}};
  blob_format::write_varint(section.payload, static_cast<uint32_t>(functions_.size()));
  uint32_t before = 0;
  for (const Function& function : functions_) {
    blob_format::write_varint(section.payload, function.pc - before);
    blob_format::write_varint(section.payload, static_cast<uint32_t>(function.name.size()));
    section.payload.insert(section.payload.end(), function.name.begin(), function.name.end());
    before = function.pc;
  }
  return section;
}

}  // namespace sandglass
