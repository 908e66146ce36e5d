#include "sandbox/gas/core_simulator.h"

#include <algorithm>
#include <bit>

namespace sandglass {

void CoreSimulator::add(const CoreOp& op) {
  make_room(op.decode_slots);
  free_slots_ -= op.decode_slots;
  if (op.unit == CoreUnit::kRename) {
    producer_[op.destination] = producer_[op.source1];
    return;
  }
  append(op);
}

uint32_t CoreSimulator::finish() {
  while (unstarted_ != 0) run_next_event();
  return end_;
}

void CoreSimulator::clear() { *this = CoreSimulator(); }

// Opens decode cycles until there is room for the next instruction.
void CoreSimulator::make_room(uint32_t decode_slots) {
  if (count_ == kEntries) retire_finished();
  if (free_slots_ >= decode_slots && count_ < kEntries) return;
  if (count_ == kEntries) {
    wait_for_head();
  } else {
    ++cycle_;
  }
  free_slots_ = kDecodeSlots;
  if (cycle_ - now_ > kMaxLead && cycle_ > now_) run_until(cycle_);
}

// The ring is full: the next decode cycle is the one after the oldest entry left.
void CoreSimulator::wait_for_head() {
  while (is_unstarted(head_)) run_next_event();
  cycle_ = std::max(cycle_, entries_[head_].done_at + 1);
  retire_head();
  ++cycle_;
}

// Removes what has left the core before the current decode cycle.
void CoreSimulator::retire_finished() {
  run_until(cycle_);
  while (count_ > 0 && !is_unstarted(head_)) {
    if (std::max(retired_at_, entries_[head_].done_at + 1) >= cycle_) return;
    retire_head();
  }
}

void CoreSimulator::retire_head() {
  retired_at_ = std::max(retired_at_, entries_[head_].done_at + 1);
  const auto head = static_cast<uint8_t>(head_);  // a copy, so that this becomes two vector operations
  for (uint8_t& producer : producer_) producer = producer == head ? kNoEntry : producer;
  const uint32_t others = ~(1u << head_);
  need_alu_ &= others;
  need_two_alus_ &= others;
  need_multiplier_ &= others;
  need_divider_ &= others;
  head_ = (head_ + 1) % kEntries;
  --count_;
}

void CoreSimulator::append(const CoreOp& op) {
  const uint32_t index = (head_ + count_++) % kEntries;
  Entry& entry = entries_[index];
  entry = {.ready_at = cycle_ + 1, .units = units_of(op.unit), .latency = op.latency};
  need_alu_ |= uint32_t{entry.units != 0} << index;
  need_two_alus_ |= uint32_t{op.unit == CoreUnit::kTwoAlus} << index;
  need_multiplier_ |= uint32_t{op.unit == CoreUnit::kMultiplier} << index;
  need_divider_ |= uint32_t{op.unit == CoreUnit::kDivider} << index;

  const uint8_t producer1 = producer_[op.source1], producer2 = producer_[op.source2];
  link(index, producer1);
  if (producer2 != producer1) link(index, producer2);
  producer_[op.destination] = static_cast<uint8_t>(index);
  unstarted_ |= uint64_t{1} << index;
  if (entry.missing == 0) make_eligible_at(index, entry.ready_at);
}

void CoreSimulator::link(uint32_t index, uint8_t producer) {
  const uint32_t waits = is_unstarted(producer);
  entries_[producer].users |= waits << index;
  entries_[index].missing = static_cast<uint8_t>(entries_[index].missing + waits);
  entries_[index].ready_at = std::max(entries_[index].ready_at, entries_[producer].done_at);
}

// Handles all events up to and including `cycle`.
void CoreSimulator::run_until(uint32_t cycle) {
  while (occupied_ != 0 && next_event() <= cycle) run_next_event();
  now_ = std::max(now_, cycle + 1);
}

uint32_t CoreSimulator::next_event() const {
  const uint32_t shift = now_ % kWheelSlots;
  const unsigned __int128 turned =
      shift == 0 ? occupied_ : occupied_ >> shift | occupied_ << (kWheelSlots - shift);
  const auto low = static_cast<uint64_t>(turned);
  if (low != 0) return now_ + static_cast<uint32_t>(std::countr_zero(low));
  return now_ + 64 + static_cast<uint32_t>(std::countr_zero(static_cast<uint64_t>(turned >> 64)));
}

void CoreSimulator::run_next_event() {
  const uint32_t cycle = next_event();
  uint64_t& slot = wheel_[cycle % kWheelSlots];
  eligible_ |= static_cast<uint32_t>(slot);
  free_units_ += static_cast<uint32_t>(slot >> 32);
  slot = 0;
  occupied_ &= ~(static_cast<unsigned __int128>(1) << cycle % kWheelSlots);
  now_ = cycle;
  start_what_can_start();
  ++now_;
}

// At most five per cycle, the oldest first.
void CoreSimulator::start_what_can_start() {
  uint32_t candidates = startable();
  for (int starts = 5; candidates != 0; candidates = startable()) {
    if (starts-- == 0) return note_event(now_ + 1);
    const int age = std::countr_zero(std::rotr(candidates, static_cast<int>(head_)));
    start((head_ + static_cast<uint32_t>(age)) % kEntries);
  }
}

uint32_t CoreSimulator::startable() const {
  const uint32_t free_alus = free_units_ & 0xff;
  uint32_t blocked = free_alus == 0 ? need_alu_ : 0;
  blocked |= free_alus < 2 ? need_two_alus_ : 0;
  blocked |= (free_units_ & kMultiplierUnit) == 0 ? need_multiplier_ : 0;
  blocked |= (free_units_ & kDividerUnit) == 0 ? need_divider_ : 0;
  return eligible_ & ~blocked;
}

void CoreSimulator::start(uint32_t index) {
  Entry& entry = entries_[index];
  const uint32_t done_at = now_ + entry.latency;
  eligible_ &= ~(1u << index);
  unstarted_ &= ~(uint64_t{1} << index);
  entry.done_at = done_at;
  end_ = std::max(end_, done_at);
  if (entry.units != 0) {
    free_units_ -= entry.units;
    wheel_[done_at % kWheelSlots] += uint64_t{entry.units} << 32;
    note_event(done_at);
  }
  for (uint32_t users = entry.users; users != 0; users &= users - 1) {
    wake(static_cast<uint32_t>(std::countr_zero(users)), done_at);
  }
}

void CoreSimulator::wake(uint32_t index, uint32_t input_at) {
  Entry& entry = entries_[index];
  entry.ready_at = std::max(entry.ready_at, input_at);
  if (--entry.missing == 0) make_eligible_at(index, entry.ready_at);
}

void CoreSimulator::note_event(uint32_t cycle) {
  occupied_ |= static_cast<unsigned __int128>(1) << cycle % kWheelSlots;
}

void CoreSimulator::make_eligible_at(uint32_t index, uint32_t cycle) {
  wheel_[cycle % kWheelSlots] |= uint64_t{1} << index;
  note_event(cycle);
}

uint32_t CoreSimulator::units_of(CoreUnit unit) {
  switch (unit) {
    case CoreUnit::kNone:
    case CoreUnit::kRename: return 0;
    case CoreUnit::kAlu: return kAluUnit;
    case CoreUnit::kTwoAlus: return 2 * kAluUnit;
    case CoreUnit::kMultiplier: return kAluUnit + kMultiplierUnit;
    case CoreUnit::kDivider: return kAluUnit + kDividerUnit;
  }
  return 0;
}

}  // namespace sandglass
