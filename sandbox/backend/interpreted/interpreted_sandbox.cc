#include "sandbox/backend/interpreted/interpreted_sandbox.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>

namespace sandglass {
namespace {

// The limits of one run, and whether one of them is over.
class StopWatch {
 public:
  explicit StopWatch(const RunLimits& limits) : limits_(limits) {
    if (!is_needed()) return;
    wall_begin_ = read(CLOCK_MONOTONIC);
    cpu_begin_ = read(CLOCK_THREAD_CPUTIME_ID);
  }
  bool is_needed() const { return limits_.deadline.count() > 0 || limits_.cpu_time.count() > 0; }
  bool is_over() const {
    return is_over(limits_.deadline, CLOCK_MONOTONIC, wall_begin_) ||
           is_over(limits_.cpu_time, CLOCK_THREAD_CPUTIME_ID, cpu_begin_);
  }

 private:
  static std::chrono::nanoseconds read(clockid_t clock) {
    timespec now;
    ::clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }
  static bool is_over(std::chrono::nanoseconds limit, clockid_t clock, std::chrono::nanoseconds begin) {
    return limit.count() > 0 && read(clock) - begin >= limit;
  }

  const RunLimits limits_;
  std::chrono::nanoseconds wall_begin_{0}, cpu_begin_{0};
};

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
  const StopWatch watch(limits);
  uint32_t polls = 0;
  stop = interpreter_.run([&]() -> std::optional<InterruptKind> {
    if (stop_requested().load(std::memory_order_relaxed) != 0) return take_stop_request();
    if (!watch.is_needed() || polls++ % kPollsPerClockReading != 0 || !watch.is_over()) return std::nullopt;
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
