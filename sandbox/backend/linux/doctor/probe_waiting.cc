#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "sandbox/backend/linux/doctor/feature_probes.h"
#include "sandbox/backend/linux/doctor/throwaway_child.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass::probes {
namespace {

constexpr size_t kPageBytes = 4096;
using Word = std::atomic<uint32_t>;
static_assert(sizeof(Word) == sizeof(uint32_t) && Word::is_always_lock_free, "the kernel compares it");

Result<Word*> map_word_in_child(int fd, int protection) {
  void* page = ::mmap(nullptr, kPageBytes, protection, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) return Error::os("map a shared page");
  return static_cast<Word*>(page);
}

// The worker's mapping of the word is read-only, as that of the host page is.
[[noreturn]] void wait_for_change_in_child(int fd) {
  const Result<Word*> word = map_word_in_child(fd, PROT_READ);
  const struct timespec patience = {.tv_sec = 2};
  while (word && (*word)->load() == 0) {
    const long result = ::syscall(SYS_futex, *word, FUTEX_WAIT, 0, &patience, nullptr, 0);
    if (result != 0 && errno != EAGAIN && errno != EINTR) exit_in_child(errno);
  }
  exit_in_child(word ? 0 : word.error().os_errno);
}

// Wakes before it stores: a wake that finds a sleeper is the proof that the two mappings are one word.
Status wake_sleeper_in_child(Word* word) {
  constexpr int kAttempts = 1000;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const long woken = ::syscall(SYS_futex, word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
    if (woken < 0) return Error::os("wake a futex");
    if (woken == 1) return {};
    ::poll(nullptr, 0, 1);
  }
  return Error::make(ErrorKind::kUnsupported, "a futex in shared memory does not reach the other process");
}

Result<int> hand_over_in_child() {
  const UniqueFd fd(::memfd_create("sandglass-probe", MFD_CLOEXEC));
  if (!fd || ::ftruncate(fd.get(), kPageBytes) != 0) return Error::os("create a memfd");
  Word* word = SG_TRY(map_word_in_child(fd.get(), PROT_READ | PROT_WRITE));
  const pid_t pid = fork_in_child();
  if (pid < 0) return Error::os("fork");
  if (pid == 0) wait_for_change_in_child(fd.get());
  SG_TRY(wake_sleeper_in_child(word));
  word->store(1);
  ::syscall(SYS_futex, word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  errno = WEXITSTATUS(SG_TRY(wait_in_child(pid)));
  if (errno != 0) return Error::os("wait for a futex on a read-only page");
  return 0;
}

// An io_uring with one mapping for both rings (Linux 5.4) and one for the entries.
struct Ring {
  UniqueFd fd;
  struct io_uring_params params = {};
  uint8_t* rings = nullptr;
  struct io_uring_sqe* entries = nullptr;

  std::atomic<uint32_t>& word(uint32_t offset) const { return *reinterpret_cast<Word*>(rings + offset); }
};

Result<void*> map_ring_in_child(const Ring& ring, size_t size_bytes, uint64_t offset) {
  void* base = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd.get(),
                      static_cast<off_t>(offset));
  if (base == MAP_FAILED) return Error::os("map an io_uring");
  return base;
}

Result<Ring> open_ring_in_child() {
  constexpr unsigned kEntries = 4;
  Ring ring;
  ring.fd = UniqueFd(static_cast<int>(::syscall(SYS_io_uring_setup, kEntries, &ring.params)));
  if (!ring.fd) return Error::os("set up an io_uring");
  const struct io_uring_params& params = ring.params;
  if ((params.features & IORING_FEAT_SINGLE_MMAP) == 0)
    return Error::make(ErrorKind::kUnsupported, "the io_uring has two mappings");
  const size_t sq_bytes = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
  const size_t cq_bytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
  ring.rings = static_cast<uint8_t*>(
      SG_TRY(map_ring_in_child(ring, sq_bytes > cq_bytes ? sq_bytes : cq_bytes, IORING_OFF_SQ_RING)));
  ring.entries = static_cast<struct io_uring_sqe*>(
      SG_TRY(map_ring_in_child(ring, params.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES)));
  return ring;
}

// Submits one poll and waits for its answer: the events, or a negative error.
Result<int> poll_through_ring_in_child(const Ring& ring, int fd) {
  ring.entries[0] = {.opcode = IORING_OP_POLL_ADD, .fd = fd};
  ring.entries[0].poll32_events = POLLIN;
  ring.word(ring.params.sq_off.array) = 0;
  ring.word(ring.params.sq_off.tail) = 1;
  if (::syscall(SYS_io_uring_enter, ring.fd.get(), 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0) != 1)
    return Error::os("submit to an io_uring");
  const auto* answer = reinterpret_cast<const struct io_uring_cqe*>(ring.rings + ring.params.cq_off.cqes);
  return answer->res;
}

// The supervisor's question: tell me when this process is dead.
Result<int> supervise_in_child() {
  const Ring ring = SG_TRY(open_ring_in_child());
  int pidfd = -1;
  const pid_t pid = fork_in_child(&pidfd);
  if (pid < 0) return Error::os("fork with a pidfd");
  if (pid == 0) exit_in_child(0);
  const int events = SG_TRY(poll_through_ring_in_child(ring, pidfd));
  if (events < 0 || (events & POLLIN) == 0) {
    errno = events < 0 ? -events : 0;
    return Error::os("poll a pidfd through an io_uring");
  }
  return 0;
}

// An instruction that the kernel does not allow kills the child by SIGILL.
Result<int> move_gs_base_in_child() {
  uint64_t before = 0, seen = 0;
  const uint64_t word = 0x5a5a;
  asm volatile(
      "rdgsbase %[before]\n"
      "wrgsbase %[word]\n"
      "mov %%gs:0, %[seen]\n"
      "wrgsbase %[before]\n"
      : [before] "=&r"(before), [seen] "=&r"(seen)
      : [word] "r"(&word), "m"(word));
  if (seen != word) return Error::make(ErrorKind::kUnsupported, "wrgsbase does not move the base of gs");
  return 0;
}

}  // namespace

Result<int> shared_futex() { return run_in_child(hand_over_in_child); }
Result<int> io_uring() { return run_in_child(supervise_in_child); }
Result<int> fsgsbase() { return run_in_child(move_gs_base_in_child); }

}  // namespace sandglass::probes
