// Turns: how the host gives the turn to a worker and waits for it back.
//
// Three ways to wait, and what a round trip costs (handoff/ in the suite measures them):
//
//   looking at the word   a few hundred nanoseconds when both sides have cores of their own; a disaster when
//                         one of them has to wait for a core that the other one burns
//   sleeping, same core   two microseconds whatever else runs: the kernel switches from one to the other
//   sleeping, other core  tens of microseconds: an idle core has to be woken up
//
// So each side says on which core it is, and nobody looks at the word of someone on its own core. In
// kAdaptive a worker has one of three seats:
//
//   near      the core of the host's thread. Where it starts, and where it is fetched back to when it went
//             to sleep, or when turns take so long that looking does not pay
//   far       any other core, after many short turns. One that waited there for the CPU, while it was waited
//             for, longer than all its turns have saved comes back, and has to earn the seat by more turns
//   anywhere  a guest that works for long: the kernel may put it where there is room
//
// The host's thread itself is never pinned.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>

#include "sandbox/abi/protocol.h"

namespace sandglass {

struct WaitPolicy {
  enum class Mode : uint8_t {
    kAdaptive,
    kSpin,      // never move the worker
    kSameCore,  // always keep it on the core of whoever runs it
  };
  Mode mode = Mode::kAdaptive;
  // How often each side looks before it sleeps; a look takes a few nanoseconds.
  uint32_t looks = 4000;
  // How long a worker may take to change its address space, which is a matter of microseconds, before it is
  // killed; a machine that is busy may take longer.
  std::chrono::nanoseconds command_timeout = std::chrono::seconds(5);
};

struct TurnStatistics {
  enum class Seat : uint8_t { kAnywhere, kNear, kFar };

  uint64_t turns = 0;
  uint64_t sleeps = 0;   // the host slept until the answer came
  uint64_t moves = 0;    // the worker was given another seat
  uint64_t starved = 0;  // it had to leave the far seat, which others made too expensive
  Seat seat = Seat::kAnywhere;
};

// What the far seat has brought so far. When others use that core, the host now and then waits while they
// have it: a slice of the scheduler's, which is ten thousand turns. Beside one busy process on each core that
// is a good bargain still, because in between a turn costs a tenth of what it costs near, where both have to
// share a core with such a process as well. So what is saved and what is lost are kept in one account.
class FarAccount {
 public:
  // After a wait of which the worker was kept from the CPU for `starved_ns`, and `turns` since the last such
  // wait. False: the seat has cost more than it saved.
  bool charge(uint64_t turns, uint64_t starved_ns);
  // Whether it has clearly paid; what was before is forgotten then.
  bool has_paid() const { return balance_ns_ >= kPaidNs; }

 private:
  // Two switches of one core, and as much time for those who share it.
  static constexpr int64_t kSavedPerTurnNs = 3000;
  // Whoever arrives may be unlucky: a few slices.
  static constexpr int64_t kCreditNs = 20'000'000;
  static constexpr int64_t kPaidNs = 30'000'000;
  static constexpr int64_t kMostNs = 40'000'000;  // good times do not pay for bad ones for ever

  int64_t balance_ns_ = kCreditNs;
};

class Turns {
 public:
  // The pages and `has_died` live as long as this. `process_id`: 0 when unknown; then the worker is never
  // moved. `has_died` is the supervisor's word: the shared one alone may have been written by the worker.
  // `core`: the one that the worker may run on, or -1 when it may run on any.
  void begin(HostPage* host, WorkerPage* worker, pid_t process_id, const WaitPolicy& policy,
             const std::atomic<bool>* has_died, int core = -1);

  void post(WorkerCommand command);
  enum class Answer {
    kDone,
    kTimedOut,  // the time is `deadline_ns` or later
    kPoked,     // `poke` is not 0
    kDied,
    kNonsense,  // the worker's word holds what it cannot hold
  };
  // `deadline_ns`: CLOCK_MONOTONIC, or 0 for none. Looks at `poke` whenever it wakes up.
  Answer wait(uint64_t deadline_ns, const uint32_t* poke);
  // Makes wait() look at `poke`, or at the word. Any thread.
  void wake_host();

  const TurnStatistics& statistics() const { return statistics_; }

 private:
  using Seat = TurnStatistics::Seat;

  Answer sleep(uint64_t deadline_ns, const uint32_t* poke);
  uint32_t looks_worth_taking();
  void take_seat(int core);
  void keep_far(int core);
  void judge(uint64_t slept_ns, uint64_t worked_ns);
  bool can_move() const;
  void seat_near(int core);
  void seat_far(int core);
  void seat_anywhere();

  HostPage* host_ = nullptr;
  WorkerPage* worker_ = nullptr;
  pid_t process_id_ = 0;
  WaitPolicy policy_;
  uint32_t previous_ = kWorkerBorn;  // what the worker has answered before
  uint32_t sequence_ = kFirstSequence;
  bool has_answered_early_ = false;  // it had changed its word before it was its turn
  const std::atomic<bool>* has_died_ = nullptr;
  TurnStatistics statistics_;
  int near_core_ = -1;
  uint64_t posted_ns_ = 0;       // near: when the last command was given
  uint32_t quick_turns_ = 0;     // near: short turns, some of which a long one takes back
  uint32_t turns_to_far_ = 0;    // that many of them earn the far seat
  uint32_t far_turns_ = 0;       // far: since it arrived
  uint32_t arriving_turns_ = 0;  // far: until it has settled there
  uint32_t slow_turns_ = 0;      // far: turns in a row during which the host went to sleep
  FarAccount far_account_;       // far: what the seat has brought
  uint64_t charged_turn_ = 0;    // far: statistics_.turns when that was looked at last
};

// Whoever two processes hand something to and fro does so ten times faster on one core: puts a process on the
// calling thread's core, which is returned, or allows it all that this process had when it started. Best
// effort; 0 is nobody.
int move_to_this_core(pid_t process_id);
void allow_all_cores(pid_t process_id);

// CLOCK_MONOTONIC in nanoseconds.
uint64_t monotonic_ns();
// CPU time that a process has used; 0 when it is gone.
uint64_t cpu_time_ns(pid_t process_id);

}  // namespace sandglass
