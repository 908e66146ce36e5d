#include "sandbox/program/isa.h"

namespace sandglass {
namespace {

constexpr std::array<std::string_view, kInstructionSetCount> kSetNames = {"revive_v1", "latest32", "latest64",
                                                                          "jam_v1"};

constexpr OpcodeMap make_map(const std::array<OpcodeInfo, kOpcodeCount + 1>& table, size_t set) {
  OpcodeMap map{};
  for (Opcode& entry : map) entry = Opcode::kInvalid;
  for (size_t i = 0; i < kOpcodeCount; ++i) {
    if (table[i].byte[set] >= 0) map[static_cast<size_t>(table[i].byte[set])] = static_cast<Opcode>(i);
  }
  return map;
}

constexpr std::array<OpcodeInfo, kOpcodeCount + 1> kTable = {{
#define SG_OPCODE(enumerator, mnemonic, form, latest64, jam, revive, latest32, access, flow) \
  {mnemonic, Form::form, Flow::flow, access, {revive, latest32, latest64, jam}},
#include "sandbox/program/opcodes.def"
#undef SG_OPCODE
    {"invalid", Form::None, Flow::NoFallthrough, 0, {-1, -1, -1, -1}},
}};

}  // namespace

constinit const std::array<OpcodeInfo, kOpcodeCount + 1> kOpcodeInfo = kTable;

constinit const std::array<Flow, kOpcodeCount + 1> kOpcodeFlow = {{
#define SG_OPCODE(enumerator, mnemonic, form, latest64, jam, revive, latest32, access, flow) Flow::flow,
#include "sandbox/program/opcodes.def"
#undef SG_OPCODE
    Flow::NoFallthrough,
}};

constinit const std::array<OpcodeMap, kInstructionSetCount> kOpcodeMaps = {
    make_map(kTable, 0), make_map(kTable, 1), make_map(kTable, 2), make_map(kTable, 3)};

std::string_view name_of(InstructionSet set) { return kSetNames[static_cast<size_t>(set)]; }

std::optional<InstructionSet> instruction_set_named(std::string_view name) {
  for (size_t i = 0; i < kInstructionSetCount; ++i) {
    if (kSetNames[i] == name) return static_cast<InstructionSet>(i);
  }
  return std::nullopt;
}

}  // namespace sandglass
