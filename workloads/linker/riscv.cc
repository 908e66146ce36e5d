#include "workloads/linker/riscv.h"

namespace sandglass::linker {

const RiscvOpInfo kRiscvOps[kRiscvOpCount] = {
#define RV_OP(enumerator, mnemonic, form, match, mask, opcode) \
  {mnemonic, RiscvForm::form, match, mask, Opcode::opcode},
#include "workloads/linker/riscv_ops.def"
#undef RV_OP
};

namespace {

// `count` bits of `bits` from `low` on.
constexpr uint32_t field(uint32_t bits, unsigned low, unsigned count) {
  return bits >> low & ((1u << count) - 1);
}
constexpr uint8_t reg_at(uint32_t bits, unsigned low) { return static_cast<uint8_t>(field(bits, low, 5)); }
constexpr int32_t sign_extend(uint32_t value, unsigned bits) {
  return static_cast<int32_t>(value << (32 - bits)) >> (32 - bits);
}

int32_t jump_distance(uint32_t b) {
  return sign_extend(
      field(b, 31, 1) << 20 | field(b, 12, 8) << 12 | field(b, 20, 1) << 11 | field(b, 21, 10) << 1, 21);
}
int32_t branch_distance(uint32_t b) {
  return sign_extend(
      field(b, 31, 1) << 12 | field(b, 7, 1) << 11 | field(b, 25, 6) << 5 | field(b, 8, 4) << 1, 13);
}

RiscvInstruction decode_fields(RiscvOp op, uint32_t b) {
  const uint8_t rd = reg_at(b, 7), rs1 = reg_at(b, 15), rs2 = reg_at(b, 20);
  switch (info_of(op).form) {
    case RiscvForm::Upper: return {.op = op, .rd = rd, .imm = static_cast<int32_t>(b & 0xfffff000)};
    case RiscvForm::Jump: return {.op = op, .rd = rd, .imm = jump_distance(b)};
    case RiscvForm::Branch: return {.op = op, .rs1 = rs1, .rs2 = rs2, .imm = branch_distance(b)};
    case RiscvForm::Imm:
    case RiscvForm::Load: return {.op = op, .rd = rd, .rs1 = rs1, .imm = sign_extend(b >> 20, 12)};
    case RiscvForm::Store:
      return {
          .op = op, .rs1 = rs1, .rs2 = rs2, .imm = sign_extend(field(b, 25, 7) << 5 | field(b, 7, 5), 12)};
    case RiscvForm::Shift64:
      return {.op = op, .rd = rd, .rs1 = rs1, .imm = static_cast<int32_t>(field(b, 20, 6))};
    case RiscvForm::Shift32:
      return {.op = op, .rd = rd, .rs1 = rs1, .imm = static_cast<int32_t>(field(b, 20, 5))};
    case RiscvForm::Reg:
    case RiscvForm::Atomic: return {.op = op, .rd = rd, .rs1 = rs1, .rs2 = rs2};
    case RiscvForm::Unary: return {.op = op, .rd = rd, .rs1 = rs1};
    case RiscvForm::None: return {.op = op};
  }
  return {};
}

// How the fields of a compressed encoding make an instruction. A dash marks registers 8 to 15 in three bits.
enum class ShortForm : uint8_t {
  AddSpn,    // addi rd', sp, imm
  LoadWord,  // lw rd', imm(rs1')
  LoadDouble,
  StoreWord,  // sw rs2', imm(rs1')
  StoreDouble,
  Imm,         // op rd, rd, imm
  LoadImm,     // addi rd, zero, imm
  AddSp,       // addi sp, sp, imm
  Upper,       // lui rd, imm
  Shift,       // slli rd, rd, imm
  ShortShift,  // op rd', rd', imm
  ShortImm,    // andi rd', rd', imm
  ShortReg,    // op rd', rd', rs2'
  Jump,        // jal zero, distance
  Branch,      // op rs1', zero, distance
  LoadWordSp,  // lw rd, imm(sp)
  LoadDoubleSp,
  StoreWordSp,
  StoreDoubleSp,
  JumpReg,  // jalr zero, 0(rs1)
  CallReg,  // jalr ra, 0(rs1)
  Move,     // add rd, zero, rs2
  Reg,      // add rd, rd, rs2
  None,
};

struct ShortRow {
  uint16_t match, mask;
  RiscvOp op;
  ShortForm form;
};

// The first row that matches counts: special cases stand above what they are special cases of.
constexpr ShortRow kShortRows[] = {
    {0x0000, 0xffff, RiscvOp::kUnimp, ShortForm::None},
    {0x0000, 0xffe3, RiscvOp::kInvalid, ShortForm::None},  // addi4spn of 0
    {0x0000, 0xe003, RiscvOp::kAddi, ShortForm::AddSpn},
    {0x4000, 0xe003, RiscvOp::kLw, ShortForm::LoadWord},
    {0x6000, 0xe003, RiscvOp::kLd, ShortForm::LoadDouble},
    {0xc000, 0xe003, RiscvOp::kSw, ShortForm::StoreWord},
    {0xe000, 0xe003, RiscvOp::kSd, ShortForm::StoreDouble},
    {0x0001, 0xe003, RiscvOp::kAddi, ShortForm::Imm},
    {0x2001, 0xef83, RiscvOp::kInvalid, ShortForm::None},  // addiw into zero
    {0x2001, 0xe003, RiscvOp::kAddiw, ShortForm::Imm},
    {0x4001, 0xe003, RiscvOp::kAddi, ShortForm::LoadImm},
    {0x6001, 0xf07f, RiscvOp::kInvalid, ShortForm::None},  // lui or addi16sp of 0
    {0x6101, 0xef83, RiscvOp::kAddi, ShortForm::AddSp},
    {0x6001, 0xe003, RiscvOp::kLui, ShortForm::Upper},
    {0x8001, 0xec03, RiscvOp::kSrli, ShortForm::ShortShift},
    {0x8401, 0xec03, RiscvOp::kSrai, ShortForm::ShortShift},
    {0x8801, 0xec03, RiscvOp::kAndi, ShortForm::ShortImm},
    {0x8c01, 0xfc63, RiscvOp::kSub, ShortForm::ShortReg},
    {0x8c21, 0xfc63, RiscvOp::kXor, ShortForm::ShortReg},
    {0x8c41, 0xfc63, RiscvOp::kOr, ShortForm::ShortReg},
    {0x8c61, 0xfc63, RiscvOp::kAnd, ShortForm::ShortReg},
    {0x9c01, 0xfc63, RiscvOp::kSubw, ShortForm::ShortReg},
    {0x9c21, 0xfc63, RiscvOp::kAddw, ShortForm::ShortReg},
    {0xa001, 0xe003, RiscvOp::kJal, ShortForm::Jump},
    {0xc001, 0xe003, RiscvOp::kBeq, ShortForm::Branch},
    {0xe001, 0xe003, RiscvOp::kBne, ShortForm::Branch},
    {0x0002, 0xe003, RiscvOp::kSlli, ShortForm::Shift},
    {0x4002, 0xef83, RiscvOp::kInvalid, ShortForm::None},  // loads into zero
    {0x4002, 0xe003, RiscvOp::kLw, ShortForm::LoadWordSp},
    {0x6002, 0xef83, RiscvOp::kInvalid, ShortForm::None},
    {0x6002, 0xe003, RiscvOp::kLd, ShortForm::LoadDoubleSp},
    {0x8002, 0xffff, RiscvOp::kInvalid, ShortForm::None},  // jr zero
    {0x8002, 0xf07f, RiscvOp::kJalr, ShortForm::JumpReg},
    {0x8002, 0xf003, RiscvOp::kAdd, ShortForm::Move},
    {0x9002, 0xffff, RiscvOp::kEbreak, ShortForm::None},
    {0x9002, 0xf07f, RiscvOp::kJalr, ShortForm::CallReg},
    {0x9002, 0xf003, RiscvOp::kAdd, ShortForm::Reg},
    {0xc002, 0xe003, RiscvOp::kSw, ShortForm::StoreWordSp},
    {0xe002, 0xe003, RiscvOp::kSd, ShortForm::StoreDoubleSp},
};

constexpr uint8_t kRa = 1, kSp = 2;

// A register of three bits.
constexpr uint8_t short_reg(uint32_t b, unsigned low) { return static_cast<uint8_t>(8 + field(b, low, 3)); }

int32_t short_jump_distance(uint32_t b) {
  return sign_extend(field(b, 12, 1) << 11 | field(b, 8, 1) << 10 | field(b, 9, 2) << 8 |
                         field(b, 6, 1) << 7 | field(b, 7, 1) << 6 | field(b, 2, 1) << 5 |
                         field(b, 11, 1) << 4 | field(b, 3, 3) << 1,
                     12);
}
int32_t short_branch_distance(uint32_t b) {
  return sign_extend(field(b, 12, 1) << 8 | field(b, 5, 2) << 6 | field(b, 2, 1) << 5 | field(b, 10, 2) << 3 |
                         field(b, 3, 2) << 1,
                     9);
}
int32_t stack_step(uint32_t b) {
  return sign_extend(field(b, 12, 1) << 9 | field(b, 3, 2) << 7 | field(b, 5, 1) << 6 | field(b, 2, 1) << 5 |
                         field(b, 6, 1) << 4,
                     10);
}
int32_t offset(uint32_t bits) { return static_cast<int32_t>(bits); }

RiscvInstruction expand(RiscvOp op, ShortForm form, uint32_t b) {
  const uint8_t rd = reg_at(b, 7), rs2 = reg_at(b, 2);
  const uint8_t low = short_reg(b, 2), high = short_reg(b, 7);
  const uint32_t shift = field(b, 12, 1) << 5 | field(b, 2, 5);
  const int32_t imm = sign_extend(shift, 6);
  const int32_t word = offset(field(b, 5, 1) << 6 | field(b, 10, 3) << 3 | field(b, 6, 1) << 2);
  const int32_t twice = offset(field(b, 5, 2) << 6 | field(b, 10, 3) << 3);
  switch (form) {
    case ShortForm::AddSpn:
      return {.op = op,
              .rd = low,
              .rs1 = kSp,
              .imm = offset(field(b, 7, 4) << 6 | field(b, 11, 2) << 4 | field(b, 5, 1) << 3 |
                            field(b, 6, 1) << 2)};
    case ShortForm::LoadWord: return {.op = op, .rd = low, .rs1 = high, .imm = word};
    case ShortForm::LoadDouble: return {.op = op, .rd = low, .rs1 = high, .imm = twice};
    case ShortForm::StoreWord: return {.op = op, .rs1 = high, .rs2 = low, .imm = word};
    case ShortForm::StoreDouble: return {.op = op, .rs1 = high, .rs2 = low, .imm = twice};
    case ShortForm::Imm: return {.op = op, .rd = rd, .rs1 = rd, .imm = imm};
    case ShortForm::LoadImm: return {.op = op, .rd = rd, .imm = imm};
    case ShortForm::AddSp: return {.op = op, .rd = kSp, .rs1 = kSp, .imm = stack_step(b)};
    case ShortForm::Upper:
      return {.op = op, .rd = rd, .imm = static_cast<int32_t>(static_cast<uint32_t>(imm) << 12)};
    case ShortForm::Shift: return {.op = op, .rd = rd, .rs1 = rd, .imm = offset(shift)};
    case ShortForm::ShortShift: return {.op = op, .rd = high, .rs1 = high, .imm = offset(shift)};
    case ShortForm::ShortImm: return {.op = op, .rd = high, .rs1 = high, .imm = imm};
    case ShortForm::ShortReg: return {.op = op, .rd = high, .rs1 = high, .rs2 = low};
    case ShortForm::Jump: return {.op = op, .imm = short_jump_distance(b)};
    case ShortForm::Branch: return {.op = op, .rs1 = high, .imm = short_branch_distance(b)};
    case ShortForm::LoadWordSp:
      return {.op = op,
              .rd = rd,
              .rs1 = kSp,
              .imm = offset(field(b, 2, 2) << 6 | field(b, 12, 1) << 5 | field(b, 4, 3) << 2)};
    case ShortForm::LoadDoubleSp:
      return {.op = op,
              .rd = rd,
              .rs1 = kSp,
              .imm = offset(field(b, 2, 3) << 6 | field(b, 12, 1) << 5 | field(b, 5, 2) << 3)};
    case ShortForm::StoreWordSp:
      return {.op = op, .rs1 = kSp, .rs2 = rs2, .imm = offset(field(b, 7, 2) << 6 | field(b, 9, 4) << 2)};
    case ShortForm::StoreDoubleSp:
      return {.op = op, .rs1 = kSp, .rs2 = rs2, .imm = offset(field(b, 7, 3) << 6 | field(b, 10, 3) << 3)};
    case ShortForm::JumpReg: return {.op = op, .rs1 = rd};
    case ShortForm::CallReg: return {.op = op, .rd = kRa, .rs1 = rd};
    case ShortForm::Move: return {.op = op, .rd = rd, .rs2 = rs2};
    case ShortForm::Reg: return {.op = op, .rd = rd, .rs1 = rd, .rs2 = rs2};
    case ShortForm::None: return {.op = op};
  }
  return {};
}

RiscvInstruction decode_short(uint32_t bits) {
  for (const ShortRow& row : kShortRows) {
    if ((bits & row.mask) != row.match) continue;
    RiscvInstruction in = expand(row.op, row.form, bits);
    in.size_bytes = 2;
    return in;
  }
  return {.size_bytes = 2};
}

struct Explanation {
  uint32_t match, mask;
  std::string_view text;
};

constexpr std::string_view kFloat =
    "a floating-point instruction: compile with -march=rv64emac_zbb_xtheadcondmov -mabi=lp64e, which "
    "computes in "
    "software";
constexpr Explanation kExplanations[] = {
    {0x07, 0x7f, kFloat},      // fl*
    {0x27, 0x7f, kFloat},      // fs*
    {0x43, 0x73, kFloat},      // fmadd …
    {0x53, 0x7f, kFloat},      // the rest
    {0x2000, 0xe003, kFloat},  // c.fld
    {0xa000, 0xe003, kFloat},  // c.fsd
    {0x2002, 0xe003, kFloat},  // c.fldsp
    {0xa002, 0xe003, kFloat},  // c.fsdsp
    {0x57, 0x7f, "a vector instruction: compile without the v extension"},
    {0x73, 0x707f, "a privileged instruction, which guests have no use for"},
    {0x73, 0x7f, "an instruction that reads or writes a control register (CSR): guests have none"},
};

}  // namespace

RiscvInstruction decode_riscv(uint32_t bits) {
  if (is_compressed(static_cast<uint16_t>(bits))) return decode_short(bits & 0xffff);
  for (size_t i = 0; i < kRiscvOpCount; ++i) {
    if ((bits & kRiscvOps[i].mask) == kRiscvOps[i].match) return decode_fields(static_cast<RiscvOp>(i), bits);
  }
  return {};
}

std::string_view explain_undecodable(uint32_t bits) {
  for (const Explanation& row : kExplanations) {
    const bool is_for_compressed = (row.match & 3) != 3;
    if (is_for_compressed == is_compressed(static_cast<uint16_t>(bits)) && (bits & row.mask) == row.match) {
      return row.text;
    }
  }
  return "an instruction that guests do not have: compile with -march=rv64emac_zbb_xtheadcondmov -mabi=lp64e";
}

}  // namespace sandglass::linker
