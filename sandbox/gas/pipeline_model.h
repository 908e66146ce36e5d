// The pipeline model: what a basic block costs on a simulated out-of-order core.
//
// The core decodes 4 slots per cycle into a reorder buffer of 32 entries and starts up to 5 instructions per
// cycle, the oldest first, on 4 ALUs, 4 load units, 4 store units, 1 multiplier and 1 divider. None of them
// is pipelined: an instruction holds its units until its result is there. A block costs the cycles from the
// first decode to the last retirement, minus 3, and at least 1. Every block starts on an empty core.
// pipeline_cost.h says what each instruction needs.
//
// The compiler feeds instructions while it translates them, so this is on its hot path: see compile/ in the
// suite for what an instruction costs. Short blocks go through CoreSchedule, the others through
// CoreSimulator; both give what a cycle-by-cycle simulation gives (tests/gas).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sandbox/gas/core_schedule.h"
#include "sandbox/gas/core_simulator.h"
#include "sandbox/gas/pipeline_cost.h"
#include "sandbox/program/program.h"

namespace sandglass {

class PipelineModel {
 public:
  // 1 <= load_cycles <= 127. Keeps a reference to `program`.
  PipelineModel(const Program& program, uint32_t load_cycles);

  // Feeds the next instruction of the block. Branches look at the opcode bytes of both successors.
  void feed(const Instruction& in) { add(op_for(in)); }
  // Feeds the missing instruction behind the end of the code or inside a gap.
  void feed_invalid() { add(op_for(Instruction{})); }
  // Drains the core, returns the block's cost and starts afresh. At most kMaxBlockCost.
  uint32_t finish();

 private:
  // Which registers an instruction reads and writes, as a mask that is or-ed onto the four register bytes of
  // an Instruction and turns those it has no use for into CoreOp::kNoSource or CoreOp::kNoDestination.
  struct Operands {
    uint8_t destination, source1, source2, base;
  };
  static_assert(offsetof(Instruction, src1) == offsetof(Instruction, dst) + 1 &&
                    offsetof(Instruction, src2) == offsetof(Instruction, dst) + 2 &&
                    offsetof(Instruction, base) == offsetof(Instruction, dst) + 3,
                "the registers of an instruction are read as one word");
  struct Row {
    PipelineCost cost;
    Operands unused;
  };
  static constexpr Operands unused_operands(Form form);
  static const std::array<Row, kOpcodeCount + 1> kRows;

  CoreOp op_for(const Instruction& in) const {
    const Row& row = kRows[static_cast<size_t>(in.opcode)];
    const Operands regs = operands_of(in, row.unused);
    const uint32_t extension = row.cost.sign_extension & is_64_bit_;
    uint32_t latency = row.cost.latency + extension;
    if (row.cost.latency == kLoadLatency) latency = load_cycles_;
    if (row.cost.latency == kBranchLatency) latency = branch_latency(in);
    return {.destination = regs.destination,
            .source1 = regs.source1,
            .source2 = static_cast<uint8_t>(regs.source2 & regs.base),  // at most one of them is used
            .latency = static_cast<uint8_t>(latency),
            .decode_slots =
                static_cast<uint8_t>(row.cost.decode_slots + extension + copy_slots(row.cost.copy, regs)),
            .unit = row.cost.unit};
  }

  static Operands operands_of(const Instruction& in, const Operands& unused) {
    uint32_t regs, mask;
    std::memcpy(&regs, &in.dst, 4);
    std::memcpy(&mask, &unused, 4);
    regs |= mask;
    Operands operands;
    std::memcpy(&operands, &regs, 4);
    return operands;
  }

  static uint32_t copy_slots(CopySlot copy, const Operands& regs) {
    const bool first = regs.destination == regs.source1;
    const bool second = (regs.destination == regs.source2) & (copy == CopySlot::kUnlessSource);
    return static_cast<uint32_t>(copy != CopySlot::kNever) & static_cast<uint32_t>(!(first | second));
  }

  // A branch is cheap when the core can tell where it goes: one of its successors is marked as cold.
  uint32_t branch_latency(const Instruction& in) const {
    return is_cold(in.next_pc) || is_cold(in.target) ? kColdBranchLatency : kWarmBranchLatency;
  }
  bool is_cold(uint32_t pc) const {
    return pc >= code_bytes_ || code_[pc] == trap_byte_ || code_[pc] == unlikely_byte_;
  }

  void add(const CoreOp& op) {
    if (simulating_) return simulator_.add(op);
    if (op_count_ == CoreSchedule::kMaxOps || !schedule_.add(op)) [[unlikely]]
      return simulate(op);
    ops_[op_count_++] = op;
  }
  void simulate(const CoreOp& op);

  const uint8_t* code_;
  uint32_t code_bytes_;
  uint8_t load_cycles_;
  uint8_t is_64_bit_;
  uint8_t trap_byte_;
  uint8_t unlikely_byte_;
  bool simulating_ = false;
  uint32_t op_count_ = 0;
  CoreSchedule schedule_;
  std::array<CoreOp, CoreSchedule::kMaxOps> ops_;  // what schedule_ was fed, for the simulator to start over
  CoreSimulator simulator_;
};

}  // namespace sandglass
