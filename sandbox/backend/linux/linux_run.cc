// How a LinuxSandbox runs its guest: turns of the worker, limits on them, and claims that are checked.
#include <algorithm>
#include <bit>
#include <csignal>

#include "sandbox/backend/linux/linux_sandbox.h"

namespace sandglass {
namespace {

using namespace worker_space;

// How long a worker that has been asked to stop may take: it needs microseconds, but may have to wait for a
// CPU.
constexpr uint64_t kStopGraceNs = 500'000'000;
// A block of one instruction has a few dozen machine instructions at most.
constexpr int kMaxSteps = 10'000;

static_assert(kFirstNearReg == static_cast<uint32_t>(Reg::a0) && kNearRegs == 4);
static_assert(kFirstNextReg == static_cast<uint32_t>(Reg::a4) && kNextRegs == 2);
static_assert((kNearRegBits | kNextRegBits | kFarRegBits) == (1u << kRegCount) - 1);

}  // namespace

// Turns. ----------------------------------------------------------------------------------------------------

// Each page has a line that travels with every turn, and others that do when they are needed: see protocol.h.

void LinuxSandbox::send_context() {
  HostPage& page = worker_->host();
  page.changed_regs = send_changed_regs();
  page.zero_flag_reg = static_cast<uint8_t>(zero_flag_reg());
  page.resume_address = context_->resume_address;
  page.gas = context_->gas;
  std::copy_n(context_->regs + kFirstNearReg, kNearRegs, page.near_regs);
}

// What the host has not copied, the worker still has.
uint16_t LinuxSandbox::send_changed_regs() {
  uint32_t changed = (kNextRegBits | kFarRegBits) & ~missing_regs_;
  for (uint32_t left = changed; left != 0; left &= left - 1) {
    const int reg = std::countr_zero(left);
    if ((copied_regs_ >> reg & 1) != 0 && context_->regs[reg] == workers_regs_[reg]) {
      changed &= ~(1u << reg);
    } else {
      worker_->host().regs[reg] = context_->regs[reg];
    }
  }
  return static_cast<uint16_t>(changed);
}

// Copies what the worker claims, each field once; fetch_regs() the others.
void LinuxSandbox::receive_context() {
  const auto once = []<typename T>(const T& field) {
    T value;
    __atomic_load(&field, &value, __ATOMIC_RELAXED);
    return value;
  };
  const WorkerPage& page = worker_->shared();
  context_->exit_reason = once(page.exit_reason);
  context_->exit_argument = once(page.exit_argument);
  context_->resume_address = once(page.resume_address);
  const int64_t gas = once(page.gas);
  if (module_->options().gas != GasMetering::kNone) context_->gas = gas;
  for (uint32_t i = 0; i < kNearRegs; ++i)
    context_->regs[kFirstNearReg + i] = once(page.near_regs[i]) & register_mask_;
  missing_regs_ = kNextRegBits | kFarRegBits;
  copied_regs_ = 0;
}

void LinuxSandbox::fetch_regs(Reg wanted) const {
  const WorkerPage& page = worker_->shared();
  if ((kNextRegBits & bit_of(wanted)) != 0) return copy_regs(kNextRegBits, page.next_regs, kFirstNextReg);
  copy_regs(kFarRegBits, page.context.regs, 0);
}

// `first`: the register that `from` begins with.
void LinuxSandbox::copy_regs(uint32_t which, const uint64_t* from, uint32_t first) const {
  for (uint32_t left = which; left != 0; left &= left - 1) {
    const auto reg = static_cast<uint32_t>(std::countr_zero(left));
    workers_regs_[reg] = __atomic_load_n(&from[reg - first], __ATOMIC_RELAXED) & register_mask_;
    if ((missing_regs_ >> reg & 1) != 0) context_->regs[reg] = workers_regs_[reg];
  }
  missing_regs_ &= ~which;
  copied_regs_ |= which;
}

bool LinuxSandbox::take_turn(WorkerCommand command) {
  worker_->post(command);
  for (;;) {
    const uint64_t deadline_ns = kill_ns_ != 0 ? kill_ns_ : deadline_ns_;
    switch (worker_->wait(deadline_ns, kill_ns_ != 0 ? nullptr : &context_->stop_requested)) {
      case Turns::Answer::kDone: return true;
      case Turns::Answer::kDied: return fail(worker_->death());
      case Turns::Answer::kNonsense:
        return fail(Error::make(ErrorKind::kProtocolViolation,
                                "the worker's sequence word holds a number that nobody gave"));
      case Turns::Answer::kTimedOut:
        if (!look_at_limits()) return false;
        continue;
      case Turns::Answer::kPoked: kill_ns_ = monotonic_ns() + kStopGraceNs; continue;
    }
  }
}

void LinuxSandbox::ask_to_stop() {
  worker_->request_stop();
  kill_ns_ = monotonic_ns() + kStopGraceNs;
}

// Asks the worker to stop when it is time to. False when it had been asked and has not stopped in time.
bool LinuxSandbox::look_at_limits() {
  if (kill_ns_ != 0) {
    if (monotonic_ns() < kill_ns_) return true;
    return fail(Error::make(ErrorKind::kWorkerDied, "killed: the worker did not stop when it was asked to"));
  }
  if (deadline_ns_ != 0 && monotonic_ns() >= deadline_ns_ &&
      (cpu_limit_.count() <= 0 || is_cpu_time_over())) {
    stop_requested().fetch_or(kStopForDeadline);
  }
  if (stop_requested().load() != 0) ask_to_stop();
  return true;
}

// The guest may be in the middle of an instruction of its own: only the host can tell.
bool LinuxSandbox::step_to_boundary() {
  for (int steps = 0; steps < kMaxSteps; ++steps) {
    const uint64_t offset = context_->resume_address - kCode;
    if (offset >= code_.size_bytes()) return false;
    if (is_boundary(static_cast<uint32_t>(offset))) return true;
    if (!take_turn(WorkerCommand::kStepOnce)) return false;
    receive_context();
    if (!is_stop_by_request()) return true;
  }
  return false;
}

bool LinuxSandbox::is_stop_by_request() const {
  return context_->exit_reason == ExitReason::kSignal &&
         (context_->exit_argument == kWorkerStopSignal || context_->exit_argument == SIGTRAP);
}

bool LinuxSandbox::explain(Interrupt& stop) {
  if (context_->exit_reason != ExitReason::kSignal) return explain_exit(stop) && check_stop(stop);
  const bool is_fault = context_->exit_argument == SIGSEGV || context_->exit_argument == SIGBUS;
  if (!is_fault && !is_stop_by_request()) return false;
  const uint64_t offset = context_->resume_address - kCode;
  if (offset >= code_.size_bytes()) return false;
  Signal signal = {.is_stop_request = is_stop_by_request(), .native_offset = static_cast<uint32_t>(offset)};
  if (code_.is_filling(signal.native_offset)) {
    const WorkerPage& page = worker_->shared();
    signal.temporary = __atomic_load_n(&page.temporary, __ATOMIC_RELAXED);
    signal.stack_word = __atomic_load_n(&page.stack_word, __ATOMIC_RELAXED);
    context_->memset_start = __atomic_load_n(&page.context.memset_start, __ATOMIC_RELAXED);
    context_->memset_count = __atomic_load_n(&page.context.memset_count, __ATOMIC_RELAXED);
  }
  return explain_signal(signal, stop);
}

const Error* LinuxSandbox::resume(const RunLimits& limits, Interrupt& stop) {
  if (failure_) return &*failure_;
  const int64_t gas = context_->gas;
  begin_limits(limits);
  is_image_data_touched_ = !image_data_.empty();
  is_running_.store(true, std::memory_order_seq_cst);
  // A time that is over before the guest is entered does not depend on how fast the guest is.
  if (wall_deadline_ns_ != 0 && monotonic_ns() >= wall_deadline_ns_)
    stop_requested().fetch_or(kStopForDeadline);
  if (stop_requested().load() != 0) worker_->request_stop();
  run_until_stop(stop);
  // Whoever still sees a guest that runs asks for a stop as if he had come before its end.
  is_running_.store(false, std::memory_order_release);
  worker_->clear_stop_request();
  // Set by this thread alone.
  if ((stop_requested().load() & kStopForDeadline) != 0) stop_requested().fetch_and(~kStopForDeadline);
  if (!failure_) return nullptr;
  context_->gas = gas;  // not what the worker claimed last
  return &*failure_;
}

bool LinuxSandbox::run_until_stop(Interrupt& stop) {
  const int64_t gas_before = context_->gas;
  for (;;) {
    send_context();
    const uint64_t resume_address = context_->resume_address;
    if (!take_turn(WorkerCommand::kRun)) return false;
    receive_context();
    if (is_stop_by_request() && !step_to_boundary()) return failure_ ? false : fail_claim();
    const ExitReason reason = context_->exit_reason;
    if (reason == ExitReason::kSbrk) {
      if (!run_sbrk()) return failure_ ? false : fail_claim();
    } else {
      // Before its first instruction the guest is where it has been put.
      if (reason == ExitReason::kInterrupted && context_->resume_address != resume_address)
        return fail_claim();
      if (!explain(stop)) return failure_ ? false : fail_claim();
    }
    if (!has_credible_gas(gas_before)) return fail_claim();
    const bool may_be_spurious = is_stop_by_request() || reason == ExitReason::kInterrupted;
    if (reason != ExitReason::kSbrk && !(may_be_spurious && !has_taken_request())) return true;
    if (may_be_spurious) worker_->clear_stop_request();
    // A worker that answers at once is never waited for, so the limits are to be looked at here. This also
    // finds a request that has come since.
    if (!look_at_limits()) return false;
  }
}

// A guest can only lose gas, and with synchronous metering it has what it spends.
bool LinuxSandbox::has_credible_gas(int64_t gas_before) const {
  if (context_->gas > gas_before) return false;
  return module_->options().gas != GasMetering::kSync || context_->gas >= 0;
}

bool LinuxSandbox::fail_claim() {
  return fail(Error::make(ErrorKind::kProtocolViolation, "the worker reports a stop that cannot be"));
}

void LinuxSandbox::begin_limits(const RunLimits& limits) {
  deadline_ns_ = kill_ns_ = 0;
  cpu_limit_ = limits.cpu_time;
  const auto wall = static_cast<uint64_t>(std::max<int64_t>(limits.deadline.count(), 0));
  wall_deadline_ns_ = wall == 0 ? 0 : monotonic_ns() + wall;
  deadline_ns_ = wall_deadline_ns_;
  if (cpu_limit_.count() <= 0) return;
  cpu_begin_ns_ = cpu_time_ns(worker_->process_id());
  (void)is_cpu_time_over();
}

// The worker has one thread, so its CPU time does not run faster than the wall's: sleeping for what is left
// is never too long. Sets the next time to look.
bool LinuxSandbox::is_cpu_time_over() {
  if (wall_deadline_ns_ != 0 && monotonic_ns() >= wall_deadline_ns_) return true;
  const uint64_t used = cpu_time_ns(worker_->process_id()) - cpu_begin_ns_;
  const auto limit = static_cast<uint64_t>(cpu_limit_.count());
  if (used >= limit) return true;
  const uint64_t next = monotonic_ns() + limit - used;
  deadline_ns_ = wall_deadline_ns_ == 0 ? next : std::min(next, wall_deadline_ns_);
  return false;
}

std::chrono::nanoseconds LinuxSandbox::cpu_time() const {
  return std::chrono::nanoseconds(cpu_time_ns(worker_->process_id()));
}

void LinuxSandbox::kick() {
  if (is_running_.load(std::memory_order_seq_cst)) worker_->request_stop();
}

}  // namespace sandglass
