#include "bench/raw_handoff.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <new>

namespace sandglass::bench {
namespace {

void store(const TurnChannel& channel, uint32_t turn) {
  channel.word->store(turn, std::memory_order_release);
}
uint32_t load(const TurnChannel& channel) { return channel.word->load(std::memory_order_acquire); }

uint32_t take_by_spinning(const TurnChannel& channel, uint32_t last_turn) {
  uint32_t turn = load(channel);
  for (; turn == last_turn; turn = load(channel)) __builtin_ia32_pause();
  return turn;
}

void give_by_futex(const TurnChannel& channel, uint32_t turn) {
  store(channel, turn);
  syscall(SYS_futex, channel.word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

uint32_t take_by_futex_within(const TurnChannel& channel, uint32_t last_turn, const timespec* timeout) {
  uint32_t turn = load(channel);
  for (; turn == last_turn; turn = load(channel)) {
    syscall(SYS_futex, channel.word, FUTEX_WAIT, last_turn, timeout, nullptr, 0);
  }
  return turn;
}

uint32_t take_by_futex(const TurnChannel& channel, uint32_t last_turn) {
  return take_by_futex_within(channel, last_turn, nullptr);
}

// Shorter than a tick of the scheduler, so the timer of the core has to be set for it.
uint32_t take_by_futex_timed(const TurnChannel& channel, uint32_t last_turn) {
  constexpr timespec kTimeout = {.tv_sec = 0, .tv_nsec = 200'000};
  return take_by_futex_within(channel, last_turn, &kTimeout);
}

// A pipe carries the turn itself.
void give_by_pipe(const TurnChannel& channel, uint32_t turn) {
  if (write(channel.writer, &turn, sizeof turn) != sizeof turn) store(channel, turn);
}

uint32_t take_by_pipe(const TurnChannel& channel, uint32_t last_turn) {
  uint32_t turn = 0;
  return read(channel.reader, &turn, sizeof turn) == sizeof turn ? turn : last_turn;
}

void give_by_eventfd(const TurnChannel& channel, uint32_t turn) {
  store(channel, turn);
  eventfd_write(channel.writer, 1);
}

uint32_t take_by_eventfd(const TurnChannel& channel, uint32_t last_turn) {
  eventfd_t unused = 0;
  return eventfd_read(channel.reader, &unused) == 0 ? load(channel) : last_turn;
}

Status open_pipe(UniqueFd& reader, UniqueFd& writer) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::os("create a pipe");
  reader = UniqueFd(ends[0]);
  writer = UniqueFd(ends[1]);
  return {};
}

Status open_eventfd(UniqueFd& reader, UniqueFd& writer) {
  reader = UniqueFd(eventfd(0, EFD_CLOEXEC));
  writer = UniqueFd(fcntl(reader.get(), F_DUPFD_CLOEXEC, 0));
  if (!reader || !writer) return Error::os("create an eventfd");
  return {};
}

constexpr RawHandoffCase kCases[] = {
    {"spin", store, take_by_spinning, nullptr, false},
    {"futex", give_by_futex, take_by_futex, nullptr, true},
    {"futex_timed", give_by_futex, take_by_futex_timed, nullptr, true},
    {"pipe", give_by_pipe, take_by_pipe, open_pipe, true},
    {"eventfd", give_by_eventfd, take_by_eventfd, open_eventfd, true},
};

// No turn's answer is the one before.
uint32_t answer_to(uint32_t turn) { return ~turn; }

}  // namespace

const char* name_of(Placement placement) {
  return placement == Placement::kSameCore ? "same_core" : "cross_core";
}

std::span<const RawHandoffCase> raw_handoff_cases() { return kCases; }

// Each on a cache line of its own, and not the neighbouring one, which is fetched along.
struct RawHandoff::Words {
  alignas(128) std::atomic<uint32_t> to_peer{0};
  alignas(128) std::atomic<uint32_t> to_caller{0};
};

Status RawHandoff::Direction::open(const RawHandoffCase& raw, std::atomic<uint32_t>& word) {
  if (raw.open != nullptr) SG_TRY(raw.open(reader, writer));
  channel = {&word, reader.get(), writer.get()};
  return {};
}

int RawHandoff::answer_in_child(void* handoff) {
  const RawHandoff& self = *static_cast<const RawHandoff*>(handoff);
  for (uint32_t turn = 0;;) {
    turn = self.raw_.take(self.to_peer_.channel, turn);
    self.raw_.give(self.to_caller_.channel, answer_to(turn));
  }
}

Result<std::unique_ptr<RawHandoff>> RawHandoff::create(const RawHandoffCase& raw, Placement placement,
                                                       size_t hogs) {
  const Cores cores = placement == Placement::kSameCore ? same_core() : SG_TRY(two_cores());
  std::unique_ptr<RawHandoff> handoff(new RawHandoff(raw));
  SG_TRY(handoff->start(cores, hogs));
  return handoff;
}

Status RawHandoff::start(Cores cores, size_t hogs) {
  void* page = mmap(nullptr, sizeof(Words), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return Error::os("map shared memory");
  words_ = std::shared_ptr<Words>(new (page) Words, [](Words* words) { munmap(words, sizeof(Words)); });
  SG_TRY(to_peer_.open(raw_, words_->to_peer));
  SG_TRY(to_caller_.open(raw_, words_->to_caller));
  hogs_ = SG_TRY(CpuHogs::start(hogs));  // before anything is pinned, which they would inherit
  peer_ = SG_TRY(Child::fork(answer_in_child, this));
  SG_TRY(pin_process(peer_.pid(), cores.peer));
  pin_.emplace(SG_TRY(ScopedPin::to(cores.caller)));
  return {};
}

bool RawHandoff::run(Nanoseconds& spent) {
  const uint32_t last_answer = turn_ == 0 ? 0 : answer_to(turn_);
  const auto start = Clock::now();
  raw_.give(to_peer_.channel, ++turn_);
  const uint32_t answer = raw_.take(to_caller_.channel, last_answer);
  spent = Clock::now() - start;
  return answer == answer_to(turn_);
}

}  // namespace sandglass::bench
