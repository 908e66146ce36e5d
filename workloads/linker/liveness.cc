#include "workloads/linker/liveness.h"

#include <algorithm>

namespace sandglass::linker {
namespace {

// What a function that returns to the host leaves for somebody.
// Usual programs settle after some ten. Where jumps were made to take more, everything counts as wanted.
constexpr int kMaxPasses = 100;

constexpr RegSet kKept =
    set_of(Reg::a0) | set_of(Reg::a1) | set_of(Reg::sp) | set_of(Reg::ra) | set_of(Reg::s0) | set_of(Reg::s1);

bool keeps_its_destination(Opcode opcode) {
  return opcode == Opcode::kCmovIfZero || opcode == Opcode::kCmovIfNotZero ||
         opcode == Opcode::kCmovIfZeroImm || opcode == Opcode::kCmovIfNotZeroImm;
}

Effect effect_of_form(const Instruction& in) {
  const RegSet dst = set_of(in.dst), src1 = set_of(in.src1), src2 = set_of(in.src2), base = set_of(in.base);
  switch (info_of(in.opcode).form) {
    case Form::None:
    case Form::Imm:
    case Form::AddrImm:
    case Form::Target: return {};
    case Form::DstImm64:
    case Form::DstImm: return {0, dst, true};
    case Form::DstAddr:
    case Form::DstImmTarget: return {0, dst};
    case Form::BaseOff:
    case Form::BaseOffImm: return {base, 0};
    case Form::SrcAddr:
    case Form::SrcImmTarget: return {src1, 0};
    case Form::DstSrc:
    case Form::DstSrcImm: return {src1, dst, true};
    case Form::SrcBaseOff: return {static_cast<RegSet>(src1 | base), 0};
    case Form::DstBaseOff: return {base, dst};
    case Form::SrcSrcTarget: return {static_cast<RegSet>(src1 | src2), 0};
    case Form::DstBaseImmOff: return {base, dst};
    case Form::DstSrcSrc: return {static_cast<RegSet>(src1 | src2), dst, true};
  }
  return {kAllRegs, 0};
}

}  // namespace

Effect effect_of(const Instruction& in) {
  switch (in.opcode) {
    // The host may read and write them all.
    case Opcode::kEcalli: return {kAllRegs, 0};
    case Opcode::kMemset:
      return {static_cast<RegSet>(set_of(Reg::a0) | set_of(Reg::a1) | set_of(Reg::a2)),
              static_cast<RegSet>(set_of(Reg::a0) | set_of(Reg::a2))};
    case Opcode::kSbrk: return {set_of(in.src1), set_of(in.dst)};
    default: break;
  }
  Effect effect = effect_of_form(in);
  if (keeps_its_destination(in.opcode)) effect.reads |= effect.writes;
  return effect;
}

FlowGraph::FlowGraph(const Code& code, const std::vector<uint32_t>& entries)
    : code_(code), is_label_(code.lines.size() + 1) {
  for (const auto* addresses : {&code.targets, &code.pointed, &entries}) {
    for (const uint32_t address : *addresses) is_label_[line_at(address)] = true;
  }
  for (const Line& line : code.lines) {
    target_line_.push_back(static_cast<uint32_t>(line.target == kNowhere ? 0 : line_at(line.target)));
  }
}

size_t FlowGraph::line_at(uint32_t address) const {
  const auto at = std::lower_bound(code_.lines.begin(), code_.lines.end(), address,
                                   [](const Line& line, uint32_t a) { return line.address < a; });
  return static_cast<size_t>(at - code_.lines.begin());
}

RegSet FlowGraph::behind(size_t i, const std::vector<RegSet>& live_in, RegSet anywhere) const {
  const Line& line = code_.lines[i];
  RegSet live = 0;
  if (line.target != kNowhere) live |= live_in[target_line_[i]];
  const Form form = info_of(line.in.opcode).form;
  if (form == Form::BaseOff || form == Form::DstBaseImmOff) live |= anywhere;
  if (flow_of(line.in.opcode) != Flow::NoFallthrough) live |= live_in[i + 1];
  return live;
}

std::vector<RegSet> FlowGraph::live_out() const {
  const size_t count = code_.lines.size();
  std::vector<RegSet> live_in(count + 1), live_out(count + 1);
  std::vector<size_t> pointed;
  for (const uint32_t address : code_.pointed) pointed.push_back(line_at(address));
  bool changed = true;
  for (int pass = 0; changed; ++pass) {
    if (pass == kMaxPasses) return std::vector<RegSet>(count + 1, kAllRegs);
    changed = false;
    RegSet anywhere = kKept;
    for (const size_t line : pointed) anywhere |= live_in[line];
    for (size_t i = count; i-- > 0;) {
      live_out[i] = behind(i, live_in, anywhere);
      const Effect effect = effect_of(code_.lines[i].in);
      const auto in = static_cast<RegSet>((live_out[i] & ~effect.writes) | effect.reads);
      changed |= in != live_in[i];
      live_in[i] = in;
    }
  }
  return live_out;
}

}  // namespace sandglass::linker
