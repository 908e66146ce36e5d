// How long the jumps of a program are, when their targets are labels.
//
// A jump holds the distance to its target in as few bytes as possible, so its length depends on the lengths
// of the instructions between. The layout begins with the shortest jumps and lets those grow that do not
// reach, until all do. As growing never brings two places closer, this finds the one layout that is nowhere
// longer than any other consistent layout; the disassembler relies on that. A jump to a code offset instead
// of a label may come closer while other code grows; it keeps the bytes it had.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sandglass {

// A place in the code: so many bytes of other instructions and so many jumps lie before it.
struct CodePosition {
  uint32_t fixed_bytes = 0;
  uint32_t jumps = 0;
};

struct JumpSite {
  CodePosition at;               // at.jumps is the index of this jump
  CodePosition target;           // unless is_absolute
  uint32_t absolute_target = 0;  // a code offset
  bool is_absolute = false;
  uint8_t bytes_before_distance = 1;  // the opcode and the operands before the distance
};

struct CodeLayout {
  std::vector<uint32_t> jump_bytes_before;  // [i]: all bytes of the jumps 0 … i-1; one more than jumps

  uint32_t offset_of(CodePosition position) const {
    return position.fixed_bytes + jump_bytes_before[position.jumps];
  }
  uint32_t jump_bytes(size_t index) const { return jump_bytes_before[index + 1] - jump_bytes_before[index]; }
};

// Usual programs settle after a few rounds over their jumps. Text made to be slow could need as many rounds
// as it has jumps; when rounds times jumps exceed this, all jumps get four bytes of distance instead.
inline constexpr uint64_t kMaxLayoutSteps = uint64_t{1} << 28;

// Fewer than 2^28 jumps, so that offsets stay below 2^32.
CodeLayout lay_out_code(std::span<const JumpSite> jumps, uint64_t max_steps = kMaxLayoutSteps);

// The bytes a distance takes: 0 to 4.
uint32_t distance_bytes(uint32_t distance);

}  // namespace sandglass
