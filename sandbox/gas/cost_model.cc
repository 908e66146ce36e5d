#include "sandbox/gas/cost_model.h"

#include <algorithm>

#include "sandbox/gas/pipeline_model.h"

namespace sandglass {
namespace {

// Calls visit(instruction) for every instruction of the block, the missing one at its end included.
template <typename Visitor>
void walk_block(const Program& program, uint32_t pc, Visitor visit) {
  for (;;) {
    const Instruction in = program.decode(pc);
    visit(in);
    if (info_of(in.opcode).flow != Flow::Next) return;
    pc = in.next_pc;
  }
}

uint32_t table_cost(const Program& program, uint32_t start, const CostModel::Table& costs) {
  uint64_t sum = 0;
  walk_block(program, start, [&](const Instruction& in) { sum += costs[static_cast<size_t>(in.opcode)]; });
  return static_cast<uint32_t>(std::min<uint64_t>(sum, kMaxBlockCost));
}

uint32_t naive_cost(const Program& program, uint32_t start) {
  uint32_t count = 0;
  walk_block(program, start, [&](const Instruction&) { ++count; });
  return count;
}

uint32_t pipeline_cost(const Program& program, uint32_t start, uint32_t load_cycles) {
  PipelineModel model(program, load_cycles);
  walk_block(program, start, [&](const Instruction& in) { model.feed(in); });
  return model.finish();
}

}  // namespace

CostModel CostModel::table(const Table& costs) {
  CostModel model;
  model.kind_ = Kind::kTable;
  model.table_ = std::make_shared<const Table>(costs);
  return model;
}

Result<CostModel> CostModel::pipeline(uint32_t load_cycles) {
  if (load_cycles < 1 || load_cycles > 127) {
    return Error::make(ErrorKind::kInvalidArgument, "a load takes 1 to 127 cycles", load_cycles);
  }
  CostModel model;
  model.kind_ = Kind::kPipeline;
  model.load_cycles_ = load_cycles;
  return model;
}

uint32_t block_cost(const Program& program, uint32_t start, const CostModel& model) {
  switch (model.kind()) {
    case CostModel::Kind::kNaive: return naive_cost(program, start);
    case CostModel::Kind::kTable: return table_cost(program, start, model.costs());
    case CostModel::Kind::kPipeline: return pipeline_cost(program, start, model.load_cycles());
  }
  return 0;
}

}  // namespace sandglass
