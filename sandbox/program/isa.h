// The four instruction sets, the thirteen registers and the opcodes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sandglass {

// The value is the version byte of the container format.
enum class InstructionSet : uint8_t { kReviveV1 = 0, kLatest32 = 1, kLatest64 = 2, kJamV1 = 3 };
inline constexpr size_t kInstructionSetCount = 4;

constexpr bool is_64_bit(InstructionSet set) { return set != InstructionSet::kLatest32; }
constexpr bool has_sbrk(InstructionSet set) {
  return set == InstructionSet::kLatest32 || set == InstructionSet::kLatest64;
}

// "latest64" and so on, as the assembler's %isa directive spells it.
std::string_view name_of(InstructionSet set);
std::optional<InstructionSet> instruction_set_named(std::string_view name);

// The number is the one used in encodings; encoded 13, 14 and 15 mean a5.
enum class Reg : uint8_t { ra, sp, t0, t1, t2, s0, s1, a0, a1, a2, a3, a4, a5 };
inline constexpr size_t kRegCount = 13;
inline constexpr std::array<std::string_view, kRegCount> kRegNames = {
    "ra", "sp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5"};
// Where the arguments of a call go, in order (at most nine); results come back in a0 and a1.
inline constexpr std::array<Reg, 9> kArgumentRegs = {Reg::a0, Reg::a1, Reg::a2, Reg::a3, Reg::a4,
                                                     Reg::a5, Reg::t0, Reg::t1, Reg::t2};

constexpr std::string_view name_of(Reg reg) { return kRegNames[static_cast<size_t>(reg)]; }

// Dense and independent of the instruction set. kInvalid stands for every byte a set does not define and for
// the places where an instruction is missing.
enum class Opcode : uint8_t {
#define SG_OPCODE(enumerator, mnemonic, form, latest64, jam, revive, latest32, access, flow) enumerator,
#include "sandbox/program/opcodes.def"
#undef SG_OPCODE
  kInvalid,
};
inline constexpr size_t kOpcodeCount = static_cast<size_t>(Opcode::kInvalid);

enum class Flow : uint8_t { Next, EndsBlock, NoFallthrough };

// Operand forms; the layouts are drawn in instruction.h.
enum class Form : uint8_t {
  None,
  Imm,
  DstImm64,
  AddrImm,
  Target,
  BaseOff,
  DstImm,
  DstAddr,
  SrcAddr,
  BaseOffImm,
  DstImmTarget,
  SrcImmTarget,
  DstSrc,
  SrcBaseOff,
  DstBaseOff,
  DstSrcImm,
  SrcSrcTarget,
  DstBaseImmOff,
  DstSrcSrc,
};

struct OpcodeInfo {
  std::string_view mnemonic;
  Form form;
  Flow flow;
  uint8_t access_bytes;
  std::array<int16_t, kInstructionSetCount> byte;  // indexed by InstructionSet; -1: not in that set
};

// The entry of Opcode::kInvalid ends its block without falling through.
extern const std::array<OpcodeInfo, kOpcodeCount + 1> kOpcodeInfo;

inline const OpcodeInfo& info_of(Opcode opcode) { return kOpcodeInfo[static_cast<size_t>(opcode)]; }
// The same as info_of(opcode).flow, from a table that fits into a few cache lines.
extern const std::array<Flow, kOpcodeCount + 1> kOpcodeFlow;
inline Flow flow_of(Opcode opcode) { return kOpcodeFlow[static_cast<size_t>(opcode)]; }
inline std::string_view name_of(Opcode opcode) { return info_of(opcode).mnemonic; }

// A terminator ends its block, and what follows it can be a jump target. Opcode::kInvalid ends a block for
// the gas meter, yet what follows it is no jump target.
inline bool is_terminator(Opcode opcode) {
  return opcode != Opcode::kInvalid && info_of(opcode).flow != Flow::Next;
}

inline bool is_store(Form form) {
  return form == Form::AddrImm || form == Form::SrcAddr || form == Form::BaseOffImm ||
         form == Form::SrcBaseOff;
}

// Opcode byte → Opcode, per instruction set.
using OpcodeMap = std::array<Opcode, 256>;
extern const std::array<OpcodeMap, kInstructionSetCount> kOpcodeMaps;
inline const OpcodeMap& opcode_map(InstructionSet set) { return kOpcodeMaps[static_cast<size_t>(set)]; }

}  // namespace sandglass
