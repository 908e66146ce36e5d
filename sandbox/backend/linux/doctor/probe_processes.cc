#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "sandbox/abi/kernel_constants.h"
#include "sandbox/backend/linux/doctor/feature_probes.h"
#include "sandbox/backend/linux/doctor/throwaway_child.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass::probes {
namespace {

constexpr int kEventMs = 1000;

[[noreturn]] void sleep_in_child() {
  for (;;) ::syscall(SYS_pause);
}

bool is_over_in_child(int pidfd, short events) {
  struct pollfd poll_fd = {.fd = pidfd, .events = events};
  return ::poll(&poll_fd, 1, kEventMs) == 1;
}

// Starts a process, kills it and sees it end, all through its pidfd.
Result<int> clone3_in_child() {
  int pidfd = -1;
  struct clone_args args = {.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
                            .pidfd = reinterpret_cast<uint64_t>(&pidfd)};
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return Error::os("clone3 with CLONE_PIDFD");
  if (pid == 0) sleep_in_child();
  if (::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0) != 0) {
    const Error error = Error::os("signal a process through its pidfd");
    ::kill(static_cast<pid_t>(pid), SIGKILL);
    return error;
  }
  if (!is_over_in_child(pidfd, POLLIN))
    return Error::make(ErrorKind::kUnsupported, "a pidfd reports no death");
  siginfo_t info = {};
  if (::waitid(static_cast<idtype_t>(P_PIDFD), pidfd, &info, WEXITED | __WALL) != 0)
    return Error::os("wait for a process through its pidfd");
  if (info.si_code != CLD_KILLED)
    return Error::make(ErrorKind::kUnsupported, "a pidfd's signal does not kill");
  return 0;
}

Result<int> fetch_descriptor_in_child(int pidfd, int number, int read_end) {
  char byte;
  if (::read(read_end, &byte, 1) != 1) return Error::os("prepare a process with a descriptor");
  const UniqueFd fetched(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd, number, 0)));
  if (!fetched) return Error::os("take a descriptor out of a process");
  if (::write(fetched.get(), "", 1) != 1 || ::read(read_end, &byte, 1) != 1)
    return Error::os("use a descriptor taken out of a process");
  return 0;
}

// The descriptor that is fetched exists in the other process only.
Result<int> pidfd_getfd_in_child() {
  constexpr int kNumber = 100;
  int pidfd = -1, ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error::os("create a pipe");
  const pid_t pid = fork_in_child(&pidfd);
  if (pid < 0) return Error::os("fork with a pidfd");
  if (pid == 0) {
    if (::dup2(ends[1], kNumber) != kNumber || ::write(kNumber, "", 1) != 1) exit_in_child(1);
    sleep_in_child();
  }
  ::close(ends[1]);
  const Result<int> outcome = fetch_descriptor_in_child(pidfd, kNumber, ends[0]);
  ::kill(pid, SIGKILL);
  return outcome;
}

// As the host keeps workers: nobody waits for them, so nothing but the pidfd knows how one ended.
Result<int> exit_status_in_child() {
  constexpr int kStatus = 7, kAttempts = 100;
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  if (::sigaction(SIGCHLD, &ignore, nullptr) != 0) return Error::os("ignore SIGCHLD");
  int pidfd = -1;
  const long pid = ::syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, nullptr, &pidfd, nullptr, nullptr);
  if (pid < 0) return Error::os("fork with a pidfd");
  if (pid == 0) exit_in_child(kStatus);
  if (!is_over_in_child(pidfd, POLLIN))
    return Error::make(ErrorKind::kUnsupported, "a pidfd reports no death");
  PidfdInfo info;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {  // the death is told before the status is kept
    info = {.mask = kPidfdInfoExit};
    if (::ioctl(pidfd, kPidfdGetInfo, &info) != 0 && errno != ESRCH)
      return Error::os("ask a pidfd for its status");
    if ((info.mask & kPidfdInfoExit) != 0 && info.exit_code == kStatus << 8) return 0;
    ::poll(nullptr, 0, 1);
  }
  return Error::make(ErrorKind::kUnsupported, "a pidfd does not keep the exit status");
}

struct Limit {
  int resource;
  rlim_t value;
  const char* what;
};
// NPROC is last but one: what follows it is a fork that must fail.
constexpr Limit kLimits[] = {
    {RLIMIT_AS, rlim_t{1} << 36, "limit the address space"},
    {RLIMIT_DATA, rlim_t{1} << 34, "limit the data size"},
    {RLIMIT_CPU, 10, "limit the CPU time"},
    {RLIMIT_CORE, 0, "limit core files"},
    {RLIMIT_FSIZE, 0, "limit the file size"},
    {RLIMIT_MEMLOCK, 0, "limit locked memory"},
    {RLIMIT_NOFILE, 0, "limit descriptors"},
    {RLIMIT_NPROC, 0, "limit processes"},
};

Result<int> limit_in_child() {
  SG_TRY(become_ordinary_user_in_child());
  for (const Limit& limit : kLimits) {
    struct rlimit before, wanted, after;
    if (::getrlimit(static_cast<__rlimit_resource>(limit.resource), &before) != 0)
      return Error::os(limit.what);
    wanted.rlim_cur = wanted.rlim_max = std::min(limit.value, before.rlim_max);
    if (::setrlimit(static_cast<__rlimit_resource>(limit.resource), &wanted) != 0)
      return Error::os(limit.what);
    if (::getrlimit(static_cast<__rlimit_resource>(limit.resource), &after) != 0 ||
        after.rlim_max != wanted.rlim_max)
      return Error::make(ErrorKind::kUnsupported, "a limit was not kept", Error::kNowhere, limit.what);
  }
  const pid_t pid = fork_in_child();
  if (pid == 0) exit_in_child(0);
  if (pid > 0) return Error::make(ErrorKind::kUnsupported, "RLIMIT_NPROC does not stop a fork of this user");
  if (errno != EAGAIN) return Error::os("run into the limit of processes");
  return 0;
}

}  // namespace

Result<int> clone3_with_pidfd() { return run_in_child(clone3_in_child); }
Result<int> pidfd_getfd() { return run_in_child(pidfd_getfd_in_child); }
Result<int> pidfd_exit_status() { return run_in_child(exit_status_in_child); }
Result<int> rlimits() { return run_in_child(limit_in_child); }

}  // namespace sandglass::probes
