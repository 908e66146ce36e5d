#include "bench/raw_signals.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <cstdint>

#include "sandbox/base/units.h"

namespace sandglass::bench {
namespace {

// Where the handler jumps to, and whether it ran: what a signal handler needs cannot be handed to it.
thread_local void* g_way_back[5];
thread_local volatile bool g_was_handled;

// Both instructions that fault are this long, so that a handler can step over them:
//   c6 00 01    mov byte [rax], 1
//   0f 0b 90    ud2; nop
constexpr int kFaultBytes = 3;

void store(uint8_t* page) { asm volatile(".byte 0xc6, 0x00, 0x01" : : "a"(page) : "memory"); }
void undefined(uint8_t*) { asm volatile(".byte 0x0f, 0x0b, 0x90" : : : "memory"); }

void leave(int, siginfo_t*, void*) {
  g_was_handled = true;
  __builtin_longjmp(g_way_back, 1);
}

void step_over(int, siginfo_t*, void* context) {
  g_was_handled = true;
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP] += kFaultBytes;
}

// Not inlined: a function that is jumped into must not share registers with a loop around it. The call is
// opaque, or the compiler would see that nothing in it jumps, and drop the place to come back to.
template <void (*kFault)(uint8_t*)>
[[gnu::noinline]] bool fault_and_jump_back(uint8_t* page) {
  void (*volatile fault)(uint8_t*) = kFault;
  g_was_handled = false;
  if (__builtin_setjmp(g_way_back) == 0) fault(page);
  return g_was_handled;
}

template <void (*kFault)(uint8_t*)>
bool fault_and_return(uint8_t* page) {
  g_was_handled = false;
  kFault(page);
  return g_was_handled;
}

constexpr RawSignalCase kCases[] = {
    {"sigsegv_longjmp", SIGSEGV, fault_and_jump_back<store>, leave},
    {"sigsegv_sigreturn", SIGSEGV, fault_and_return<store>, step_over},
    {"sigill_longjmp", SIGILL, fault_and_jump_back<undefined>, leave},
    {"sigill_sigreturn", SIGILL, fault_and_return<undefined>, step_over},
};

}  // namespace

std::span<const RawSignalCase> raw_signal_cases() { return kCases; }

Result<std::unique_ptr<RawSignal>> RawSignal::create(const RawSignalCase& raw) {
  Mapping page = SG_TRY(Mapping::reserve(KiB(4)));
  Mapping stack = SG_TRY(Mapping::anonymous(KiB(64)));
  std::unique_ptr<RawSignal> signal(new RawSignal(raw, std::move(page), std::move(stack)));
  SG_TRY(signal->install());
  return signal;
}

Status RawSignal::install() {
  const stack_t stack = {.ss_sp = stack_.data(), .ss_flags = 0, .ss_size = stack_.size_bytes()};
  if (sigaltstack(&stack, &old_stack_) != 0) return Error::os("set the alternate signal stack");
  struct sigaction action = {};
  action.sa_sigaction = raw_.handler;
  // SA_NODEFER: the handler that leaves with a jump has no mask to restore.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  SG_CHECK(sigaction(raw_.signal, &action, &old_action_) == 0);  // can only fail for a wrong number
  is_installed_ = true;
  return {};
}

RawSignal::~RawSignal() {
  if (!is_installed_) return;
  sigaction(raw_.signal, &old_action_, nullptr);
  sigaltstack(&old_stack_, nullptr);
}

}  // namespace sandglass::bench
