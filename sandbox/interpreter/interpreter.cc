#include "sandbox/interpreter/interpreter.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "sandbox/base/check.h"
#include "sandbox/interpreter/semantics.h"

namespace sandglass {
namespace {

static_assert(std::endian::native == std::endian::little, "guest memory is read and written as it lies");

Interrupt trap(TrapKind why) { return {.kind = InterruptKind::kTrap, .trap = why}; }

}  // namespace

Interpreter::Interpreter(const Program& program, const Options& options, VmContext& context, uint8_t* memory,
                         AccessMap& access)
    : program_(program),
      options_(options),
      context_(context),
      memory_(memory),
      access_(access),
      register_mask_(program.is_64_bit() ? ~uint64_t{0} : UINT32_MAX) {}

void Interpreter::enter(uint32_t pc) {
  move_to(pc, program_.is_jump_target(pc));
  stopped_pc_.reset();
  next_pc_ = pc;
}

Interrupt Interpreter::run(const Poll& poll_of_caller) {
  SG_CHECK(next_pc_.has_value());
  poll_ = &poll_of_caller;
  stopped_pc_ = pc_;
  Outcome stop = poll();
  while (!stop) {
    stopped_pc_ = pc_;
    stop = step();
  }
  const bool is_finished = stop->kind == InterruptKind::kFinished;
  if (is_finished) stopped_pc_.reset();
  next_pc_ = pc_;
  if (is_finished || stop->kind == InterruptKind::kTrap) next_pc_.reset();
  return *stop;
}

// One instruction, and what comes before it.
Interpreter::Outcome Interpreter::step() {
  if (at_block_start_) {
    if (const Outcome stop = poll()) return stop;
  }
  if (options_.step_tracing && !is_traced_) {
    is_traced_ = true;
    return Interrupt{.kind = InterruptKind::kStep};
  }
  if (at_block_start_) {
    if (!charge_block()) return Interrupt{.kind = InterruptKind::kOutOfGas};
    at_block_start_ = false;
  }
  return execute(program_.decode(pc_));
}

Interpreter::Outcome Interpreter::poll() const {
  if (!*poll_) return std::nullopt;
  const std::optional<InterruptKind> request = (*poll_)();
  return request ? Outcome(Interrupt{.kind = *request}) : std::nullopt;
}

// Pays for the block at pc_. Refuses, changing nothing, when that would leave less than nothing and this
// matters now.
bool Interpreter::charge_block() {
  if (options_.gas == GasMetering::kNone) return true;
  auto [entry, is_new] = block_costs_.try_emplace(pc_);
  if (is_new) entry->second = block_cost(program_, pc_, options_.cost_model);
  if (options_.gas == GasMetering::kSync && context_.gas < entry->second) return false;
  context_.gas -= entry->second;
  return true;
}

void Interpreter::move_to(uint32_t pc, bool at_block_start) {
  pc_ = pc;
  at_block_start_ = at_block_start;
  is_traced_ = false;
}

Interpreter::Outcome Interpreter::go_on(const Instruction& in) {
  move_to(in.next_pc, false);
  return std::nullopt;
}

Interpreter::Outcome Interpreter::execute(const Instruction& in) {
  switch (in.opcode) {
    case Opcode::kTrap: return trap(TrapKind::kInstruction);
    case Opcode::kInvalid: return trap(TrapKind::kInvalidInstruction);
    case Opcode::kFallthrough: return jump(in.next_pc);
    case Opcode::kUnlikely: return go_on(in);
    case Opcode::kMemset: return memset(in);
    case Opcode::kSbrk: return sbrk(in);
    case Opcode::kEcalli:
      go_on(in);
      return Interrupt{.kind = InterruptKind::kHostCall, .host_call = static_cast<uint32_t>(in.imm)};
    case Opcode::kJump: return jump(in.target);
    case Opcode::kJumpIndirect: return jump_dynamic(address_of(in));
    case Opcode::kLoadImmAndJump: set_reg(in.dst, in.imm); return jump(in.target);
    case Opcode::kLoadImmAndJumpIndirect: {
      const uint32_t address = address_of(in);  // before the link register, which may be the base
      set_reg(in.dst, in.imm);
      return jump_dynamic(address);
    }
    case Opcode::kCmovIfZero: return move_if(reg(in.src2) == 0, in.dst, reg(in.src1), in);
    case Opcode::kCmovIfNotZero: return move_if(reg(in.src2) != 0, in.dst, reg(in.src1), in);
    case Opcode::kCmovIfZeroImm: return move_if(reg(in.src1) == 0, in.dst, in.imm, in);
    case Opcode::kCmovIfNotZeroImm: return move_if(reg(in.src1) != 0, in.dst, in.imm, in);
    default: break;
  }
  switch (info_of(in.opcode).form) {
    case Form::DstImm:
    case Form::DstImm64: return move_if(true, in.dst, in.imm, in);
    case Form::DstAddr: return load(in, in.offset);
    case Form::DstBaseOff: return load(in, address_of(in));
    case Form::AddrImm: return store(in, in.offset, in.imm);
    case Form::BaseOffImm: return store(in, address_of(in), in.imm);
    case Form::SrcAddr: return store(in, in.offset, reg(in.src1));
    case Form::SrcBaseOff: return store(in, address_of(in), reg(in.src1));
    case Form::SrcImmTarget: return branch(in, in.imm);
    case Form::SrcSrcTarget: return branch(in, reg(in.src2));
    default: return compute(in);
  }
}

Interpreter::Outcome Interpreter::compute(const Instruction& in) {
  const uint64_t a = reg(in.src1);
  const uint64_t b = info_of(in.opcode).form == Form::DstSrcImm ? in.imm : reg(in.src2);
  set_reg(in.dst, program_.is_64_bit() ? semantics::compute<uint64_t>(in.opcode, a, b)
                                       : semantics::compute<uint32_t>(in.opcode, static_cast<uint32_t>(a),
                                                                      static_cast<uint32_t>(b)));
  return go_on(in);
}

Interpreter::Outcome Interpreter::move_if(bool condition, Reg dst, uint64_t value, const Instruction& in) {
  if (condition) set_reg(dst, value);
  return go_on(in);
}

// Memory. --------------------------------------------------------------------------------------------------

// Why the access cannot happen; nothing when it can.
Interpreter::Outcome Interpreter::refuse(uint32_t address, uint32_t size_bytes, Access access) const {
  const AccessMap::Check check = access_.check_guest(address, size_bytes, access);
  if (check.verdict == AccessMap::Verdict::kAllowed) return std::nullopt;
  Interrupt stop = trap(TrapKind::kMemoryAccess);
  stop.fault = {.address = address, .size_bytes = size_bytes, .access = access};
  if (check.verdict == AccessMap::Verdict::kForbidden) return stop;
  stop.kind = InterruptKind::kPageFault;
  stop.page_address = check.page_address;
  stop.page_bytes = access_.page_bytes();
  stop.is_write_protected = check.verdict == AccessMap::Verdict::kWriteProtected;
  return stop;
}

Interpreter::Outcome Interpreter::load(const Instruction& in, uint32_t address) {
  const uint8_t size_bytes = info_of(in.opcode).access_bytes;
  if (const Outcome stop = refuse(address, size_bytes, Access::kRead)) return stop;
  uint64_t raw = 0;
  std::memcpy(&raw, memory_ + address, size_bytes);
  set_reg(in.dst, semantics::extend_loaded(in.opcode, raw));
  return go_on(in);
}

Interpreter::Outcome Interpreter::store(const Instruction& in, uint32_t address, uint64_t value) {
  const uint8_t size_bytes = info_of(in.opcode).access_bytes;
  if (const Outcome stop = refuse(address, size_bytes, Access::kWrite)) return stop;
  std::memcpy(memory_ + address, &value, size_bytes);
  return go_on(in);
}

// By definition byte by byte: gas is looked at before each, and a0 and a2 always say what is left. Done in
// pieces that end with a page, since a page can be written everywhere or nowhere.
Interpreter::Outcome Interpreter::memset(const Instruction& in) {
  set_reg(Reg::a2, static_cast<uint32_t>(reg(Reg::a2)));
  while (reg(Reg::a2) != 0) {
    const auto address = static_cast<uint32_t>(reg(Reg::a0));
    int64_t piece = access_.page_bytes() - address % access_.page_bytes();
    piece = std::min(piece, static_cast<int64_t>(reg(Reg::a2)));
    if (options_.gas == GasMetering::kSync) piece = std::min(piece, context_.gas);
    if (piece <= 0) return Interrupt{.kind = InterruptKind::kOutOfGas};
    if (const Outcome stop = refuse(address, 1, Access::kWrite)) return stop;
    std::memset(memory_ + address, static_cast<uint8_t>(reg(Reg::a1)), static_cast<size_t>(piece));
    set_reg(Reg::a0, reg(Reg::a0) + static_cast<uint64_t>(piece));
    set_reg(Reg::a2, reg(Reg::a2) - static_cast<uint64_t>(piece));
    if (options_.gas != GasMetering::kNone) context_.gas -= piece;
    if (const Outcome stop = poll()) return stop;
  }
  return go_on(in);
}

Interpreter::Outcome Interpreter::sbrk(const Instruction& in) {
  const uint64_t size = reg(in.src1);
  // The set says that a size above 32 bits counts as 0, so that it asks for the current top.
  const std::optional<uint32_t> top = access_.grow_heap(size > UINT32_MAX ? 0 : static_cast<uint32_t>(size));
  set_reg(in.dst, internal::sign_extend(top.value_or(0)));
  return go_on(in);
}

// Control flow. --------------------------------------------------------------------------------------------

Interpreter::Outcome Interpreter::jump(uint32_t target) {
  if (!program_.is_jump_target(target)) return trap(TrapKind::kInvalidJump);
  move_to(target, true);
  return std::nullopt;
}

// Both ways must be open, whichever is taken.
Interpreter::Outcome Interpreter::branch(const Instruction& in, uint64_t right) {
  if (!program_.is_jump_target(in.target) || !program_.is_jump_target(in.next_pc)) {
    return trap(TrapKind::kInvalidJump);
  }
  const uint64_t left = reg(in.src1);
  const bool is_taken = program_.is_64_bit()
                            ? semantics::is_taken<uint64_t>(in.opcode, left, right)
                            : semantics::is_taken<uint32_t>(in.opcode, static_cast<uint32_t>(left),
                                                            static_cast<uint32_t>(right));
  move_to(is_taken ? in.target : in.next_pc, true);
  return std::nullopt;
}

Interpreter::Outcome Interpreter::jump_dynamic(uint32_t address) {
  if (address == kReturnToHost) return Interrupt{.kind = InterruptKind::kFinished};
  const std::optional<uint32_t> target = program_.dynamic_jump_target(address);
  if (!target) return trap(TrapKind::kInvalidDynamicJump);
  move_to(*target, true);
  return std::nullopt;
}

}  // namespace sandglass
