// Meters: what a block costs, counted while it is translated. One class per cost model, so that the
// compiler's loop is specialised for each and pays nothing for those it does not use.
#pragma once

#include "sandbox/gas/cost_model.h"
#include "sandbox/gas/pipeline_model.h"

namespace sandglass {

struct NoMeter {
  NoMeter(const Program&, const CostModel&) {}
  void feed(const Instruction&) {}
  void feed_invalid() {}
  uint32_t finish() { return 0; }
};

struct NaiveMeter {
  NaiveMeter(const Program&, const CostModel&) {}
  void feed(const Instruction&) { ++count_; }
  void feed_invalid() { ++count_; }
  uint32_t finish() { return std::exchange(count_, 0); }

 private:
  uint32_t count_ = 0;
};

struct TableMeter {
  TableMeter(const Program&, const CostModel& model) : costs_(model.costs()) {}
  void feed(const Instruction& in) { sum_ += costs_[static_cast<size_t>(in.opcode)]; }
  void feed_invalid() { sum_ += costs_[static_cast<size_t>(Opcode::kInvalid)]; }
  uint32_t finish() {
    return static_cast<uint32_t>(std::min<uint64_t>(std::exchange(sum_, 0), kMaxBlockCost));
  }

 private:
  const CostModel::Table& costs_;
  uint64_t sum_ = 0;
};

struct PipelineMeter {
  PipelineMeter(const Program& program, const CostModel& model) : model_(program, model.load_cycles()) {}
  void feed(const Instruction& in) { model_.feed(in); }
  void feed_invalid() { model_.feed_invalid(); }
  uint32_t finish() { return std::min(model_.finish(), kMaxBlockCost); }

 private:
  PipelineModel model_;
};

}  // namespace sandglass
