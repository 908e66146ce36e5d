// Translation: the state of one compilation that the translation of a single instruction reads and changes.
//
// It does not depend on how gas is counted, so the code that translates instructions exists once per register
// width; the loop around it (translator.h) is specialised for each meter.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sandbox/compiler/emit_division.h"
#include "sandbox/compiler/native_code.h"
#include "sandbox/compiler/templates.h"

namespace sandglass {

inline constexpr uint32_t kCallBytes = 5, kJccBytes = 6;
// jmp [rsp + 8 * rcx]
inline constexpr uint32_t kDynamicJump = 0xcc24ff, kDynamicJumpBytes = 3;

inline constexpr uint32_t kElsewhere = 0;  // the offset of a label that gets its place later

// Labels: where the native code of each block starts. Blocks are defined in the order of their guest pcs, so
// a bit per guest code byte, a running count per word of them and one offset per block are enough: a fraction
// of the memory that an offset per code byte would take, which is what the caches like.
class Labels {
 public:
  void reset(size_t code_bytes) {
    starts_.assign(code_bytes / 64 + 1, 0);
    counts_.resize(starts_.size());
    offsets_.clear();
  }
  void define(uint32_t pc, uint32_t native_offset) {
    const size_t word = pc / 64;
    if (starts_[word] == 0) counts_[word] = static_cast<uint32_t>(offsets_.size());
    starts_[word] |= uint64_t{1} << (pc % 64);
    offsets_.push_back(native_offset);
  }
  bool is_defined(uint32_t pc) const { return (starts_[pc / 64] >> (pc % 64) & 1) != 0; }
  // Of a label that is defined.
  uint32_t offset_of(uint32_t pc) const { return offsets_[index_of(pc)]; }
  void move(uint32_t pc, uint32_t native_offset) { offsets_[index_of(pc)] = native_offset; }

 private:
  [[gnu::target("popcnt")]] size_t index_of(uint32_t pc) const {
    const uint64_t before = starts_[pc / 64] & ((uint64_t{1} << (pc % 64)) - 1);
    return counts_[pc / 64] + static_cast<size_t>(__builtin_popcountll(before));
  }

  std::vector<uint64_t> starts_;
  std::vector<uint32_t> counts_;  // blocks in the words before; of words with blocks
  std::vector<uint32_t> offsets_;
};

// Buffers that live as long as their thread, so that a compilation allocates next to nothing.
struct CompilerScratch {
  struct Fixup {
    uint32_t native_end;  // offset behind the rel32 of a jump
    uint32_t target;      // guest pc
    uint32_t jump_bytes;  // length of the jump instruction
  };
  struct Block {
    uint32_t pc;
    uint32_t charge_end;  // offset behind the charge: sub, jl
  };
  // An instruction that was folded into the one before it; run on its own only when the host starts there.
  struct Folded {
    Instruction instruction;
    uint32_t native_end;  // where to go on
  };
  // A block that ends in a branch, followed by a block that is nothing but a dynamic jump. The first one asks
  // for the price of both, so that the second one, when it is fallen into, only pays. That saves a branch;
  // the straight way is kept behind the code, for when the gas runs out in between and for jumps to the
  // second one.
  struct Pair {
    uint32_t first_pc, second_pc;
    uint32_t first_block;        // index into blocks
    uint32_t first_instruction;  // indices into lengths: of the first block's first and last instruction
    uint32_t last_instruction;
    uint32_t body_begin, body_end;  // native offsets: behind the charge, in front of the conditional jump
    x64::Condition condition;
    uint32_t target;
    uint32_t second_cost;
  };

  Labels labels;
  std::vector<Fixup> fixups;
  std::vector<Block> blocks;
  std::vector<Folded> folded;
  std::vector<Pair> pairs;
  std::vector<RareDivision> rare_divisions;

  void reset(size_t code_bytes);
  static CompilerScratch& of_this_thread();
};

struct Translation {
  Translation(const Program& guest_program, uint8_t* code, CompilerScratch& scratch_buffers, bool steps,
              bool pairs)
      : program(guest_program), base(code), scratch(scratch_buffers), is_stepping(steps), may_pair(pairs) {}

  const Program& program;
  uint8_t* const base;  // of the buffer that is being written
  CompilerScratch& scratch;
  const bool is_stepping;
  const bool may_pair;
  Trampolines routines;
  Emitter emitter;

  // Native code of the instruction being translated, what is in front of it included.
  const uint8_t* instruction_begin = nullptr;
  uint32_t instruction_number = 0;
  // The guest register whose being zero the zero flag tells right now, kNoRegister when unknown; known only
  // when the previous instruction has set the flags as its result demands.
  uint8_t zero_flag_of = kNoRegister;
  bool fold_next = false;  // the next instruction's work has been done already

  // The block being translated.
  bool is_plain = false;           // only of instructions whose code can be copied elsewhere
  uint32_t block_instruction = 0;  // number of its first instruction
  uint32_t block_pc = 0;
  uint32_t first_length_extra = 0;  // bytes inserted in front of the first instruction after it was counted
  bool is_own_loop = false;         // it ends in a short branch to its own start
  bool prepay_next = false;         // the block asks for the price of the next one as well

  uint32_t here() const { return static_cast<uint32_t>(emitter.cursor() - base); }
  void call(uint32_t routine_offset) { emitter.call(base + routine_offset); }
  // Leaves the guest behind this code; see trampolines.h for how that differs from a call.
  void leave_for(uint32_t routine_offset) {
    constexpr uint32_t kPushBytes = 5, kJumpBytes = 5;
    emitter.push_imm32(here() + kPushBytes + kJumpBytes);
    emitter.jmp(base + routine_offset);
  }
  bool is_known_invalid(uint32_t target) const {
    return target >= program.code_bytes() || !program.is_instruction_start(target);
  }
};

// Translates the instruction at pc, whose bytes behind the opcode are `arguments`, and says how it goes on.
using TranslateFunction = Flow (*)(Translation& t, const uint8_t* arguments, uint32_t pc, uint32_t skip);

// One function per opcode, Opcode::kInvalid included.
using TranslateTable = std::array<TranslateFunction, kOpcodeCount + 1>;
extern const TranslateTable kTranslate64, kTranslate32;

// Emits the division `in` by itself, never as a pair.
void translate_division(Translation& t, const Instruction& in, bool is_64);
// The temporary becomes the guest address that `in` jumps to, and the jump through the table follows.
void emit_dynamic_jump(Emitter& e, const Instruction& in);

}  // namespace sandglass
