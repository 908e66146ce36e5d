#include "sandbox/backend/linux/doctor/throwaway_child.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "sandbox/base/unique_fd.h"

namespace sandglass::probes {
namespace {

constexpr int kPatienceMs = 5000;
constexpr uid_t kOrdinaryUser = 65534;

// What goes through the pipe. The strings an Error points to are at the same place in both processes.
struct Report {
  bool has_failed = false;
  int value = 0;
  Error error;
};
static_assert(std::is_trivially_copyable_v<Report> && sizeof(Report) <= 512, "one write, all or nothing");

// No handler of the host may run in the child.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

[[noreturn]] void report_in_child(int pipe, const Result<int>& outcome) {
  const Report report =
      outcome ? Report{.value = *outcome} : Report{.has_failed = true, .error = outcome.error()};
  const ssize_t written = ::write(pipe, &report, sizeof report);
  exit_in_child(written == sizeof report ? 0 : 1);
}

Error describe_death(int status) {
  Error error = Error::make(ErrorKind::kWorkerDied, "the trial ended without a word");
  if (WIFSIGNALED(status)) {
    error.what = "the trial was killed";
    std::snprintf(error.detail, sizeof error.detail, "by signal %d, SIG%s", WTERMSIG(status),
                  ::sigabbrev_np(WTERMSIG(status)));
  }
  return error;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, __WALL) < 0 && errno == EINTR) {
  }
  return status;
}

bool has_something_to_read(int pipe) {
  struct pollfd poll_fd = {.fd = pipe, .events = POLLIN};
  int ready = 0;
  while ((ready = ::poll(&poll_fd, 1, kPatienceMs)) < 0 && errno == EINTR) {
  }
  return ready > 0;
}

Result<int> collect(pid_t pid, int pipe) {
  if (!has_something_to_read(pipe)) {
    ::kill(pid, SIGKILL);
    wait_for(pid);
    return Error::make(ErrorKind::kExhausted, "the trial did not end within 5 seconds");
  }
  Report report;
  const ssize_t size = ::read(pipe, &report, sizeof report);
  const int status = wait_for(pid);
  if (size != sizeof report) return describe_death(status);
  if (report.has_failed) return report.error;
  return report.value;
}

pid_t raw_fork(unsigned long flags, int* pidfd) {
  // Flags without an exit signal; the pidfd goes where clone(2) has its parent_tid.
  return static_cast<pid_t>(::syscall(SYS_clone, flags, nullptr, pidfd, nullptr, nullptr));
}

}  // namespace

Result<int> internal::run_in_child(Result<int> (*call)(const void*), const void* trial) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error::os("create a pipe");
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  pid_t pid = 0;
  {
    const SignalsBlocked blocked;
    pid = raw_fork(0, nullptr);
    if (pid == 0) report_in_child(write_end.get(), call(trial));
  }
  if (pid < 0) return Error::os("fork");
  { const UniqueFd closed = std::move(write_end); }  // the child's end is the last one: its death can be read
  return collect(pid, read_end.get());
}

pid_t fork_in_child(int* pidfd) {
  const pid_t pid = raw_fork(pidfd != nullptr ? CLONE_PIDFD : 0, pidfd);
  if (pid == 0) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return pid;
}

void exit_in_child(int status) {
  for (;;) ::syscall(SYS_exit_group, status);
}

Result<int> wait_in_child(pid_t pid) {
  int status = 0;
  if (::waitpid(pid, &status, __WALL) < 0) return Error::os("wait for a process");
  return status;
}

Status become_ordinary_user_in_child() {
  if (::geteuid() != 0) return {};
  // Not the functions of the C library: those change every thread, and the copied process has none.
  if (::syscall(SYS_setresgid, kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) != 0) {
    if (errno == EINVAL) return {};
    return Error::os("change the group");
  }
  if (::syscall(SYS_setgroups, 0, nullptr) != 0) return Error::os("drop the supplementary groups");
  if (::syscall(SYS_setresuid, kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) != 0)
    return Error::os("change the user");
  // The change of identity made /proc/self root's.
  if (::prctl(PR_SET_DUMPABLE, 1) != 0) return Error::os("own /proc/self");
  return {};
}

}  // namespace sandglass::probes
