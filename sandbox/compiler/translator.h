// Translator: the loop of the recompiler; translator_tail.h has what comes behind it. See compiler.h for the
// idea.
//
// Straight-line code is what the loop is made for: a block is one begin_block(), one run of templates and one
// instruction that ends it, so the processor guesses wrong about once per block.
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
// The limit is looked at before every instruction, so what one becomes must fit behind it, with what starts a
// block.
inline constexpr size_t kLimitSlackBytes = KiB(16);
// The pages of the buffer are asked for in advance: this many bytes at once, few enough to still lie in the
// caches when they are written. The first ones come by themselves, since small programs need no more.
inline constexpr size_t kMinPopulateBytes = KiB(16), kMaxPopulateBytes = KiB(256);

// How many patches ahead the code to be patched is fetched into the caches.
inline constexpr size_t kPatchesAhead = 16;

inline constexpr uint32_t kTargetAlignment = 32;
inline constexpr uint8_t kBreakpoint = 0xcc;

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

  void translate_code();
  uint32_t translate_run(uint32_t pc);
  uint32_t translate_one(uint32_t pc);
  uint32_t skip_unreachable(uint32_t pc);
  uint32_t go_on(uint32_t pc, uint32_t skip);
  void step();
  bool make_room(uint32_t pc);
  void populate(uint32_t pc);
  void get_pages(uint64_t begin, uint64_t end);
  void begin_block(uint32_t pc);
  void charge(uint32_t pc);
  void align_next_block();
  void align_loop();
  void shift_checkpoints(uint32_t first, uint32_t bytes);
  void end_block();
  void fill_checkpoints(uint32_t first, uint32_t pc);
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
  void prefetch(uint32_t native_end);

  const Program& program_;
  CompilerScratch& scratch_;
  const TranslationRows& rows_;
  const Mapping& buffer_;
  const uint8_t* const limit_;
  const uint8_t* room_end_;  // make_room() has to be called when the cursor is behind it
  Translation t_;
  Meter meter_;
  CompiledCode tables_;
  uint8_t* charge_end_ = nullptr;  // of the block being translated: behind the amount of its charge
  bool is_prepaid_ = false;        // the block being translated is the second one of a pair
  bool is_reachable_ = false;      // the next instruction
  bool starts_block_ = false;      // it, too
};

template <bool is_64, class Meter, GasMetering gas>
Translator<is_64, Meter, gas>::Translator(const Program& program, const ModuleOptions& options,
                                          const Mapping& code, CompilerScratch& scratch)
    : program_(program),
      scratch_(scratch),
      rows_(translation_rows(program.instruction_set())),
      buffer_(code),
      limit_(code.data() + std::min(options.max_native_bytes, code.size_bytes() - kLimitSlackBytes)),
      room_end_(code.data()),
      t_(program, code.data(), scratch, options.step_tracing, kIsSync && !options.step_tracing),
      meter_(program, options.cost_model) {
  t_.emitter.set_cursor(t_.base);
  scratch_.reset(program.code_bytes());
  tables_.lengths.resize(program.count_instructions() + 1);
  // One more than are needed: every instruction writes the one behind it.
  tables_.checkpoints.resize(program.code_bytes() / kCheckpointBytes + 2);
}

template <bool is_64, class Meter, GasMetering gas>
size_t Translator<is_64, Meter, gas>::translate() {
  tables_.trampolines = t_.routines = emit_trampolines(t_.emitter, t_.base, is_64, gas);
  translate_code();
  tables_.checkpoints.pop_back();
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
  const uint32_t code_bytes = program_.code_bytes();
  uint32_t pc = next_start(0);
  fill_checkpoints(0, pc);
  is_reachable_ = starts_block_ = program_.is_instruction_start(0);
  while (pc < code_bytes) {
    if (t_.emitter.cursor() > room_end_ && !make_room(pc)) return;
    if (!is_reachable_) [[unlikely]] {
      pc = skip_unreachable(pc);
      continue;
    }
    t_.instruction_begin = t_.emitter.cursor();
    if (t_.is_stepping) step();
    if (starts_block_) begin_block(pc);
    if (!t_.is_stepping) pc = translate_run(pc);
    if (pc < code_bytes) {
      pc = translate_one(pc);
    } else {
      run_into_nothing(pc);
    }
  }
  fill_checkpoints((code_bytes - 1) / kCheckpointBytes + 1, code_bytes);
}

// Translates as many instructions with templates as there are in a row, without a branch that would be hard
// to guess. Returns the pc of the first one that has none, which may be the end of the code.
template <bool is_64, class Meter, GasMetering gas>
[[gnu::target("ssse3,bmi,bmi2,popcnt")]] uint32_t Translator<is_64, Meter, gas>::translate_run(uint32_t pc) {
  const uint8_t* const code = program_.code();
  const uint8_t* const bitmask = program_.padded_bitmask();
  const TranslationRow* const rows = rows_.data();
  const Template* const templates = is_64 ? kTemplates64 : kTemplates32;
  uint8_t* const base = t_.base;
  Checkpoint* const checkpoints = tables_.checkpoints.data();
  uint8_t* const lengths = tables_.lengths.data();
  size_t number = t_.instruction_number;
  uint8_t* const first_length = lengths + number;
  uint8_t* cursor = t_.emitter.cursor();
  const uint8_t* room_end = room_end_;
  const auto prelude_bytes = static_cast<uint8_t>(cursor - t_.instruction_begin);
  const Template* filled = nullptr;
  uint32_t last_pc = pc;
  for (;;) {
    const TranslationRow& row = rows[code[pc]];
    const uint32_t skip = Program::distance_in(bitmask, pc);
    if (skip >= row.skip_limit) break;
    if (cursor > room_end) [[unlikely]] {
      t_.emitter.set_cursor(cursor);
      if (!make_room(pc)) break;
      room_end = room_end_;
    }
    filled = fill_template(cursor, templates, row, code + pc + 1, skip);
    cursor += filled->code_bytes;
    lengths[number++] = filled->code_bytes;
    checkpoints[pc / kCheckpointBytes + 1] = {static_cast<uint32_t>(cursor - base),
                                              static_cast<uint32_t>(number)};
    meter_.feed(row.opcode, pc);
    last_pc = pc;
    pc += 1 + skip;
  }
  // Where no instruction was translated, this will be written over.
  *first_length = static_cast<uint8_t>(*first_length + prelude_bytes);
  t_.emitter.set_cursor(cursor);
  if (filled == nullptr) return pc;
  t_.instruction_number = static_cast<uint32_t>(number);
  t_.instruction_begin = cursor;
  t_.zero_flag_of = zero_flag_register(filled->zero_flag, code + last_pc + 1);
  return pc;
}

template <bool is_64, class Meter, GasMetering gas>
uint32_t Translator<is_64, Meter, gas>::translate_one(uint32_t pc) {
  const uint8_t* const code = program_.code() + pc;
  const Opcode opcode = rows_[*code].opcode;
  const TranslateTable& table = is_64 ? kTranslate64 : kTranslate32;
  const uint32_t skip = program_.skip_at(pc);
  const Flow flow = table[static_cast<size_t>(opcode)](t_, code + 1, pc, skip);
  meter_.feed(opcode, pc);
  tables_.lengths[t_.instruction_number++] = static_cast<uint8_t>(t_.emitter.cursor() - t_.instruction_begin);
  starts_block_ = flow != Flow::Next;
  if (starts_block_) {
    end_block();
    // Code behind an invalid instruction cannot be reached until a terminator starts a new block.
    is_reachable_ = opcode != Opcode::kInvalid;
    if (flow == Flow::NoFallthrough && !t_.is_stepping) align_next_block();
  }
  return go_on(pc, skip);
}

template <bool is_64, class Meter, GasMetering gas>
uint32_t Translator<is_64, Meter, gas>::skip_unreachable(uint32_t pc) {
  is_reachable_ = starts_block_ = is_terminator(rows_[program_.code()[pc]].opcode);
  ++t_.instruction_number;
  return go_on(pc, program_.skip_at(pc));
}

// Returns the pc of the instruction that follows the one at pc, in the code though perhaps not in execution.
template <bool is_64, class Meter, GasMetering gas>
uint32_t Translator<is_64, Meter, gas>::go_on(uint32_t pc, uint32_t skip) {
  uint32_t next = pc + 1 + skip;
  if ((skip == kMaxSkip || next >= program_.code_bytes()) && !program_.is_instruction_start(next))
      [[unlikely]] {
    if (is_reachable_ && !starts_block_) run_into_nothing(next);
    is_reachable_ = false;
    next = next_start(next);
  }
  fill_checkpoints(pc / kCheckpointBytes + 1, next);
  return next;
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::step() {
  t_.call(t_.routines.step);
  t_.zero_flag_of = kNoRegister;
}

// Returns false when the code becomes too large.
template <bool is_64, class Meter, GasMetering gas>
bool Translator<is_64, Meter, gas>::make_room(uint32_t pc) {
  if (is_full()) return false;
  populate(pc);
  return true;
}

// Gets the next pages of the buffer in one go: as many as the rest of the code will need at the rate so far.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::populate(uint32_t pc) {
  const uint64_t emitted = t_.here();
  uint64_t end = kMinPopulateBytes;
  if (emitted >= kMinPopulateBytes) {
    const uint64_t rest = emitted * (program_.code_bytes() - pc) / pc;
    end = emitted + std::clamp<uint64_t>(rest, kMinPopulateBytes, kMaxPopulateBytes);
    get_pages(round_up(emitted, kMinPageBytes), end);
  }
  room_end_ = std::min<const uint8_t*>(limit_, t_.base + round_up(end, kMinPageBytes));
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::get_pages(uint64_t begin, uint64_t end) {
  end = std::min<uint64_t>(round_up(end, kMinPageBytes), buffer_.size_bytes());
  if (begin < end) buffer_.populate(begin, end - begin);
}

template <bool is_64, class Meter, GasMetering gas>
uint32_t Translator<is_64, Meter, gas>::next_start(uint32_t pc) const {
  while (pc < program_.code_bytes() && !program_.is_instruction_start(pc)) ++pc;
  return pc;
}

// The next instruction is the one at pc: notes it in the checkpoints from number `first` on.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::fill_checkpoints(uint32_t first, uint32_t pc) {
  for (uint32_t i = first; i <= pc / kCheckpointBytes; ++i) {
    tables_.checkpoints[i] = {t_.here(), t_.instruction_number};
  }
}

// The code goes on where no instruction is: an invalid one belongs to the block that ends there.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::run_into_nothing(uint32_t pc) {
  const uint32_t begin = t_.here();
  if (t_.is_stepping) t_.call(t_.routines.step);
  t_.call(t_.routines.invalid_instruction);
  tables_.detours.push_back({.native_begin = begin, .native_end = t_.here(), .pc = pc});
  // For the walk over the instructions behind, the bytes count to the one in front.
  tables_.lengths[t_.instruction_number - 1] += static_cast<uint8_t>(t_.here() - begin);
  meter_.feed_invalid();
  end_block();
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::begin_block(uint32_t pc) {
  t_.zero_flag_of = kNoRegister;
  t_.block_instruction = t_.instruction_number;
  t_.block_pc = pc;
  t_.is_plain = !t_.is_stepping;
  if constexpr (kIsSync) {
    is_prepaid_ = std::exchange(t_.prepay_next, false);
    if (is_prepaid_) {
      t_.is_plain = false;
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

// What follows is only jumped to, often through the table, and such a target costs least at the start of a
// fetch block. What is skipped is never executed; it counts to the instruction before.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::align_next_block() {
  const uint32_t padding = (0 - t_.here()) % kTargetAlignment;
  std::memset(t_.emitter.cursor(), kBreakpoint, padding);
  t_.emitter.set_cursor(t_.emitter.cursor() + padding);
  tables_.lengths[t_.instruction_number - 1] += static_cast<uint8_t>(padding);
}

// A loop of one block that runs over the end of a cache line can take longer per round than one that does
// not, so a small one is moved to the next line. What is skipped counts to the instruction in front of it.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::align_loop() {
  constexpr uint32_t kLineBytes = 64, kMaxPadding = 40;
  const uint32_t begin = scratch_.labels.offset_of(t_.block_pc);
  const uint32_t loop_bytes = t_.here() - begin;
  const uint32_t padding = (0 - begin) % kLineBytes;
  if (padding >= loop_bytes || loop_bytes > kLineBytes || padding > kMaxPadding || t_.block_instruction == 0)
    return;
  uint8_t& length_before = tables_.lengths[t_.block_instruction - 1];
  if (length_before + padding > UINT8_MAX) return;

  std::memmove(t_.base + begin + padding, t_.base + begin, loop_bytes);
  t_.emitter.set_cursor(t_.base + begin);
  t_.emitter.nops(padding);
  t_.emitter.set_cursor(t_.base + begin + padding + loop_bytes);
  length_before = static_cast<uint8_t>(length_before + padding);
  scratch_.labels.move(t_.block_pc, begin + padding);
  if constexpr (gas != GasMetering::kNone) charge_end_ += padding;
  if constexpr (kIsSync) scratch_.blocks.back().charge_end += padding;
  shift_checkpoints(t_.block_instruction, padding);
}

// The instructions of the current block from number `first` on begin later than the checkpoints say.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::shift_checkpoints(uint32_t first, uint32_t bytes) {
  const size_t begin = t_.block_pc / kCheckpointBytes;
  for (size_t i = begin; i < tables_.checkpoints.size(); ++i) {
    const bool is_moved = tables_.checkpoints[i].instruction >= first;
    if (is_moved) tables_.checkpoints[i].native += bytes;
    if (!is_moved && i > begin + 1) break;
  }
}

// The price is known now: it is filled in where the block is charged, and where the block before asks for it.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::end_block() {
  if (std::exchange(t_.is_own_loop, false)) align_loop();
  const uint32_t cost = meter_.finish(t_.instruction_number - t_.block_instruction);
  if constexpr (gas != GasMetering::kNone) std::memcpy(charge_end_ - 4, &cost, 4);
  if constexpr (kIsSync) {
    if (const uint32_t extra = std::exchange(t_.first_length_extra, 0)) {
      tables_.lengths[t_.block_instruction] += static_cast<uint8_t>(extra);
      shift_checkpoints(t_.block_instruction + 1, extra);
    }
    if (!std::exchange(is_prepaid_, false)) return;
    CompilerScratch::Pair& pair = scratch_.pairs.back();
    pair.second_cost = cost;
    std::memcpy(t_.base + scratch_.blocks[pair.first_block].charge_end - kJccBytes - 4, &cost, 4);
  }
}

}  // namespace sandglass
