#include "sandbox/program/code_layout.h"

#include <algorithm>

namespace sandglass {
namespace {

class LayoutSolver {
 public:
  explicit LayoutSolver(std::span<const JumpSite> jumps) : jumps_(jumps), distance_bytes_(jumps.size(), 0) {
    layout_.jump_bytes_before.resize(jumps.size() + 1);
  }

  CodeLayout solve(uint64_t max_steps) {
    uint64_t steps = 0;
    do {
      add_up();
      steps += jumps_.size();
      if (steps > max_steps) return give_up();
    } while (grow());
    return std::move(layout_);
  }

 private:
  void add_up() {
    uint32_t sum = 0;
    for (size_t i = 0; i < jumps_.size(); ++i) {
      layout_.jump_bytes_before[i] = sum;
      sum += jumps_[i].bytes_before_distance + distance_bytes_[i];
    }
    layout_.jump_bytes_before[jumps_.size()] = sum;
  }

  uint32_t needed(size_t index) const {
    const JumpSite& jump = jumps_[index];
    const uint32_t target = jump.is_absolute ? jump.absolute_target : layout_.offset_of(jump.target);
    return distance_bytes(target - layout_.offset_of(jump.at));
  }

  bool grow() {
    bool grew = false;
    for (size_t i = 0; i < jumps_.size(); ++i) {
      const uint32_t bytes = needed(i);
      if (bytes <= distance_bytes_[i]) continue;
      distance_bytes_[i] = static_cast<uint8_t>(bytes);
      grew = true;
    }
    return grew;
  }

  CodeLayout give_up() {
    std::fill(distance_bytes_.begin(), distance_bytes_.end(), uint8_t{4});
    add_up();
    return std::move(layout_);
  }

  std::span<const JumpSite> jumps_;
  std::vector<uint8_t> distance_bytes_;
  CodeLayout layout_;
};

}  // namespace

uint32_t distance_bytes(uint32_t distance) {
  const auto value = static_cast<int32_t>(distance);
  if (value == 0) return 0;
  if (value == static_cast<int8_t>(value)) return 1;
  if (value == static_cast<int16_t>(value)) return 2;
  return value >= -(1 << 23) && value < 1 << 23 ? 3 : 4;
}

CodeLayout lay_out_code(std::span<const JumpSite> jumps, uint64_t max_steps) {
  return LayoutSolver(jumps).solve(max_steps);
}

}  // namespace sandglass
