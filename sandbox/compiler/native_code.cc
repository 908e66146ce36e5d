#include "sandbox/compiler/native_code.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

namespace sandglass {
namespace {

constexpr uint32_t kCallBytes = 5;
constexpr uint32_t kCostOffset = 3;  // of the immediate in sub r15, imm32

}  // namespace

NativeCode::NativeCode(const Program& program, bool step_tracing, Mapping code, size_t used_bytes,
                       CompiledCode tables)
    : program_(program),
      step_tracing_(step_tracing),
      code_(std::move(code)),
      used_bytes_(used_bytes),
      tables_(std::move(tables)) {}

Result<std::unique_ptr<NativeCode>> NativeCode::create(const Program& program, bool step_tracing,
                                                       Mapping code, size_t used_bytes, CompiledCode tables) {
  code.shrink(round_up(used_bytes, kMinPageBytes));
  if (::mprotect(code.data(), code.size_bytes(), PROT_READ | PROT_EXEC) != 0) {
    return Error::os("make the machine code executable");
  }
  return std::unique_ptr<NativeCode>(
      new NativeCode(program, step_tracing, std::move(code), used_bytes, std::move(tables)));
}

// In front of an instruction may stand the call that reports a step, and what charges a block: sub r15,
// imm32, perhaps a comparison with an imm32, and a jump. No translated instruction touches r15, so the bytes
// tell.
uint32_t NativeCode::prelude_bytes_at(uint32_t native_offset) const {
  const uint8_t* const begin = code() + native_offset;
  const uint8_t* p = begin + (step_tracing_ ? kCallBytes : 0);
  const auto starts_with = [&p](uint8_t a, uint8_t b, uint8_t c) {
    return p[0] == a && p[1] == b && p[2] == c;
  };
  if (starts_with(0x49, 0x81, 0xef)) {
    p += 7;
    if (starts_with(0x49, 0x81, 0xff)) p += 7;
    if (p[0] == 0x0f && p[1] == 0x8c) p += 6;
  }
  return static_cast<uint32_t>(p - begin);
}

const Detour* NativeCode::detour_at(uint32_t native_offset) const {
  const auto& detours = tables_.detours;
  auto it = std::upper_bound(detours.begin(), detours.end(), native_offset,
                             [](uint32_t offset, const Detour& d) { return offset < d.native_begin; });
  if (it == detours.begin()) return nullptr;
  --it;
  return native_offset < it->native_end ? &*it : nullptr;
}

namespace {

// Walks over the instructions of a program along the set bits of its bitmask.
class InstructionWalk {
 public:
  InstructionWalk(const Program& program, const CompiledCode& tables, uint32_t checkpoint)
      : program_(program),
        tables_(tables),
        pc_(checkpoint * kCheckpointBytes),
        native_(tables.checkpoints[checkpoint].native),
        number_(tables.checkpoints[checkpoint].instruction) {
    skip_to_start();
  }
  uint32_t pc() const { return pc_; }
  uint32_t native() const { return native_; }
  uint32_t native_end() const { return native_ + tables_.lengths[number_]; }
  bool at_end() const { return pc_ >= program_.code_bytes(); }
  void next() {
    native_ = native_end();
    ++number_;
    ++pc_;
    skip_to_start();
  }

 private:
  void skip_to_start() {
    while (pc_ < program_.code_bytes() && !program_.is_instruction_start(pc_)) ++pc_;
  }

  const Program& program_;
  const CompiledCode& tables_;
  uint32_t pc_, native_, number_;
};

}  // namespace

namespace {

// In a list that is sorted by pc.
const Detour* at_pc(const std::vector<Detour>& list, uint32_t pc) {
  const auto found = std::lower_bound(list.begin(), list.end(), pc,
                                      [](const Detour& d, uint32_t wanted) { return d.pc < wanted; });
  return found != list.end() && found->pc == pc ? &*found : nullptr;
}

}  // namespace

uint32_t NativeCode::resume_at(const Place& place) const {
  const Detour* const copy = at_pc(tables_.copies, place.pc);
  return copy != nullptr ? copy->native_begin : place.native_body;
}

uint32_t NativeCode::entry_of(uint32_t pc) const {
  if (const Detour* entry = at_pc(tables_.entries, pc)) return entry->native_begin;
  if (!program_.is_jump_target(pc)) {
    if (const Detour* copy = at_pc(tables_.copies, pc)) return copy->native_begin;
  }
  InstructionWalk walk(program_, tables_, pc / kCheckpointBytes);
  while (walk.pc() != pc) walk.next();
  return walk.native();
}

std::optional<NativeCode::Place> NativeCode::find(uint32_t native_offset) const {
  if (const Detour* detour = detour_at(native_offset)) {
    return Place{detour->pc, detour->native_begin, detour->native_begin + (step_tracing_ ? kCallBytes : 0)};
  }
  if (native_offset < tables_.trampolines.end || native_offset >= tables_.guest_code_end) return std::nullopt;
  const auto& checkpoints = tables_.checkpoints;
  const auto behind = std::upper_bound(
      checkpoints.begin(), checkpoints.end(), native_offset,
      [](uint32_t offset, const Checkpoint& checkpoint) { return offset < checkpoint.native; });
  if (behind == checkpoints.begin()) return std::nullopt;
  InstructionWalk walk(program_, tables_, static_cast<uint32_t>(behind - checkpoints.begin() - 1));
  while (!walk.at_end() && walk.native_end() <= native_offset) walk.next();
  if (walk.at_end()) return std::nullopt;
  return Place{walk.pc(), walk.native(), walk.native() + prelude_bytes_at(walk.native())};
}

NativeCode::Charge NativeCode::charge_of(uint32_t pc) const {
  Charge charge = {.native_begin = entry_of(pc) + (step_tracing_ ? kCallBytes : 0)};
  std::memcpy(&charge.cost, code() + charge.native_begin + kCostOffset, sizeof charge.cost);
  return charge;
}

std::optional<uint32_t> NativeCode::block_of_exit(uint64_t native_offset) const {
  const uint64_t offset = native_offset - tables_.out_of_gas_begin;
  const uint64_t exit = offset / kCallBytes;
  if (offset % kCallBytes != 0 || exit == 0 || exit > tables_.block_pcs.size()) return std::nullopt;
  return tables_.block_pcs[exit - 1];
}

}  // namespace sandglass
