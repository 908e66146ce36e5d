#include "sandbox/backend/linux/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "sandbox/abi/launch.h"
#include "sandbox/backend/linux/dynamic_pages.h"
#include "sandbox/backend/linux/process_info.h"
#include "sandbox/backend/linux/seccomp_filter.h"
#include "sandbox/backend/linux/socket_messages.h"

namespace sandglass {
namespace {

using namespace worker_space;

// How long a process may take from losing its memory to being gone.
constexpr int kDyingMs = 1000;

Error error_of(const Violation& violation) {
  char detail[64];
  std::snprintf(detail, sizeof detail, "%s (%d), arch %#x, ip %#llx",
                name_of_syscall(violation.number, violation.architecture).c_str(), violation.number,
                violation.architecture, static_cast<unsigned long long>(violation.instruction_pointer));
  return Error::make(ErrorKind::kViolation, "the worker made a forbidden system call", Error::kNowhere,
                     detail);
}

}  // namespace

Result<Worker::Shell> Worker::make_shell() {
  Shell shell;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return Error::os("make the socket for module images");
  }
  shell.images = UniqueFd(ends[0]);
  shell.workers_images = UniqueFd(ends[1]);
  shell.host_file = SG_TRY(create_memfd("sandglass-host", host_file::kBytes));
  shell.host_file_mapping = SG_TRY(Mapping::shared(shell.host_file, host_file::kBytes));
  reinterpret_cast<HostPage*>(shell.host_file_mapping.data())->sequence = kFirstSequence;
  // From here on nobody can map it writable: the worker could otherwise, with its descriptor.
  SG_TRY(seal_memfd(shell.host_file, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW));
  shell.memory_file = SG_TRY(create_memfd("sandglass-guest", kGuestBytes + kPageBytes));
  // A shorter file would make the host's accesses fail (SIGBUS).
  SG_TRY(seal_memfd(shell.memory_file, F_SEAL_SHRINK | F_SEAL_GROW));
  shell.memory = SG_TRY(Mapping::shared(shell.memory_file, kGuestBytes + kPageBytes));
  return shell;
}

Result<std::unique_ptr<Worker>> Worker::adopt(Shell shell, UniqueFd pidfd, const WaitPolicy& policy) {
  std::unique_ptr<Worker> worker(new Worker);
  worker->pidfd_ = std::move(pidfd);
  worker->images_ = std::move(shell.images);
  worker->memory_file_ = std::move(shell.memory_file);
  worker->host_file_ = std::move(shell.host_file_mapping);
  worker->memory_ = std::move(shell.memory);
  worker->process_id_ = process_id_of(worker->pidfd_.get());
  worker->turns_.begin(&worker->host(), &worker->shared(), worker->process_id_, policy, &worker->has_died_,
                       shell.core);
  worker->command_timeout_ = policy.command_timeout;
  SG_TRY(Supervisor::watch(worker->pidfd_.get(), worker.get()));
  SG_TRY(worker->finish_command());
  return worker;
}

Worker::~Worker() {
  kill();
  Supervisor::forget(this);
}

// Turns. ----------------------------------------------------------------------------------------------------

Status Worker::finish_command() {
  switch (wait(monotonic_ns() + static_cast<uint64_t>(command_timeout_.count()))) {
    case Turns::Answer::kDone: return {};
    case Turns::Answer::kTimedOut:
    case Turns::Answer::kPoked:
      kill();
      return Error::make(ErrorKind::kWorkerDied, "the worker did not answer in time");
    case Turns::Answer::kDied: return death();
    case Turns::Answer::kNonsense: break;
  }
  kill();
  return Error::make(ErrorKind::kProtocolViolation,
                     "the worker's sequence word holds a number that nobody gave");
}

Status Worker::change(std::span<const MemoryChange> changes, int image_fd) {
  SG_TRY(begin_change(changes, image_fd));
  return finish_change();
}

Status Worker::begin_change(std::span<const MemoryChange> changes, int image_fd) {
  SG_CHECK(changes.size() <= HostPage::kMaxChanges);
  HostPage& page = host();
  std::copy(changes.begin(), changes.end(), page.changes);
  page.change_count = static_cast<uint32_t>(changes.size());
  page.receives_image = image_fd >= 0 ? 1 : 0;
  if (image_fd >= 0) {
    const Status sent = send_message(images_.get(), "i", 1, {&image_fd, 1});
    if (!sent && sent.error().kind != ErrorKind::kWorkerDied) return sent;
    // Nobody is there, or nobody listens: waiting for the answer tells why.
    if (!sent) kill();
  }
  post(WorkerCommand::kChange);
  return {};
}

Status Worker::finish_change() {
  SG_TRY(finish_command());
  const uint32_t error = __atomic_load_n(&shared().change_errno, __ATOMIC_RELAXED);
  if (error == 0) return {};
  const uint32_t index = __atomic_load_n(&shared().failed_change, __ATOMIC_RELAXED);
  constexpr uint32_t kMaxErrno = 4095;
  if (error > kMaxErrno || index >= host().change_count) {
    return Error::make(ErrorKind::kProtocolViolation, "the worker reports an error that cannot be");
  }
  return Error{.kind = ErrorKind::kOs,
               .os_errno = static_cast<int>(error),
               .what = "change the worker's address space",
               .where = index};
}

Status Worker::open_userfaultfd(FaultUse use) {
  if (faults_ == use) return {};
  userfaultfd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd_.get(), kUserfaultFd, 0)));
  if (!userfaultfd_) return Error::os("fetch the worker's userfaultfd");
  SG_TRY(use == FaultUse::kDynamicPaging ? negotiate_userfaultfd(userfaultfd_.get())
                                         : negotiate_write_tracking(userfaultfd_.get()));
  faults_ = use;
  return {};
}

Result<UniqueFd> Worker::open_process_file(const char* name, int flags) const {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/%s", process_id_, name);
  UniqueFd file(::open(path, flags | O_CLOEXEC));
  if (!file) return Error::os("open the worker's memory in /proc");
  // The number was still the worker's when the file was opened if the worker is not gone now.
  if (::syscall(SYS_pidfd_send_signal, pidfd_.get(), 0, nullptr, 0) != 0) return death();
  return file;
}

// Stopping and ending. --------------------------------------------------------------------------------------

void Worker::request_stop() {
  // One signal is enough: the worker takes it in the guest, or looks at the flag before it enters it. More of
  // them would keep it from getting to the next instruction.
  if (__atomic_exchange_n(&host().stop_requested, 1, __ATOMIC_SEQ_CST) == 0) {
    ::syscall(SYS_pidfd_send_signal, pidfd_.get(), kWorkerStopSignal, nullptr, 0);
  }
  turns_.wake_host();
}

void Worker::clear_stop_request() {
  if (__atomic_load_n(&host().stop_requested, __ATOMIC_RELAXED) != 0)
    __atomic_store_n(&host().stop_requested, 0, __ATOMIC_SEQ_CST);
}

void Worker::kill() { ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0); }

void Worker::on_ready() {
  has_died_.store(true);
  __atomic_store_n(&shared().sequence, kWorkerDied, __ATOMIC_SEQ_CST);
  turns_.wake_host();
}

void Worker::set_violation(const Violation& violation) {
  const std::lock_guard lock(violation_mutex_);
  violation_ = violation;
}

std::optional<Violation> Worker::violation() const {
  const std::lock_guard lock(violation_mutex_);
  return violation_;
}

Error Worker::death() const {
  if (const std::optional<Violation> seen = violation()) return error_of(*seen);
  const std::optional<int> status = exit_status_of(pidfd_.get());
  if (!status) return Error::make(ErrorKind::kWorkerDied, "the worker process has ended");
  char detail[64];
  if (WIFSIGNALED(*status)) {
    if (WTERMSIG(*status) == SIGSYS) {
      return Error::make(ErrorKind::kViolation, "the worker made a system call that it is killed for");
    }
    std::snprintf(detail, sizeof detail, "signal %d", WTERMSIG(*status));
    return Error::make(ErrorKind::kWorkerDied, "the worker process was killed", Error::kNowhere, detail);
  }
  // Its last words, cut and made printable: they are as untrusted as everything else.
  char words[49] = {};
  const uint32_t length = std::min<uint32_t>(__atomic_load_n(&shared().message_bytes, __ATOMIC_RELAXED), 48);
  std::memcpy(words, shared().message, length);
  for (char& c : words) {
    if (c != 0 && (c < ' ' || c > '~')) c = '?';
  }
  std::snprintf(detail, sizeof detail, "status %d: %s", WEXITSTATUS(*status), words);
  return Error::make(ErrorKind::kWorkerDied, "the worker process ended itself", Error::kNowhere, detail);
}

Error Worker::reason_of(const Error& refusal) const {
  // What pidfd_getfd(2) and the requests of userfaultfd say about a process without descriptors or memory.
  if (refusal.kind == ErrorKind::kOs && has_died()) return death();
  if (refusal.os_errno != ESRCH && refusal.os_errno != EBADF && refusal.os_errno != ENOMEM) return refusal;
  // A process that ends loses its memory and its descriptors a moment before its death is reported.
  pollfd end = {.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&end, 1, kDyingMs) > 0 ? death() : refusal;
}

}  // namespace sandglass
