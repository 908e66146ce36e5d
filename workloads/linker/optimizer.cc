#include "workloads/linker/optimizer.h"

#include <algorithm>

#include "workloads/linker/constants.h"
#include "workloads/linker/liveness.h"

namespace sandglass::linker {
namespace {

// Jumps to jumps, followed so far: there may be a circle.
constexpr int kMaxHops = 8;

void keep_only(Code& code, const std::vector<bool>& dropped) {
  size_t kept = 0;
  for (size_t i = 0; i < code.lines.size(); ++i) {
    if (!dropped[i]) code.lines[kept++] = code.lines[i];
  }
  code.lines.resize(kept);
}

bool is_host_call_stub(const Code& code, size_t line) {
  return line + 1 < code.lines.size() && code.lines[line].in.opcode == Opcode::kEcalli &&
         code.lines[line + 1].in.opcode == Opcode::kJumpIndirect && code.lines[line + 1].in.base == Reg::ra &&
         code.lines[line + 1].in.offset == 0;
}

// `call stub` and what follows it are one block then; nobody may care for the return address.
void inline_host_calls(Code& code, const FlowGraph& graph) {
  const std::vector<RegSet> live_out = graph.live_out();
  for (size_t i = 0; i < code.lines.size(); ++i) {
    Line& line = code.lines[i];
    if (line.in.opcode != Opcode::kLoadImmAndJump || line.in.dst != Reg::ra) continue;
    const size_t stub = graph.target_line(i), next = graph.line_at(line.code_pointer);
    if (next != i + 1 || next >= code.lines.size() || !is_host_call_stub(code, stub)) continue;
    const Effect behind = effect_of(code.lines[next].in);
    const RegSet wanted = static_cast<RegSet>((live_out[next] & ~behind.writes) | behind.reads);
    if ((wanted & set_of(Reg::ra)) != 0) continue;
    line = {.in = {.opcode = Opcode::kEcalli}, .address = line.address, .import = code.lines[stub].import};
  }
}

// Whether what the line saves is still restored.
bool is_restored(const Code& code, size_t save) {
  const Line& line = code.lines[save];
  for (size_t i = save + 1; i < code.lines.size() && code.lines[i].address == line.address; ++i) {
    if (code.lines[i].role == LineRole::kRestore && code.lines[i].in.dst == line.in.src1) return true;
  }
  return false;
}

void drop_unwanted(Code& code, const FlowGraph& graph) {
  const std::vector<RegSet> live_out = graph.live_out();
  std::vector<bool> dropped(code.lines.size());
  for (size_t i = 0; i < code.lines.size(); ++i) {
    const Effect effect = effect_of(code.lines[i].in);
    const bool is_idle =
        code.lines[i].in.opcode == Opcode::kMoveReg && code.lines[i].in.dst == code.lines[i].in.src1;
    const bool is_unwanted = (effect.writes & live_out[i]) == 0;
    switch (code.lines[i].role) {
      case LineRole::kPlain: dropped[i] = effect.is_pure && (is_unwanted || is_idle); break;
      case LineRole::kSave: dropped[i] = !is_restored(code, i); break;
      case LineRole::kRestore: dropped[i] = is_unwanted; break;
    }
  }
  keep_only(code, dropped);
}

void shorten_jumps(Code& code, const FlowGraph& graph) {
  std::vector<bool> dropped(code.lines.size());
  for (size_t i = 0; i < code.lines.size(); ++i) {
    Line& line = code.lines[i];
    if (line.target == kNowhere) continue;
    size_t to = graph.target_line(i);
    for (int hop = 0; hop < kMaxHops && to < code.lines.size() && code.lines[to].in.opcode == Opcode::kJump;
         ++hop) {
      line.target = code.lines[to].target;
      to = graph.line_at(line.target);
    }
    dropped[i] = line.in.opcode == Opcode::kJump && to == i + 1;
  }
  keep_only(code, dropped);
}

void list_labels_again(Code& code, const std::vector<uint32_t>& pointed_by_data) {
  code.targets.clear();
  code.pointed = pointed_by_data;
  for (const Line& line : code.lines) {
    if (line.target != kNowhere) code.targets.push_back(line.target);
    if (line.code_pointer != kNowhere) code.pointed.push_back(line.code_pointer);
  }
  sort_unique(code.targets);
  sort_unique(code.pointed);
}

}  // namespace

void optimize(Code& code, const std::vector<uint32_t>& entries,
              const std::vector<uint32_t>& pointed_by_data) {
  use_constants(code, FlowGraph(code, entries));
  inline_host_calls(code, FlowGraph(code, entries));
  list_labels_again(code, pointed_by_data);
  // One unwanted result may be all that wanted another.
  for (int round = 0; round < 3; ++round) drop_unwanted(code, FlowGraph(code, entries));
  shorten_jumps(code, FlowGraph(code, entries));
  list_labels_again(code, pointed_by_data);
}

}  // namespace sandglass::linker
