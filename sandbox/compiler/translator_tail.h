// What the translator writes behind the code and fills in once all of it is there.
#pragma once

#include "sandbox/compiler/translator.h"

namespace sandglass {

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::patch(uint32_t native_end, uint32_t target_native) {
  const auto displacement = static_cast<int32_t>(target_native - native_end);
  std::memcpy(t_.base + native_end - 4, &displacement, 4);
}

// Code that will be patched soon was written long ago: for all but small programs it has left the caches.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::prefetch(uint32_t native_end) {
  constexpr int kForWriting = 1;
  __builtin_prefetch(t_.base + native_end - 4, kForWriting);
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
    const Detour copy = {.native_begin = native, .native_end = native_end, .pc = pc};
    tables_.detours.push_back(copy);
    tables_.copies.push_back(copy);
    native = native_end;
  }
}

// One call per block; its return address tells which block could not be paid.
template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_exits() {
  const std::vector<CompilerScratch::Block>& blocks = scratch_.blocks;
  tables_.out_of_gas_begin = t_.here();
  uint8_t* const end = t_.emitter.cursor() + blocks.size() * kCallBytes;
  if (end > limit_) return t_.emitter.set_cursor(end);
  get_pages(round_up(t_.here(), kMinPageBytes), static_cast<uint64_t>(end - t_.base));
  tables_.block_pcs.resize(blocks.size());
  Emitter e = t_.emitter;  // a copy that no store of the loop can be taken to change
  for (size_t i = 0; i < blocks.size(); ++i) {
    prefetch(blocks[std::min(i + kPatchesAhead, blocks.size() - 1)].charge_end);
    patch(blocks[i].charge_end, static_cast<uint32_t>(e.cursor() - t_.base));
    e.call(t_.base + t_.routines.out_of_gas);
    tables_.block_pcs[i] = blocks[i].pc;
  }
  t_.emitter = e;
}

template <bool is_64, class Meter, GasMetering gas>
void Translator<is_64, Meter, gas>::finish_fixups() {
  const std::vector<CompilerScratch::Fixup>& fixups = scratch_.fixups;
  for (size_t i = 0; i < fixups.size(); ++i) {
    const CompilerScratch::Fixup& fixup = fixups[i];
    prefetch(fixups[std::min(i + kPatchesAhead, fixups.size() - 1)].native_end);
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
