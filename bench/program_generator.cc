#include "bench/program_generator.h"

#include <algorithm>
#include <vector>

#include "bench/code_layout.h"
#include "bench/random.h"
#include "sandbox/base/check.h"
#include "sandbox/program/memory_map.h"

namespace sandglass::bench {
namespace {

struct MixEntry {
  Opcode opcode;
  uint16_t weight;
};

// What blocks consist of.
constexpr MixEntry kBodyMix[] = {
    {Opcode::kAddImm64, 72},
    {Opcode::kAddImm32, 48},
    {Opcode::kAdd64, 52},
    {Opcode::kAdd32, 26},
    {Opcode::kSub64, 15},
    {Opcode::kSub32, 10},
    {Opcode::kAndImm, 26},
    {Opcode::kOrImm, 5},
    {Opcode::kXorImm, 8},
    {Opcode::kAnd, 10},
    {Opcode::kOr, 15},
    {Opcode::kXor, 12},
    {Opcode::kShiftLogicalLeftImm64, 20},
    {Opcode::kShiftLogicalRightImm64, 12},
    {Opcode::kShiftArithmeticRightImm64, 5},
    {Opcode::kShiftLogicalLeftImm32, 10},
    {Opcode::kShiftLogicalRightImm32, 6},
    {Opcode::kShiftArithmeticRightImm32, 6},
    {Opcode::kShiftLogicalLeft64, 3},
    {Opcode::kShiftLogicalRight32, 3},
    {Opcode::kRotateRightImm32, 2},
    {Opcode::kLoadIndirectU64, 72},
    {Opcode::kLoadIndirectI32, 32},
    {Opcode::kLoadIndirectU32, 15},
    {Opcode::kLoadIndirectU8, 30},
    {Opcode::kLoadIndirectI8, 3},
    {Opcode::kLoadIndirectU16, 8},
    {Opcode::kLoadIndirectI16, 3},
    {Opcode::kLoadU64, 4},
    {Opcode::kLoadI32, 3},
    {Opcode::kStoreIndirectU64, 42},
    {Opcode::kStoreIndirectU32, 25},
    {Opcode::kStoreIndirectU16, 4},
    {Opcode::kStoreIndirectU8, 13},
    {Opcode::kStoreImmIndirectU32, 4},
    {Opcode::kStoreImmIndirectU64, 2},
    {Opcode::kStoreU32, 4},
    {Opcode::kMoveReg, 82},
    {Opcode::kLoadImm, 46},
    {Opcode::kLoadImm64, 4},
    {Opcode::kSetLessThanUnsigned, 14},
    {Opcode::kSetLessThanSigned, 7},
    {Opcode::kSetLessThanUnsignedImm, 10},
    {Opcode::kSetGreaterThanSignedImm, 4},
    {Opcode::kCmovIfZero, 6},
    {Opcode::kCmovIfNotZero, 5},
    {Opcode::kZeroExtend16, 4},
    {Opcode::kSignExtend8, 3},
    {Opcode::kReverseByte, 1},
    {Opcode::kCountLeadingZeroBits64, 2},
    {Opcode::kMul64, 8},
    {Opcode::kMul32, 5},
    {Opcode::kMulImm32, 4},
    {Opcode::kMulUpperUnsignedUnsigned, 1},
    {Opcode::kDivUnsigned64, 1},
    {Opcode::kDivSigned32, 1},
    {Opcode::kRemUnsigned32, 1},
};

// What blocks end with, besides the ends of loops and functions. kLoadImmAndJump stands for a call, which
// leaves make into a jump.
constexpr MixEntry kTerminatorMix[] = {
    {Opcode::kBranchEqImm, 22},
    {Opcode::kBranchNotEqImm, 20},
    {Opcode::kBranchLessUnsignedImm, 6},
    {Opcode::kBranchGreaterUnsignedImm, 4},
    {Opcode::kBranchLessSignedImm, 3},
    {Opcode::kBranchGreaterOrEqualSignedImm, 3},
    {Opcode::kBranchEq, 6},
    {Opcode::kBranchNotEq, 8},
    {Opcode::kBranchLessUnsigned, 9},
    {Opcode::kBranchGreaterOrEqualUnsigned, 8},
    {Opcode::kBranchLessSigned, 5},
    {Opcode::kBranchGreaterOrEqualSigned, 4},
    {Opcode::kJump, 10},
    {Opcode::kLoadImmAndJump, 16},
    {Opcode::kFallthrough, 10},
};

template <size_t kSize>
Opcode draw(const MixEntry (&mix)[kSize], Random& random) {
  uint32_t sum = 0;
  for (const MixEntry& entry : mix) sum += entry.weight;
  uint32_t ticket = random.below(sum);
  for (const MixEntry& entry : mix) {
    if (ticket < entry.weight) return entry.opcode;
    ticket -= entry.weight;
  }
  return mix[0].opcode;  // not reached
}

// Registers by duty. Only kValueRegs are written by ordinary instructions: the others keep the program
// inside its memory and let it come to an end.
constexpr Reg kValueRegs[] = {Reg::a0, Reg::a1, Reg::a2, Reg::a3, Reg::a4, Reg::a5, Reg::t0};
constexpr Reg kDataBases[] = {Reg::s0, Reg::s1};  // each points into the middle of 4 KiB of RW data
constexpr Reg kLeafCounter = Reg::t1;             // counts the loops of leaves
constexpr Reg kCallerCounter = Reg::t2;           // counts the loops of functions that call leaves

constexpr uint32_t kHalfWindow = 2048;  // bytes on either side of a data base
constexpr uint32_t kRwDataBytes = 4 * kHalfWindow;
constexpr uint32_t kStackBytes = 64 * 1024;
constexpr int kMaxLoopRounds = 4;

class Generator {
 public:
  explicit Generator(const GeneratorOptions& options)
      : random_(options.seed), wanted_(options.instructions) {}
  ProgramParts run();

 private:
  // main: prologue, then per function one instruction and a call, then epilogue and "nop".
  static constexpr size_t kMainPrologue = 5 + std::size(kValueRegs), kMainEpilogue = 3, kNop = 1;
  size_t main_items() const { return kMainPrologue + 2 * functions_.size() + kMainEpilogue + kNop; }

  void add_functions();
  void add_function(size_t blocks, bool is_leaf);
  void add_block(size_t block, size_t blocks, bool is_leaf);
  void add_terminator(size_t block, size_t blocks, bool is_leaf);
  void add_loop_start(bool is_leaf);
  void add_main();
  void add_filler(size_t count);

  void add(Instruction in) { items_.push_back({in}); }
  void add_body();
  void fill_operands(Instruction& in);
  void fill_address(Instruction& in);
  void add_branch(Opcode opcode, size_t target_block);
  void add_call(size_t target);
  void add_prologue();
  void add_epilogue();

  Reg value_reg() { return kValueRegs[random_.below(std::size(kValueRegs))]; }
  Reg any_reg() { return static_cast<Reg>(random_.below(kRegCount)); }
  uint64_t constant();

  Random random_;
  size_t wanted_;
  std::vector<CodeItem> items_;
  std::vector<size_t> functions_;     // first item of each
  std::vector<size_t> leaves_;        // the same, of the leaves only
  std::vector<size_t> return_sites_;  // the jump table, as items
  uint32_t rw_begin_ = 0;

  // The function in the making.
  uint32_t frame_bytes_ = 0;
  std::vector<size_t> block_starts_;
  struct PendingBranch {
    size_t item, block;
  };
  std::vector<PendingBranch> pending_;
  size_t loop_head_ = kNoTarget;  // block where the open loop starts
};

// Small constants are far more frequent than large ones.
uint64_t Generator::constant() {
  const uint32_t kind = random_.below(100);
  if (kind < 62) return static_cast<uint64_t>(static_cast<int64_t>(random_.between(-128, 127)));
  if (kind < 92) return static_cast<uint64_t>(static_cast<int64_t>(random_.between(-32768, 32767)));
  return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(random_.next())));
}

// Two fifths of the accesses go to the frame, the others to RW data.
void Generator::fill_address(Instruction& in) {
  constexpr int kWidest = 8;
  if (random_.chance(40)) {
    in.base = Reg::sp;  // the top 8 bytes of the frame hold the return address
    in.offset = random_.below(frame_bytes_ / 8 - 1) * 8;
    return;
  }
  in.base = kDataBases[random_.below(std::size(kDataBases))];
  const int reach = random_.chance(70) ? 120 : static_cast<int>(kHalfWindow);
  in.offset = static_cast<uint32_t>(random_.between(-reach, reach - kWidest));
}

void Generator::fill_operands(Instruction& in) {
  const Form form = info_of(in.opcode).form;
  in.dst = value_reg();
  in.src1 = any_reg();
  in.src2 = any_reg();
  in.imm = in.opcode == Opcode::kLoadImm64 ? random_.next() : constant();
  if (form == Form::DstAddr || form == Form::SrcAddr) {
    in.offset = rw_begin_ + random_.below(kRwDataBytes / 8) * 8;
  } else if (form == Form::DstBaseOff || form == Form::SrcBaseOff || form == Form::BaseOffImm) {
    fill_address(in);
  } else if (form == Form::DstSrcImm && name_of(in.opcode).find("shift") != std::string_view::npos) {
    in.imm = 1 + random_.below(31);
  }
}

void Generator::add_body() {
  Instruction in{.opcode = draw(kBodyMix, random_)};
  fill_operands(in);
  add(in);
}

void Generator::add_branch(Opcode opcode, size_t target_block) {
  Instruction in{.opcode = opcode, .src1 = value_reg(), .src2 = any_reg()};
  in.imm = random_.chance(50) ? 0 : constant();
  pending_.push_back({items_.size(), target_block});
  add(in);
}

void Generator::add_call(size_t target) {
  return_sites_.push_back(items_.size() + 1);
  Instruction in{.opcode = Opcode::kLoadImmAndJump, .dst = Reg::ra, .imm = 2 * return_sites_.size()};
  items_.push_back({in, target});
}

// A block that gets here by itself starts the loop; branches may enter it further down, then the counter is
// what an earlier loop left: at most kMaxLoopRounds, and it only falls.
void Generator::add_loop_start(bool is_leaf) {
  add({.opcode = Opcode::kLoadImm,
       .dst = is_leaf ? kLeafCounter : kCallerCounter,
       .imm = static_cast<uint64_t>(random_.between(2, kMaxLoopRounds))});
}

void Generator::add_terminator(size_t block, size_t blocks, bool is_leaf) {
  if (loop_head_ != kNoTarget && random_.chance(35)) {
    const Reg counter = is_leaf ? kLeafCounter : kCallerCounter;
    add({.opcode = Opcode::kAddImm64, .dst = counter, .src1 = counter, .imm = ~uint64_t{0}});
    const size_t head = items_.size();
    add_branch(Opcode::kBranchGreaterSignedImm, loop_head_);
    items_[head].in.src1 = counter;
    items_[head].in.imm = 0;
    loop_head_ = kNoTarget;
    return;
  }
  Opcode opcode = draw(kTerminatorMix, random_);
  if (opcode == Opcode::kLoadImmAndJump && is_leaf) opcode = Opcode::kJump;
  if (opcode == Opcode::kLoadImmAndJump) {
    const auto nearby = static_cast<uint32_t>(std::min<size_t>(leaves_.size(), 50));
    return add_call(leaves_[leaves_.size() - 1 - random_.below(nearby)]);
  }
  if (opcode == Opcode::kFallthrough) return add({.opcode = opcode});
  const size_t farthest = std::min(block + 6, blocks - 1);
  add_branch(opcode, block + 1 + random_.below(static_cast<uint32_t>(farthest - block)));
}

void Generator::add_block(size_t block, size_t blocks, bool is_leaf) {
  const int length = random_.between(2, 8);
  for (int i = 0; i < length; ++i) add_body();
  if (loop_head_ == kNoTarget && random_.chance(12)) {
    add_loop_start(is_leaf);
    loop_head_ = block + 1;
    return add({.opcode = Opcode::kFallthrough});
  }
  add_terminator(block, blocks, is_leaf);
}

void Generator::add_prologue() {
  frame_bytes_ = 16 * static_cast<uint32_t>(random_.between(2, 12));
  add({.opcode = Opcode::kAddImm64, .dst = Reg::sp, .src1 = Reg::sp, .imm = ~uint64_t{frame_bytes_} + 1});
  add({.opcode = Opcode::kStoreIndirectU64, .src1 = Reg::ra, .base = Reg::sp, .offset = frame_bytes_ - 8});
}

void Generator::add_epilogue() {
  add({.opcode = Opcode::kLoadIndirectU64, .dst = Reg::ra, .base = Reg::sp, .offset = frame_bytes_ - 8});
  add({.opcode = Opcode::kAddImm64, .dst = Reg::sp, .src1 = Reg::sp, .imm = frame_bytes_});
  add({.opcode = Opcode::kJumpIndirect, .base = Reg::ra});
}

void Generator::add_function(size_t blocks, bool is_leaf) {
  functions_.push_back(items_.size());
  block_starts_.clear();
  pending_.clear();
  loop_head_ = kNoTarget;
  for (size_t block = 0; block < blocks; ++block) {
    block_starts_.push_back(items_.size());
    if (block == 0) add_prologue();
    if (block + 1 < blocks) add_block(block, blocks, is_leaf);
  }
  add_epilogue();
  if (is_leaf) leaves_.push_back(functions_.back());
  for (const PendingBranch& branch : pending_) items_[branch.item].target = block_starts_[branch.block];
}

// As many functions as leave room for main, which grows with them.
void Generator::add_functions() {
  constexpr size_t kMostPerBlock = 10, kPrologueAndEpilogue = 5;
  for (;;) {
    const size_t used = items_.size() + main_items() + 2;
    const size_t room = wanted_ > used ? wanted_ - used : 0;
    if (room < 2 * kMostPerBlock + kPrologueAndEpilogue) return;
    const size_t most = std::min<size_t>((room - kPrologueAndEpilogue) / kMostPerBlock, 56);
    const size_t fewest = std::min<size_t>(most, 6);
    const size_t blocks =
        static_cast<size_t>(random_.between(static_cast<int32_t>(fewest), static_cast<int32_t>(most)));
    add_function(blocks, functions_.size() % 2 == 0);
  }
}

void Generator::add_filler(size_t count) {
  for (size_t i = 1; i <= count; ++i) {
    if (i % 6 == 0) {
      add({.opcode = Opcode::kFallthrough});
    } else {
      add_body();
    }
  }
}

void Generator::add_main() {
  const size_t filler = wanted_ - items_.size() - main_items();
  add_prologue();
  add({.opcode = Opcode::kLoadImm, .dst = Reg::s0, .imm = rw_begin_ + kHalfWindow});
  add({.opcode = Opcode::kLoadImm, .dst = Reg::s1, .imm = rw_begin_ + 3 * kHalfWindow});
  for (Reg reg : kValueRegs) add({.opcode = Opcode::kLoadImm64, .dst = reg, .imm = random_.next()});
  add({.opcode = Opcode::kFallthrough});
  for (size_t function : functions_) {
    add({.opcode = Opcode::kXor, .dst = Reg::a0, .src1 = Reg::a0, .src2 = value_reg()});
    add_call(function);
  }
  add_filler(filler);
  add_epilogue();
}

ProgramParts Generator::run() {
  ProgramParts parts{.rw_data_bytes = kRwDataBytes, .stack_bytes = kStackBytes};
  const MemoryMap map =
      MemoryMap::create(kMinPageBytes, {.rw_data_bytes = kRwDataBytes, .stack_bytes = kStackBytes}).value();
  rw_begin_ = static_cast<uint32_t>(map.rw_data().begin);

  items_.reserve(wanted_);
  add_functions();
  const size_t main = items_.size();
  add_main();
  const size_t nop = items_.size();
  add({.opcode = Opcode::kJumpIndirect, .base = Reg::ra});
  SG_CHECK(items_.size() == wanted_);

  CodeLayout layout(items_, InstructionSet::kLatest64);
  layout.emit(parts);
  for (size_t site : return_sites_) parts.jump_table.push_back(layout.offset_of(site));
  parts.exports = {{layout.offset_of(main), "main"}, {layout.offset_of(nop), "nop"}};
  return parts;
}

}  // namespace

ProgramParts generate_program(const GeneratorOptions& options) {
  SG_CHECK(options.instructions >= kMinGeneratedInstructions);
  return Generator(options).run();
}

}  // namespace sandglass::bench
