// Meters: what a block costs, counted while it is translated. One class per cost model, so that the
// compiler's loop is specialised for each and pays nothing for those it does not use.
//
// A meter is fed every instruction of a block, and perhaps the missing one it runs into; finish() gets the
// number of the former and starts afresh.
#pragma once

#include "sandbox/gas/cost_model.h"
#include "sandbox/gas/pipeline_model.h"

namespace sandglass {

struct NoMeter {
  NoMeter(const Program&, const CostModel&) {}
  void feed(Opcode, uint32_t) {}
  void feed_invalid() {}
  uint32_t finish(uint32_t) { return 0; }
};

// The compiler counts instructions anyway.
struct NaiveMeter {
  NaiveMeter(const Program&, const CostModel&) {}
  void feed(Opcode, uint32_t) {}
  void feed_invalid() { invalid_ = 1; }
  uint32_t finish(uint32_t instructions) { return instructions + std::exchange(invalid_, 0); }

 private:
  uint32_t invalid_ = 0;
};

struct TableMeter {
  TableMeter(const Program&, const CostModel& model) : costs_(model.costs()) {}
  void feed(Opcode opcode, uint32_t) { sum_ += costs_[static_cast<size_t>(opcode)]; }
  void feed_invalid() { sum_ += costs_[static_cast<size_t>(Opcode::kInvalid)]; }
  uint32_t finish(uint32_t) {
    return static_cast<uint32_t>(std::min<uint64_t>(std::exchange(sum_, 0), kMaxBlockCost));
  }

 private:
  const CostModel::Table& costs_;
  uint64_t sum_ = 0;
};

struct PipelineMeter {
  PipelineMeter(const Program& program, const CostModel& model)
      : program_(program), model_(program, model.load_cycles()) {}
  // Decodes once more: the other models, for which decoding would be half the cost, do without operands.
  void feed(Opcode, uint32_t pc) { model_.feed(program_.decode(pc)); }
  void feed_invalid() { model_.feed_invalid(); }
  uint32_t finish(uint32_t) { return std::min(model_.finish(), kMaxBlockCost); }

 private:
  const Program& program_;
  PipelineModel model_;
};

}  // namespace sandglass
