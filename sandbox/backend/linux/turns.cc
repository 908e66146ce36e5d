#include "sandbox/backend/linux/turns.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

namespace sandglass {
namespace {

// Reading the clock costs as much as a few looks.
constexpr uint32_t kLooksPerClockReading = 64;
// A poke that comes between the look at it and the sleep wakes nobody. A worker that works answers its signal
// nevertheless; for one that is stopped or hostile, the host looks again after this time.
constexpr uint64_t kLookAgainNs = 50'000'000;
// A worker that used less than half of the time it was waited for has been starved; shorter waits say
// nothing.
constexpr uint64_t kStarvedNs = 200'000;
constexpr uint32_t kStarvedWaits = 2;
// How long a worker is kept on one core, in turns of a few microseconds.
constexpr uint64_t kFirstStayTurns = 20'000, kLongestStayTurns = 2'000'000;

void futex_wake(uint32_t* word, int count) {
  ::syscall(SYS_futex, word, FUTEX_WAKE, count, nullptr, nullptr, 0);
}

// Sleeps while *word is `value`, until `deadline_ns` (absolute; 0: for ever). False when the time is over.
bool futex_wait(uint32_t* word, uint32_t value, uint64_t deadline_ns) {
  const timespec deadline = {.tv_sec = static_cast<time_t>(deadline_ns / 1'000'000'000),
                             .tv_nsec = static_cast<long>(deadline_ns % 1'000'000'000)};
  const long result = ::syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value,
                                deadline_ns == 0 ? nullptr : &deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
  return result == 0 || errno != ETIMEDOUT;
}

uint64_t read_ns(clockid_t clock) {
  timespec now;
  if (::clock_gettime(clock, &now) != 0) return 0;
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// The cores that this process could use when it was started.
// Asked before main(): whoever runs the first guest may have pinned its thread by then.
const cpu_set_t kAllCores = [] {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(::getpid(), sizeof set, &set);
  return set;
}();

// 0 would be the calling thread.
void move_to_core(pid_t process_id, int core) {
  if (process_id == 0) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  ::sched_setaffinity(process_id, sizeof one, &one);
}

}  // namespace

void move_to_this_core(pid_t process_id) { move_to_core(process_id, ::sched_getcpu()); }

void allow_all_cores(pid_t process_id) {
  if (process_id != 0) ::sched_setaffinity(process_id, sizeof kAllCores, &kAllCores);
}

uint64_t monotonic_ns() { return read_ns(CLOCK_MONOTONIC); }

uint64_t cpu_time_ns(pid_t process_id) {
  clockid_t clock;
  return ::clock_getcpuclockid(process_id, &clock) == 0 ? read_ns(clock) : 0;
}

void Turns::begin(HostPage* host, WorkerPage* worker, pid_t process_id, const WaitPolicy& policy,
                  const std::atomic<bool>* has_died) {
  has_died_ = has_died;
  host_ = host;
  worker_ = worker;
  process_id_ = process_id;
  policy_ = policy;
  next_stay_turns_ = kFirstStayTurns;
  host_->looks = policy.mode == WaitPolicy::Mode::kSameCore ? 0 : policy.looks;
  host_->core = static_cast<uint32_t>(::sched_getcpu());
}

void Turns::post(WorkerCommand command) {
  const int core = ::sched_getcpu();
  ++statistics_.turns;
  if (policy_.mode == WaitPolicy::Mode::kSameCore) {
    if (core != kept_on_core_) keep_on_core(core);
  } else if (kept_on_core_ >= 0) {
    if (--turns_until_let_go_ == 0) {
      let_go();
    } else if (core != kept_on_core_) {
      keep_on_core(core);
    }
  }
  host_->command = command;
  host_->core = static_cast<uint32_t>(core);
  previous_ = sequence_;
  has_answered_early_ =
      __atomic_load_n(&worker_->sequence, __ATOMIC_ACQUIRE) != previous_ && !has_died_->load();
  // 0 and kWorkerDied are no numbers of commands.
  sequence_ = sequence_ + 1 == kWorkerDied ? kFirstSequence + 1 : sequence_ + 1;
  __atomic_store_n(&host_->sequence, sequence_, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&worker_->worker_sleeps, __ATOMIC_SEQ_CST) != 0) futex_wake(&host_->sequence, 1);
}

Turns::Answer Turns::wait(uint64_t deadline_ns, const uint32_t* poke) {
  if (has_answered_early_) return Answer::kNonsense;
  uint32_t* const word = &worker_->sequence;
  uint32_t now = __atomic_load_n(word, __ATOMIC_ACQUIRE);
  const bool is_on_other_core =
      __atomic_load_n(&worker_->core, __ATOMIC_RELAXED) != static_cast<uint32_t>(::sched_getcpu());
  for (uint32_t looks = is_on_other_core ? policy_.looks : 0; now == previous_ && looks > 0; --looks) {
    if (looks % kLooksPerClockReading == 0) {
      __builtin_ia32_pause();
      if (deadline_ns != 0 && monotonic_ns() >= deadline_ns) break;
    }
    now = __atomic_load_n(word, __ATOMIC_ACQUIRE);
  }
  if (now == sequence_) return Answer::kDone;
  return sleep(deadline_ns, poke);
}

Turns::Answer Turns::sleep(uint64_t deadline_ns, const uint32_t* poke) {
  uint32_t* const word = &worker_->sequence;
  ++statistics_.sleeps;
  const bool judges = policy_.mode == WaitPolicy::Mode::kAdaptive && kept_on_core_ < 0 && process_id_ != 0;
  const uint64_t begin_ns = judges ? monotonic_ns() : 0;
  const uint64_t begin_cpu_ns = judges ? cpu_time_ns(process_id_) : 0;
  Answer answer = Answer::kDone;
  bool is_time_over = false;
  __atomic_store_n(&host_->host_sleeps, 1, __ATOMIC_SEQ_CST);
  for (;;) {
    const uint32_t now = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    if (now == sequence_) break;
    if (now != previous_) {
      answer = now == kWorkerDied && has_died_->load() ? Answer::kDied : Answer::kNonsense;
      break;
    }
    if (poke != nullptr && __atomic_load_n(poke, __ATOMIC_SEQ_CST) != 0) {
      answer = Answer::kPoked;
      break;
    }
    if (is_time_over) {
      answer = Answer::kTimedOut;
      break;
    }
    uint64_t until_ns = deadline_ns;
    if (poke != nullptr) {
      const uint64_t again_ns = monotonic_ns() + kLookAgainNs;
      until_ns = deadline_ns == 0 ? again_ns : std::min(deadline_ns, again_ns);
    }
    is_time_over = !futex_wait(word, now, until_ns) && until_ns == deadline_ns;
  }
  __atomic_store_n(&host_->host_sleeps, 0, __ATOMIC_RELAXED);
  if (judges && answer != Answer::kDied)
    judge(monotonic_ns() - begin_ns, cpu_time_ns(process_id_) - begin_cpu_ns);
  return answer;
}

void Turns::wake_host() { futex_wake(&worker_->sequence, INT_MAX); }

// Cores.
// ------------------------------------------------------------------------------------------------------

// Was the worker kept from running? Then there are more threads than cores, and looking only makes it worse.
void Turns::judge(uint64_t slept_ns, uint64_t worked_ns) {
  if (slept_ns < kStarvedNs) return;
  starved_ = worked_ns < slept_ns / 2 ? starved_ + 1 : 0;
  if (starved_ < kStarvedWaits) return;
  starved_ = 0;
  turns_until_let_go_ = next_stay_turns_;
  next_stay_turns_ = std::min(2 * next_stay_turns_, kLongestStayTurns);
  keep_on_core(::sched_getcpu());
}

// The number of a process that is dead may belong to another one by now.
bool Turns::can_move() const {
  return process_id_ != 0 && __atomic_load_n(&worker_->sequence, __ATOMIC_RELAXED) != kWorkerDied;
}

void Turns::keep_on_core(int core) {
  if (!can_move()) return;
  move_to_core(process_id_, core);
  kept_on_core_ = core;
  host_->looks = 0;
  ++statistics_.moves;
  statistics_.is_on_one_core = true;
}

void Turns::let_go() {
  if (can_move()) allow_all_cores(process_id_);
  kept_on_core_ = -1;
  host_->looks = policy_.looks;
  statistics_.is_on_one_core = false;
}

}  // namespace sandglass
