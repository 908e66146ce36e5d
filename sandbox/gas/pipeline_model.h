// The pipeline model: what a basic block costs on a simulated out-of-order core.
//
// The core decodes 4 slots per cycle into a reorder buffer of 32 entries and starts up to 5 instructions per
// cycle on 4 ALUs, 4 load units, 4 store units, 1 multiplier and 1 divider. A block costs the cycles from the
// first decode to the last retirement, minus 3, and at least 1. Every block starts on an empty core.
//
// The compiler feeds instructions while it translates them, so this is on its hot path: see compile/ in the
// suite for what an instruction costs.
#pragma once

#include <cstdint>

#include "sandbox/program/program.h"

namespace sandglass {

class PipelineModel {
 public:
  PipelineModel(const Program& program, uint32_t load_cycles);

  // Feeds the next instruction of the block. Branches look at the opcode bytes of both successors.
  void feed(const Instruction& in);
  // Feeds the missing instruction behind the end of the code or inside a gap.
  void feed_invalid();
  // Drains the core, returns the block's cost and starts afresh.
  uint32_t finish();

 private:
  // (chosen by the implementation)
};

}  // namespace sandglass
