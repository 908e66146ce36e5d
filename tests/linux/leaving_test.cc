// A request to stop that finds the guest on its way out, at each machine instruction of that way: the guest
// goes on leaving, and what it leaves with is right.
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "sandbox/backend/linux/linux_sandbox.h"
#include "tests/backend/guest.h"

namespace sandglass {
namespace {

// Says that it is there, waits for a word of the host's, and leaves.
constexpr uint32_t kHostsWord = 0x20000, kGuestsWord = 0x20004;
constexpr std::string_view kGuest = R"(
%rw_data_size = 4096
  u32 [0x20004] = 1
@main:
  a0 = u32 [0x20000]
  jump @main if a0 == 0
  s1 = s1 + 5
  a5 = a5 + 6
  ecalli 7
  trap
)";

// Holds a worker at its machine instructions, as a debugger does.
class Stepper {
 public:
  // False when this process may not.
  bool attach(pid_t process) {
    process_ = process;
    if (::ptrace(PTRACE_SEIZE, process, 0, 0) != 0) return false;
    return ::ptrace(PTRACE_INTERRUPT, process, 0, 0) == 0 && is_stopped();
  }
  uint64_t place() const {
    user_regs_struct registers = {};
    EXPECT_EQ(::ptrace(PTRACE_GETREGS, process_, 0, &registers), 0);
    return registers.rip;
  }
  bool step() { return ::ptrace(PTRACE_SINGLESTEP, process_, 0, 0) == 0 && is_stopped(); }
  // Lets it go with the signal that has been sent to it.
  bool release_with_signal(int signal) {
    return ::ptrace(PTRACE_CONT, process_, 0, 0) == 0 && is_stopped() && WSTOPSIG(status_) == signal &&
           ::ptrace(PTRACE_DETACH, process_, 0, signal) == 0;
  }

 private:
  bool is_stopped() { return ::waitpid(process_, &status_, __WALL) == process_ && WIFSTOPPED(status_); }

  pid_t process_ = 0;
  int status_ = 0;
};

class LeavingTest : public ::testing::TestWithParam<GasMetering> {};

TEST_P(LeavingTest, RequestToStopAtAnyInstructionChangesNothing) {
  const auto module = module_for(kGuest, {.backend = Backend::kLinux, .gas = GetParam()});
  const uint64_t routines_end = worker_space::kCode + module->native_code()->tables().trampolines.end;
  const auto is_leaving = [&](uint64_t place) {
    return place >= worker_space::kCode && place < routines_end;
  };
  int places = 0;
  for (bool is_inside = true; is_inside; ++places) {
    SCOPED_TRACE(places);
    const auto sandbox = Sandbox::create(module).value();
    sandbox->set_next_program_counter(0);
    const Worker& worker = static_cast<const LinuxSandbox&>(*sandbox).worker();
    Result<Interrupt> stop{Interrupt{}};
    std::jthread runner([&] { stop = sandbox->run({.deadline = std::chrono::seconds(20)}); });
    while (__atomic_load_n(worker.memory() + kGuestsWord, __ATOMIC_SEQ_CST) == 0) std::this_thread::yield();
    Stepper stepper;
    const bool is_attached = stepper.attach(worker.process_id());
    __atomic_store_n(worker.memory() + kHostsWord, 1, __ATOMIC_SEQ_CST);
    if (!is_attached) {
      runner.join();
      GTEST_SKIP() << "workers cannot be traced";
    }
    for (int steps = 0; !is_leaving(stepper.place()) && steps < 100'000; ++steps) ASSERT_TRUE(stepper.step());
    for (int i = 0; i < places; ++i) ASSERT_TRUE(stepper.step());
    is_inside = is_leaving(stepper.place());
    sandbox->interrupt();
    EXPECT_TRUE(stepper.release_with_signal(kWorkerStopSignal));
    runner.join();
    ASSERT_TRUE(stop) << to_string(stop.error());
    EXPECT_EQ(stop->kind, InterruptKind::kHostCall);
    EXPECT_EQ(stop->host_call, 7u);
    EXPECT_EQ(sandbox->reg(Reg::a0), 1u);
    EXPECT_EQ(sandbox->reg(Reg::s1), 5u);
    EXPECT_EQ(sandbox->reg(Reg::a5), 6u);
    // Nobody has answered the request yet.
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kInterrupted);
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  }
  EXPECT_GT(places, 10);
}

INSTANTIATE_TEST_SUITE_P(Metering, LeavingTest, ::testing::Values(GasMetering::kNone, GasMetering::kSync));

}  // namespace
}  // namespace sandglass
