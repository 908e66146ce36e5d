// What every instruction becomes: tables of functions, one per opcode and register width.
#include <algorithm>
#include <iterator>

#include "sandbox/compiler/emit_arithmetic.h"
#include "sandbox/compiler/emit_memory.h"
#include "sandbox/compiler/opcode_kinds.h"
#include "sandbox/compiler/template_rows.h"
#include "sandbox/compiler/translation.h"

namespace sandglass {
namespace {

using x64::Condition;

struct BranchKind {
  bool is_branch = false;
  Condition condition{};
};

constexpr BranchKind branch_kind(Opcode op) {
  using enum Opcode;
  switch (op) {
    case kBranchEq:
    case kBranchEqImm: return {true, Condition::kEqual};
    case kBranchNotEq:
    case kBranchNotEqImm: return {true, Condition::kNotEqual};
    case kBranchLessUnsigned:
    case kBranchLessUnsignedImm: return {true, Condition::kBelow};
    case kBranchLessSigned:
    case kBranchLessSignedImm: return {true, Condition::kLess};
    case kBranchGreaterOrEqualUnsigned:
    case kBranchGreaterOrEqualUnsignedImm: return {true, Condition::kAboveEqual};
    case kBranchGreaterOrEqualSigned:
    case kBranchGreaterOrEqualSignedImm: return {true, Condition::kGreaterEqual};
    case kBranchLessOrEqualUnsignedImm: return {true, Condition::kBelowEqual};
    case kBranchLessOrEqualSignedImm: return {true, Condition::kLessEqual};
    case kBranchGreaterUnsignedImm: return {true, Condition::kAbove};
    case kBranchGreaterSignedImm: return {true, Condition::kGreater};
    default: return {};
  }
}

constexpr bool is_control(Opcode op) {
  using enum Opcode;
  constexpr Opcode others[] = {kTrap,   kFallthrough, kUnlikely,       kMemset,       kSbrk,
                               kEcalli, kJump,        kLoadImmAndJump, kJumpIndirect, kLoadImmAndJumpIndirect,
                               kInvalid};
  return branch_kind(op).is_branch || std::find(std::begin(others), std::end(others), op) != std::end(others);
}

// Jumps and branches. --------------------------------------------------------------------------------------

void jump(Translation& t, uint32_t target) {
  if (t.is_known_invalid(target)) return t.call(t.routines.invalid_jump);
  t.emitter.jmp_rel32(0);
  t.scratch.fixups.push_back({.native_end = t.here(), .target = target, .jump_bytes = kCallBytes});
}

void branch(Translation& t, Condition condition, const Instruction& in) {
  const uint32_t target = in.target;
  if (target <= in.pc && t.scratch.labels.is_defined(target)) {
    const int64_t distance = int64_t{t.scratch.labels.offset_of(target)} - (t.here() + 2);
    if (distance >= INT8_MIN) {
      t.is_own_loop = target == t.block_pc && t.is_plain && !t.prepay_next;
      return t.emitter.jcc_rel8(condition, static_cast<int32_t>(distance));
    }
  }
  t.emitter.jcc_rel32(condition, 0);
  t.scratch.fixups.push_back({.native_end = t.here(), .target = target, .jump_bytes = kJccBytes});
}

bool pairs_with_next(const Translation& t, const Instruction& in) {
  return t.may_pair && t.is_plain && t.program.opcode_at(in.next_pc) == Opcode::kJumpIndirect;
}

// Makes room in the charge of the current block for a comparison with the price of the next one.
void begin_pair(Translation& t, Condition condition, const Instruction& in) {
  constexpr uint32_t kCompareBytes = 7;
  Emitter& e = t.emitter;
  CompilerScratch::Block& block = t.scratch.blocks.back();
  const uint32_t body_bytes = t.here() - block.charge_end;
  uint8_t* const body = t.base + block.charge_end;
  std::memmove(body + kCompareBytes, body, body_bytes);
  // The encoder may write up to 8 bytes behind what it emits.
  uint64_t overwritten;
  std::memcpy(&overwritten, body + kCompareBytes, sizeof overwritten);
  e.set_cursor(body - kJccBytes);
  e.alu_imm32(x64::Alu::kCmp, true, kGas, 0);
  e.jcc_rel32(Condition::kLess, 0);
  block.charge_end = t.here();
  std::memcpy(e.cursor(), &overwritten, sizeof overwritten);
  e.set_cursor(e.cursor() + body_bytes);
  if (t.block_instruction != t.instruction_number) {
    t.first_length_extra = kCompareBytes;
    t.instruction_begin += kCompareBytes;
  }
  t.scratch.pairs.push_back({.first_pc = t.block_pc,
                             .second_pc = in.next_pc,
                             .first_block = static_cast<uint32_t>(t.scratch.blocks.size() - 1),
                             .first_instruction = t.block_instruction,
                             .last_instruction = t.instruction_number,
                             .body_begin = block.charge_end,
                             .body_end = t.here(),
                             .condition = condition,
                             .target = in.target,
                             .second_cost = 0});
  t.prepay_next = true;
}

template <Opcode op, bool is_64>
void compare_and_branch(Translation& t, const Instruction& in) {
  constexpr Condition condition = branch_kind(op).condition;
  // A branch traps, taken or not, when one of its two ways does not exist.
  if (t.is_known_invalid(in.target) || !t.program.is_instruction_start(in.next_pc)) {
    return t.call(t.routines.invalid_jump);
  }
  if constexpr (shape_of(op).form == Form::SrcImmTarget) {
    const auto value = static_cast<int32_t>(in.imm);
    constexpr bool asks_for_zero = condition == Condition::kEqual || condition == Condition::kNotEqual;
    const bool is_answered = asks_for_zero && value == 0 && t.zero_flag_of == number(in.src1);
    if (!is_answered) emit::compare_imm(t.emitter, is_64, native(in.src1), value);
  } else {
    t.emitter.alu(x64::Alu::kCmp, is_64, native(in.src1), native(in.src2));
  }
  if (pairs_with_next(t, in)) begin_pair(t, condition, in);
  branch(t, condition, in);
}

template <Opcode op, bool is_64>
void translate_control(Translation& t, const Instruction& in) {
  using enum Opcode;
  if constexpr (branch_kind(op).is_branch) {
    compare_and_branch<op, is_64>(t, in);
    return;
  }
  t.is_plain = false;
  if constexpr (op == kInvalid) {
    t.call(t.routines.invalid_instruction);
  } else if constexpr (op == kTrap) {
    t.leave_for(t.routines.trap_instruction);
  } else if constexpr (op == kFallthrough) {
    if (!t.program.is_instruction_start(in.next_pc)) t.call(t.routines.invalid_jump);
  } else if constexpr (op == kMemset) {
    t.call(t.routines.memset);
  } else if constexpr (op == kSbrk) {
    t.leave_for(t.routines.sbrk);
  } else if constexpr (op == kEcalli) {
    t.emitter.load_imm32(false, kTemp, static_cast<int32_t>(in.imm));
    t.leave_for(t.routines.host_call);
  } else if constexpr (op == kJump) {
    jump(t, in.target);
  } else if constexpr (op == kLoadImmAndJump) {
    t.emitter.load_imm32(is_64, native(in.dst), static_cast<int32_t>(in.imm));
    jump(t, in.target);
  } else if constexpr (op == kJumpIndirect) {
    emit_dynamic_jump(t.emitter, in);
  } else if constexpr (op == kLoadImmAndJumpIndirect) {
    // The address counts on the old base, which may be the register that gets the immediate.
    Emitter address_only = t.emitter;
    emit_dynamic_jump(address_only, in);
    t.emitter.set_cursor(address_only.cursor() - kDynamicJumpBytes);
    t.emitter.load_imm32(is_64, native(in.dst), static_cast<int32_t>(in.imm));
    t.emitter.bytes(kDynamicJump, kDynamicJumpBytes);
  } else {
    static_assert(op == kUnlikely || branch_kind(op).is_branch, "an opcode without a translation");
  }
}

// Divisions. -----------------------------------------------------------------------------------------------

// A quotient and a remainder of the same operands right behind each other are one machine division.
template <Opcode op, bool is_64>
bool translate_division_pair(Translation& t, const Instruction& in) {
  constexpr emit::DivisionKind kind = emit::division_kind(op);
  constexpr bool wide = is_64 && !is_narrow(op);
  if (t.is_stepping || !emit::division_kind(t.program.opcode_at(in.next_pc)).is_division) return false;
  const Instruction next = t.program.decode(in.next_pc);
  const emit::DivisionKind other = emit::division_kind(next.opcode);
  const bool is_pair = other.is_signed == kind.is_signed && other.is_remainder != kind.is_remainder &&
                       (is_64 && !is_narrow(next.opcode)) == wide && next.src1 == in.src1 &&
                       next.src2 == in.src2 && next.dst != in.dst && in.dst != in.src1 && in.dst != in.src2;
  if (!is_pair) return false;
  const auto first = static_cast<uint8_t>(native(in.dst));
  const auto second = static_cast<uint8_t>(native(next.dst));
  t.scratch.rare_divisions.push_back(emit::divide(t.emitter, wide, kind.is_signed, is_64 && !wide, in.src1,
                                                  in.src2, kind.is_remainder ? second : first,
                                                  kind.is_remainder ? first : second));
  t.fold_next = true;
  return true;
}

template <Opcode op, bool is_64>
void translate_any_division(Translation& t, const Instruction& in) {
  t.is_plain = false;
  if (std::exchange(t.fold_next, false)) {
    return t.scratch.folded.push_back({.instruction = in, .native_end = t.here()});
  }
  if (!translate_division_pair<op, is_64>(t, in)) translate_division(t, in, is_64);
}

// The tables. ----------------------------------------------------------------------------------------------

// Everything is inlined so that the operands and the cursor stay in registers.
template <Opcode op, bool is_64>
[[gnu::flatten]] Flow translate_simple(Translation& t, const uint8_t* arguments, uint32_t pc, uint32_t skip) {
  constexpr OpcodeShape shape = shape_of(op);
  Instruction in{.pc = pc};
  decode_operands<shape.form>(arguments, skip, in);
  Emitter e;
  e.set_cursor(t.emitter.cursor());
  if constexpr (shape.access_bytes != 0) {
    emit_store_imm<shape.form, shape.access_bytes>(e, in);
  } else {
    emit_arithmetic<op, is_64>(e, in);
  }
  t.emitter.set_cursor(e.cursor());
  t.zero_flag_of = kNoRegister;
  return shape.flow;
}

template <Opcode op, bool is_64>
Flow translate_other(Translation& t, const uint8_t* arguments, uint32_t pc, uint32_t skip) {
  constexpr OpcodeShape shape = shape_of(op);
  Instruction in{.pc = pc, .next_pc = pc + 1 + skip, .opcode = op};
  decode_operands<shape.form>(arguments, skip, in);
  if constexpr (is_control(op)) {
    translate_control<op, is_64>(t, in);
  } else {
    translate_any_division<op, is_64>(t, in);
  }
  t.zero_flag_of = kNoRegister;
  return shape.flow;
}

// The way of the loop for many instructions, for a single one.
template <bool is_64>
[[gnu::target("ssse3")]] Flow translate_by_template(Translation& t, const uint8_t* arguments, uint32_t,
                                                    uint32_t skip) {
  const TranslationRow row = translation_rows(t.program.instruction_set())[arguments[-1]];
  const Template* const filled =
      fill_template(t.emitter.cursor(), is_64 ? kTemplates64 : kTemplates32, row, arguments, skip);
  t.emitter.set_cursor(t.emitter.cursor() + filled->code_bytes);
  t.zero_flag_of = zero_flag_register(filled->zero_flag, arguments);
  return Flow::Next;
}

template <Opcode op, bool is_64>
constexpr TranslateFunction function_for() {
  if constexpr (TemplateMaker<is_64>(op, 0).make().has_value()) {
    return translate_by_template<is_64>;
  } else if constexpr (is_control(op) || emit::division_kind(op).is_division) {
    return translate_other<op, is_64>;
  } else {
    return translate_simple<op, is_64>;
  }
}

template <bool is_64>
constexpr TranslateTable make_table() {
  return {{
#define SG_OPCODE(enumerator, mnemonic, form, latest64, jam, revive, latest32, access, flow) \
  function_for<Opcode::enumerator, is_64>(),
#include "sandbox/program/opcodes.def"
#undef SG_OPCODE
      function_for<Opcode::kInvalid, is_64>(),
  }};
}

}  // namespace

constinit const TranslateTable kTranslate64 = make_table<true>();
constinit const TranslateTable kTranslate32 = make_table<false>();

void translate_division(Translation& t, const Instruction& in, bool is_64) {
  const emit::DivisionKind kind = emit::division_kind(in.opcode);
  const bool wide = is_64 && !is_narrow(in.opcode);
  const auto dst = static_cast<uint8_t>(native(in.dst));
  t.scratch.rare_divisions.push_back(emit::divide(t.emitter, wide, kind.is_signed, is_64 && !wide, in.src1,
                                                  in.src2, kind.is_remainder ? kNoRegister : dst,
                                                  kind.is_remainder ? dst : kNoRegister));
}

// What is no code address has no memory in the table, or an entry that no jump accepts; so the jump itself
// faults.
void emit_dynamic_jump(Emitter& e, const Instruction& in) {
  if (in.offset == 0) {
    e.mov(false, kTemp, native(in.base));
  } else {
    e.lea(false, kTemp, native(in.base), static_cast<int32_t>(in.offset));
  }
  e.bytes(kDynamicJump, kDynamicJumpBytes);
}

}  // namespace sandglass
