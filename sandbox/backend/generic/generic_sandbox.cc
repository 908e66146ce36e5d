#include "sandbox/backend/generic/generic_sandbox.h"

#include <cstring>

#include "sandbox/backend/generic/enter.h"

namespace sandglass {

Result<std::unique_ptr<Sandbox>> GenericSandbox::create(std::shared_ptr<const Module> module,
                                                        const SandboxOptions& options) {
  static const bool can_set_gs = can_set_gs_base();
  if (!can_set_gs) {
    return Error::make(
        ErrorKind::kUnsupported,
        "the generic backend needs the FSGSBASE instructions (Linux 5.9); use the interpreter");
  }
  SG_TRY(install_signal_handlers());
  const ModuleImage* const image = SG_TRY(module->image());
  std::unique_ptr<AddressSpace> space = SG_TRY(AddressSpace::acquire(*module, *image));
  return std::unique_ptr<Sandbox>(new GenericSandbox(std::move(module), options, std::move(space)));
}

GenericSandbox::GenericSandbox(std::shared_ptr<const Module> module, const SandboxOptions& options,
                               std::unique_ptr<AddressSpace> space)
    : Sandbox(std::move(module), options, space->context(), space->memory()),
      code_(*module_->native_code()),
      space_(std::move(space)) {
  clear_regs();
  context_->guest_stack = reinterpret_cast<uint64_t>(space_->stack_top());
  context_->memory_base = reinterpret_cast<uint64_t>(space_->memory());
  context_->host_exit = reinterpret_cast<uint64_t>(sandglass_host_exit);
  context_->stop_requested = 0;
  guest_ = {.context = context_, .code = &code_, .is_metered = module_->options().gas != GasMetering::kNone};
}

GenericSandbox::~GenericSandbox() { AddressSpace::release(std::move(space_), access_); }

// Running. -------------------------------------------------------------------------------------------------

void GenericSandbox::enter(uint32_t pc, bool is_block_start) {
  if (pc != entered_pc_) {
    entered_pc_ = pc;
    entered_offset_ = code_.entry_of(pc);
  }
  set_resume_offset(entered_offset_);
  stop_pc_ = pc;
  if (!is_block_start) zero_flag_reg_ = module_->program().decode(pc).src1;
}

void GenericSandbox::resume(const RunLimits& limits, Interrupt& stop) {
  ensure_signal_stack();
  thread_id_.store(this_thread_id(), std::memory_order_release);
  context_->zero_flag_value = reg(zero_flag_reg_);
  const bool has_deadline = limits.deadline.count() > 0;
  if (has_deadline) {
    DeadlineTimer::arm(static_cast<uint64_t>(limits.deadline.count()), &context_->stop_requested,
                       kStopForDeadline);
  }
  do {
    guest_.signal = 0;
    guest_.is_stepping = false;
    context_->exit_reason = ExitReason::kNone;
    run_guest(guest_);
    if (context_->exit_reason != ExitReason::kSbrk || guest_.signal != 0) break;
    run_sbrk();
  } while (true);
  thread_id_.store(0, std::memory_order_release);
  guest_.signal == 0 ? stop_after_exit(stop) : stop_after_signal(stop);
  if (has_deadline) {
    DeadlineTimer::disarm();
    stop_requested().fetch_and(~kStopForDeadline);
  }
}

void GenericSandbox::kick() {
  const pid_t thread_id = thread_id_.load(std::memory_order_acquire);
  if (thread_id != 0) request_stop(thread_id);
}

void GenericSandbox::stop_after_exit(Interrupt& stop) {
  // A return address belongs to the instruction in front of it.
  stop_pc_.reset();
  stop_offset_ = resume_offset() - 1;
  switch (context_->exit_reason) {
    case ExitReason::kFinished: stop.kind = InterruptKind::kFinished; return;
    case ExitReason::kStep: stop.kind = InterruptKind::kStep; return;
    case ExitReason::kHostCall:
      stop.kind = InterruptKind::kHostCall;
      stop.host_call = context_->exit_argument;
      return;
    case ExitReason::kTrap:
      stop.kind = InterruptKind::kTrap;
      stop.trap = static_cast<TrapKind>(context_->exit_argument);
      return;
    case ExitReason::kOutOfGas: {
      const uint32_t pc = code_.block_of_exit(resume_offset());
      const NativeCode::Charge charge = code_.charge_of(pc);
      stop_pc_ = pc;
      context_->gas += charge.cost;
      set_resume_offset(charge.native_begin);
      stop.kind = InterruptKind::kOutOfGas;
      return;
    }
    case ExitReason::kMemset: {
      const NativeCode::Place place = place_of(stop_offset_);
      stop_pc_ = place.pc;
      set_resume_offset(place.native_body);
      stop.kind = InterruptKind::kOutOfGas;
      return;
    }
    case ExitReason::kInterrupted:
      stop_pc_ = place_of(resume_offset()).pc;
      stop.kind = take_stop_request();
      return;
    case ExitReason::kNone:
    case ExitReason::kSbrk: break;
  }
  SG_CHECK(!"emitted code left without a reason");
}

// The guest was taken out by the signal handler.
void GenericSandbox::stop_after_signal(Interrupt& stop) {
  if (stopped_in_memset(stop)) return;
  const NativeCode::Place place = place_of(guest_.native_offset);
  const Instruction in = module_->program().decode(place.pc);
  stop_pc_ = place.pc;
  if (guest_.signal == kStopSignal) {
    // In front of the charge it is still to be made; behind it, it has been.
    const bool is_charged =
        guest_.native_offset != place.native_begin || place.native_begin == place.native_body;
    set_resume_offset(is_charged ? code_.resume_at(place) : guest_.native_offset);
    zero_flag_reg_ = in.src1;
    stop.kind = take_stop_request();
    return;
  }
  set_resume_offset(code_.resume_at(place));
  if (info_of(in.opcode).access_bytes != 0) return fault_of(in, stop);
  stop.kind = InterruptKind::kTrap;
  stop.trap = TrapKind::kInvalidDynamicJump;
}

// If the guest was stopped while it filled memory: puts its registers and its gas where the bytes that are
// done have brought them, and says what that stop is.
bool GenericSandbox::stopped_in_memset(Interrupt& stop) {
  if (!is_filling(code_.tables().trampolines, guest_.native_offset)) return false;
  const uint64_t missing = guest_.temporary;
  const uint64_t done = context_->memset_count - missing;
  const uint32_t left = static_cast<uint32_t>(reg(Reg::a2)) - static_cast<uint32_t>(done);
  set_reg(Reg::a0, context_->memset_start + done);
  set_reg(Reg::a2, left);
  if (module_->options().gas != GasMetering::kNone) context_->gas += static_cast<int64_t>(missing);
  // The routine was called, so the address behind the instruction is on the guest's stack.
  uint64_t return_address;
  std::memcpy(&return_address, space_->stack_top() - sizeof return_address, sizeof return_address);
  const uint64_t code_base = reinterpret_cast<uint64_t>(code_.code());
  const NativeCode::Place place = place_of(static_cast<uint32_t>(return_address - code_base - 1));
  stop_pc_ = place.pc;
  set_resume_offset(place.native_body);
  if (guest_.signal == kStopSignal) {
    stop.kind = take_stop_request();
  } else {
    fault_at(static_cast<uint32_t>(reg(Reg::a0)), 1, Access::kWrite, stop);
  }
  return true;
}

void GenericSandbox::fault_of(const Instruction& in, Interrupt& stop) {
  const OpcodeInfo& info = info_of(in.opcode);
  const bool is_absolute =
      info.form == Form::AddrImm || info.form == Form::SrcAddr || info.form == Form::DstAddr;
  const uint32_t base = is_absolute ? 0 : static_cast<uint32_t>(reg(in.base));
  fault_at(base + in.offset, info.access_bytes, is_store(info.form) ? Access::kWrite : Access::kRead, stop);
}

// What the access rules say about an access that faulted.
void GenericSandbox::fault_at(uint32_t address, uint32_t size_bytes, Access access, Interrupt& stop) {
  const AccessMap::Check check = access_.check_guest(address, size_bytes, access);
  stop.fault = {.address = address, .size_bytes = size_bytes, .access = access};
  if (check.verdict == AccessMap::Verdict::kForbidden) {
    stop.kind = InterruptKind::kTrap;
    stop.trap = TrapKind::kMemoryAccess;
    return;
  }
  // Static memory has no missing pages, and an allowed access does not fault.
  SG_CHECK(check.verdict != AccessMap::Verdict::kAllowed);
  stop.kind = InterruptKind::kPageFault;
  stop.page_address = check.page_address;
  stop.page_bytes = module_->memory_map().page_bytes();
  stop.is_write_protected = check.verdict == AccessMap::Verdict::kWriteProtected;
}

void GenericSandbox::run_sbrk() {
  const Instruction in = module_->program().decode(place_of(resume_offset() - 1).pc);
  // A size that does not fit into 32 bits counts as 0, which asks for the current top.
  const uint64_t size = reg(in.src1) > UINT32_MAX ? 0 : reg(in.src1);
  const std::optional<uint32_t> top = sbrk(static_cast<uint32_t>(size));
  set_reg(in.dst, top ? internal::sign_extend(*top) : 0);
}

NativeCode::Place GenericSandbox::place_of(uint32_t native_offset) const {
  const std::optional<NativeCode::Place> place = code_.find(native_offset);
  SG_CHECK(place.has_value());
  return *place;
}

uint32_t GenericSandbox::stopped_pc() const { return stop_pc_ ? *stop_pc_ : place_of(stop_offset_).pc; }

// Memory. --------------------------------------------------------------------------------------------------

// Calls copy(host address, size) for pieces of the range, each of which is writable meanwhile.
template <typename Copy>
Status GenericSandbox::with_writable_pages(uint32_t address, uint64_t size_bytes, Copy copy) {
  if (is_accessible(address, size_bytes, Access::kWrite)) {
    copy(memory_ + address, size_bytes);
    return {};
  }
  const uint64_t page_bytes = module_->memory_map().page_bytes();
  const uint64_t end = address + size_bytes;
  for (uint64_t at = address; at < end;) {
    const GuestRange page = {round_down(at, page_bytes), round_down(at, page_bytes) + page_bytes};
    const uint64_t piece = std::min(end, page.end) - at;
    const bool is_protected = !is_accessible(static_cast<uint32_t>(at), piece, Access::kWrite);
    if (is_protected) SG_TRY(space_->protect(page, Protection::kReadWrite));
    copy(memory_ + at, piece);
    if (is_protected) SG_TRY(space_->protect(page, Protection::kRead));
    at += piece;
  }
  return {};
}

Status GenericSandbox::store(uint32_t address, std::span<const uint8_t> bytes) {
  const uint8_t* from = bytes.data();
  return with_writable_pages(address, bytes.size(), [&from](uint8_t* to, uint64_t size_bytes) {
    std::memcpy(to, from, size_bytes);
    from += size_bytes;
  });
}

Status GenericSandbox::store_zeroes(uint32_t address, uint64_t size_bytes) {
  return with_writable_pages(address, size_bytes,
                             [](uint8_t* to, uint64_t piece_bytes) { std::memset(to, 0, piece_bytes); });
}

Status GenericSandbox::heap_opened(const GuestRange& pages) {
  return space_->protect(pages, Protection::kReadWrite);
}

Status GenericSandbox::aux_changed() {
  const GuestRange aux = module_->memory_map().aux();
  const GuestRange open = {aux.begin, aux.begin + access_.accessible_aux_bytes()};
  SG_TRY(space_->protect({open.end, aux.end}, std::nullopt));
  return space_->protect(open, Protection::kRead);
}

Status GenericSandbox::set_pages(const GuestRange& pages, std::optional<Protection> protection, bool zeroed) {
  if (zeroed || !protection) SG_TRY(space_->discard(pages));
  return space_->protect(pages, protection);
}

Status GenericSandbox::reset_storage() { return space_->reset(access_); }

}  // namespace sandglass
