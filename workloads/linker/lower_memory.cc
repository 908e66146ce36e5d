#include "workloads/linker/lower_memory.h"

#include <algorithm>

#include "workloads/linker/lowering.h"

namespace sandglass::linker {
namespace {

uint32_t save_slot(size_t index) { return static_cast<uint32_t>(-8 * static_cast<int32_t>(index + 1)); }

struct MemoryRow {
  RiscvOp op;
  Opcode absolute;                          // without a base
  Opcode zero_indirect = Opcode::kInvalid;  // stores of zero
  Opcode zero_absolute = Opcode::kInvalid;
};

constexpr MemoryRow kMemoryRows[] = {
    {RiscvOp::kLb, Opcode::kLoadI8},
    {RiscvOp::kLh, Opcode::kLoadI16},
    {RiscvOp::kLw, Opcode::kLoadI32},
    {RiscvOp::kLd, Opcode::kLoadU64},
    {RiscvOp::kLbu, Opcode::kLoadU8},
    {RiscvOp::kLhu, Opcode::kLoadU16},
    {RiscvOp::kLwu, Opcode::kLoadU32},
    {RiscvOp::kSb, Opcode::kStoreU8, Opcode::kStoreImmIndirectU8, Opcode::kStoreImmU8},
    {RiscvOp::kSh, Opcode::kStoreU16, Opcode::kStoreImmIndirectU16, Opcode::kStoreImmU16},
    {RiscvOp::kSw, Opcode::kStoreU32, Opcode::kStoreImmIndirectU32, Opcode::kStoreImmU32},
    {RiscvOp::kSd, Opcode::kStoreU64, Opcode::kStoreImmIndirectU64, Opcode::kStoreImmU64},
};

const MemoryRow& row_of(RiscvOp op) {
  return *std::find_if(std::begin(kMemoryRows), std::end(kMemoryRows),
                       [op](const MemoryRow& r) { return r.op == op; });
}

void load(const RiscvInstruction& in, Reg dst, LineWriter& out) {
  const auto offset = static_cast<uint32_t>(in.imm);
  if (in.rs1 == 0) return out.add({.opcode = row_of(in.op).absolute, .dst = dst, .offset = offset});
  out.add({.opcode = info_of(in.op).opcode, .dst = dst, .base = reg_of(in.rs1), .offset = offset});
}

bool is_double(RiscvOp op) { return (info_of(op).match >> 12 & 7) == 3; }
RiscvOp load_of(RiscvOp atomic) { return is_double(atomic) ? RiscvOp::kLd : RiscvOp::kLw; }
RiscvOp store_of(RiscvOp atomic) { return is_double(atomic) ? RiscvOp::kSd : RiscvOp::kSw; }

void store_reg(RiscvOp atomic, Reg value, uint8_t address, LineWriter& out) {
  const RiscvOp op = store_of(atomic);
  if (address == 0) return out.add({.opcode = row_of(op).absolute, .src1 = value});
  out.add({.opcode = info_of(op).opcode, .src1 = value, .base = reg_of(address)});
}

// old = [rs1]; [rs1] = old op rs2; rd = old
void lower_read_modify_write(const RiscvInstruction& in, LineWriter& out) {
  const Borrowed borrowed(out, {in.rd, in.rs1, in.rs2}, 2);
  const Reg old = borrowed[0], updated = borrowed[1];
  load({.op = load_of(in.op), .rs1 = in.rs1}, old, out);
  // Comparisons look at whole registers, and a word's operand may have anything in its upper half.
  if (in.rs2 == 0) {
    out.load_imm(updated, 0);
  } else if (is_double(in.op)) {
    out.move(updated, reg_of(in.rs2));
  } else {
    out.with_imm(Opcode::kAddImm32, updated, reg_of(in.rs2), 0);
  }
  if (info_of(in.op).opcode != Opcode::kMoveReg) out.with_regs(info_of(in.op).opcode, updated, old, updated);
  store_reg(in.op, updated, in.rs1, out);
  if (in.rd != 0) out.move(reg_of(in.rd), old);
}

}  // namespace

Borrowed::Borrowed(LineWriter& out, std::initializer_list<uint8_t> taken, size_t count)
    : out_(out), count_(count) {
  size_t found = 0;
  for (uint8_t x = 5; found < count; ++x) {
    if (std::find(taken.begin(), taken.end(), x) == taken.end()) regs_[found++] = reg_of(x);
  }
  for (size_t i = 0; i < count_; ++i) {
    out_.add({.opcode = Opcode::kStoreIndirectU64, .src1 = regs_[i], .base = Reg::sp, .offset = save_slot(i)},
             LineRole::kSave);
  }
}

Borrowed::~Borrowed() {
  for (size_t i = 0; i < count_; ++i) {
    out_.add({.opcode = Opcode::kLoadIndirectU64, .dst = regs_[i], .base = Reg::sp, .offset = save_slot(i)},
             LineRole::kRestore);
  }
}

// The zero register as destination does not make a load a nop: it still touches its address.
void lower_load(const RiscvInstruction& in, LineWriter& out) {
  if (in.rd != 0) return load(in, reg_of(in.rd), out);
  const Borrowed borrowed(out, {in.rs1}, 1);
  load(in, borrowed[0], out);
}

void lower_store(const RiscvInstruction& in, LineWriter& out) {
  const MemoryRow& row = row_of(in.op);
  const auto offset = static_cast<uint32_t>(in.imm);
  if (in.rs1 == 0 && in.rs2 == 0) return out.add({.opcode = row.zero_absolute, .offset = offset});
  if (in.rs1 == 0) return out.add({.opcode = row.absolute, .src1 = reg_of(in.rs2), .offset = offset});
  if (in.rs2 == 0) return out.add({.opcode = row.zero_indirect, .base = reg_of(in.rs1), .offset = offset});
  out.add(
      {.opcode = info_of(in.op).opcode, .src1 = reg_of(in.rs2), .base = reg_of(in.rs1), .offset = offset});
}

void lower_atomic(const RiscvInstruction& in, LineWriter& out) {
  switch (in.op) {
    case RiscvOp::kLrW:
    case RiscvOp::kLrD: return lower_load({.op = load_of(in.op), .rd = in.rd, .rs1 = in.rs1}, out);
    case RiscvOp::kScW:
    case RiscvOp::kScD:  // always succeeds
      lower_store({.op = store_of(in.op), .rs1 = in.rs1, .rs2 = in.rs2}, out);
      if (in.rd != 0) out.load_imm(reg_of(in.rd), 0);
      return;
    default: return lower_read_modify_write(in, out);
  }
}

void lower_sbrk(const RiscvInstruction& in, LineWriter& out) {
  const bool both = in.rd != 0 && in.rs1 != 0;
  const Borrowed borrowed(out, {in.rd, in.rs1}, both ? 0 : 1);
  const Reg size = in.rs1 != 0 ? reg_of(in.rs1) : borrowed[0];
  const Reg top = in.rd != 0 ? reg_of(in.rd) : borrowed[0];
  if (in.rs1 == 0) out.load_imm(size, 0);
  out.add({.opcode = Opcode::kSbrk, .dst = top, .src1 = size});
}

}  // namespace sandglass::linker
