#include "workloads/linker/lowering.h"

#include <algorithm>

#include "workloads/linker/lower_memory.h"

namespace sandglass::linker {
namespace {

// What `op rd, rs1, rs2` becomes when one source is zero. The opcode says how:
//   kMoveReg   the other source          kLoadImm   the constant `imm`
//   others     opcode rd, other source, imm
struct ZeroForm {
  Opcode opcode;
  int32_t imm = 0;
};
struct ZeroRow {
  RiscvOp op;
  ZeroForm without_rs2, without_rs1;
};

constexpr ZeroForm kOther = {Opcode::kMoveReg};
constexpr ZeroForm kOtherW = {Opcode::kAddImm32, 0};
constexpr ZeroForm kZero = {Opcode::kLoadImm, 0};
constexpr ZeroForm kOnes = {Opcode::kLoadImm, -1};
constexpr ZeroForm kNot = {Opcode::kXorImm, -1};

constexpr ZeroRow kZeroRows[] = {
    {RiscvOp::kAdd, kOther, kOther},
    {RiscvOp::kAddw, kOtherW, kOtherW},
    {RiscvOp::kSub, kOther, {Opcode::kNegateAndAddImm64}},
    {RiscvOp::kSubw, kOtherW, {Opcode::kNegateAndAddImm32}},
    {RiscvOp::kSll, kOther, kZero},
    {RiscvOp::kSrl, kOther, kZero},
    {RiscvOp::kSra, kOther, kZero},
    {RiscvOp::kSllw, kOtherW, kZero},
    {RiscvOp::kSrlw, kOtherW, kZero},
    {RiscvOp::kSraw, kOtherW, kZero},
    {RiscvOp::kSlt, {Opcode::kSetLessThanSignedImm}, {Opcode::kSetGreaterThanSignedImm}},
    {RiscvOp::kSltu, kZero, {Opcode::kSetGreaterThanUnsignedImm}},
    {RiscvOp::kXor, kOther, kOther},
    {RiscvOp::kOr, kOther, kOther},
    {RiscvOp::kAnd, kZero, kZero},
    {RiscvOp::kAndn, kOther, kZero},
    {RiscvOp::kOrn, kOnes, kNot},
    {RiscvOp::kXnor, kNot, kNot},
    {RiscvOp::kRol, kOther, kZero},
    {RiscvOp::kRor, kOther, kZero},
    {RiscvOp::kRolw, kOtherW, kZero},
    {RiscvOp::kRorw, kOtherW, kZero},
    {RiscvOp::kMinu, kZero, kZero},
    {RiscvOp::kMaxu, kOther, kOther},
    {RiscvOp::kMul, kZero, kZero},
    {RiscvOp::kMulh, kZero, kZero},
    {RiscvOp::kMulhsu, kZero, kZero},
    {RiscvOp::kMulhu, kZero, kZero},
    {RiscvOp::kMulw, kZero, kZero},
};

const ZeroForm* zero_form(const RiscvInstruction& in) {
  const auto row = std::find_if(std::begin(kZeroRows), std::end(kZeroRows),
                                [&](const ZeroRow& r) { return r.op == in.op; });
  if (row == std::end(kZeroRows) || (in.rs1 == 0 && in.rs2 == 0)) return nullptr;
  return in.rs2 == 0 ? &row->without_rs2 : &row->without_rs1;
}

// A real zero, in rd if that is no source.
void lower_with_a_zero(const RiscvInstruction& in, LineWriter& out) {
  const Opcode opcode = info_of(in.op).opcode;
  const bool rd_is_free = in.rd != in.rs1 && in.rd != in.rs2;
  const Borrowed borrowed(out, {in.rd, in.rs1, in.rs2}, rd_is_free ? 0 : 1);
  const Reg zero = rd_is_free ? reg_of(in.rd) : borrowed[0];
  const auto source = [&](uint8_t x) { return x == 0 ? zero : reg_of(x); };
  out.load_imm(zero, 0);
  if (info_of(in.op).form == RiscvForm::Unary) {
    out.add({.opcode = opcode, .dst = reg_of(in.rd), .src1 = source(in.rs1)});
  } else {
    out.with_regs(opcode, reg_of(in.rd), source(in.rs1), source(in.rs2));
  }
}

void lower_conditional_move(const RiscvInstruction& in, LineWriter& out) {
  if (in.rs2 == 0 && in.op == RiscvOp::kThMvnez) return;
  if (in.rs2 == 0) {
    if (in.rs1 == 0) return out.load_imm(reg_of(in.rd), 0);
    return out.move(reg_of(in.rd), reg_of(in.rs1));
  }
  if (in.rs1 != 0) return out.with_regs(info_of(in.op).opcode, reg_of(in.rd), reg_of(in.rs1), reg_of(in.rs2));
  const Opcode opcode = in.op == RiscvOp::kThMveqz ? Opcode::kCmovIfZeroImm : Opcode::kCmovIfNotZeroImm;
  out.with_imm(opcode, reg_of(in.rd), reg_of(in.rs2), 0);
}

void lower_reg(const RiscvInstruction& in, LineWriter& out) {
  if (in.op == RiscvOp::kThMveqz || in.op == RiscvOp::kThMvnez) return lower_conditional_move(in, out);
  if (in.rs1 != 0 && in.rs2 != 0) {
    return out.with_regs(info_of(in.op).opcode, reg_of(in.rd), reg_of(in.rs1), reg_of(in.rs2));
  }
  const ZeroForm* form = zero_form(in);
  if (form == nullptr) return lower_with_a_zero(in, out);
  const Reg other = reg_of(in.rs2 == 0 ? in.rs1 : in.rs2);
  if (form->opcode == Opcode::kMoveReg) return out.move(reg_of(in.rd), other);
  if (form->opcode == Opcode::kLoadImm) return out.load_imm(reg_of(in.rd), form->imm);
  out.with_imm(form->opcode, reg_of(in.rd), other, form->imm);
}

// `op rd, zero, imm`.
int64_t value_of_imm(const RiscvInstruction& in) {
  switch (in.op) {
    case RiscvOp::kAddi:
    case RiscvOp::kAddiw:
    case RiscvOp::kXori:
    case RiscvOp::kOri: return in.imm;
    case RiscvOp::kSlti: return in.imm > 0;
    case RiscvOp::kSltiu: return in.imm != 0;
    default: return 0;  // andi, and shifts of nothing
  }
}

void lower_imm(const RiscvInstruction& in, LineWriter& out) {
  if (in.rs1 == 0) return out.load_imm(reg_of(in.rd), value_of_imm(in));
  if (in.op == RiscvOp::kAddi && in.imm == 0) return out.move(reg_of(in.rd), reg_of(in.rs1));
  out.with_imm(info_of(in.op).opcode, reg_of(in.rd), reg_of(in.rs1), in.imm);
}

// Every byte that is not 0 becomes 0xff. The top bit of a byte of (x & 7f…) + 7f… says whether its lower bits
// are not all 0; with x's own top bits that is the answer, and a shift and a multiplication spread it.
void lower_orc_b(const RiscvInstruction& in, LineWriter& out) {
  if (in.rs1 == 0) return out.load_imm(reg_of(in.rd), 0);
  const Borrowed borrowed(out, {in.rd, in.rs1}, 2);
  const Reg mask = borrowed[0], sum = borrowed[1];
  out.add({.opcode = Opcode::kLoadImm64, .dst = mask, .imm = 0x7f7f7f7f7f7f7f7f});
  out.with_regs(Opcode::kAnd, sum, reg_of(in.rs1), mask);
  out.with_regs(Opcode::kAdd64, sum, sum, mask);
  out.with_regs(Opcode::kOr, sum, sum, reg_of(in.rs1));
  out.with_regs(Opcode::kAndInverted, sum, sum, mask);
  out.with_imm(Opcode::kShiftLogicalRightImm64, sum, sum, 7);
  out.with_imm(Opcode::kMulImm64, reg_of(in.rd), sum, 0xff);
}

void lower_unary(const RiscvInstruction& in, LineWriter& out) {
  if (in.op == RiscvOp::kOrcB) return lower_orc_b(in, out);
  if (in.rs1 == 0) return lower_with_a_zero(in, out);
  out.add({.opcode = info_of(in.op).opcode, .dst = reg_of(in.rd), .src1 = reg_of(in.rs1)});
}

// A branch whose operand rs1 or rs2 is zero compares with the constant 0; with rs1, the other way around.
struct BranchRow {
  RiscvOp op;
  Opcode without_rs2, without_rs1;
  bool equal_is_taken;
};
constexpr BranchRow kBranchRows[] = {
    {RiscvOp::kBeq, Opcode::kBranchEqImm, Opcode::kBranchEqImm, true},
    {RiscvOp::kBne, Opcode::kBranchNotEqImm, Opcode::kBranchNotEqImm, false},
    {RiscvOp::kBlt, Opcode::kBranchLessSignedImm, Opcode::kBranchGreaterSignedImm, false},
    {RiscvOp::kBge, Opcode::kBranchGreaterOrEqualSignedImm, Opcode::kBranchLessOrEqualSignedImm, true},
    {RiscvOp::kBltu, Opcode::kBranchLessUnsignedImm, Opcode::kBranchGreaterUnsignedImm, false},
    {RiscvOp::kBgeu, Opcode::kBranchGreaterOrEqualUnsignedImm, Opcode::kBranchLessOrEqualUnsignedImm, true},
};

}  // namespace

void lower(const RiscvInstruction& in, LineWriter& out) {
  const RiscvForm form = info_of(in.op).form;
  if (in.op == RiscvOp::kMemset) return out.add({.opcode = Opcode::kMemset});
  if (in.op == RiscvOp::kSbrk) return lower_sbrk(in, out);
  if (form == RiscvForm::Load) return lower_load(in, out);
  if (form == RiscvForm::Store) return lower_store(in, out);
  if (form == RiscvForm::Atomic) return lower_atomic(in, out);
  if (form == RiscvForm::None || in.rd == 0) return;  // a fence, or a result that nobody gets
  if (form == RiscvForm::Reg) return lower_reg(in, out);
  if (form == RiscvForm::Unary) return lower_unary(in, out);
  lower_imm(in, out);
}

void lower_branch(const RiscvInstruction& in, uint32_t target, LineWriter& out) {
  const auto* row = std::find_if(std::begin(kBranchRows), std::end(kBranchRows),
                                 [&](const BranchRow& r) { return r.op == in.op; });
  if (in.rs1 == in.rs2) {
    if (row->equal_is_taken) out.jump({.opcode = Opcode::kJump}, target);
    return;
  }
  if (in.rs2 == 0) return out.jump({.opcode = row->without_rs2, .src1 = reg_of(in.rs1)}, target);
  if (in.rs1 == 0) return out.jump({.opcode = row->without_rs1, .src1 = reg_of(in.rs2)}, target);
  out.jump({.opcode = info_of(in.op).opcode, .src1 = reg_of(in.rs1), .src2 = reg_of(in.rs2)}, target);
}

}  // namespace sandglass::linker
