#include "sandbox/backend/generic/generic_sandbox.h"

#include <algorithm>
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
    : CompiledSandbox(std::move(module), options, space->context(), space->memory()),
      space_(std::move(space)) {
  context_->guest_stack = reinterpret_cast<uint64_t>(space_->stack_top());
  context_->memory_base = reinterpret_cast<uint64_t>(space_->memory());
  context_->host_exit = reinterpret_cast<uint64_t>(sandglass_host_exit);
  context_->stop_requested = 0;
  guest_ = {.context = context_, .code = &code_, .is_metered = module_->options().gas != GasMetering::kNone};
}

GenericSandbox::~GenericSandbox() { AddressSpace::release(std::move(space_), access_); }

// Running. -------------------------------------------------------------------------------------------------

const Error* GenericSandbox::resume(const RunLimits& limits, Interrupt& stop) {
  ensure_signal_stack();
  thread_id_.store(this_thread_id(), std::memory_order_release);
  context_->zero_flag_value = reg(zero_flag_reg());
  const auto wall_ns = static_cast<uint64_t>(std::max<int64_t>(limits.deadline.count(), 0));
  const auto cpu_ns = static_cast<uint64_t>(std::max<int64_t>(limits.cpu_time.count(), 0));
  const bool has_deadline = (wall_ns | cpu_ns) != 0;
  if (has_deadline) DeadlineTimer::arm(wall_ns, cpu_ns, &context_->stop_requested, kStopForDeadline);
  do {
    guest_.signal = 0;
    guest_.is_stepping = false;
    context_->exit_reason = ExitReason::kNone;
    run_guest(guest_);
    if (context_->exit_reason != ExitReason::kSbrk || guest_.signal != 0) break;
    SG_CHECK(run_sbrk());
  } while (true);
  thread_id_.store(0, std::memory_order_release);
  SG_CHECK(guest_.signal == 0 ? explain_exit(stop) : explain_signal(signal(), stop));
  if (has_deadline) {
    DeadlineTimer::disarm();
    stop_requested().fetch_and(~kStopForDeadline);
  }
  return nullptr;
}

// What the signal handler found.
CompiledSandbox::Signal GenericSandbox::signal() const {
  Signal signal = {.is_stop_request = guest_.signal == kStopSignal,
                   .native_offset = guest_.native_offset,
                   .temporary = guest_.temporary};
  std::memcpy(&signal.stack_word, space_->stack_top() - sizeof signal.stack_word, sizeof signal.stack_word);
  return signal;
}

void GenericSandbox::kick() {
  const pid_t thread_id = thread_id_.load(std::memory_order_acquire);
  if (thread_id != 0) request_stop(thread_id);
}

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
