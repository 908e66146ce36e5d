// What a basic block costs. A block is charged as a whole when it is entered; see GasMetering.
//
// Three models:
//   naive     every instruction costs 1
//   table     every opcode costs what a table says; the block costs the sum, at most kMaxBlockCost
//   pipeline  the cycles a simulated out-of-order core needs for the block (pipeline_model.h)
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "sandbox/program/program.h"

namespace sandglass {

// kNone   nothing is counted; only interrupt() and deadlines bound a guest.
// kSync   exact: a block that cannot be paid is not entered, and the guest can go on after set_gas().
// kAsync  the counter only goes down and is looked at when the guest stops for another reason.
enum class GasMetering : uint8_t { kNone, kSync, kAsync };

// A block never costs more, so that charging it is one subtraction of a positive 32-bit immediate.
inline constexpr uint32_t kMaxBlockCost = INT32_MAX;

class CostModel {
 public:
  using Table = std::array<uint32_t, kOpcodeCount + 1>;  // indexed by Opcode, Opcode::kInvalid last
  enum class Kind : uint8_t { kNaive, kTable, kPipeline };

  // Latencies of a load for pipeline(): its operands come from the L1, L2 or L3 cache.
  static constexpr uint32_t kL1Hit = 4, kL2Hit = 25, kL3Hit = 37;

  CostModel() = default;
  static CostModel naive() { return {}; }
  static CostModel table(const Table& costs);
  // Fails unless 1 <= load_cycles <= 127.
  static Result<CostModel> pipeline(uint32_t load_cycles);

  Kind kind() const { return kind_; }
  uint32_t load_cycles() const { return load_cycles_; }
  const Table& costs() const { return *table_; }

 private:
  Kind kind_ = Kind::kNaive;
  uint32_t load_cycles_ = 0;
  std::shared_ptr<const Table> table_;
};

// Cost of the block that starts at `start`. `start` must be a jump target, or a pc where nothing can be
// executed (then it is the cost of one invalid instruction). Walks the block: O(instructions in it).
uint32_t block_cost(const Program& program, uint32_t start, const CostModel& model);

}  // namespace sandglass
