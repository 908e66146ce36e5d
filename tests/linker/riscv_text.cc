#include "tests/linker/riscv_text.h"

#include <fmt/format.h>

namespace sandglass::linker {
namespace {

constexpr const char* kNames[] = {"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
                                  "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
                                  "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};

bool is_load_reserved(RiscvOp op) { return op == RiscvOp::kLrW || op == RiscvOp::kLrD; }

}  // namespace

std::string riscv_text(const RiscvInstruction& in) {
  const std::string_view name = info_of(in.op).mnemonic;
  const char *rd = kNames[in.rd], *rs1 = kNames[in.rs1], *rs2 = kNames[in.rs2];
  switch (info_of(in.op).form) {
    case RiscvForm::Upper: return fmt::format("{} {}, {}", name, rd, static_cast<uint32_t>(in.imm) >> 12);
    case RiscvForm::Jump: return fmt::format("{} {}, {}", name, rd, in.imm);
    case RiscvForm::Branch: return fmt::format("{} {}, {}, {}", name, rs1, rs2, in.imm);
    case RiscvForm::Imm:
      if (in.op == RiscvOp::kJalr) return fmt::format("{} {}, {}({})", name, rd, in.imm, rs1);
      return fmt::format("{} {}, {}, {}", name, rd, rs1, in.imm);
    case RiscvForm::Shift64:
    case RiscvForm::Shift32: return fmt::format("{} {}, {}, {}", name, rd, rs1, in.imm);
    case RiscvForm::Load: return fmt::format("{} {}, {}({})", name, rd, in.imm, rs1);
    case RiscvForm::Store: return fmt::format("{} {}, {}({})", name, rs2, in.imm, rs1);
    case RiscvForm::Reg: return fmt::format("{} {}, {}, {}", name, rd, rs1, rs2);
    case RiscvForm::Unary: return fmt::format("{} {}, {}", name, rd, rs1);
    case RiscvForm::Atomic:
      if (is_load_reserved(in.op)) return fmt::format("{} {}, ({})", name, rd, rs1);
      return fmt::format("{} {}, {}, ({})", name, rd, rs2, rs1);
    case RiscvForm::None: return std::string(name);
  }
  return {};
}

}  // namespace sandglass::linker
