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
// A worker that used less than half of the time it was waited for has been starved; shorter waits than this
// say nothing.
constexpr uint64_t kStarvedNs = 200'000;
// A turn shorter than this is worth looking for.
constexpr uint64_t kQuickTurnNs = 15'000;
// How many of them earn the far seat: at first, and after it has turned out to be too expensive.
constexpr uint32_t kFirstTurnsToFar = 256, kTurnsToFarAgain = 20'000, kMostTurnsToFar = 2'000'000;
constexpr uint32_t kTurnsToFarWithRoom = 16;
constexpr uint32_t kSettledTurns = 64;
constexpr uint32_t kSlowTurns = 4;
// On its way to the far seat: how many turns, and how much longer the host looks.
constexpr uint32_t kArrivingTurns = 3, kLooksPerArrival = 20;
// A guest that works for longer than this may do so on any core. Longer than a tick of the scheduler: a timer
// that is the next one of its core has to be set in hardware, which takes 15 us in a virtual machine.
constexpr uint64_t kLongTurnNs = 10'000'000;

void futex_wake(uint32_t* word, int count) {
  ::syscall(SYS_futex, word, FUTEX_WAKE, count, nullptr, nullptr, 0);
}

// Sleeps while *word is `value`, until `deadline_ns` (absolute). False when the time is over.
constexpr uint64_t kForEver = UINT64_MAX;
bool futex_wait(uint32_t* word, uint32_t value, uint64_t deadline_ns) {
  const timespec deadline = {.tv_sec = static_cast<time_t>(deadline_ns / 1'000'000'000),
                             .tv_nsec = static_cast<long>(deadline_ns % 1'000'000'000)};
  const long result =
      ::syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value, deadline_ns == kForEver ? nullptr : &deadline,
                nullptr, FUTEX_BITSET_MATCH_ANY);
  return result == 0 || errno != ETIMEDOUT;
}

// The next command is written to a line that the worker looks at: asked for now, it arrives while the answer
// is being read. Host functions that take longer than that lose nothing by it.
void fetch_for_writing(const HostPage* page) { asm volatile("prefetchw %0" : : "m"(page->sequence)); }

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

int move_to_this_core(pid_t process_id) {
  const int core = ::sched_getcpu();
  move_to_core(process_id, core);
  return core;
}

void allow_all_cores(pid_t process_id) {
  if (process_id != 0) ::sched_setaffinity(process_id, sizeof kAllCores, &kAllCores);
}

uint64_t monotonic_ns() { return read_ns(CLOCK_MONOTONIC); }

uint64_t cpu_time_ns(pid_t process_id) {
  clockid_t clock;
  return ::clock_getcpuclockid(process_id, &clock) == 0 ? read_ns(clock) : 0;
}

bool FarAccount::charge(uint64_t turns, uint64_t starved_ns) {
  // More of either says no more.
  const auto saved_ns = static_cast<int64_t>(std::min<uint64_t>(turns, kMostNs)) * kSavedPerTurnNs;
  balance_ns_ = std::min(balance_ns_ + saved_ns, kMostNs);
  balance_ns_ -= static_cast<int64_t>(std::min<uint64_t>(starved_ns, 2 * kMostNs));
  return balance_ns_ >= 0;
}

void Turns::begin(HostPage* host, WorkerPage* worker, pid_t process_id, const WaitPolicy& policy,
                  const std::atomic<bool>* has_died, int core) {
  has_died_ = has_died;
  host_ = host;
  worker_ = worker;
  process_id_ = process_id;
  policy_ = policy;
  turns_to_far_ = kFirstTurnsToFar;
  // Who never moves the worker cannot afford that both go to sleep: each would have to wake the other one for
  // ever.
  if (policy.mode == WaitPolicy::Mode::kSpin) policy_.looks *= kLooksPerArrival;
  host_->looks = policy.mode == WaitPolicy::Mode::kSameCore ? 0 : policy_.looks;
  host_->core = static_cast<uint32_t>(::sched_getcpu());
  if (policy.mode == WaitPolicy::Mode::kSpin) return seat_anywhere();
  near_core_ = core;
  statistics_.seat = Seat::kNear;
}

void Turns::post(WorkerCommand command) {
  const int core = ::sched_getcpu();
  ++statistics_.turns;
  take_seat(core);
  host_->command = command;
  host_->core = static_cast<uint32_t>(core);
  previous_ = sequence_;
  has_answered_early_ =
      __atomic_load_n(&worker_->sequence, __ATOMIC_ACQUIRE) != previous_ && !has_died_->load();
  // 0 and kWorkerDied are no numbers of commands.
  sequence_ = sequence_ + 1 == kWorkerDied ? kFirstSequence + 1 : sequence_ + 1;
  // Not one locked store: that would wait for the line before it looks at what the worker does.
  __atomic_store_n(&host_->sequence, sequence_, __ATOMIC_RELEASE);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (__atomic_load_n(&worker_->worker_sleeps, __ATOMIC_RELAXED) != 0) futex_wake(&host_->sequence, 1);
}

Turns::Answer Turns::wait(uint64_t deadline_ns, const uint32_t* poke) {
  if (has_answered_early_) return Answer::kNonsense;
  uint32_t* const word = &worker_->sequence;
  uint32_t now = __atomic_load_n(word, __ATOMIC_ACQUIRE);
  for (uint32_t looks = looks_worth_taking(); now == previous_ && looks > 0; --looks) {
    if (looks % kLooksPerClockReading == 0) {
      __builtin_ia32_pause();
      if (deadline_ns != 0 && monotonic_ns() >= deadline_ns) break;
    }
    now = __atomic_load_n(word, __ATOMIC_ACQUIRE);
  }
  if (now == sequence_) {
    fetch_for_writing(host_);
    slow_turns_ = 0;
    return Answer::kDone;
  }
  return sleep(deadline_ns, poke);
}

uint32_t Turns::looks_worth_taking() {
  if (statistics_.seat == Seat::kFar) {
    // On its way there the worker slept, and is still being woken up. Whoever went to sleep meanwhile would
    // have to be woken up in his turn, and so on.
    const bool is_arriving = arriving_turns_ > 0;
    if (is_arriving) --arriving_turns_;
    return is_arriving ? kLooksPerArrival * policy_.looks : policy_.looks;
  }
  const bool is_on_other_core =
      __atomic_load_n(&worker_->core, __ATOMIC_RELAXED) != static_cast<uint32_t>(::sched_getcpu());
  return is_on_other_core ? policy_.looks : 0;
}

Turns::Answer Turns::sleep(uint64_t deadline_ns, const uint32_t* poke) {
  uint32_t* const word = &worker_->sequence;
  ++statistics_.sleeps;
  const bool is_far = statistics_.seat == Seat::kFar;
  if (is_far) ++slow_turns_;
  bool has_seat = policy_.mode == WaitPolicy::Mode::kAdaptive && statistics_.seat != Seat::kAnywhere;
  const uint64_t begin_ns = has_seat ? monotonic_ns() : 0;
  const uint64_t begin_cpu_ns = is_far ? cpu_time_ns(process_id_) : 0;
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
    uint64_t until_ns = deadline_ns == 0 ? kForEver : deadline_ns;
    if (poke != nullptr) until_ns = std::min(until_ns, monotonic_ns() + kLookAgainNs);
    if (has_seat) until_ns = std::min(until_ns, begin_ns + kLongTurnNs);
    if (futex_wait(word, now, until_ns)) continue;
    is_time_over = until_ns == deadline_ns;
    if (!has_seat) continue;
    has_seat = false;
    seat_anywhere();
  }
  __atomic_store_n(&host_->host_sleeps, 0, __ATOMIC_RELAXED);
  if (is_far) judge(monotonic_ns() - begin_ns, cpu_time_ns(process_id_) - begin_cpu_ns);
  return answer;
}

void Turns::wake_host() { futex_wake(&worker_->sequence, INT_MAX); }

// Seats. ---------------------------------------------------------------------------------------------------

void Turns::take_seat(int core) {
  if (policy_.mode == WaitPolicy::Mode::kSpin) return;
  if (policy_.mode == WaitPolicy::Mode::kSameCore) {
    if (core != near_core_) seat_near(core);
    return;
  }
  if (statistics_.seat == Seat::kFar) return keep_far(core);
  const uint64_t now_ns = monotonic_ns();
  // A long one in between may be an interrupt; many of them are the guest's way.
  quick_turns_ = now_ns - posted_ns_ < kQuickTurnNs ? quick_turns_ + 1 : quick_turns_ / 4 * 3;
  posted_ns_ = now_ns;
  const bool has_been_starved = turns_to_far_ != kFirstTurnsToFar;
  // The kernel has moved the host's thread away, so there is an idle core.
  const bool has_room = core != near_core_ && !has_been_starved && quick_turns_ >= kTurnsToFarWithRoom;
  if (has_room || quick_turns_ >= turns_to_far_) return seat_far(core);
  if (statistics_.seat == Seat::kAnywhere || core != near_core_) seat_near(core);
}

void Turns::keep_far(int core) {
  ++far_turns_;
  if (arriving_turns_ == 0) {
    if (slow_turns_ >= kSlowTurns) return seat_near(core);
    if (__atomic_load_n(&worker_->worker_sleeps, __ATOMIC_RELAXED) != 0) {
      // The host was away for a while: once in a long time that is an interrupt, and waking the worker up
      // where it is costs less than earning the seat again.
      if (far_turns_ < kSettledTurns) return seat_near(core);
      arriving_turns_ = kArrivingTurns;
      far_turns_ = 0;
    }
  }
  if (__atomic_load_n(&worker_->core, __ATOMIC_RELAXED) == static_cast<uint32_t>(core)) seat_far(core);
}

// Was the worker kept from running, and is its seat worth that?
void Turns::judge(uint64_t slept_ns, uint64_t worked_ns) {
  if (slept_ns < kStarvedNs || worked_ns >= slept_ns / 2) return;
  const bool is_worth_it = far_account_.charge(statistics_.turns - charged_turn_, slept_ns - worked_ns);
  charged_turn_ = statistics_.turns;
  if (far_account_.has_paid()) turns_to_far_ = kFirstTurnsToFar;
  if (is_worth_it) return;
  ++statistics_.starved;
  turns_to_far_ = std::min(std::max(2 * turns_to_far_, kTurnsToFarAgain), kMostTurnsToFar);
  slow_turns_ = kSlowTurns;
  arriving_turns_ = 0;
}

// The number of a process that is dead may belong to another one by now.
bool Turns::can_move() const {
  return process_id_ != 0 && __atomic_load_n(&worker_->sequence, __ATOMIC_RELAXED) != kWorkerDied;
}

void Turns::seat_near(int core) {
  if (!can_move()) return;
  move_to_core(process_id_, core);
  near_core_ = core;
  quick_turns_ = slow_turns_ = 0;
  ++statistics_.moves;
  statistics_.seat = Seat::kNear;
}

void Turns::seat_far(int core) {
  cpu_set_t others = kAllCores;
  CPU_CLR(core, &others);
  quick_turns_ = slow_turns_ = 0;
  if (!can_move() || CPU_COUNT(&others) == 0) return;
  ::sched_setaffinity(process_id_, sizeof others, &others);
  ++statistics_.moves;
  if (statistics_.seat != Seat::kFar) {
    far_account_ = {};
    charged_turn_ = statistics_.turns;
  }
  statistics_.seat = Seat::kFar;
  arriving_turns_ = kArrivingTurns;
  far_turns_ = 0;
}

void Turns::seat_anywhere() {
  if (can_move()) allow_all_cores(process_id_);
  near_core_ = -1;
  statistics_.seat = Seat::kAnywhere;
}

}  // namespace sandglass
