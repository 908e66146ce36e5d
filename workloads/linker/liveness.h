// Which registers a line reads and writes, and which are still wanted behind each line.
//
// Sound for the whole program without trusting a calling convention: a call leads to its callee, a jump
// through a register to every place that a code pointer points to. Only what returns to the host is trusted
// to be a function: the host gets a0 and a1, and whoever called gets back what a callee keeps.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/linker/tracer.h"

namespace sandglass::linker {

using RegSet = uint16_t;  // bit i: Reg i
inline constexpr RegSet kAllRegs = (1 << kRegCount) - 1;
constexpr RegSet set_of(Reg reg) { return static_cast<RegSet>(1u << static_cast<unsigned>(reg)); }

struct Effect {
  RegSet reads = 0;
  RegSet writes = 0;
  bool is_pure = false;  // nothing but the writes: no memory, no host, no jump
};
Effect effect_of(const Instruction& in);

// Lines and labels of a program, as flow sees them.
class FlowGraph {
 public:
  // `entries`: addresses (ascending) where the host may begin.
  FlowGraph(const Code& code, const std::vector<uint32_t>& entries);

  // The first line at or behind an address.
  size_t line_at(uint32_t address) const;
  // Somebody may jump to the line.
  bool is_label(size_t line) const { return is_label_[line]; }
  // Where a line with a target goes.
  size_t target_line(size_t line) const { return target_line_[line]; }
  // Registers wanted behind every line.
  std::vector<RegSet> live_out() const;

 private:
  RegSet behind(size_t line, const std::vector<RegSet>& live_in, RegSet anywhere) const;

  const Code& code_;
  std::vector<bool> is_label_;
  std::vector<uint32_t> target_line_;  // parallel to the lines; 0 without a target
};

}  // namespace sandglass::linker
