// Question: how soon is a killed process gone?
// Unit:     time of one death; every one is measured by itself (p50_ns, p99_ns).
// Timed:    raw: from sending SIGKILL to a static program without a C library until its pidfd is readable.
//           same_core, other_core: the process sleeps, and shares our core or has another;
//           other_core_running: it is busy on another core.
//           linux: the same for a worker that waits for a command on our core or another; running: its guest
//           runs; running_noticed: the same, until run() has returned in another thread.
//           hogs: the same while two other processes use all the CPU they can get.
// Not timed: starting the process, which has run and said so; reaping it.
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/affinity.h"
#include "bench/families.h"
#include "bench/jailed_rows.h"
#include "bench/tiny_program.h"

namespace sandglass::bench {
namespace {

struct KillCase {
  std::string_view name;
  const char* behaviour;  // of the tiny program
  bool on_other_core;
};

constexpr KillCase kKills[] = {
    {"same_core", "pause", false},
    {"other_core", "pause", true},
    {"other_core_running", "spin", true},
};

class RawKill {
 public:
  static constexpr bool kIsLatency = true;

  static Result<std::unique_ptr<RawKill>> create(const KillCase& kill) {
    const Cores cores = kill.on_other_core ? SG_TRY(two_cores()) : same_core();
    TinyProgram program = SG_TRY(TinyProgram::create());
    ScopedPin pin = SG_TRY(ScopedPin::to(cores.caller));
    return std::unique_ptr<RawKill>(new RawKill(kill, cores, std::move(program), std::move(pin)));
  }

  bool run(Nanoseconds& spent) {
    Result<Child> victim = start();
    if (!victim) return false;
    pollfd death = {.fd = victim->pidfd(), .events = POLLIN, .revents = 0};
    const auto start = Clock::now();
    const bool is_sent = syscall(SYS_pidfd_send_signal, victim->pidfd(), SIGKILL, nullptr, 0) == 0;
    const bool is_dead = is_sent && poll(&death, 1, kPatienceMs) == 1;
    spent = Clock::now() - start;
    const int status = victim->reap();
    return is_dead && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }

 private:
  static constexpr int kPatienceMs = 10'000;

  RawKill(const KillCase& kill, Cores cores, TinyProgram program, ScopedPin pin)
      : kill_(kill), cores_(cores), program_(std::move(program)), pin_(std::move(pin)) {}

  Result<Child> start() const {
    Child child = SG_TRY(program_.start_idler(kill_.behaviour, CLONE_PIDFD));
    SG_TRY(pin_process(child.pid(), cores_.peer));
    sched_yield();  // on our core, the child may not have got to sleep yet
    return child;
  }

  const KillCase& kill_;
  Cores cores_;
  TinyProgram program_;
  ScopedPin pin_;
};

}  // namespace

void add_kill(Suite& suite) {
  add_jailed_kills(suite);
  for (const KillCase& kill : kKills) {
    suite.add(
        fmt::format("kill/raw/{}", kill.name), [&kill] { return RawKill::create(kill); },
        benchmark::kMicrosecond);
  }
}

}  // namespace sandglass::bench
