// What the host notices of a guest in its own process: nothing. Its signal handlers, its signal mask, its
// floating-point settings and its signal stack are as before, whatever the guest did.
//
// The handlers are installed once per process, so what comes before that needs a process of its own: a death
// test, which runs in a copy of the program that has not made a sandbox yet.
#include <csignal>
#include <cstring>
#include <thread>

#include <immintrin.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/backend/guest.h"

namespace sandglass {
namespace {

using std::chrono::milliseconds;

class HostStateTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};
using HostStateDeathTest = HostStateTest;

std::unique_ptr<Sandbox> generic(std::string_view text) {
  return start(text, {.backend = Backend::kGeneric, .gas = GasMetering::kNone});
}

// Makes a guest fault, which is the guest's affair.
void let_a_guest_fault() {
  const auto sandbox = generic("a0 = u8 [0]\n trap");
  if (sandbox->run()->trap != TrapKind::kMemoryAccess) _exit(90);
  const auto jumper = generic("jump [a0]");
  if (jumper->run()->trap != TrapKind::kInvalidDynamicJump) _exit(91);
}

volatile int* volatile g_nowhere = nullptr;

void fault_in_the_host() { *g_nowhere = 1; }

void exit_with_42(int, siginfo_t* info, void*) { _exit(info->si_addr == nullptr ? 42 : 43); }
void exit_with_44(int) { _exit(44); }

void handle(int signal, void (*handler)(int, siginfo_t*, void*), int flags = 0) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  ::sigaction(signal, &action, nullptr);
}

TEST_F(HostStateDeathTest, HandlerOfBeforeStillGetsTheHostsFaults) {
  EXPECT_EXIT(
      {
        handle(SIGSEGV, exit_with_42);
        let_a_guest_fault();
        fault_in_the_host();
      },
      ::testing::ExitedWithCode(42), "");
}

TEST_F(HostStateDeathTest, PlainHandlerOfBeforeStillGetsTheHostsFaults) {
  EXPECT_EXIT(
      {
        ::signal(SIGSEGV, exit_with_44);
        let_a_guest_fault();
        fault_in_the_host();
      },
      ::testing::ExitedWithCode(44), "");
}

TEST_F(HostStateDeathTest, FaultOfTheHostEndsAProcessWithoutAHandler) {
  EXPECT_EXIT(
      {
        let_a_guest_fault();
        fault_in_the_host();
      },
      ::testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(HostStateDeathTest, IllegalInstructionOfTheHostEndsAProcessWithoutAHandler) {
  EXPECT_EXIT(
      {
        let_a_guest_fault();
        asm volatile("ud2");
      },
      ::testing::KilledBySignal(SIGILL), "");
}

// A fault of the host while one of its threads runs a guest.
TEST_F(HostStateDeathTest, FaultOfTheHostIsItsOwnWhileAnotherThreadRunsAGuest) {
  EXPECT_EXIT(
      {
        handle(SIGSEGV, exit_with_42);
        const auto sandbox = generic(kEndless);
        std::thread runner([&] { (void)sandbox->run(); });
        std::this_thread::sleep_for(milliseconds(20));
        fault_in_the_host();
      },
      ::testing::ExitedWithCode(42), "");
}

int g_foreign_signals = 0;
void count_foreign(int, siginfo_t*, void*) { ++g_foreign_signals; }

TEST_F(HostStateDeathTest, OtherUsesOfTheStopSignalReachTheirHandler) {
  EXPECT_EXIT(
      {
        handle(SIGURG, count_foreign);
        let_a_guest_fault();
        ::raise(SIGURG);
        const auto sandbox = generic("pub @main:\n a0 = a0 + 1\n jump @main");
        const pthread_t self = ::pthread_self();
        std::thread other([&] {
          for (int i = 0; i < 100; ++i) ::pthread_kill(self, SIGURG);
          sandbox->interrupt();
        });
        if (sandbox->run()->kind != InterruptKind::kInterrupted) _exit(92);
        other.join();
        // Some of a hundred become one while the first is pending.
        _exit(g_foreign_signals >= 2 ? 0 : 93);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(HostStateTest, ForeignStopSignalDoesNotStopAGuest) {
  const auto sandbox = generic(kEndless);
  const pthread_t self = ::pthread_self();
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) ::pthread_kill(self, SIGURG);
    std::this_thread::sleep_for(milliseconds(5));
    sandbox->interrupt();
  });
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kInterrupted);
  other.join();
  sandbox->set_next_program_counter(0);
  EXPECT_EQ(sandbox->run({.deadline = milliseconds(2)})->kind, InterruptKind::kDeadlineExceeded);
}

// Every way out of a guest: fault, dynamic jump, trap, request by signal, deadline, memset.
void leave_guests_in_every_way() {
  let_a_guest_fault();
  EXPECT_EQ(generic("trap")->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(generic("memset\n a2 = i64 0xffffffff\n memset\n trap")->run()->trap, TrapKind::kMemoryAccess);
  EXPECT_EQ(generic(kEndless)->run({.deadline = milliseconds(2)})->kind, InterruptKind::kDeadlineExceeded);
  const auto endless = generic(kEndless);
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(2));
    endless->interrupt();
  });
  EXPECT_EQ(endless->run()->kind, InterruptKind::kInterrupted);
  other.join();
}

TEST_F(HostStateTest, SignalMaskIsAsBefore) {
  sigset_t mask, before, after;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  sigaddset(&mask, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &mask, nullptr);
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  for (int i = 0; i < 10; ++i) leave_guests_in_every_way();
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal = 1; signal < SIGRTMAX; ++signal) {
    EXPECT_EQ(sigismember(&before, signal), sigismember(&after, signal)) << "signal " << signal;
  }
  ::pthread_sigmask(SIG_UNBLOCK, &mask, nullptr);
}

TEST_F(HostStateTest, FloatingPointSettingsAreAsBefore) {
  constexpr uint32_t kFlushTowardsZero = 0xff80;
  const uint32_t usual = _mm_getcsr();
  uint16_t usual_x87 = 0;
  asm volatile("fnstcw %0" : "=m"(usual_x87));
  const uint16_t single_precision = usual_x87 & ~0x300;
  for (int i = 0; i < 10; ++i) {
    _mm_setcsr(kFlushTowardsZero);
    asm volatile("fldcw %0" : : "m"(single_precision));
    leave_guests_in_every_way();
    const uint32_t after = _mm_getcsr();
    uint16_t after_x87 = 0;
    asm volatile("fnstcw %0" : "=m"(after_x87));
    _mm_setcsr(usual);
    asm volatile("fldcw %0" : : "m"(usual_x87));
    ASSERT_EQ(after & ~0x3fu, kFlushTowardsZero & ~0x3fu);  // but for what has happened so far
    ASSERT_EQ(after_x87, single_precision);
  }
}

TEST_F(HostStateTest, SignalStackOfTheHostIsKept) {
  std::thread([] {
    constexpr size_t kBytes = 256 << 10;
    void* memory =
        ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    const stack_t own = {.ss_sp = memory, .ss_flags = 0, .ss_size = kBytes};
    ASSERT_EQ(::sigaltstack(&own, nullptr), 0);
    leave_guests_in_every_way();
    stack_t after = {};
    ASSERT_EQ(::sigaltstack(nullptr, &after), 0);
    EXPECT_EQ(after.ss_sp, memory);
    EXPECT_EQ(after.ss_size, kBytes);
    EXPECT_EQ(after.ss_flags, 0);  // not in use: nobody thinks a handler is still running on it
    const stack_t none = {.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
    ASSERT_EQ(::sigaltstack(&none, nullptr), 0);
    ::munmap(memory, kBytes);
  }).join();
}

// The library's own signal stack serves fault after fault: none of them uses it up.
TEST_F(HostStateTest, ThousandsOfFaultsLeaveNoTrace) {
  const auto sandbox = generic("a0 = a0 + 1\n a1 = u8 [0]\n trap");
  for (uint64_t i = 1; i <= 20'000; ++i) {
    sandbox->set_next_program_counter(0);
    ASSERT_EQ(sandbox->run()->trap, TrapKind::kMemoryAccess);
    ASSERT_EQ(sandbox->reg(Reg::a0), i);
  }
}

// A child has a thread of its own, with another number and without the timers of its parent.
TEST_F(HostStateTest, ForkedChildRunsGuestsAndDeadlines) {
  const auto sandbox = generic(kEndless);
  ASSERT_EQ(sandbox->run({.deadline = milliseconds(1)})->kind, InterruptKind::kDeadlineExceeded);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::alarm(20);
    if (sandbox->run({.deadline = milliseconds(1)})->kind != InterruptKind::kDeadlineExceeded) _exit(1);
    std::thread other([&] {
      std::this_thread::sleep_for(milliseconds(2));
      sandbox->interrupt();
    });
    _exit(sandbox->run()->kind == InterruptKind::kInterrupted ? (other.join(), 0) : 2);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << std::hex << status;
  EXPECT_EQ(sandbox->run({.deadline = milliseconds(1)})->kind, InterruptKind::kDeadlineExceeded);
}

}  // namespace
}  // namespace sandglass
