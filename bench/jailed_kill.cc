#include <fmt/format.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <future>

#include "bench/guests.h"
#include "bench/jailed_guests.h"
#include "bench/jailed_rows.h"
#include "sandbox/backend/linux/jail.h"
#include "workloads/workloads.h"

namespace sandglass::bench {
namespace {

constexpr int kPatienceMs = 10'000;

bool is_over(Clock::time_point since) {
  return Clock::now() - since > std::chrono::milliseconds(kPatienceMs);
}

// Yields until it is so. False: not in time.
template <typename Condition>
bool wait_until(Condition condition) {
  for (const auto start = Clock::now(); !condition(); sched_yield()) {
    if (is_over(start)) return false;
  }
  return true;
}

bool kill_by_pidfd(const Worker& worker) {
  return syscall(SYS_pidfd_send_signal, worker.pidfd(), SIGKILL, nullptr, 0) == 0;
}

uint32_t load(const uint32_t& word) { return __atomic_load_n(&word, __ATOMIC_SEQ_CST); }

// A worker that sleeps, waiting for a command.
class IdleKill {
 public:
  static constexpr bool kIsLatency = true;

  static Result<std::unique_ptr<IdleKill>> create(const Seating& seating, size_t hogs = 0) {
    std::unique_ptr<SeatedJail> jail = SG_TRY(SeatedJail::create(seating, hogs));
    return std::unique_ptr<IdleKill>(new IdleKill(std::move(jail)));
  }

  bool run(Nanoseconds& spent) {
    const Result<std::unique_ptr<Worker>> spawned = jail_->worker();
    if (!spawned) return false;
    const Worker& worker = **spawned;
    const bool is_killed = wait_for_sleep(worker) && kill(worker, spent);
    // The supervisor has noticed, too.
    const bool is_noticed =
        is_killed && wait_until([&] { return load(worker.shared().sequence) == kWorkerDied; });
    jail_->jail().forget(worker);
    return is_noticed;
  }

 private:
  explicit IdleKill(std::unique_ptr<SeatedJail> jail) : jail_(std::move(jail)) {}

  static bool wait_for_sleep(const Worker& worker) {
    return wait_until([&] { return load(worker.shared().worker_sleeps) != 0; });
  }
  static bool kill(const Worker& worker, Nanoseconds& spent) {
    sched_yield();  // it says that it sleeps right before it does
    const auto start = Clock::now();
    const bool is_dead = kill_by_pidfd(worker) && is_gone(worker, kPatienceMs);
    spent = Clock::now() - start;
    return is_dead;
  }

  std::unique_ptr<SeatedJail> jail_;
};

// Its data tells that it runs.
constexpr std::string_view kEndlessGuest = R"(
%rw_data_size = 4096
pub @main:
    t0 = 0x20000
    u64 [t0] = sp
@loop:
    jump @loop
)";

// A guest that runs, in a thread of its own. until_noticed: until run() has returned there; otherwise until
// the pidfd is readable.
class RunningKill {
 public:
  static constexpr bool kIsLatency = true;

  static Result<std::unique_ptr<RunningKill>> create(bool until_noticed, size_t hogs = 0) {
    const auto program = SG_TRY(sandglass::load(kEndlessGuest));
    auto module = SG_TRY(Module::create(program, {.backend = Backend::kLinux, .gas = GasMetering::kNone}));
    auto guests = SG_TRY(JailedGuests::create(kAnywhere, {.max_idle = 0}, hogs));
    return std::unique_ptr<RunningKill>(new RunningKill(std::move(module), std::move(guests), until_noticed));
  }

  bool run(Nanoseconds& spent) {
    const Result<std::unique_ptr<Sandbox>> sandbox = guests_->sandbox(module_);
    if (!sandbox || !(*sandbox)->prepare_call("main", {})) return false;
    const Worker& worker = worker_of(**sandbox);
    std::future<End> running = std::async(std::launch::async, [&] {
      const Result<Interrupt> stop = (*sandbox)->run();
      return End{Clock::now(), !stop && stop.error().kind == ErrorKind::kWorkerDied};
    });
    const auto& word = *reinterpret_cast<const uint32_t*>(worker.memory() + kFirstData);
    const bool is_running = wait_until([&] { return load(word) != 0; });
    const auto start = Clock::now();
    const bool is_killed = kill_by_pidfd(worker);
    if (!until_noticed_) {
      is_gone(worker, kPatienceMs);
      spent = Clock::now() - start;
    }
    const End end = running.get();
    if (until_noticed_) spent = end.time - start;
    return is_running && is_killed && end.is_right && is_gone(worker, 0);
  }

 private:
  static constexpr uint32_t kFirstData = 0x20000;
  struct End {
    Clock::time_point time;
    bool is_right;
  };

  RunningKill(std::shared_ptr<const Module> module, std::unique_ptr<JailedGuests> guests, bool until_noticed)
      : module_(std::move(module)), guests_(std::move(guests)), until_noticed_(until_noticed) {}

  std::shared_ptr<const Module> module_;
  std::unique_ptr<JailedGuests> guests_;
  bool until_noticed_;
};

}  // namespace

void add_jailed_kills(Suite& suite) {
  constexpr auto kUnit = benchmark::kMicrosecond;
  suite.add(
      "kill/linux/same_core", [] { return IdleKill::create(kSameCore); }, kUnit);
  suite.add(
      "kill/linux/other_core", [] { return IdleKill::create(kCrossCore); }, kUnit);
  suite.add(
      "kill/linux/running", [] { return RunningKill::create(false); }, kUnit);
  suite.add(
      "kill/linux/running_noticed", [] { return RunningKill::create(true); }, kUnit);
  suite.add(
      "kill/linux/same_core/hogs", [] { return IdleKill::create(kSameCore, kHogs); }, kUnit);
  suite.add(
      "kill/linux/running_noticed/hogs", [] { return RunningKill::create(true, kHogs); }, kUnit);
}

}  // namespace sandglass::bench
