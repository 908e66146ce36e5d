// CoreSchedule: the fast half of the pipeline model. Finds the cycle in which every instruction starts while
// the instructions come in, without simulating the cycles in between.
//
// The core starts the oldest instruction that can start. Placing instructions one after the other into a
// timeline, each into the first cycle from which its inputs and units are free, gives the same result as long
// as no instruction finds a unit free now that an older one was to use a little later: in the core it would
// take the unit, and the older one would have to wait. Such a block, one of more than kMaxOps instructions
// and one that lasts longer than the timeline are refused; CoreSimulator can do them all.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "sandbox/gas/pipeline_cost.h"

namespace sandglass {

// An instruction as the core sees it.
struct CoreOp {
  static constexpr uint8_t kNoSource = 15;       // a register that is always ready
  static constexpr uint8_t kNoDestination = 16;  // this and what lies above is written and never read
  static constexpr size_t kRegisterSlots = 32;

  uint8_t destination;
  uint8_t source1;
  uint8_t source2;
  uint8_t latency;  // 1 … 127
  uint8_t decode_slots;
  CoreUnit unit;
};

class CoreSchedule {
 public:
  static constexpr uint32_t kMaxOps = 32;

  // False: this block is too hard. The instruction was not taken, nothing can be added until clear().
  bool add(const CoreOp& op) {
    const bool next_cycle = free_slots_ < op.decode_slots;  // without a branch: nobody could predict it
    cycle_ += next_cycle;
    free_slots_ = (next_cycle ? kDecodeSlots : free_slots_) - op.decode_slots;
    if (op.unit == CoreUnit::kRename) {
      ready_[op.destination] = ready_[op.source1];
      return true;
    }
    const uint32_t earliest =
        std::max({cycle_ + 1, uint32_t{ready_[op.source1]}, uint32_t{ready_[op.source2]}});
    return place(op, earliest);
  }

  // When the last result is there, in cycles from the first decode.
  uint32_t end() const { return end_; }
  void clear() {
    cycle_ = end_ = 0;
    free_slots_ = kDecodeSlots;
    busy_.fill(0);
    multiplier_ = divider_ = all_started_ = 0;
    starts_.fill(0);
    ready_.fill(0);
  }

 private:
  using Timeline = unsigned __int128;  // one bit per cycle of the block
  static constexpr uint32_t kCycles = 128;

  bool place(const CoreOp& op, uint32_t earliest) {
    if (earliest + op.latency > kCycles) return false;
    if (op.unit > CoreUnit::kAlu) [[unlikely]]
      return place_on_two_units(op, earliest);
    const Timeline needs_alu = op.unit == CoreUnit::kAlu ? ~Timeline{0} : 0;
    const uint32_t start = first_free(all_started_ | (busy_[3] & needs_alu), earliest);
    if (start + op.latency > kCycles) [[unlikely]]
      return false;
    if (!occupy_alu(span_of(op, start) & needs_alu)) [[unlikely]]
      return false;
    note_start(op, start);
    return true;
  }

  bool place_on_two_units(const CoreOp& op, uint32_t earliest) {
    const bool two_alus = op.unit == CoreUnit::kTwoAlus;
    Timeline& other = op.unit == CoreUnit::kMultiplier ? multiplier_ : divider_;
    const uint32_t start = first_free(all_started_ | (two_alus ? busy_[2] : busy_[3] | other), earliest);
    if (start + op.latency > kCycles) return false;
    const Timeline span = span_of(op, start);
    if (!two_alus && (other & span) != 0) return false;
    if (!occupy_alu(span) || (two_alus && !occupy_alu(span))) return false;
    if (!two_alus) other |= span;
    note_start(op, start);
    return true;
  }

  static Timeline span_of(const CoreOp& op, uint32_t start) {
    return ((Timeline{1} << op.latency) - 1) << start;
  }

  // False when an older instruction holds the last ALU during a part of `span`.
  bool occupy_alu(Timeline span) {
    if ((busy_[3] & span) != 0) return false;
    busy_[3] |= busy_[2] & span;
    busy_[2] |= busy_[1] & span;
    busy_[1] |= busy_[0] & span;
    busy_[0] |= span;
    return true;
  }

  void note_start(const CoreOp& op, uint32_t start) {
    if (++starts_[start] == kStartsPerCycle) [[unlikely]]
      all_started_ |= Timeline{1} << start;
    const uint32_t end = start + op.latency;
    ready_[op.destination] = static_cast<uint8_t>(end);
    end_ = std::max(end_, end);
  }

  // From `earliest` (< kCycles) on; kCycles when there is none.
  static uint32_t first_free(Timeline taken, uint32_t earliest) {
    const Timeline rest = taken >> earliest;
    if ((rest & 1) == 0) [[likely]]
      return earliest;
    const auto low = static_cast<uint64_t>(rest);
    if (~low != 0) return earliest + static_cast<uint32_t>(std::countr_one(low));
    return earliest + 64 + static_cast<uint32_t>(std::countr_one(static_cast<uint64_t>(rest >> 64)));
  }

  static constexpr uint8_t kStartsPerCycle = 5;

  uint32_t cycle_ = 0;  // of the decoder
  uint32_t free_slots_ = kDecodeSlots;
  uint32_t end_ = 0;
  std::array<Timeline, 4> busy_{};  // [i]: more than i ALUs are busy
  Timeline multiplier_ = 0, divider_ = 0;
  Timeline all_started_ = 0;  // no further instruction can start in this cycle
  std::array<uint8_t, kCycles> starts_{};
  std::array<uint8_t, CoreOp::kRegisterSlots> ready_{};  // cycle from which a register can be read
};

}  // namespace sandglass
