#include "sandbox/backend/interpreted/interpreted_sandbox.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstring>

namespace sandglass {
namespace {

using Clock = std::chrono::steady_clock;

// Reading the clock costs as much as a short block does, so a deadline is only looked at every so many polls.
constexpr uint32_t kPollsPerClockReading = 64;

Interpreter::Options interpreter_options(const ModuleOptions& options) {
  return {.gas = options.gas, .cost_model = options.cost_model, .step_tracing = options.step_tracing};
}

}  // namespace

Result<std::unique_ptr<Sandbox>> InterpretedSandbox::create(std::shared_ptr<const Module> module,
                                                            const SandboxOptions& options) {
  Mapping memory = SG_TRY(Mapping::anonymous(kGuestSpaceBytes));
  std::unique_ptr<InterpretedSandbox> sandbox(
      new InterpretedSandbox(std::move(module), options, std::make_unique<VmContext>(), std::move(memory)));
  sandbox->copy_initial_data();
  return std::unique_ptr<Sandbox>(std::move(sandbox));
}

InterpretedSandbox::InterpretedSandbox(std::shared_ptr<const Module> module, const SandboxOptions& options,
                                       std::unique_ptr<VmContext> context, Mapping memory)
    : Sandbox(std::move(module), options, context.get(), memory.data()),
      own_context_(std::move(context)),
      own_memory_(std::move(memory)),
      interpreter_(module_->program(), interpreter_options(module_->options()), *context_, memory_, access_) {
}

const Error* InterpretedSandbox::resume(const RunLimits& limits, Interrupt& stop) {
  const bool has_deadline = limits.deadline.count() > 0;
  const Clock::time_point start = has_deadline ? Clock::now() : Clock::time_point();
  uint32_t polls = 0;
  stop = interpreter_.run([&]() -> std::optional<InterruptKind> {
    if (stop_requested().load(std::memory_order_relaxed) != 0) return take_stop_request();
    if (!has_deadline || polls++ % kPollsPerClockReading != 0) return std::nullopt;
    if (Clock::now() - start < limits.deadline) return std::nullopt;
    return InterruptKind::kDeadlineExceeded;
  });
  return nullptr;
}

// Memory. --------------------------------------------------------------------------------------------------

Status InterpretedSandbox::store(uint32_t address, std::span<const uint8_t> bytes) {
  std::copy(bytes.begin(), bytes.end(), memory_ + address);
  return {};
}

Status InterpretedSandbox::store_zeroes(uint32_t address, uint64_t size_bytes) {
  std::memset(memory_ + address, 0, size_bytes);
  return {};
}

Status InterpretedSandbox::set_pages(const GuestRange& pages, std::optional<Protection> protection,
                                     bool zeroed) {
  // Protection is access_'s business; only content has to go, and what pages that are freed occupy.
  return zeroed || !protection ? discard(pages) : Status();
}

Status InterpretedSandbox::reset_storage() {
  SG_TRY(discard({0, kGuestSpaceBytes}));
  copy_initial_data();
  return {};
}

// Gives the memory back to the kernel; it reads as zero from now on.
Status InterpretedSandbox::discard(const GuestRange& range) {
  if (range.empty() || ::madvise(memory_ + range.begin, range.size(), MADV_DONTNEED) == 0) return {};
  return Error::os("discard guest memory");
}

void InterpretedSandbox::copy_initial_data() {
  if (module_->options().dynamic_paging) return;
  const ProgramParts& parts = module_->program().parts();
  const MemoryMap& map = module_->memory_map();
  std::copy(parts.ro_data.begin(), parts.ro_data.end(), memory_ + map.ro_data().begin);
  std::copy(parts.rw_data.begin(), parts.rw_data.end(), memory_ + map.rw_data().begin);
}

}  // namespace sandglass
