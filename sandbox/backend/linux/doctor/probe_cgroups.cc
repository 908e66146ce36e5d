#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "sandbox/backend/linux/cgroup.h"
#include "sandbox/backend/linux/doctor/feature_probes.h"
#include "sandbox/backend/linux/doctor/throwaway_child.h"
#include "sandbox/base/units.h"

namespace sandglass::probes {
namespace {

constexpr int kNotInside = 2, kUnbounded = 1, kBounded = 0;

// Forks a process that is in the group before it does anything else, as jails do.
pid_t fork_into_in_child(const Cgroup& group) {
  if (group.folder() >= 0) {
    clone_args how = {};
    how.flags = CLONE_INTO_CGROUP;
    how.exit_signal = SIGCHLD;
    how.cgroup = static_cast<uint64_t>(group.folder());
    return static_cast<pid_t>(::syscall(SYS_clone3, &how, sizeof how));
  }
  const pid_t pid = fork_in_child();
  if (pid != 0) return pid;
  for (const UniqueFd& entrance : group.entrances()) {
    if (::write(entrance.get(), "0", 1) != 1) exit_in_child(kNotInside);
  }
  return 0;
}

// What a process in the group does, and how it ends when the limit holds.
struct Trial {
  CgroupOptions limits;
  int (*run_in_child)();
  int status;  // as waitpid(2) has it
};

Result<int> try_in_child(const Cgroup& group, const Trial& trial) {
  const pid_t pid = fork_into_in_child(group);
  if (pid < 0) return Error::os("fork into a cgroup");
  if (pid == 0) exit_in_child(trial.run_in_child());
  const int status = SG_TRY(wait_in_child(pid));
  if (status == trial.status) return 0;
  if (status == kNotInside << 8)
    return Error::make(ErrorKind::kUnsupported, "a process could not be put into the cgroup");
  return Error::make(ErrorKind::kUnsupported, "the cgroup's limit did not hold");
}

// Below this process's own group, or beside it.
Result<Cgroup> make_group(CgroupOptions limits) {
  Result<Cgroup> below = Cgroup::create(limits);
  if (below) return below;
  limits.parent = "..";
  Result<Cgroup> beside = Cgroup::create(limits);
  return beside ? std::move(beside) : std::move(below);
}

Result<int> try_limit(const Trial& trial) {
  const Cgroup group = SG_TRY(make_group(trial.limits));
  SG_TRY(run_in_child([&]() -> Result<int> { return try_in_child(group, trial); }));
  return group.folder() >= 0 ? 2 : 1;
}

// The process itself and one more fit, the third does not.
int fork_twice_in_child() {
  const pid_t first = fork_in_child();
  if (first == 0) {
    for (;;) ::syscall(SYS_pause);
  }
  if (first < 0) return kUnbounded;
  const pid_t second = fork_in_child();
  if (second == 0) exit_in_child(0);
  const bool is_refused = second < 0 && errno == EAGAIN;
  ::kill(first, SIGKILL);
  return is_refused ? kBounded : kUnbounded;
}

constexpr uint64_t kMemoryLimit = MiB(8);

int touch_memory_in_child() {
  constexpr size_t kBytes = 4 * kMemoryLimit;
  void* const memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return kUnbounded;
  for (size_t at = 0; at < kBytes; at += KiB(4)) static_cast<volatile char*>(memory)[at] = 1;
  return kUnbounded;
}

int do_nothing_in_child() { return kBounded; }

}  // namespace

Result<int> cgroup_pids() {
  return try_limit({{.parent = ".", .pids_max = 2}, fork_twice_in_child, kBounded << 8});
}
Result<int> cgroup_memory() {
  return try_limit({{.parent = ".", .memory_max_bytes = kMemoryLimit}, touch_memory_in_child, SIGKILL});
}
// How little it is would take long to see.
Result<int> cgroup_cpu() {
  return try_limit({{.parent = ".", .cpu_max_percent = 50}, do_nothing_in_child, kBounded << 8});
}

}  // namespace sandglass::probes
