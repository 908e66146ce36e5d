// Translator: the loop of the recompiler and what it writes behind the code. See compiler.h for the idea.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "sandbox/compiler/trampolines.h"
#include "sandbox/compiler/translation.h"

namespace sandglass {

// sub r15, imm32; cmp r15, imm32; jl rel32.
inline constexpr uint32_t kPairedChargeBytes = 20;
// The limit is looked at once per checkpoint, so what its instructions become must fit behind it.
inline constexpr size_t kLimitSlackBytes = KiB(16);
// The pages of the buffer are there this far ahead of the cursor.
inline constexpr size_t kPopulateAhead = KiB(16);

template <bool is_64, class Meter, GasMetering gas>
class Translator {
 public:
  // Emits into `code`, at most max_native_bytes or as much as fits there.
  Translator(const Program& program, const ModuleOptions& options, const Mapping& code,
             CompilerScratch& scratch);

  // Returns the number of bytes emitted, 0 when they would exceed the limit.
  size_t translate();
  CompiledCode take_tables() { return std::move(tables_); }

 private:
  static constexpr bool kIsSync = gas == GasMetering::kSync;

  // What stands at some place of the code; meaningless but harmless where no instruction starts.
  struct Upcoming {
    TranslateFunction function;
    uint32_t skip;
    Opcode opcode;
  };
  Upcoming look_ahead(const TranslateTable& table, const uint8_t* code, const uint8_t* bitmask,
                      uint32_t pc) const {
    const Opcode opcode = opcodes_[code[pc]];
    return {table[static_cast<size_t>(opcode)], Program::skip_in(bitmask, pc), opcode};
  }

  void translate_code();
  void step();
  void populate(uint32_t pc);
  void begin_block(uint32_t pc);
  void charge(uint32_t pc);
  void end_block();
  uint32_t note_checkpoints(uint32_t pc);
  void run_into_nothing(uint32_t pc);
  uint32_t next_start(uint32_t pc) const;

  bool is_full() const { return t_.emitter.cursor() > limit_; }
  void finish_pair(const CompilerScratch::Pair& pair);
  void finish_second(const CompilerScratch::Pair& pair);
  void finish_first(const CompilerScratch::Pair& pair, const uint8_t* second);
  void finish_folded(const CompilerScratch::Folded& folded);
  void finish_rare_division(const RareDivision& division);
  void finish_exits();
  void finish_fixups();
  void finish_jump_table();
  void patch(uint32_t native_end, uint32_t target_native);

  const Program& program_;
  CompilerScratch& scratch_;
  const OpcodeMap& opcodes_;
  const Mapping& buffer_;
  const uint8_t* const limit_;
  const uint8_t* populated_end_;
  Translation t_;
  Meter meter_;
  CompiledCode tables_;
  uint8_t* charge_end_ = nullptr;  // of the block being translated: behind the amount of its charge
  bool is_prepaid_ = false;        // the block being translated is the second one of a pair
};

template <bool is_64, class Meter, GasMetering gas>
Translator<is_64, Meter, gas>::Translator(const Program& program, const ModuleOptions& options,
                                          const Mapping& code, CompilerScratch& scratch)
    : program_(program),
      scratch_(scratch),
      opcodes_(opcode_map(program.instruction_set())),
      buffer_(code),
      limit_(code.data() + std::min(options.max_native_bytes, code.size_bytes() - kLimitSlackBytes)),
      populated_end_(code.data()),
      t_(program, code.data(), scratch, options.step_tracing, kIsSync && !options.step_tracing),
      meter_(program, options.cost_model) {
  t_.emitter.set_cursor(t_.base);
  scratch_.reset(program.code_bytes());
  tables_.lengths.resize(program.count_instructions() + 1);
  tables_.checkpoint_native.reserve(program.code_bytes() / kCheckpointBytes + 1);
  tables_.checkpoint_instruction.reserve(program.code_bytes() / kCheckpointBytes + 1);
}

template <bool is_64, class Meter, GasMetering gas>
size_t Translator<is_64, Meter, gas>::translate() {
  tables_.trampolines = t_.routines = emit_trampolines(t_.emitter, t_.base, is_64, gas);
  translate_code();
  tables_.guest_code_end = t_.here();
  for (size_t i = 0; i < scratch_.folded.size() && !is_full(); ++i) finish_folded(scratch_.folded[i]);
  for (size_t i = 0; i < scratch_.pairs.size() && !is_full(); ++i) finish_pair(scratch_.pairs[i]);
  for (size_t i = 0; i < scratch_.rare_divisions.size() && !is_full(); ++i) {
    finish_rare_division(scratch_.rare_divisions[i]);
  }
  if constexpr (kIsSync) finish_exits();
  if (is_full()) return 0;
  std::sort(tables_.entries.begin(), tables_.entries.end(),
            [](const Detour& a, const Detour& b) { return a.pc < b.pc; });
  finish_fixups();
  finish_jump_table();
  return t_.here();
}

// The loop. ------------------------------------------------------------------------------------------------

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::translate_code() {
  const uint8_t* const code = program_.code();
  const uint8_t* const bitmask = program_.padded_bitmask();
  const uint32_t code_bytes = program_.code_bytes();
  const TranslateTable& table = is_64 ? kTranslate64 : kTranslate32;
  uint8_t* const lengths = tables_.lengths.data();
  uint32_t number = 0;
  uint32_t next_checkpoint = 0;
  // Code behind an invalid instruction cannot be reached until a terminator starts a new block.
  bool is_reachable = program_.is_instruction_start(0);
  bool starts_block = is_reachable;
  uint32_t pc = next_start(0);
  Upcoming current = look_ahead(table, code, bitmask, pc);
  for (; pc < code_bytes; ++number) {
    t_.instruction_number = number;
    if (pc >= next_checkpoint) {
      if (is_full()) return;
      if (t_.emitter.cursor() + kPopulateAhead > populated_end_) populate(pc);
      next_checkpoint = note_checkpoints(pc);
    }
    // The next function is looked up before this one is called: by the time the processor finds out that it
    // guessed the next call wrong, which is the rule, the right address has long been there.
    const uint32_t next_pc = pc + 1 + current.skip;
    const Upcoming next = look_ahead(table, code, bitmask, next_pc);
    Flow flow;
    if (is_reachable) [[likely]] {
      t_.instruction_begin = t_.emitter.cursor();
      if (t_.is_stepping) step();
      if (starts_block) begin_block(pc);
      flow = current.function(t_, code + pc + 1, pc, current.skip);
      meter_.feed(current.opcode, pc);
      lengths[number] = static_cast<uint8_t>(t_.emitter.cursor() - t_.instruction_begin);
      starts_block = flow != Flow::Next;
      if (starts_block) {
        end_block();
        is_reachable = current.opcode != Opcode::kInvalid;
      }
    } else {
      flow = info_of(current.opcode).flow;
      is_reachable = starts_block = is_terminator(current.opcode);
    }
    if ((current.skip == kMaxSkip || next_pc >= code_bytes) && !program_.is_instruction_start(next_pc))
        [[unlikely]] {
      if (is_reachable && flow == Flow::Next) run_into_nothing(next_pc);
      is_reachable = false;
      pc = next_start(next_pc);
      current = look_ahead(table, code, bitmask, pc);
    } else {
      pc = next_pc;
      current = next;
    }
  }
  t_.instruction_number = number;
  note_checkpoints(code_bytes);
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::step() {
  t_.call(t_.routines.step);
  t_.zero_flag_of = kNoRegister;
}

// Gets the next pages of the buffer in one go: as many as the rest of the code will need at the rate so far,
// for a start none at all.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::populate(uint32_t pc) {
  constexpr uint64_t kMaxChunkBytes = MiB(1);
  const uint64_t emitted = t_.here();
  const uint64_t rest = emitted * (program_.code_bytes() - pc) / std::max<uint32_t>(pc, 1);
  const uint64_t begin = round_down(emitted, kMinPageBytes);
  const uint64_t end = std::min<uint64_t>(begin + std::clamp<uint64_t>(rest, kPopulateAhead, kMaxChunkBytes),
                                          buffer_.size_bytes());
  if (emitted >= kPopulateAhead) buffer_.populate(begin, round_down(end, kMinPageBytes) - begin);
  populated_end_ = t_.base + end;
}

template <bool is_64, class Meter, GasMetering gas>
uint32_t Translator<is_64, Meter, gas>::next_start(uint32_t pc) const {
  while (pc < program_.code_bytes() && !program_.is_instruction_start(pc)) ++pc;
  return pc;
}

// One checkpoint per kCheckpointBytes guest code bytes: the first instruction at or behind that place.
// Returns the pc of the next one.
template <bool is_64, class Meter, GasMetering gas>
uint32_t Translator<is_64, Meter, gas>::note_checkpoints(uint32_t pc) {
  while (tables_.checkpoint_native.size() * kCheckpointBytes <= pc) {
    tables_.checkpoint_native.push_back(t_.here());
    tables_.checkpoint_instruction.push_back(t_.instruction_number);
  }
  return static_cast<uint32_t>(tables_.checkpoint_native.size() * kCheckpointBytes);
}

// The code goes on where no instruction is: an invalid one belongs to the block that ends there.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::run_into_nothing(uint32_t pc) {
  const uint32_t begin = t_.here();
  if (t_.is_stepping) t_.call(t_.routines.step);
  t_.call(t_.routines.invalid_instruction);
  tables_.detours.push_back({.native_begin = begin, .native_end = t_.here(), .pc = pc});
  meter_.feed_invalid();
  end_block();
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::begin_block(uint32_t pc) {
  t_.zero_flag_of = kNoRegister;
  if constexpr (kIsSync) {
    is_prepaid_ = std::exchange(t_.prepay_next, false);
    t_.is_plain = !is_prepaid_;
    t_.block_pc = pc;
    t_.block_instruction = t_.instruction_number;
    if (is_prepaid_) {
      // The block before has asked for the gas; jumps will find this block elsewhere.
      scratch_.labels.define(pc, kElsewhere);
      t_.emitter.alu_imm32(x64::Alu::kSub, true, kGas, 0);
      charge_end_ = t_.emitter.cursor();
      return;
    }
  }
  scratch_.labels.define(pc, static_cast<uint32_t>(t_.instruction_begin - t_.base));
  if constexpr (gas != GasMetering::kNone) charge(pc);
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::charge(uint32_t pc) {
  t_.emitter.alu_imm32(x64::Alu::kSub, true, kGas, 0);
  charge_end_ = t_.emitter.cursor();
  if constexpr (kIsSync) {
    // Not js: sub and jl fuse into one operation, sub and js do not.
    t_.emitter.jcc_rel32(x64::Condition::kLess, 0);
    scratch_.blocks.push_back({.pc = pc, .charge_end = t_.here()});
  }
}

// The price is known now: it is filled in where the block is charged, and where the block before asks for it.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::end_block() {
  const uint32_t cost = meter_.finish();
  if constexpr (gas != GasMetering::kNone) std::memcpy(charge_end_ - 4, &cost, 4);
  if constexpr (kIsSync) {
    tables_.lengths[t_.block_instruction] += static_cast<uint8_t>(std::exchange(t_.first_length_extra, 0));
    if (!std::exchange(is_prepaid_, false)) return;
    CompilerScratch::Pair& pair = scratch_.pairs.back();
    pair.second_cost = cost;
    std::memcpy(t_.base + scratch_.blocks[pair.first_block].charge_end - kJccBytes - 4, &cost, 4);
  }
}

// What is written behind the code. -------------------------------------------------------------------------

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::patch(uint32_t native_end, uint32_t target_native) {
  const auto displacement = static_cast<int32_t>(target_native - native_end);
  std::memcpy(t_.base + native_end - 4, &displacement, 4);
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_folded(const CompilerScratch::Folded& folded) {
  const uint32_t begin = t_.here();
  translate_division(t_, folded.instruction, is_64);
  t_.emitter.jmp(t_.base + folded.native_end);
  const Detour detour = {.native_begin = begin, .native_end = t_.here(), .pc = folded.instruction.pc};
  tables_.detours.push_back(detour);
  tables_.entries.push_back(detour);
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_rare_division(const RareDivision& division) {
  patch(static_cast<uint32_t>(division.jump_end - t_.base), t_.here());
  emit::rare_division(t_.emitter, division);
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_pair(const CompilerScratch::Pair& pair) {
  // The copy of a long block may not fit any more: then nothing does.
  const uint32_t body_bytes = pair.body_end - pair.body_begin;
  if (t_.emitter.cursor() + body_bytes > limit_)
    return t_.emitter.set_cursor(t_.emitter.cursor() + body_bytes);
  const uint8_t* const second = t_.emitter.cursor();
  finish_second(pair);
  finish_first(pair, second);
}

// The second block as it would be by itself: what jumps to it, and what runs out of gas at it, finds it here.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_second(const CompilerScratch::Pair& pair) {
  const uint32_t begin = t_.here();
  scratch_.labels.move(pair.second_pc, begin);
  charge(pair.second_pc);
  std::memcpy(charge_end_ - 4, &pair.second_cost, 4);
  emit_dynamic_jump(t_.emitter, program_.decode(pair.second_pc));
  const Detour detour = {.native_begin = begin, .native_end = t_.here(), .pc = pair.second_pc};
  tables_.detours.push_back(detour);
  tables_.entries.push_back(detour);
}

// The first block once more, for when the gas is enough for it but not for both.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_first(const CompilerScratch::Pair& pair, const uint8_t* second) {
  Emitter& e = t_.emitter;
  CompilerScratch::Block& block = scratch_.blocks[pair.first_block];
  patch(block.charge_end, t_.here());
  e.test(true, kGas, kGas);
  e.jcc_rel32(x64::Condition::kLess, 0);
  block.charge_end = t_.here();

  uint32_t native = t_.here();
  const uint32_t body_bytes = pair.body_end - pair.body_begin;
  std::memcpy(e.cursor(), t_.base + pair.body_begin, body_bytes);
  e.set_cursor(e.cursor() + body_bytes);
  e.jcc_rel32(pair.condition, 0);
  scratch_.fixups.push_back({.native_end = t_.here(), .target = pair.target, .jump_bytes = kJccBytes});
  const uint32_t branch_end = t_.here();
  e.jmp(second);

  uint32_t prelude = kPairedChargeBytes;
  uint32_t number = pair.first_instruction;
  for (uint32_t pc = pair.first_pc; pc < pair.second_pc; pc += 1 + program_.skip_at(pc), ++number) {
    const uint32_t bytes = tables_.lengths[number] - std::exchange(prelude, 0);
    // The branch itself may have been shorter at its first place.
    const uint32_t native_end = number == pair.last_instruction ? branch_end : native + bytes;
    tables_.detours.push_back({.native_begin = native, .native_end = native_end, .pc = pc});
    native = native_end;
  }
}

// One call per block; its return address tells which block could not be paid.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_exits() {
  tables_.out_of_gas_begin = t_.here();
  tables_.block_pcs.reserve(scratch_.blocks.size());
  for (const CompilerScratch::Block& block : scratch_.blocks) {
    if (is_full()) return;
    patch(block.charge_end, t_.here());
    t_.call(t_.routines.out_of_gas);
    tables_.block_pcs.push_back(block.pc);
  }
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_fixups() {
  for (const CompilerScratch::Fixup& fixup : scratch_.fixups) {
    if (scratch_.labels.is_defined(fixup.target)) {
      patch(fixup.native_end, scratch_.labels.offset_of(fixup.target));
      continue;
    }
    // No block starts there: the jump itself becomes the call for a trap.
    const uint32_t begin = fixup.native_end - fixup.jump_bytes;
    t_.base[begin] = 0xe8;
    patch(begin + kCallBytes, t_.routines.invalid_jump);
  }
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_jump_table() {
  const std::vector<uint32_t>& targets = program_.parts().jump_table;
  tables_.jump_table.resize(targets.size());
  for (size_t i = 0; i < targets.size(); ++i) {
    const bool is_valid = targets[i] < program_.code_bytes() && scratch_.labels.is_defined(targets[i]);
    tables_.jump_table[i] = is_valid ? scratch_.labels.offset_of(targets[i]) : 0;
  }
}

}  // namespace sandglass
