// Signals of a worker: faults of its guest, and requests to stop it.
//
// A fault ends the run: the handler reports it and leaves by jumping to the exit, which costs less than
// returning through the kernel; the signals are not blocked meanwhile (SA_NODEFER), so nothing is left to
// undo. A request to stop may find the guest between two machine instructions that make up one of its own.
// Only the host has the tables to tell, so the handler reports and waits, inside of the signal, for the host
// to say whether to go one instruction further or to leave.
#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/ucontext.h>

#include "sandbox/abi/guest_entry.h"
#include "zygote/system_calls.h"
#include "zygote/worker.h"

namespace sandglass::zygote {
namespace {

using namespace worker_space;

constexpr uint64_t kTrapFlag = 0x100;
constexpr int kFaults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};

bool is_in_guest(uint64_t address) { return address >= kCode && address < kCode + kCodeBytes; }

// What the exit of the emitted code would have done, and what only a signal has to say.
void report(int signal, const sigcontext& machine) {
  // In the order of their numbers in instructions.
  const uint64_t registers[] = {machine.rax, machine.rcx, machine.rdx, machine.rbx, machine.rsp, machine.rbp,
                                machine.rsi, machine.rdi, machine.r8,  machine.r9,  machine.r10, machine.r11,
                                machine.r12, machine.r13, machine.r14, machine.r15};
  WorkerPage* const worker = worker_page();
  VmContext& context = worker->context;
  for (int i = 0; i < 13; ++i) context.regs[i] = registers[kMachineRegs[i]];
  context.gas = (int64_t)registers[kMachineGas];
  context.resume_address = machine.rip;
  context.exit_argument = (uint32_t)signal;
  context.exit_reason = ExitReason::kSignal;
  worker->temporary = registers[kMachineTemporary];
  worker->stack_word = *reinterpret_cast<const uint64_t*>(kJumpTable - 8);
}

// The signal returns to the exit.
void leave_through_exit(sigcontext& machine) {
  machine.rip = reinterpret_cast<uint64_t>(&zygote_host_exit[0]);
  machine.rsp = worker_page()->context.host_stack;
  machine.eflags &= ~kTrapFlag;
}

[[noreturn]] void jump_to_exit() {
  asm volatile("mov %0, %%rsp\n jmp *%1"
               :
               : "r"(worker_page()->context.host_stack), "r"(&zygote_host_exit[0])
               : "memory");
  __builtin_unreachable();
}

// The host decides whether the guest can be taken out where it is.
void stop_where_the_host_says(int signal, sigcontext& machine) {
  // The guest may be on its way out, and have stored some of its registers and why already.
  VmContext& context = worker_page()->context;
  const VmContext before = context;
  report(signal, machine);
  publish_stop();
  answer();
  if (wait_for_command() == WorkerCommand::kStepOnce) {
    context = before;
    machine.eflags |= kTrapFlag;
    return;
  }
  leave_for_main_loop();
  leave_through_exit(machine);
}

bool is_between(uint64_t address, const char* begin, const char* end) {
  return address >= reinterpret_cast<uint64_t>(begin) && address < reinterpret_cast<uint64_t>(end);
}

void on_stop_request(int signal, sigcontext& machine) {
  const bool is_wanted = __atomic_load_n(&host_page()->stop_requested, __ATOMIC_SEQ_CST) != 0;
  if (!is_wanted) return;
  if (is_in_guest(machine.rip)) return stop_where_the_host_says(signal, machine);
  // On the way in, the context still holds the registers. Elsewhere, the entry is going to look.
  if (is_between(machine.rip, zygote_enter_check, zygote_enter_end)) {
    worker_page()->context.exit_reason = ExitReason::kInterrupted;
    leave_through_exit(machine);
  }
}

void on_signal(int signal, siginfo_t*, void* context) {
  sigcontext& machine = static_cast<ucontext*>(context)->uc_mcontext;
  if (signal == kWorkerStopSignal) return on_stop_request(signal, machine);
  const bool has_stepped = signal == SIGTRAP && (machine.eflags & kTrapFlag) != 0;
  if (has_stepped && is_in_guest(machine.rip)) return stop_where_the_host_says(signal, machine);
  // It has stepped out of its code: the command ends as it would have without.
  if (has_stepped) {
    machine.eflags &= ~kTrapFlag;
    return;
  }
  if (!is_in_guest(machine.rip)) die(kExitFaultOutside, "a fault outside of the guest's code");
  report(signal, machine);
  jump_to_exit();
}

// As the kernel has it.
struct SignalAction {
  void (*handler)(int, siginfo_t*, void*);
  uint64_t flags;
  void (*restorer)();
  uint64_t mask;
};

extern "C" void zygote_restore();
asm(R"(
.text
.globl zygote_restore
zygote_restore:
  mov $15, %eax
  syscall
)");
static_assert(__NR_rt_sigreturn == 15);

long install(int signal, uint64_t extra_flags) {
  const SignalAction action = {on_signal, SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_RESTORER | extra_flags,
                               zygote_restore, 0};
  return call(__NR_rt_sigaction, signal, &action, nullptr, sizeof action.mask);
}

}  // namespace

long install_signal_handlers() {
  const stack_t stack = {reinterpret_cast<void*>(kSignalStack), 0, kSignalStackBytes};
  if (const long failed = call(__NR_sigaltstack, &stack, nullptr); failed < 0) return failed;
  for (int signal : kFaults) {
    if (const long failed = install(signal, SA_NODEFER); failed < 0) return failed;
  }
  // Blocked while it is handled, or requests in quick succession would fill the signal stack.
  if (const long failed = install(kWorkerStopSignal, 0); failed < 0) return failed;
  // Workers are reaped by themselves.
  const SignalAction ignore = {reinterpret_cast<void (*)(int, siginfo_t*, void*)>(1), SA_NOCLDWAIT, nullptr,
                               0};
  if (const long failed = call(__NR_rt_sigaction, SIGCHLD, &ignore, nullptr, sizeof ignore.mask); failed < 0)
    return failed;
  const uint64_t nothing_blocked = 0;
  return call(__NR_rt_sigprocmask, SIG_SETMASK, &nothing_blocked, nullptr, sizeof nothing_blocked);
}

}  // namespace sandglass::zygote
