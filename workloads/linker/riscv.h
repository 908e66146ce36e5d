// The RISC-V instructions a guest's ELF file may contain, decoded: RV64IMAC, Zbb, XTheadCondMov and our own.
//
// Forms of the 32-bit encodings. rd = bits 11…7, rs1 = 19…15, rs2 = 24…20:
//
//   Upper     rd        imm = bits 31…12 << 12
//   Jump      rd        imm = jal's distance
//   Branch    rs1 rs2   imm = the distance
//   Imm       rd rs1    imm = bits 31…20, sign-extended
//   Load      rd rs1    imm = bits 31…20, sign-extended
//   Store     rs1 rs2   imm = bits 31…25 and 11…7, sign-extended
//   Shift64   rd rs1    imm = bits 25…20
//   Shift32   rd rs1    imm = bits 24…20
//   Reg       rd rs1 rs2
//   Unary     rd rs1
//   Atomic    rd rs1 rs2 (the ordering bits are ignored)
//   None      nothing
//
// Fields that a form lacks are 0.
#pragma once

#include <cstdint>
#include <string_view>

#include "sandbox/program/isa.h"

namespace sandglass::linker {

enum class RiscvOp : uint8_t {
#define RV_OP(enumerator, mnemonic, form, match, mask, opcode) enumerator,
#include "workloads/linker/riscv_ops.def"
#undef RV_OP
  kInvalid,
};
inline constexpr size_t kRiscvOpCount = static_cast<size_t>(RiscvOp::kInvalid);

enum class RiscvForm : uint8_t {
  Upper,
  Jump,
  Branch,
  Imm,
  Load,
  Store,
  Shift64,
  Shift32,
  Reg,
  Unary,
  Atomic,
  None
};

struct RiscvOpInfo {
  std::string_view mnemonic;
  RiscvForm form;
  uint32_t match, mask;
  Opcode opcode;
};
extern const RiscvOpInfo kRiscvOps[kRiscvOpCount];
inline const RiscvOpInfo& info_of(RiscvOp op) { return kRiscvOps[static_cast<size_t>(op)]; }

struct RiscvInstruction {
  RiscvOp op = RiscvOp::kInvalid;
  uint8_t rd = 0, rs1 = 0, rs2 = 0;
  uint8_t size_bytes = 4;  // 2 or 4
  int32_t imm = 0;
  bool operator==(const RiscvInstruction&) const = default;
};

// Whether the instruction that begins with these bits has 2 bytes; the others have 4.
constexpr bool is_compressed(uint16_t first) { return (first & 3) != 3; }

// Decodes the instruction in the low 16 or 32 bits. RiscvOp::kInvalid for what no row has.
RiscvInstruction decode_riscv(uint32_t bits);

// What an undecodable word most likely is, and what to do about it: "a floating-point instruction: …".
std::string_view explain_undecodable(uint32_t bits);

}  // namespace sandglass::linker
