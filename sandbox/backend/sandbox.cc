#include "sandbox/backend/sandbox.h"

#include <algorithm>
#include <cstring>
#include <ctime>

#include "sandbox/backend/generic/generic_sandbox.h"
#include "sandbox/backend/interpreted/interpreted_sandbox.h"
#include "sandbox/backend/linux/linux_sandbox.h"

namespace sandglass {

Result<std::unique_ptr<Sandbox>> Sandbox::create(std::shared_ptr<const Module> module,
                                                 const SandboxOptions& options) {
  switch (module->options().backend) {
    case Backend::kInterpreter: return InterpretedSandbox::create(std::move(module), options);
    case Backend::kGeneric: return GenericSandbox::create(std::move(module), options);
    case Backend::kLinux: return LinuxSandbox::create(std::move(module), options);
  }
  return Error::make(ErrorKind::kUnsupported, "no such backend");
}

Sandbox::Sandbox(std::shared_ptr<const Module> module, const SandboxOptions& options, VmContext* context,
                 uint8_t* memory)
    : module_(std::move(module)),
      context_(context),
      memory_(memory),
      access_(module_->memory_map(), module_->program().instruction_set(), module_->options().dynamic_paging),
      register_mask_(module_->program().is_64_bit() ? ~uint64_t{0} : UINT32_MAX) {
  context_->gas = options.gas;
}

void Sandbox::clear_regs() {
  missing_regs_ = 0;
  std::fill(std::begin(context_->regs), std::end(context_->regs), 0);
}

std::chrono::nanoseconds Sandbox::cpu_time() const {
  timespec now = {};
  SG_CHECK(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// Where the guest is. --------------------------------------------------------------------------------------

std::optional<uint32_t> Sandbox::program_counter() const {
  if (refused_pc_) return refused_pc_;
  if (!has_pc_) return std::nullopt;
  return stopped_pc();
}

std::optional<uint32_t> Sandbox::next_program_counter() const {
  if (host_pc_) return host_pc_;
  if (!can_resume_) return std::nullopt;
  const uint32_t pc = stopped_pc();
  return last_stop_ == InterruptKind::kHostCall ? module_->program().decode(pc).next_pc : pc;
}

void Sandbox::set_next_program_counter(uint32_t pc) {
  host_pc_ = pc;
  refused_pc_.reset();
  has_pc_ = false;
  can_resume_ = false;
}

Status Sandbox::prepare_call(uint32_t pc, std::span<const uint64_t> arguments) {
  if (arguments.size() > kArgumentRegs.size()) {
    return Error::make(ErrorKind::kInvalidArgument, "a call takes at most nine arguments", arguments.size());
  }
  clear_regs();
  set_reg(Reg::sp, module_->memory_map().initial_sp());
  set_reg(Reg::ra, kReturnToHost);
  for (size_t i = 0; i < arguments.size(); ++i) set_reg(kArgumentRegs[i], arguments[i]);
  set_next_program_counter(pc);
  return {};
}

Status Sandbox::prepare_call(std::string_view name, std::span<const uint64_t> arguments) {
  const std::optional<uint32_t> pc = module_->program().find_export(name);
  if (!pc) {
    return Error::make(ErrorKind::kInvalidArgument, "the program exports nothing of that name",
                       Error::kNowhere, name);
  }
  return prepare_call(*pc, arguments);
}

// Running. -------------------------------------------------------------------------------------------------

Result<Interrupt> Sandbox::run(const RunLimits& limits) {
  Result<Interrupt> result{Interrupt{}};
  if (!host_pc_ && !can_resume_) [[unlikely]] {
    result =
        Error::make(ErrorKind::kNoProgramCounter, "set a program counter or prepare a call before run()");
    return result;
  }
  Interrupt& stop = *result;
  if (context_->gas < 0) {
    stop.kind = InterruptKind::kOutOfGas;
  } else if (!host_pc_ || begin_at(*host_pc_, stop)) {
    if (const Error* error = resume(limits, stop)) [[unlikely]] {
      result = *error;
      return result;
    }
    settle(stop);
  }
  return result;
}

// Enters the program where the host said and returns true, or says in `stop` why that is impossible.
bool Sandbox::begin_at(uint32_t pc, Interrupt& stop) {
  const std::optional<uint32_t> start = module_->program().block_start(pc);
  if (!start) {
    host_pc_.reset();
    refused_pc_ = pc;
    stop.kind = InterruptKind::kTrap;
    stop.trap = TrapKind::kInvalidInstruction;
    return false;
  }
  const bool is_block_start = *start == pc;
  const GasMetering metering = module_->options().gas;
  if (metering != GasMetering::kNone && !is_block_start) {
    const int64_t cost = *module_->gas_cost(*start);
    if (metering == GasMetering::kSync && context_->gas < cost) {
      stop.kind = InterruptKind::kOutOfGas;
      return false;
    }
    context_->gas -= cost;
  }
  host_pc_.reset();
  enter(pc, is_block_start);
  return true;
}

// Notes what the stop means for the pcs.
void Sandbox::settle(Interrupt& stop) {
  if (module_->options().gas == GasMetering::kAsync && context_->gas < 0) {
    stop.kind = InterruptKind::kOutOfGas;
    has_pc_ = can_resume_ = false;
  } else {
    has_pc_ = stop.kind != InterruptKind::kFinished;
    can_resume_ = has_pc_ && stop.kind != InterruptKind::kTrap;
  }
  last_stop_ = stop.kind;
}

void Sandbox::interrupt() {
  stop_requested().fetch_or(kStopForInterrupt);
  kick();
}

InterruptKind Sandbox::take_stop_request() const {
  const uint32_t request = stop_requested().exchange(0);
  return (request & kStopForInterrupt) != 0 ? InterruptKind::kInterrupted : InterruptKind::kDeadlineExceeded;
}

// Memory. --------------------------------------------------------------------------------------------------

Status Sandbox::read(uint32_t address, std::span<uint8_t> out) const {
  SG_TRY(access_.check_host(address, out.size(), Access::kRead));
  return out.empty() ? Status() : fetch(address, out);
}

Status Sandbox::fetch(uint32_t address, std::span<uint8_t> out) const {
  std::memcpy(out.data(), memory_ + address, out.size());
  return {};
}

Status Sandbox::write(uint32_t address, std::span<const uint8_t> bytes) {
  SG_TRY(access_.check_host(address, bytes.size(), Access::kWrite));
  return bytes.empty() ? Status() : store(address, bytes);
}

Status Sandbox::zero(uint32_t address, uint64_t size_bytes) {
  SG_TRY(access_.check_host(address, size_bytes, Access::kWrite));
  return size_bytes == 0 ? Status() : store_zeroes(address, size_bytes);
}

bool Sandbox::is_accessible(uint32_t address, uint64_t size_bytes, Access access) const {
  return access_.check_guest(address, size_bytes, access).verdict == AccessMap::Verdict::kAllowed;
}

Status Sandbox::provide(uint32_t address, uint64_t size_bytes, Protection protection) {
  const GuestRange pages = SG_TRY(access_.check_pages(address, size_bytes));
  SG_TRY(set_pages(pages, protection, true));
  access_.set_pages(pages, protection);
  return {};
}

Status Sandbox::provide(uint32_t address, std::span<const uint8_t> content, Protection protection) {
  const GuestRange pages = SG_TRY(access_.check_pages(address, content.size()));
  return pages.empty() ? Status() : fill_pages(pages, content, protection);
}

Status Sandbox::fill_pages(const GuestRange& pages, std::span<const uint8_t> content, Protection protection) {
  SG_TRY(set_pages(pages, protection, true));
  access_.set_pages(pages, protection);
  return store(static_cast<uint32_t>(pages.begin), content);
}

Status Sandbox::protect(uint32_t address, uint64_t size_bytes, Protection protection) {
  const GuestRange pages = SG_TRY(access_.check_pages(address, size_bytes));
  if (!access_.all_present(pages)) {
    return Error::make(ErrorKind::kOutOfRange, "only pages that have been provided can be protected",
                       address);
  }
  SG_TRY(set_pages(pages, protection, false));
  access_.set_pages(pages, protection);
  return {};
}

Status Sandbox::free_pages(uint32_t address, uint64_t size_bytes) {
  const GuestRange pages = SG_TRY(access_.check_pages(address, size_bytes));
  SG_TRY(set_pages(pages, std::nullopt, false));
  access_.set_pages(pages, std::nullopt);
  return {};
}

uint64_t Sandbox::heap_bytes() const { return access_.heap_bytes(); }

std::optional<uint32_t> Sandbox::sbrk(uint32_t size_bytes) {
  const uint32_t before = access_.heap_bytes();
  const GuestRange old_pages = access_.data_and_heap();
  const std::optional<uint32_t> top = access_.grow_heap(size_bytes);
  if (!top) return std::nullopt;
  const GuestRange opened = {old_pages.end, access_.data_and_heap().end};
  if (opened.empty() || access_.is_dynamic() || heap_opened(opened)) return top;
  access_.set_heap_bytes(before);
  return std::nullopt;
}

Status Sandbox::set_accessible_aux(uint32_t size_bytes) {
  SG_TRY(access_.set_accessible_aux(size_bytes));
  return aux_changed();
}

Status Sandbox::reset_memory() {
  SG_TRY(reset_storage());
  access_.reset();
  return {};
}

}  // namespace sandglass
