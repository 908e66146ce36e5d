#include "sandbox/gas/pipeline_model.h"

#include <algorithm>

#include "sandbox/gas/cost_model.h"

namespace sandglass {
namespace {

// The last result is one decode cycle after the first decode at least and retires two cycles after it is
// there; the cost leaves out three.
constexpr uint32_t cost_of(uint32_t end) { return std::clamp(end, 2u, kMaxBlockCost) - 1; }

constexpr Form kForms[] = {
#define SG_OPCODE(enumerator, mnemonic, form, latest64, jam, revive, latest32, access, flow) Form::form,
#include "sandbox/program/opcodes.def"
#undef SG_OPCODE
    Form::None,  // kInvalid
};

uint8_t byte_of(Opcode opcode, InstructionSet set, uint8_t if_missing) {
  const int16_t byte = info_of(opcode).byte[static_cast<size_t>(set)];
  return byte < 0 ? if_missing : static_cast<uint8_t>(byte);
}

}  // namespace

// The link register of a jump counts as no destination: nothing in the block can read it.
constexpr PipelineModel::Operands PipelineModel::unused_operands(Form form) {
  constexpr uint8_t kUsed = 0;
  constexpr uint8_t kNoDst = CoreOp::kNoDestination, kNoSrc = CoreOp::kNoSource;
  switch (form) {
    case Form::None:
    case Form::Imm:
    case Form::AddrImm:
    case Form::Target:
    case Form::DstImmTarget: return {kNoDst, kNoSrc, kNoSrc, kNoSrc};
    case Form::DstImm64:
    case Form::DstImm:
    case Form::DstAddr: return {kUsed, kNoSrc, kNoSrc, kNoSrc};
    case Form::BaseOff:
    case Form::BaseOffImm:
    case Form::DstBaseImmOff: return {kNoDst, kNoSrc, kNoSrc, kUsed};
    case Form::SrcAddr:
    case Form::SrcImmTarget: return {kNoDst, kUsed, kNoSrc, kNoSrc};
    case Form::DstSrc:
    case Form::DstSrcImm: return {kUsed, kUsed, kNoSrc, kNoSrc};
    case Form::SrcBaseOff: return {kNoDst, kUsed, kNoSrc, kUsed};
    case Form::DstBaseOff: return {kUsed, kNoSrc, kNoSrc, kUsed};
    case Form::SrcSrcTarget: return {kNoDst, kUsed, kUsed, kNoSrc};
    case Form::DstSrcSrc: return {kUsed, kUsed, kUsed, kNoSrc};
  }
  return {};
}

constinit const std::array<PipelineModel::Row, kOpcodeCount + 1> PipelineModel::kRows = [] {
  std::array<Row, kOpcodeCount + 1> rows{};
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = {kPipelineCosts[i], unused_operands(kForms[i])};
  return rows;
}();

PipelineModel::PipelineModel(const Program& program, uint32_t load_cycles)
    : code_(program.code()),
      code_bytes_(program.code_bytes()),
      load_cycles_(static_cast<uint8_t>(load_cycles)),
      is_64_bit_(program.is_64_bit()),
      trap_byte_(byte_of(Opcode::kTrap, program.instruction_set(), 0)),
      unlikely_byte_(byte_of(Opcode::kUnlikely, program.instruction_set(), 255)) {
  SG_CHECK(load_cycles >= 1 && load_cycles <= 127);
}

void PipelineModel::simulate(const CoreOp& op) {
  simulating_ = true;
  for (uint32_t i = 0; i < op_count_; ++i) simulator_.add(ops_[i]);
  simulator_.add(op);
}

uint32_t PipelineModel::finish() {
  uint32_t end = schedule_.end();
  if (simulating_) {
    end = simulator_.finish();
    simulator_.clear();
    simulating_ = false;
  }
  schedule_.clear();
  op_count_ = 0;
  return cost_of(end);
}

}  // namespace sandglass
