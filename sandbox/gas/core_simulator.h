// CoreSimulator: the exact half of the pipeline model, for the blocks that CoreSchedule refuses.
//
// Jumps from event to event instead of counting cycles. An event is a cycle in which an input arrives or a
// unit becomes free; a wheel of 128 slots holds them, since nothing takes longer than 127 cycles. Work per
// instruction is bounded: it starts once, wakes at most 32 others, and every event starts something or frees
// a unit.
//
// The reorder buffer is a ring. Decoding runs ahead of the events and only catches up with them when the ring
// is full, which is the one case in which the core's state decides when the next instruction is decoded.
#pragma once

#include <array>
#include <cstdint>

#include "sandbox/gas/core_schedule.h"

namespace sandglass {

class CoreSimulator {
 public:
  void add(const CoreOp& op);
  // Lets everything finish; when the last result is there, in cycles from the first decode.
  uint32_t finish();
  void clear();

 private:
  static constexpr uint32_t kEntries = 32;
  static constexpr uint32_t kWheelSlots = 128;
  static constexpr uint8_t kNoEntry = kEntries;  // the producer of a register nobody is about to write
  static constexpr uint32_t kMaxLead = 64;       // how far decoding may run ahead of the events

  // One byte per kind, so that units can be taken and given back in one addition.
  static constexpr uint32_t kAluUnit = 1, kMultiplierUnit = 1 << 8, kDividerUnit = 1 << 16;
  static constexpr uint32_t kAllUnits = 4 * kAluUnit + kMultiplierUnit + kDividerUnit;

  struct Entry {
    uint32_t users = 0;     // entries that wait for this one
    uint32_t ready_at = 0;  // when its inputs are there, as far as known
    uint32_t done_at = 0;   // when its result is there; 0 before it starts
    uint32_t units = 0;
    uint8_t missing = 0;  // inputs whose producers have not started
    uint8_t latency = 0;
  };

  inline void make_room(uint32_t decode_slots);
  inline void wait_for_head();
  inline void retire_finished();
  inline void retire_head();
  inline void append(const CoreOp& op);
  inline void link(uint32_t entry, uint8_t producer);

  inline void run_until(uint32_t cycle);
  inline void run_next_event();
  inline uint32_t next_event() const;
  inline void start_what_can_start();
  inline uint32_t startable() const;
  inline void start(uint32_t entry);
  inline void wake(uint32_t entry, uint32_t input_at);
  inline void note_event(uint32_t cycle);
  inline void make_eligible_at(uint32_t entry, uint32_t cycle);

  static uint32_t units_of(CoreUnit unit);
  bool is_unstarted(uint32_t entry) const { return (unstarted_ >> entry & 1) != 0; }

  // Decoder and ring.
  uint32_t cycle_ = 0;
  uint32_t free_slots_ = kDecodeSlots;
  uint32_t head_ = 0;
  uint32_t count_ = 0;       // at least as many as the core has; exact after retire_finished()
  uint32_t retired_at_ = 0;  // cycle in which the last one retired
  alignas(16) std::array<uint8_t, CoreOp::kRegisterSlots> producer_ = no_producers();
  std::array<Entry, kEntries + 1> entries_{};

  // Events. All of them lie in now_ … now_ + 127.
  uint32_t now_ = 0;
  uint32_t end_ = 0;
  uint32_t eligible_ = 0;   // inputs are there, not started
  uint64_t unstarted_ = 0;  // never includes kNoEntry
  uint32_t free_units_ = kAllUnits;
  uint32_t need_alu_ = 0, need_two_alus_ = 0, need_multiplier_ = 0, need_divider_ = 0;  // by entry
  std::array<uint64_t, kWheelSlots>
      wheel_{};                     // low half: entries that become eligible; high half: units freed
  unsigned __int128 occupied_ = 0;  // wheel slots with something in them

  static constexpr std::array<uint8_t, CoreOp::kRegisterSlots> no_producers() {
    std::array<uint8_t, CoreOp::kRegisterSlots> producers{};
    producers.fill(kNoEntry);
    return producers;
  }
};

}  // namespace sandglass
