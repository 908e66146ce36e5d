// The member functions of Translator. Included by compiler.cc only.
#pragma once

#include <algorithm>
#include <iterator>

#include "sandbox/compiler/trampolines.h"
#include "sandbox/compiler/translator.h"

namespace sandglass {

template <bool is_64, class Meter, GasMetering gas>
Translator<is_64, Meter, gas>::Translator(const Program& program, const ModuleOptions& options,
                                          const Mapping& code, CompilerScratch& scratch)
    : program_(program),
      options_(options),
      scratch_(scratch),
      opcodes_(opcode_map(program.instruction_set())),
      base_(code.data()),
      limit_(code.data() + std::min(options.max_native_bytes, code.size_bytes() - kLimitSlackBytes)),
      meter_(program, options.cost_model) {
  e_.set_cursor(base_);
  scratch_.reset(program.code_bytes());
  size_t instructions = 0;
  for (uint8_t byte : program.parts().bitmask) instructions += static_cast<size_t>(std::popcount(byte));
  tables_.lengths.resize(instructions + 1);
  tables_.checkpoint_native.reserve(program.code_bytes() / 64 + 1);
  tables_.checkpoint_instruction.reserve(program.code_bytes() / 64 + 1);
}

template <bool is_64, class Meter, GasMetering gas>
size_t Translator<is_64, Meter, gas>::translate() {
  tables_.trampolines = emit_trampolines(e_, base_, is_64, gas);
  translate_code();
  if (e_.cursor() > limit_) return 0;
  tables_.guest_code_end = here();
  finish_folded();
  if constexpr (gas == GasMetering::kSync) finish_pairs();
  std::sort(tables_.entries.begin(), tables_.entries.end(),
            [](const Detour& a, const Detour& b) { return a.pc < b.pc; });
  finish_rare_divisions();
  if constexpr (gas == GasMetering::kSync) finish_exits();
  if (e_.cursor() > limit_) return 0;
  finish_fixups();
  finish_jump_table();
  return here();
}

// The loop.
// -----------------------------------------------------------------------------------------------------

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::translate_code() {
  // Code behind an invalid instruction cannot be reached until a terminator starts a new block.
  bool reachable = program_.is_instruction_start(0);
  starts_block_ = reachable;
  uint32_t pc = 0;
  while (pc < program_.code_bytes() && !program_.is_instruction_start(pc)) ++pc;
  while (pc < program_.code_bytes() && e_.cursor() <= limit_) {
    note_checkpoints(pc);
    const uint32_t skip = program_.skip_at(pc);
    const uint32_t next_pc = pc + 1 + skip;
    Flow flow;
    if (reachable) {
      instruction_begin_ = e_.cursor();
      if (options_.step_tracing) {
        call(tables_.trampolines.step);
        zero_flag_of_ = kNoRegister;
      }
      if (starts_block_) begin_block(pc);
      flow = translate_instruction(pc, skip);
      tables_.lengths[instruction_count_] = static_cast<uint8_t>(e_.cursor() - instruction_begin_);
      if (flow != Flow::Next) end_block();
      starts_block_ = flow != Flow::Next;
      reachable = opcodes_[program_.code()[pc]] != Opcode::kInvalid;
    } else {
      const Opcode opcode = opcodes_[program_.code()[pc]];
      flow = info_of(opcode).flow;
      reachable = starts_block_ = is_terminator(opcode);
    }
    ++instruction_count_;
    if (!program_.is_instruction_start(next_pc)) [[unlikely]] {
      if (reachable && flow == Flow::Next) run_into_nothing(next_pc);
      pc = next_pc;
      while (pc < program_.code_bytes() && !program_.is_instruction_start(pc)) ++pc;
      reachable = false;
    } else {
      pc = next_pc;
    }
  }
  note_checkpoints(program_.code_bytes());
}

// One checkpoint per 64 guest code bytes: the first instruction at or behind that place.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::note_checkpoints(uint32_t pc) {
  while (tables_.checkpoint_native.size() * 64 <= pc) {
    tables_.checkpoint_native.push_back(here());
    tables_.checkpoint_instruction.push_back(static_cast<uint32_t>(instruction_count_));
  }
}

// The code goes on where no instruction is: an invalid one belongs to the block that ends there.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::run_into_nothing(uint32_t pc) {
  const uint32_t begin = here();
  if (options_.step_tracing) call(tables_.trampolines.step);
  call(tables_.trampolines.invalid_instruction);
  tables_.detours.push_back({.native_begin = begin, .native_end = here(), .pc = pc});
  meter_.feed_invalid();
  end_block();
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::begin_block(uint32_t pc) {
  starts_block_ = false;
  zero_flag_of_ = kNoRegister;
  is_prepaid_ = std::exchange(prepay_next_, false);
  if (is_prepaid_) return charge_prepaid();
  scratch_.labels[pc] = here() - (options_.step_tracing ? kCallBytes : 0);
  if constexpr (gas != GasMetering::kNone) charge(pc);
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::charge(uint32_t pc) {
  e_.alu_imm32(x64::Alu::kSub, true, kGas, 0);
  charge_end_ = e_.cursor();
  if constexpr (gas == GasMetering::kSync) {
    // Not js: sub and jl fuse into one operation, sub and js do not.
    e_.jcc_rel32(x64::Condition::kLess, 0);
    scratch_.blocks.push_back({.pc = pc, .charge_end = here()});
    is_plain_ = !options_.step_tracing;
    block_instruction_ = static_cast<uint32_t>(instruction_count_);
    block_pc_ = pc;
  }
}

// The block before has asked for the gas.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::charge_prepaid() {
  e_.alu_imm32(x64::Alu::kSub, true, kGas, 0);
  charge_end_ = e_.cursor();
  is_plain_ = false;
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::end_block() {
  const uint32_t cost = meter_.finish();
  if constexpr (gas != GasMetering::kNone) std::memcpy(charge_end_ - 4, &cost, 4);
  if (!is_prepaid_) return;
  is_prepaid_ = false;
  CompilerScratch::Pair& pair = scratch_.pairs.back();
  pair.second_cost = cost;
  const uint32_t comparison_end = scratch_.blocks[pair.first_block].charge_end - kJccBytes;
  std::memcpy(base_ + comparison_end - 4, &cost, 4);
}

// Pairs (CompilerScratch::Pair). --------------------------------------------------------------------------------

template <bool is_64, class Meter, GasMetering gas>
bool Translator<is_64, Meter, gas>::pairs_with_next(const Instruction& in) const {
  return gas == GasMetering::kSync && is_plain_ &&
         opcodes_[program_.code()[in.next_pc]] == Opcode::kJumpIndirect;
}

// Makes room in the charge of the current block for a comparison with the price of the next one.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::begin_pair(x64::Condition condition, const Instruction& in) {
  CompilerScratch::Block& block = scratch_.blocks.back();
  const uint32_t body_bytes = here() - block.charge_end;
  uint8_t* const body = base_ + block.charge_end;
  std::memmove(body + kCompareBytes, body, body_bytes);
  // The encoder may write up to 8 bytes behind what it emits.
  uint64_t overwritten;
  std::memcpy(&overwritten, body + kCompareBytes, sizeof overwritten);
  e_.set_cursor(body - kJccBytes);
  e_.alu_imm32(x64::Alu::kCmp, true, kGas, 0);
  e_.jcc_rel32(x64::Condition::kLess, 0);
  block.charge_end = here();
  std::memcpy(e_.cursor(), &overwritten, sizeof overwritten);
  e_.set_cursor(e_.cursor() + body_bytes);
  if (block_instruction_ != instruction_count_) {
    tables_.lengths[block_instruction_] += kCompareBytes;
    instruction_begin_ += kCompareBytes;
  }
  scratch_.pairs.push_back({.first_pc = block_pc_,
                            .second_pc = in.next_pc,
                            .first_block = static_cast<uint32_t>(scratch_.blocks.size() - 1),
                            .first_instruction = block_instruction_,
                            .last_instruction = static_cast<uint32_t>(instruction_count_),
                            .body_begin = block.charge_end,
                            .body_end = here(),
                            .condition = condition,
                            .target = in.target,
                            .second_cost = 0});
  prepay_next_ = true;
}

template <bool is_64, class Meter, GasMetering gas>
Flow Translator<is_64, Meter, gas>::translate_instruction(uint32_t pc, uint32_t skip) {
  Instruction in{.pc = pc, .next_pc = pc + 1 + skip};
  const uint8_t* const arguments = program_.code() + pc + 1;
  in.opcode = opcodes_[arguments[-1]];
  switch (in.opcode) {
#define SG_OPCODE(enumerator, mnemonic, form, latest64, jam, revive, latest32, access, flow) \
  case Opcode::enumerator:                                                                   \
    decode_operands<Form::form>(arguments, skip, in);                                        \
    translate<Opcode::enumerator>(in);                                                       \
    return Flow::flow;
#include "sandbox/program/opcodes.def"
#undef SG_OPCODE
    case Opcode::kInvalid:
      meter_.feed_invalid();
      call(tables_.trampolines.invalid_instruction);
      return Flow::NoFallthrough;
  }
  return Flow::NoFallthrough;
}

template <bool is_64, class Meter, GasMetering gas>
template <Opcode op>
void Translator<is_64, Meter, gas>::translate(const Instruction& in) {
  meter_.feed(in);
  if (fold_next_) [[unlikely]] {
    fold_next_ = false;
    scratch_.folded.push_back({.instruction = in, .native_end = here()});
    return;
  }
  e_.zero_flag_of = kNoRegister;
  emit<op>(in);
  zero_flag_of_ = e_.zero_flag_of;
}

namespace internal {

struct OpcodeShape {
  Form form;
  uint32_t access_bytes;
  bool is_signed;
};

constexpr bool names_signed_access(std::string_view mnemonic) {
  return mnemonic.ends_with("_i8") || mnemonic.ends_with("_i16") || mnemonic.ends_with("_i32");
}

constexpr OpcodeShape shape_of(Opcode op) {
  constexpr OpcodeShape shapes[] = {
#define SG_OPCODE(enumerator, mnemonic, form, latest64, jam, revive, latest32, access, flow) \
  {Form::form, access, names_signed_access(mnemonic)},
#include "sandbox/program/opcodes.def"
#undef SG_OPCODE
  };
  return shapes[static_cast<size_t>(op)];
}

}  // namespace internal

namespace internal {

struct BranchKind {
  bool is_branch = false;
  x64::Condition condition{};
};

constexpr BranchKind branch_kind(Opcode op) {
  using enum Opcode;
  using x64::Condition;
  switch (op) {
    case kBranchEq:
    case kBranchEqImm:
      return {true, Condition::kEqual};
    case kBranchNotEq:
    case kBranchNotEqImm:
      return {true, Condition::kNotEqual};
    case kBranchLessUnsigned:
    case kBranchLessUnsignedImm:
      return {true, Condition::kBelow};
    case kBranchLessSigned:
    case kBranchLessSignedImm:
      return {true, Condition::kLess};
    case kBranchGreaterOrEqualUnsigned:
    case kBranchGreaterOrEqualUnsignedImm:
      return {true, Condition::kAboveEqual};
    case kBranchGreaterOrEqualSigned:
    case kBranchGreaterOrEqualSignedImm:
      return {true, Condition::kGreaterEqual};
    case kBranchLessOrEqualUnsignedImm:
      return {true, Condition::kBelowEqual};
    case kBranchLessOrEqualSignedImm:
      return {true, Condition::kLessEqual};
    case kBranchGreaterUnsignedImm:
      return {true, Condition::kAbove};
    case kBranchGreaterSignedImm:
      return {true, Condition::kGreater};
    default:
      return {};
  }
}

constexpr bool is_control(Opcode op) {
  using enum Opcode;
  constexpr Opcode others[] = {
      kTrap,   kFallthrough, kUnlikely,       kMemset,       kSbrk,
      kEcalli, kJump,        kLoadImmAndJump, kJumpIndirect, kLoadImmAndJumpIndirect};
  return branch_kind(op).is_branch || std::find(std::begin(others), std::end(others), op) != std::end(others);
}

}  // namespace internal

template <bool is_64, class Meter, GasMetering gas>
template <Opcode op>
void Translator<is_64, Meter, gas>::emit(const Instruction& in) {
  constexpr internal::OpcodeShape shape = internal::shape_of(op);
  if constexpr (shape.access_bytes != 0) {
    emit_access<shape.form, shape.access_bytes, shape.is_signed, is_64>(e_, in);
  } else if constexpr (internal::is_control(op)) {
    if constexpr (!internal::branch_kind(op).is_branch) is_plain_ = false;
    emit_control<op>(in);
  } else {
    if constexpr (emit::division_kind(op).is_division) {
      is_plain_ = false;
      if (emit_division_pair<op>(in)) return;
    }
    emit_arithmetic<op, is_64>(e_, in);
  }
}

// A quotient and a remainder of the same operands right behind each other are one machine division.
template <bool is_64, class Meter, GasMetering gas>
template <Opcode op>
bool Translator<is_64, Meter, gas>::emit_division_pair(const Instruction& in) {
  constexpr emit::DivisionKind kind = emit::division_kind(op);
  constexpr bool wide = is_64 && !emit::is_narrow(op);
  if (options_.step_tracing || !program_.is_instruction_start(in.next_pc)) return false;
  const Instruction next = program_.decode(in.next_pc);
  const emit::DivisionKind other = emit::division_kind(next.opcode);
  const bool pairs = other.is_division && other.is_signed == kind.is_signed &&
                     other.is_remainder != kind.is_remainder &&
                     (is_64 && !emit::is_narrow(next.opcode)) == wide && next.src1 == in.src1 &&
                     next.src2 == in.src2 && next.dst != in.dst && in.dst != in.src1 && in.dst != in.src2;
  if (!pairs) return false;
  const auto first = static_cast<uint8_t>(native(in.dst));
  const auto second = static_cast<uint8_t>(native(next.dst));
  emit::divide(e_, wide, kind.is_signed, is_64 && !wide, in.src1, in.src2, kind.is_remainder ? second : first,
               kind.is_remainder ? first : second);
  fold_next_ = true;
  return true;
}

// Control flow.
// -------------------------------------------------------------------------------------------------

template <bool is_64, class Meter, GasMetering gas>
bool Translator<is_64, Meter, gas>::is_known_invalid(uint32_t target) const {
  return target >= program_.code_bytes() || !program_.is_instruction_start(target);
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::jump(uint32_t target) {
  if (is_known_invalid(target)) return trap_on_invalid_jump();
  e_.jmp_rel32(0);
  scratch_.fixups.push_back({.native_end = here(), .target = target, .jump_bytes = 5});
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::branch(x64::Condition condition, const Instruction& in) {
  const uint32_t known = in.target <= in.pc ? scratch_.labels[in.target] : CompilerScratch::kUndefined;
  const int64_t distance = int64_t{known} - (here() + 2);
  if (known != CompilerScratch::kUndefined && distance >= INT8_MIN) {
    return e_.jcc_rel8(condition, static_cast<int32_t>(distance));
  }
  e_.jcc_rel32(condition, 0);
  scratch_.fixups.push_back({.native_end = here(), .target = in.target, .jump_bytes = kJccBytes});
}

template <bool is_64, class Meter, GasMetering gas>
template <Opcode op>
void Translator<is_64, Meter, gas>::compare_and_branch(const Instruction& in) {
  constexpr x64::Condition condition = internal::branch_kind(op).condition;
  // A branch traps, taken or not, when one of its two ways does not exist.
  if (is_known_invalid(in.target) || !program_.is_instruction_start(in.next_pc))
    return trap_on_invalid_jump();
  if constexpr (internal::shape_of(op).form == Form::SrcImmTarget) {
    const auto value = static_cast<int32_t>(in.imm);
    constexpr bool asks_for_zero =
        condition == x64::Condition::kEqual || condition == x64::Condition::kNotEqual;
    const bool is_answered = asks_for_zero && value == 0 && zero_flag_of_ == number(in.src1);
    if (!is_answered) emit::compare_imm(e_, is_64, native(in.src1), value);
  } else {
    e_.alu(x64::Alu::kCmp, is_64, native(in.src1), native(in.src2));
  }
  if (pairs_with_next(in)) begin_pair(condition, in);
  branch(condition, in);
}

// The temporary becomes the guest address to jump to, cut to 32 bits.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::index_of_dynamic_jump(const Instruction& in) {
  if (in.offset == 0) return e_.mov(false, kTemp, native(in.base));
  e_.lea(false, kTemp, native(in.base), static_cast<int32_t>(in.offset));
}

// jmp [rsp + 8 * rcx]: what is no code address has no memory in the table, or an entry that no jump accepts;
// so the jump itself faults.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::dynamic_jump() {
  e_.bytes(0xcc24ff, 3);
}

template <bool is_64, class Meter, GasMetering gas>
template <Opcode op>
void Translator<is_64, Meter, gas>::emit_control(const Instruction& in) {
  using enum Opcode;
  const Trampolines& routines = tables_.trampolines;
  if constexpr (internal::branch_kind(op).is_branch) {
    compare_and_branch<op>(in);
  } else if constexpr (op == kTrap) {
    call(routines.trap);
  } else if constexpr (op == kFallthrough) {
    if (!program_.is_instruction_start(in.next_pc)) trap_on_invalid_jump();
  } else if constexpr (op == kUnlikely) {
    // Only a hint for the cost model.
  } else if constexpr (op == kMemset) {
    call(routines.memset);
  } else if constexpr (op == kSbrk) {
    call(routines.sbrk);
  } else if constexpr (op == kEcalli) {
    e_.load_constant(kTemp, in.imm & UINT32_MAX);
    call(routines.host_call);
  } else if constexpr (op == kJump) {
    jump(in.target);
  } else if constexpr (op == kLoadImmAndJump) {
    e_.load_constant(native(in.dst), is_64 ? in.imm : in.imm & UINT32_MAX);
    jump(in.target);
  } else if constexpr (op == kJumpIndirect) {
    index_of_dynamic_jump(in);
    dynamic_jump();
  } else {
    static_assert(op == kLoadImmAndJumpIndirect, "an opcode without a translation");
    index_of_dynamic_jump(in);
    e_.load_constant(native(in.dst), is_64 ? in.imm : in.imm & UINT32_MAX);
    dynamic_jump();
  }
}

// What is written behind the code.
// ----------------------------------------------------------------------------

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::patch(uint32_t native_end, uint32_t target_native) {
  const auto displacement = static_cast<int32_t>(target_native - native_end);
  std::memcpy(base_ + native_end - 4, &displacement, 4);
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_rare_divisions() {
  for (const RareDivision& division : e_.rare_divisions) {
    if (e_.cursor() > limit_) return;
    patch(static_cast<uint32_t>(division.jump_end - base_), here());
    emit::rare_division(e_, division);
  }
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_folded() {
  for (const CompilerScratch::Folded& folded : scratch_.folded) {
    if (e_.cursor() > limit_) return;
    const Instruction& in = folded.instruction;
    const uint32_t begin = here();
    switch (in.opcode) {
#define SG_OPCODE(enumerator, mnemonic, form, latest64, jam, revive, latest32, access, flow) \
  case Opcode::enumerator:                                                                   \
    if constexpr (emit::division_kind(Opcode::enumerator).is_division) {                     \
      emit_arithmetic<Opcode::enumerator, is_64>(e_, in);                                    \
    }                                                                                        \
    break;
#include "sandbox/program/opcodes.def"
#undef SG_OPCODE
      case Opcode::kInvalid:
        break;
    }
    e_.jmp(base_ + folded.native_end);
    const Detour detour = {.native_begin = begin, .native_end = here(), .pc = in.pc};
    tables_.detours.push_back(detour);
    tables_.entries.push_back(detour);
  }
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_pairs() {
  for (const CompilerScratch::Pair& pair : scratch_.pairs) {
    if (e_.cursor() + (pair.body_end - pair.body_begin) > limit_) return e_.set_cursor(const_cast<uint8_t*>(limit_) + 1);
    const uint8_t* const second = e_.cursor();
    finish_second(pair);
    finish_first(pair, second);
  }
}

// The second block as it would be by itself: what jumps to it, and what runs out of gas at it, finds it here.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_second(const CompilerScratch::Pair& pair) {
  const uint32_t begin = here();
  scratch_.labels[pair.second_pc] = begin;
  charge(pair.second_pc);
  std::memcpy(charge_end_ - 4, &pair.second_cost, 4);
  index_of_dynamic_jump(program_.decode(pair.second_pc));
  dynamic_jump();
  const Detour detour = {.native_begin = begin, .native_end = here(), .pc = pair.second_pc};
  tables_.detours.push_back(detour);
  tables_.entries.push_back(detour);
}

// The first block once more, for when the gas is enough for it but not for both.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_first(const CompilerScratch::Pair& pair, const uint8_t* second) {
  CompilerScratch::Block& block = scratch_.blocks[pair.first_block];
  patch(block.charge_end, here());
  e_.test(true, kGas, kGas);
  e_.jcc_rel32(x64::Condition::kLess, 0);
  block.charge_end = here();

  uint32_t native = here();
  std::memcpy(e_.cursor(), base_ + pair.body_begin, pair.body_end - pair.body_begin);
  e_.set_cursor(e_.cursor() + (pair.body_end - pair.body_begin));
  e_.jcc_rel32(pair.condition, 0);
  scratch_.fixups.push_back({.native_end = here(), .target = pair.target, .jump_bytes = kJccBytes});
  const uint32_t branch_end = here();
  e_.jmp(second);

  uint32_t prelude = kChargeBytes + kCompareBytes;
  uint32_t instruction = pair.first_instruction;
  for (uint32_t pc = pair.first_pc; pc < pair.second_pc; pc += 1 + program_.skip_at(pc)) {
    const uint32_t bytes = tables_.lengths[instruction++] - std::exchange(prelude, 0);
    // The branch itself may have been shorter at its first place.
    const bool is_last = instruction == pair.last_instruction + 1;
    const uint32_t native_end = is_last ? branch_end : native + bytes;
    tables_.detours.push_back({.native_begin = native, .native_end = native_end, .pc = pc});
    native = native_end;
  }
}

// One call per block; its return address tells which block could not be paid.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_exits() {
  tables_.out_of_gas_begin = here();
  tables_.block_pcs.reserve(scratch_.blocks.size());
  for (const CompilerScratch::Block& block : scratch_.blocks) {
    if (e_.cursor() > limit_) return;
    patch(block.charge_end, here());
    call(tables_.trampolines.out_of_gas);
    tables_.block_pcs.push_back(block.pc);
  }
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_fixups() {
  for (const CompilerScratch::Fixup& fixup : scratch_.fixups) {
    const uint32_t label = scratch_.labels[fixup.target];
    if (label != CompilerScratch::kUndefined) {
      patch(fixup.native_end, label);
      continue;
    }
    // No block starts there: the jump itself becomes the trap.
    uint8_t* const jump = base_ + fixup.native_end - fixup.jump_bytes;
    jump[0] = 0xe8;
    patch(static_cast<uint32_t>(jump - base_) + kCallBytes, tables_.trampolines.invalid_jump);
  }
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_jump_table() {
  const std::vector<uint32_t>& targets = program_.parts().jump_table;
  tables_.jump_table.resize(targets.size());
  for (size_t i = 0; i < targets.size(); ++i) {
    if (targets[i] >= program_.code_bytes()) continue;
    const uint32_t label = scratch_.labels[targets[i]];
    if (label != CompilerScratch::kUndefined) tables_.jump_table[i] = label;
  }
}

}  // namespace sandglass
