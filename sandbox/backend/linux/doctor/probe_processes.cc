#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

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

struct CgroupFolder {
  int version;
  std::string path;
};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

bool lists(const std::string& commas, std::string_view word) {
  std::istringstream stream(commas);
  for (std::string item; std::getline(stream, item, ',');) {
    if (item == word) return true;
  }
  return false;
}

// "0::/path" of version 2, "8:pids:/path" of version 1; empty when this process is in none.
std::string own_cgroup(int version) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_it = version == 2 ? line.starts_with("0::") : lists(controllers, "pids");
    if (is_it) return line.substr(second + 1);
  }
  return {};
}

// A line of /proc/self/mountinfo: … root mount-point options … - type source super-options.
std::vector<CgroupFolder> cgroup_folders() {
  std::vector<CgroupFolder> folders;
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = words_of(line);
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.end() - dash < 4 || dash - words.begin() < 6) continue;
    const bool is_v1 = dash[1] == "cgroup" && lists(dash[3], "pids");
    if (!is_v1 && dash[1] != "cgroup2") continue;
    const int version = is_v1 ? 1 : 2;
    std::string own = own_cgroup(version);
    if (own.empty()) continue;
    // Where a part of the hierarchy is mounted, paths still start at the whole one's root.
    if (const std::string& root = words[3]; root != "/" && own.starts_with(root)) own.erase(0, root.size());
    folders.push_back({version, words[4] + "/" + own + "/sandglass-probe-" + std::to_string(::getpid())});
  }
  return folders;
}

Status write_into_in_child(int folder, const char* name, const char* text, const char* what) {
  const UniqueFd fd(::openat(folder, name, O_WRONLY | O_CLOEXEC));
  if (!fd || ::write(fd.get(), text, 1) != 1) return Error::os(what);
  return {};
}

[[noreturn]] void fork_inside_in_child(int folder) {
  if (!write_into_in_child(folder, "cgroup.procs", "0", "join the cgroup")) exit_in_child(2);
  const pid_t pid = fork_in_child();
  if (pid == 0) exit_in_child(0);
  exit_in_child(pid < 0 && errno == EAGAIN ? 0 : 1);
}

// A limit of one process holds for what joins: the process itself fits, what it forks does not.
Result<int> limit_by_cgroup_in_child(const char* path) {
  const UniqueFd folder(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return Error::os("open the new cgroup");
  SG_TRY(write_into_in_child(folder.get(), "pids.max", "1", "set the pids limit of a cgroup"));
  const pid_t pid = fork_in_child();
  if (pid < 0) return Error::os("fork");
  if (pid == 0) fork_inside_in_child(folder.get());
  switch (SG_TRY(wait_in_child(pid))) {
    case 0: return 0;
    case 2 << 8: return Error::make(ErrorKind::kUnsupported, "a process could not be put into the cgroup");
    default: return Error::make(ErrorKind::kUnsupported, "the cgroup's pids limit did not hold");
  }
}

Result<int> try_cgroup(const CgroupFolder& folder) {
  const char* path = folder.path.c_str();
  if (::mkdir(path, 0700) != 0) return Error::os("make a cgroup");
  const Result<int> outcome = run_in_child([path] { return limit_by_cgroup_in_child(path); });
  ::rmdir(path);
  if (!outcome) return outcome.error();
  return folder.version;
}

}  // namespace

Result<int> clone3_with_pidfd() { return run_in_child(clone3_in_child); }
Result<int> pidfd_getfd() { return run_in_child(pidfd_getfd_in_child); }
Result<int> pidfd_exit_status() { return run_in_child(exit_status_in_child); }
Result<int> rlimits() { return run_in_child(limit_in_child); }

Result<int> cgroup() {
  Result<int> outcome =
      Error::make(ErrorKind::kUnsupported, "no cgroup hierarchy of this process is mounted");
  for (const CgroupFolder& folder : cgroup_folders()) {
    outcome = try_cgroup(folder);
    if (outcome) break;
  }
  return outcome;
}

}  // namespace sandglass::probes
