#include "sandbox/backend/compiled_sandbox.h"

namespace sandglass {

CompiledSandbox::CompiledSandbox(std::shared_ptr<const Module> module, const SandboxOptions& options,
                                 VmContext* context, uint8_t* memory, std::optional<uint64_t> code_address)
    : Sandbox(std::move(module), options, context, memory),
      code_(*module_->native_code()),
      code_address_(code_address.value_or(reinterpret_cast<uint64_t>(code_.code()))) {
  clear_regs();
}

void CompiledSandbox::enter(uint32_t pc, bool is_block_start) {
  if (pc != entered_pc_) {
    entered_pc_ = pc;
    entered_offset_ = code_.entry_of(pc);
  }
  set_resume_offset(entered_offset_);
  stop_pc_ = pc;
  if (!is_block_start) zero_flag_reg_ = module_->program().decode(pc).src1;
}

std::optional<NativeCode::Place> CompiledSandbox::place_before_resume(uint32_t back) const {
  return code_.find_at(context_->resume_address - back - code_address_);
}

uint32_t CompiledSandbox::stopped_pc() const {
  if (stop_pc_) return *stop_pc_;
  const std::optional<NativeCode::Place> place = code_.find_at(stop_address_ - code_address_);
  SG_CHECK(place.has_value());
  return place->pc;
}

// Stops through the exit. -----------------------------------------------------------------------------------

bool CompiledSandbox::explain_exit(Interrupt& stop) {
  // A return address belongs to the instruction in front of it.
  stop_pc_.reset();
  stop_address_ = context_->resume_address - 1;
  switch (context_->exit_reason) {
    case ExitReason::kFinished: stop.kind = InterruptKind::kFinished; return true;
    case ExitReason::kStep: stop.kind = InterruptKind::kStep; return true;
    case ExitReason::kHostCall:
      stop.kind = InterruptKind::kHostCall;
      stop.host_call = context_->exit_argument;
      return true;
    case ExitReason::kTrap:
      stop.kind = InterruptKind::kTrap;
      stop.trap = static_cast<TrapKind>(context_->exit_argument);
      return context_->exit_argument <= static_cast<uint32_t>(TrapKind::kInvalidJump);
    case ExitReason::kOutOfGas: return explain_out_of_gas(stop);
    case ExitReason::kMemset: {
      const std::optional<NativeCode::Place> place = place_before_resume(1);
      if (!place || !is_instruction(place->pc, Opcode::kMemset)) return false;
      if (module_->options().gas != GasMetering::kSync) return false;
      stop_pc_ = place->pc;
      set_resume_offset(place->native_body);
      stop.kind = InterruptKind::kOutOfGas;
      return true;
    }
    case ExitReason::kInterrupted: {
      const std::optional<NativeCode::Place> place = place_before_resume(0);
      if (!place) return false;
      stop_pc_ = place->pc;
      take_request(stop);
      return true;
    }
    case ExitReason::kNone:
    case ExitReason::kSbrk:
    case ExitReason::kSignal: break;
  }
  return false;
}

bool CompiledSandbox::is_instruction(uint32_t pc, Opcode opcode) const {
  return module_->program().decode(pc).opcode == opcode;
}

void CompiledSandbox::take_request(Interrupt& stop) {
  has_taken_request_ = stop_requested().load() != 0;
  stop.kind = has_taken_request_ ? take_stop_request() : InterruptKind::kInterrupted;
}

bool CompiledSandbox::explain_out_of_gas(Interrupt& stop) {
  const std::optional<uint32_t> pc = code_.block_of_exit(context_->resume_address - code_address_);
  if (!pc) return false;
  const NativeCode::Charge charge = code_.charge_of(*pc);
  stop_pc_ = pc;
  add_gas(charge.cost);
  set_resume_offset(charge.native_begin);
  stop.kind = InterruptKind::kOutOfGas;
  return true;
}

bool CompiledSandbox::run_sbrk() {
  const std::optional<NativeCode::Place> place = place_before_resume(1);
  if (!place) return false;
  const Instruction in = module_->program().decode(place->pc);
  if (in.opcode != Opcode::kSbrk) return false;
  // A size that does not fit into 32 bits counts as 0, which asks for the current top.
  const uint64_t size = reg(in.src1) > UINT32_MAX ? 0 : reg(in.src1);
  const std::optional<uint32_t> top = sbrk(static_cast<uint32_t>(size));
  set_reg(in.dst, top ? internal::sign_extend(*top) : 0);
  return true;
}

// Stops by a signal. ----------------------------------------------------------------------------------------

bool CompiledSandbox::explain_signal(const Signal& signal, Interrupt& stop) {
  if (code_.is_filling(signal.native_offset)) return explain_memset(signal, stop);
  const std::optional<NativeCode::Place> place = code_.find(signal.native_offset);
  if (!place) return false;
  const Instruction in = module_->program().decode(place->pc);
  stop_pc_ = place->pc;
  if (signal.is_stop_request) {
    // In front of the charge it is still to be made; behind it, it has been.
    const bool is_charged =
        signal.native_offset != place->native_begin || place->native_begin == place->native_body;
    set_resume_offset(is_charged ? code_.resume_at(*place) : signal.native_offset);
    zero_flag_reg_ = in.src1;
    take_request(stop);
    return true;
  }
  set_resume_offset(code_.resume_at(*place));
  if (info_of(in.opcode).access_bytes != 0) return explain_fault_of(in, stop);
  if (in.opcode != Opcode::kJumpIndirect && in.opcode != Opcode::kLoadImmAndJumpIndirect) return false;
  stop.kind = InterruptKind::kTrap;
  stop.trap = TrapKind::kInvalidDynamicJump;
  return true;
}

// The guest was filling memory: puts its registers and its gas where the bytes that are done have brought
// them, and says what that stop is.
bool CompiledSandbox::explain_memset(const Signal& signal, Interrupt& stop) {
  const uint64_t missing = signal.temporary;
  if (missing > context_->memset_count || context_->memset_count > UINT32_MAX) return false;
  const uint64_t done = context_->memset_count - missing;
  const uint32_t left = static_cast<uint32_t>(reg(Reg::a2)) - static_cast<uint32_t>(done);
  set_reg(Reg::a0, context_->memset_start + done);
  set_reg(Reg::a2, left);
  if (module_->options().gas != GasMetering::kNone) add_gas(static_cast<int64_t>(missing));
  // The routine was called, so the address behind the instruction is on the guest's stack.
  const std::optional<NativeCode::Place> place = code_.find_at(signal.stack_word - 1 - code_address_);
  if (!place || !is_instruction(place->pc, Opcode::kMemset)) return false;
  stop_pc_ = place->pc;
  set_resume_offset(place->native_body);
  if (!signal.is_stop_request) {
    return explain_fault_at(static_cast<uint32_t>(reg(Reg::a0)), 1, Access::kWrite, stop);
  }
  take_request(stop);
  return true;
}

bool CompiledSandbox::explain_fault_of(const Instruction& in, Interrupt& stop) {
  const OpcodeInfo& info = info_of(in.opcode);
  const bool is_absolute =
      info.form == Form::AddrImm || info.form == Form::SrcAddr || info.form == Form::DstAddr;
  const uint32_t base = is_absolute ? 0 : static_cast<uint32_t>(reg(in.base));
  return explain_fault_at(base + in.offset, info.access_bytes,
                          is_store(info.form) ? Access::kWrite : Access::kRead, stop);
}

// What the access rules say about an access that faulted.
bool CompiledSandbox::explain_fault_at(uint32_t address, uint32_t size_bytes, Access access,
                                       Interrupt& stop) {
  const AccessMap::Check check = access_.check_guest(address, size_bytes, access);
  stop.fault = {.address = address, .size_bytes = size_bytes, .access = access};
  if (check.verdict == AccessMap::Verdict::kForbidden) {
    stop.kind = InterruptKind::kTrap;
    stop.trap = TrapKind::kMemoryAccess;
    return true;
  }
  // Static memory has no missing pages, and an allowed access does not fault.
  if (check.verdict == AccessMap::Verdict::kAllowed) return false;
  stop.kind = InterruptKind::kPageFault;
  stop.page_address = check.page_address;
  stop.page_bytes = module_->memory_map().page_bytes();
  stop.is_write_protected = check.verdict == AccessMap::Verdict::kWriteProtected;
  return true;
}

// Claims. ---------------------------------------------------------------------------------------------------

// Whether the instruction at `place`, which the guest has left at stop_address_, can stop in that way.
bool CompiledSandbox::is_possible(const Interrupt& stop, const NativeCode::Place& place) const {
  const uint64_t resume = context_->resume_address - code_address_;
  if (stop.kind == InterruptKind::kStep) {
    return module_->options().step_tracing && resume == place.native_begin + NativeCode::kStepCallBytes;
  }
  const Program& program = module_->program();
  const Instruction in = program.decode(place.pc);
  if (stop.kind == InterruptKind::kHostCall) {
    return in.opcode == Opcode::kEcalli && static_cast<uint32_t>(in.imm) == stop.host_call &&
           (in.next_pc >= program.code_bytes() || is_boundary(static_cast<uint32_t>(resume)));
  }
  return stop.kind != InterruptKind::kTrap || stop.trap != TrapKind::kInstruction ||
         in.opcode == Opcode::kTrap;
}

bool CompiledSandbox::check_stop(const Interrupt& stop) {
  if (stop_pc_ || stop.kind == InterruptKind::kFinished) return true;
  // A guest that calls the host in a loop stops in the same way again and again.
  const bool is_as_before = stop_address_ == checked_address_ && stop.kind == checked_stop_.kind &&
                            stop.host_call == checked_stop_.host_call && stop.trap == checked_stop_.trap;
  if (!is_as_before) {
    const std::optional<NativeCode::Place> place = code_.find_at(stop_address_ - code_address_);
    if (!place || !is_possible(stop, *place)) return false;
    checked_address_ = stop_address_;
    checked_stop_ = stop;
    checked_pc_ = place->pc;
  }
  stop_pc_ = checked_pc_;
  return true;
}

}  // namespace sandglass
