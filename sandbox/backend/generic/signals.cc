#include "sandbox/backend/generic/signals.h"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <iterator>
#include <mutex>

#include "sandbox/backend/generic/enter.h"
#include "sandbox/base/sanitizers.h"
#include "sandbox/compiler/registers.h"

#ifdef SG_THREAD_SANITIZER
extern "C" int __sigaction(int signal, const struct sigaction* action, struct sigaction* previous);
#endif

namespace sandglass {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, kStopSignal};
constexpr greg_t kTrapFlag = 0x100;

// Distinguishes our own requests from other people's use of the signal.
constexpr int kStopTag = 0x5347'0001, kDeadlineTag = 0x5347'0002;

struct sigaction g_previous[64];
thread_local RunningGuest* t_guest __attribute__((tls_model("initial-exec"))) = nullptr;
// Where a deadline leaves its request, whether its guest has been entered yet or not.
thread_local uint32_t* t_deadline_word __attribute__((tls_model("initial-exec"))) = nullptr;
thread_local uint32_t t_deadline_bit __attribute__((tls_model("initial-exec"))) = 0;

constexpr int kNativeInContext[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                    REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

SG_NO_SANITIZE greg_t native_value(const ucontext_t* context, uint32_t native_register) {
  return context->uc_mcontext.gregs[kNativeInContext[native_register]];
}

// Jumps to the host's exit as if the emitted code had left through its own.
[[noreturn]] SG_NO_SANITIZE void leave_guest(const RunningGuest* guest, const ucontext_t* context) {
  // The kernel gave the handler a fresh floating-point state; the host's settings come back by hand.
  const auto* fp = context->uc_mcontext.fpregs;
  asm volatile("ldmxcsr %0\n fldcw %1" : : "m"(fp->mxcsr), "m"(fp->cwd));
  asm volatile("mov %0, %%rsp\n jmp *%1"
               :
               : "r"(guest->context->host_stack), "r"(&sandglass_host_exit[0])
               : "memory");
  __builtin_unreachable();
}

// Saves what the guest's registers hold and leaves it.
[[noreturn]] SG_NO_SANITIZE void take_out(RunningGuest* guest, int signal, const ucontext_t* context) {
  for (size_t i = 0; i < kRegCount; ++i) {
    guest->context->regs[i] = static_cast<uint64_t>(native_value(context, kNativeRegs[i]));
  }
  if (guest->is_metered) guest->context->gas = native_value(context, kGas);
  guest->signal = signal;
  guest->temporary = static_cast<uint64_t>(native_value(context, kTemp));
  guest->native_offset = static_cast<uint32_t>(context->uc_mcontext.gregs[REG_RIP] -
                                               reinterpret_cast<greg_t>(guest->code->code()));
  leave_guest(guest, context);
}

SG_NO_SANITIZE bool is_in_guest(const RunningGuest* guest, const ucontext_t* context) {
  return guest->code->contains(reinterpret_cast<const void*>(context->uc_mcontext.gregs[REG_RIP]));
}

SG_NO_SANITIZE bool is_between(greg_t rip, const char* begin, const char* end) {
  return rip >= reinterpret_cast<greg_t>(begin) && rip < reinterpret_cast<greg_t>(end);
}

// The handler of the stop signal blocks it meanwhile, or requests in quick succession would fill the signal
// stack. Whoever leaves it without returning undoes that.
SG_NO_SANITIZE void unblock_stop_signal() {
  const uint64_t mask = uint64_t{1} << (kStopSignal - 1);  // as the kernel has it
  ::syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, nullptr, sizeof mask);
}

// Takes the guest out if it is at an instruction boundary, else goes on to it step by step.
SG_NO_SANITIZE void stop_soon(RunningGuest* guest, ucontext_t* context) {
  greg_t* const gregs = context->uc_mcontext.gregs;
  if (!is_in_guest(guest, context)) {
    // On the way in, the context still holds the registers. On the way out, the next run() will see the
    // request.
    if (is_between(gregs[REG_RIP], sandglass_enter_check, sandglass_enter_end)) {
      guest->context->exit_reason = ExitReason::kInterrupted;
      unblock_stop_signal();
      leave_guest(guest, context);
    }
    // Only what has been stepping until now stops stepping: this may also be the middle of our own handler,
    // which is about to let the guest step.
    if ((gregs[REG_EFL] & kTrapFlag) != 0) guest->is_stepping = false;
    gregs[REG_EFL] &= ~kTrapFlag;
    return;
  }
  const auto offset = static_cast<uint32_t>(gregs[REG_RIP] - reinterpret_cast<greg_t>(guest->code->code()));
  if (guest->code->is_boundary(offset)) {
    unblock_stop_signal();
    take_out(guest, kStopSignal, context);
  }
  gregs[REG_EFL] |= kTrapFlag;
  guest->is_stepping = true;
}

// The signal is not ours: whoever was there before us gets it.
SG_NO_SANITIZE void pass_on(int signal, siginfo_t* info, void* context) {
  const struct sigaction& previous = g_previous[signal];
  if ((previous.sa_flags & SA_SIGINFO) != 0) return previous.sa_sigaction(signal, info, context);
  if (previous.sa_handler == SIG_IGN) return;
  if (previous.sa_handler != SIG_DFL) return previous.sa_handler(signal);
  if (signal == kStopSignal) return;  // its default is to be ignored
  // The default for the others is to kill the process: let the fault happen again, for an honest core dump.
  SG_UNINTERCEPTED(sigaction)(signal, &previous, nullptr);
}

SG_NO_SANITIZE void on_stop_signal(RunningGuest* guest, int signal, siginfo_t* info, ucontext_t* context) {
  const bool is_ours = (info->si_code == SI_QUEUE && info->si_value.sival_int == kStopTag) ||
                       (info->si_code == SI_TIMER && info->si_value.sival_int == kDeadlineTag);
  // A request that was made while somebody else's signal was pending has become part of that one.
  if (!is_ours) pass_on(signal, info, context);
  if (info->si_code == SI_TIMER && t_deadline_word != nullptr) {
    __atomic_fetch_or(t_deadline_word, t_deadline_bit, __ATOMIC_SEQ_CST);
  }
  if (guest == nullptr) return;  // the entry will see the request
  if (__atomic_load_n(&guest->context->stop_requested, __ATOMIC_SEQ_CST) != 0) stop_soon(guest, context);
}

SG_NO_SANITIZE void on_signal(int signal, siginfo_t* info, void* raw_context) {
  const int saved_errno = errno;
  auto* const context = static_cast<ucontext_t*>(raw_context);
  RunningGuest* const guest = t_guest;
  if (signal == kStopSignal) {
    on_stop_signal(guest, signal, info, context);
  } else if (guest != nullptr && signal == SIGTRAP && guest->is_stepping) {
    stop_soon(guest, context);
  } else if (guest != nullptr && is_in_guest(guest, context)) {
    take_out(guest, signal, context);
  } else {
    pass_on(signal, info, raw_context);
  }
  errno = saved_errno;
}

// An alternate signal stack that goes away with its thread.
class SignalStack {
 public:
  Status ensure() {
    stack_t current = {};
    if (::sigaltstack(nullptr, &current) != 0) return Error::os("look at the signal stack");
    if ((current.ss_flags & SS_DISABLE) == 0 && current.ss_size >= needed_bytes()) {
      return {};
    }
    memory_ = SG_TRY(Mapping::anonymous(needed_bytes()));
    const stack_t ours = {.ss_sp = memory_.data(), .ss_flags = 0, .ss_size = memory_.size_bytes()};
    if (::sigaltstack(&ours, nullptr) != 0) return Error::os("set a signal stack");
    return {};
  }
  ~SignalStack() {
    if (!memory_) return;
    const stack_t none = {.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
    ::sigaltstack(&none, nullptr);
  }

 private:
  // A signal frame holds the vector and matrix registers (up to 12 KiB); the rest is for the handler.
  static size_t needed_bytes() { return round_up(::getauxval(AT_MINSIGSTKSZ), kMinPageBytes) + KiB(32); }

  Mapping memory_;
};

thread_local SignalStack t_signal_stack;
// Plain variables beside the objects with destructors: these need no guard when they are looked at.
constinit thread_local bool t_has_signal_stack = false;
constinit thread_local pid_t t_thread_id = 0;

// One timer per thread and clock, made when it is needed first.
class ThreadTimer {
 public:
  explicit ThreadTimer(clockid_t clock) : clock_(clock) {}
  ~ThreadTimer() {
    if (exists_) ::timer_delete(timer_);
  }
  void forget() { exists_ = false; }
  Status set(uint64_t nanoseconds) {
    if (!exists_ && nanoseconds == 0) return {};
    if (!exists_) {
      sigevent event = {};
      event.sigev_notify = SIGEV_THREAD_ID;
      event.sigev_signo = kStopSignal;
      event.sigev_value.sival_int = kDeadlineTag;
      event._sigev_un._tid = this_thread_id();
      if (::timer_create(clock_, &event, &timer_) != 0) return Error::os("create a deadline timer");
      exists_ = true;
    }
    itimerspec spec = {};
    spec.it_value = {.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000),
                     .tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000)};
    if (::timer_settime(timer_, 0, &spec, nullptr) != 0) return Error::os("set a deadline timer");
    return {};
  }

 private:
  clockid_t clock_;
  timer_t timer_ = {};
  bool exists_ = false;
};

thread_local ThreadTimer t_wall_timer(CLOCK_MONOTONIC);
thread_local ThreadTimer t_cpu_timer(CLOCK_THREAD_CPUTIME_ID);

Status install_all() {
  // A forked child is another thread, and has none of its parent's timers.
  ::pthread_atfork(nullptr, nullptr, [] {
    t_thread_id = 0;
    t_wall_timer.forget();
    t_cpu_timer.forget();
  });
  for (int signal : kSignals) {
    struct sigaction action = {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    // Not deferred: the handler leaves without returning, so nothing would unblock the signal.
    if (signal != kStopSignal) action.sa_flags |= SA_NODEFER;
    if (SG_UNINTERCEPTED(sigaction)(signal, &action, &g_previous[signal]) != 0)
      return Error::os("install a signal handler");
  }
  return {};
}

}  // namespace

Status install_signal_handlers() {
  static const Status status = install_all();
  return status;
}

void ensure_signal_stack() {
  if (t_has_signal_stack) return;
  SG_CHECK(t_signal_stack.ensure());
  t_has_signal_stack = true;
}

// While t_guest is set the handler looks at the guest's code, with instrumented functions: no call of a
// sanitizer may be there to be interrupted.
SG_NO_SANITIZE void run_guest(RunningGuest& guest) {
  t_guest = &guest;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  sandglass_enter(guest.context);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  t_guest = nullptr;
}

pid_t this_thread_id() {
  if (t_thread_id == 0) t_thread_id = ::gettid();
  return t_thread_id;
}

void request_stop(pid_t thread_id) {
  siginfo_t info = {};
  info.si_signo = kStopSignal;
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_uid = ::getuid();
  info.si_value.sival_int = kStopTag;
  // The thread may be gone by now; then there is nothing left to stop.
  ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), thread_id, kStopSignal, &info);
}

void DeadlineTimer::arm(uint64_t wall_ns, uint64_t cpu_ns, uint32_t* stop_requested, uint32_t stop_bit) {
  t_deadline_bit = stop_bit;
  t_deadline_word = stop_requested;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  SG_CHECK(t_wall_timer.set(wall_ns));
  SG_CHECK(t_cpu_timer.set(cpu_ns));
}

void DeadlineTimer::disarm() {
  SG_CHECK(t_wall_timer.set(0));
  SG_CHECK(t_cpu_timer.set(0));
  std::atomic_signal_fence(std::memory_order_seq_cst);
  t_deadline_word = nullptr;
}

}  // namespace sandglass
