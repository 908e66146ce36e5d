// Translator: the loop of the recompiler. See compiler.h for the idea.
#pragma once

#include <memory>
#include <vector>

#include "sandbox/compiler/emit_arithmetic.h"
#include "sandbox/compiler/emit_memory.h"
#include "sandbox/compiler/emitter.h"
#include "sandbox/compiler/native_code.h"

namespace sandglass {

inline constexpr uint32_t kCallBytes = 5, kJccBytes = 6;
// sub r15, imm32 and jl; cmp r15, imm32.
inline constexpr uint32_t kChargeBytes = 13, kCompareBytes = 7;
// No byte of guest code becomes more machine code than this, all that is written behind the code included.
inline constexpr uint64_t kMaxNativeBytesPerCodeByte = 64;
// The limit is looked at once per instruction, so this much must fit behind it.
inline constexpr size_t kLimitSlackBytes = KiB(4);

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

  // A block that ends in a branch, followed by a block that is nothing but a dynamic jump. The first one asks for
  // the price of both, so that the second one, when it is fallen into, only pays. That saves a branch; the
  // straight way is kept behind the code, for when the gas runs out in between and for jumps to the second one.
  struct Pair {
    uint32_t first_pc, second_pc;
    uint32_t first_block;         // index into blocks
    uint32_t first_instruction;   // indices into lengths: of the first block's first and last instruction
    uint32_t last_instruction;
    uint32_t body_begin, body_end;  // native offsets: behind the charge, in front of the conditional jump
    x64::Condition condition;
    uint32_t target;
    uint32_t second_cost;
  };

  std::vector<Pair> pairs;
  std::vector<uint32_t> labels;  // per guest code byte: native offset of the block that starts there
  std::vector<Fixup> fixups;
  std::vector<Block> blocks;
  std::vector<Folded> folded;

  static constexpr uint32_t kUndefined = UINT32_MAX;
  void reset(size_t code_bytes);
  static CompilerScratch& of_this_thread();
};

template <bool is_64, class Meter, GasMetering gas>
class Translator {
 public:
  // Emits into `code`, whose size the caller has chosen so that only max_native_bytes can be the limit.
  Translator(const Program& program, const ModuleOptions& options, const Mapping& code,
             CompilerScratch& scratch);

  // Returns the number of bytes emitted, 0 when they would exceed the limit.
  size_t translate();
  CompiledCode take_tables() { return std::move(tables_); }

 private:
  uint32_t here() const { return static_cast<uint32_t>(e_.cursor() - base_); }
  const uint8_t* routine(uint32_t offset) const { return base_ + offset; }

  void translate_code();
  void begin_block(uint32_t pc);
  void end_block();
  void charge(uint32_t pc);
  void charge_prepaid();
  bool pairs_with_next(const Instruction& in) const;
  void begin_pair(x64::Condition condition, const Instruction& in);
  void note_checkpoints(uint32_t pc);
  void run_into_nothing(uint32_t pc);

  Flow translate_instruction(uint32_t pc, uint32_t skip);
  template <Opcode op>
  void translate(const Instruction& in);
  template <Opcode op>
  void emit(const Instruction& in);
  template <Opcode op>
  void emit_control(const Instruction& in);
  template <Opcode op>
  bool emit_division_pair(const Instruction& in);

  void call(uint32_t routine_offset) { e_.call(routine(routine_offset)); }
  void trap_on_invalid_jump() { call(tables_.trampolines.invalid_jump); }
  void jump(uint32_t target);
  void branch(x64::Condition condition, const Instruction& in);
  template <Opcode op>
  void compare_and_branch(const Instruction& in);
  void dynamic_jump();
  void index_of_dynamic_jump(const Instruction& in);
  bool is_known_invalid(uint32_t target) const;

  void finish_rare_divisions();
  void finish_folded();
  void finish_pairs();
  void finish_first(const CompilerScratch::Pair& pair, const uint8_t* second);
  void finish_second(const CompilerScratch::Pair& pair);
  void finish_exits();
  void finish_fixups();
  void finish_jump_table();
  void patch(uint32_t native_end, uint32_t target_native);

  const Program& program_;
  const ModuleOptions& options_;
  CompilerScratch& scratch_;
  const OpcodeMap& opcodes_;
  uint8_t* const base_;
  const uint8_t* const limit_;
  Emitter e_;
  Meter meter_;
  CompiledCode tables_;
  size_t instruction_count_ = 0;
  const uint8_t* instruction_begin_ = nullptr;
  uint8_t* charge_end_ = nullptr;       // of the block being translated
  uint8_t zero_flag_of_ = kNoRegister;  // what the previous instruction left
  bool starts_block_ = false;
  bool fold_next_ = false;
  // Sync: whether the block consists only of instructions whose code can be copied elsewhere.
  bool is_plain_ = false;
  bool is_prepaid_ = false;  // the block being translated is the second one of a pair
  bool prepay_next_ = false;
  uint32_t block_instruction_ = 0;  // index of the block's first instruction
  uint32_t block_pc_ = 0;
};

}  // namespace sandglass
