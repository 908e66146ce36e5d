#include "sandbox/program/code_outline.h"

#include <algorithm>

#include "sandbox/program/code_layout.h"

namespace sandglass {
namespace {

bool has_target(Opcode opcode) {
  const Form form = info_of(opcode).form;
  return form == Form::Target || form == Form::DstImmTarget || form == Form::SrcImmTarget ||
         form == Form::SrcSrcTarget;
}

// The place of `pc` when only `jumps` (ascending offsets) have a length that is not fixed. jump_bytes_before
// belongs to those jumps.
CodePosition position_of(uint32_t pc, std::span<const uint32_t> jumps,
                         std::span<const uint32_t> jump_bytes_before) {
  const auto index = std::lower_bound(jumps.begin(), jumps.end(), pc) - jumps.begin();
  return {pc - jump_bytes_before[static_cast<size_t>(index)], static_cast<uint32_t>(index)};
}

}  // namespace

bool is_canonical(const Program& program, const Instruction& in) {
  uint8_t bytes[kMaxInstructionBytes];
  const size_t size = encode_instruction(in, program.instruction_set(), bytes);
  return size == in.next_pc - in.pc && std::memcmp(bytes, program.code() + in.pc, size) == 0;
}

uint32_t next_start(const Program& program, uint32_t pc) {
  while (pc < program.code_bytes() && !program.is_instruction_start(pc)) ++pc;
  return pc;
}

CodeOutline::CodeOutline(const Program& program)
    : program_(program), labels_(program.code_bytes()), pinned_(program.code_bytes()) {
  place_labels();
  pin_lengths();
}

bool CodeOutline::is_assemblable(const Instruction& in) const {
  return in.opcode != Opcode::kInvalid && !pinned_[in.pc] && is_canonical(program_, in);
}

bool CodeOutline::uses_label(const Instruction& in) const {
  return has_target(in.opcode) && program_.is_jump_target(in.target);
}

void CodeOutline::place_labels() {
  const auto place = [this](uint32_t pc) { labels_[pc] = true; };
  for (uint32_t pc = next_start(program_, 0); pc < program_.code_bytes();) {
    const Instruction in = program_.decode(pc);
    if (uses_label(in) && is_assemblable(in)) place(in.target);
    pc = next_start(program_, in.next_pc);
  }
  for (const uint32_t entry : program_.parts().jump_table) {
    if (program_.is_jump_target(entry)) place(entry);
  }
  for (const Export& entry : program_.parts().exports) {
    if (program_.is_instruction_start(entry.pc)) place(entry.pc);
  }
}

std::vector<uint32_t> CodeOutline::labelled_jumps() const {
  std::vector<uint32_t> jumps;
  for (uint32_t pc = next_start(program_, 0); pc < program_.code_bytes();) {
    const Instruction in = program_.decode(pc);
    if (uses_label(in) && is_assemblable(in)) jumps.push_back(pc);
    pc = next_start(program_, in.next_pc);
  }
  return jumps;
}

// The lengths in the program are one consistent layout; the assembler chooses the shortest one, which is
// nowhere longer. Jumps that differ are pinned, and then the shortest layout of the others is the one of the
// program: it cannot become shorter than before, nor longer than the program's. So the second look finds
// nothing, unless the assembler gave up looking for the shortest layout (kMaxLayoutSteps); then all jumps
// that are left are pinned.
void CodeOutline::pin_lengths() {
  for (int look = 0; look < 2; ++look) {
    if (!pin_other_lengths(labelled_jumps())) return;
  }
  for (const uint32_t pc : labelled_jumps()) pinned_[pc] = true;
}

// Pins the jumps whose length the assembler would not choose; returns whether there were any.
bool CodeOutline::pin_other_lengths(std::span<const uint32_t> jumps) {
  std::vector<uint32_t> bytes_before(jumps.size() + 1);
  for (size_t i = 0; i < jumps.size(); ++i) {
    bytes_before[i + 1] = bytes_before[i] + 1 + program_.skip_at(jumps[i]);
  }
  std::vector<JumpSite> sites;
  sites.reserve(jumps.size());
  for (const uint32_t pc : jumps) {
    const Instruction in = program_.decode(pc);
    const uint32_t fixed = in.next_pc - in.pc - distance_bytes(in.target - in.pc);
    sites.push_back({.at = position_of(pc, jumps, bytes_before),
                     .target = position_of(in.target, jumps, bytes_before),
                     .bytes_before_distance = static_cast<uint8_t>(fixed)});
  }
  const CodeLayout layout = lay_out_code(sites);
  bool found = false;
  for (size_t i = 0; i < jumps.size(); ++i) {
    if (layout.jump_bytes(i) == 1 + program_.skip_at(jumps[i])) continue;
    pinned_[jumps[i]] = true;
    found = true;
  }
  return found;
}

}  // namespace sandglass
