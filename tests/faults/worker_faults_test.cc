// Faults at chosen moments: what worker_faults finds by chance, one by one.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "sandbox/backend/linux/linux_sandbox.h"
#include "sandbox/backend/linux/socket_messages.h"
#include "sandbox/pool/worker_pool.h"
#include "tests/backend/guest.h"
#include "tests/faults/processes.h"
#include "tests/linux/child.h"

namespace sandglass::faults {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

std::shared_ptr<const Module> endless(bool is_dynamic = false) {
  return module_for(kEndless, {.backend = Backend::kLinux, .dynamic_paging = is_dynamic});
}

const Worker& worker_of(const Sandbox& sandbox) { return static_cast<const LinuxSandbox&>(sandbox).worker(); }

void signal(const Sandbox& sandbox, int number) {
  ASSERT_EQ(::syscall(SYS_pidfd_send_signal, worker_of(sandbox).pidfd(), number, nullptr, 0), 0);
}

cpu_set_t cores_of(pid_t process) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  EXPECT_EQ(::sched_getaffinity(process, sizeof cores, &cores), 0);
  return cores;
}

// The zygote may be late to tell of the template, who is then ready before its pidfd is there.
TEST(JailFaults, LaunchOnABusyMachineKnowsItsTemplateAndItsWorkers) {
  constexpr int kThreads = 6, kLaunches = 100;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([] {
        for (int i = 0; i < kLaunches; ++i) {
          const std::unique_ptr<Jail> jail = Jail::launch({}).value();
          const auto worker = jail->spawn(false);
          ASSERT_TRUE(worker) << to_string(worker.error());
          EXPECT_EQ(parent_of(parent_of((*worker)->process_id())), ::getpid());
          jail->forget(**worker);
        }
      });
    }
  }
  EXPECT_EQ(count_holdings().children, 0u);
}

TEST(WorkerFaults, DeathBeforeAPageIsServedIsADeath) {
  for (int i = 0; i < 50; ++i) {
    const auto sandbox = Sandbox::create(endless(true)).value();
    signal(*sandbox, SIGKILL);
    // The death may be at any point of its way.
    std::this_thread::sleep_for(microseconds(10 * i));
    Status status;
    for (uint32_t page = 0; status && page < 10'000; ++page)
      status = sandbox->provide(0x20000 + page * 4096, 4096, Protection::kRead);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kWorkerDied) << to_string(status.error());
  }
}

TEST(WorkerFaults, DeathWhileADynamicModuleIsLoadedIsADeath) {
  for (int i = 0; i < 50; ++i) {
    const std::shared_ptr<WorkerPool> pool = WorkerPool::create({.max_idle = 1}).value();
    std::jthread killer([&] {
      std::this_thread::sleep_for(microseconds(5 * i));
      for (const pid_t worker : find_jail_processes().workers) ::kill(worker, SIGKILL);
    });
    const auto sandbox = Sandbox::create(endless(true), {.workers = pool});
    if (!sandbox) {
      EXPECT_EQ(sandbox.error().kind, ErrorKind::kWorkerDied) << to_string(sandbox.error());
    }
  }
}

// Nobody but the host's own look at the request can end these runs.
TEST(WorkerFaults, InterruptOfAStoppedWorkerEndsItsRun) {
  constexpr int kThreads = 16, kRounds = 2;
  const auto module = endless();
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&module, thread] {
      std::minstd_rand random(static_cast<unsigned>(thread + 1));
      for (int round = 0; round < kRounds; ++round) {
        const auto sandbox = Sandbox::create(module).value();
        ASSERT_TRUE(sandbox->prepare_call("main", {}));
        signal(*sandbox, SIGSTOP);
        // About as long as the host looks before it sleeps.
        std::jthread interrupter([&sandbox, pause_ns = random() % 60'000] {
          const auto end = steady_clock::now() + std::chrono::nanoseconds(pause_ns);
          while (steady_clock::now() < end) {
          }
          sandbox->interrupt();
        });
        // The deadline makes the test end.
        const auto begin = steady_clock::now();
        const Result<Interrupt> stop = sandbox->run({.deadline = seconds(20)});
        ASSERT_FALSE(stop);
        EXPECT_EQ(stop.error().kind, ErrorKind::kWorkerDied);
        EXPECT_LT(steady_clock::now() - begin, seconds(10));
      }
    });
  }
}

TEST(WorkerFaults, ShortStopsChangeNothing) {
  const auto sandbox = Sandbox::create(module_for("pub @main:\n a0 = a0 - 1\n jump @main if a0 != 0\n ret",
                                                  {.backend = Backend::kLinux, .gas = GasMetering::kNone}))
                           .value();
  ASSERT_TRUE(sandbox->prepare_call("main", {300'000'000}));
  std::jthread stopper([&sandbox](const std::stop_token& token) {
    while (!token.stop_requested()) {
      signal(*sandbox, SIGSTOP);
      std::this_thread::sleep_for(microseconds(500));
      signal(*sandbox, SIGCONT);
      std::this_thread::sleep_for(microseconds(500));
    }
  });
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kFinished);
  EXPECT_EQ(sandbox->reg(Reg::a0), 0u);
}

// The wake-up of a poke is lost when it comes right before the sleep; here there is none at all.
TEST(TurnsFaults, PokeThatWakesNobodyIsSeenSoon) {
  HostPage host = {};
  WorkerPage worker = {};
  std::atomic<bool> has_died = false;
  Turns turns;
  worker.sequence = kFirstSequence;
  turns.begin(&host, &worker, 0, {}, &has_died);
  turns.post(WorkerCommand::kRun);
  uint32_t poke = 0;
  const std::jthread poker([&poke] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    __atomic_store_n(&poke, 1, __ATOMIC_SEQ_CST);
  });
  const auto begin = steady_clock::now();
  EXPECT_EQ(turns.wait(monotonic_ns() + 5'000'000'000, &poke), Turns::Answer::kPoked);
  EXPECT_LT(steady_clock::now() - begin, seconds(2));
}

TEST(TurnsFaults, WorkerOfUnknownNumberIsNotTakenForTheCallingThread) {
  const cpu_set_t before = cores_of(0);
  HostPage host = {};
  WorkerPage worker = {};
  std::atomic<bool> has_died = false;
  Turns turns;
  turns.begin(&host, &worker, 0, {.mode = WaitPolicy::Mode::kSameCore}, &has_died);
  turns.post(WorkerCommand::kRun);
  move_to_this_core(0);
  const cpu_set_t after = cores_of(0);
  ::sched_setaffinity(0, sizeof before, &before);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

TEST(TurnsFaults, NumberOfADeadWorkerIsSomebodyElses) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "with one core there is nothing to see";
  const Child somebody = sleeping_child();
  const cpu_set_t before = cores_of(somebody.pid());
  HostPage host = {};
  WorkerPage worker = {};
  std::atomic<bool> has_died = true;
  Turns turns;
  turns.begin(&host, &worker, somebody.pid(), {.mode = WaitPolicy::Mode::kSameCore}, &has_died);
  worker.sequence = kWorkerDied;
  turns.post(WorkerCommand::kRun);
  const cpu_set_t after = cores_of(somebody.pid());
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

TEST(SocketFaults, SenderDoesNotWaitForOneWhoReadsNothing) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd ours(ends[0]), theirs(ends[1]);
  Status status;
  for (int i = 0; status && i < 1'000'000; ++i) status = send_message(ours.get(), "i", 1, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kWorkerDied);
}

}  // namespace
}  // namespace sandglass::faults
