#include <fcntl.h>
#include <fmt/format.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <vector>

#include "bench/raw_spawn.h"

namespace sandglass::bench {
namespace {

// Filled in by the child, in memory that both share.
struct StepReport {
  const char* failed = nullptr;  // the step
  int os_errno = 0;
  Nanoseconds spent{};

  int fail_in_child(const char* step) {
    failed = step;
    os_errno = errno;
    return 1;
  }
};

Result<Nanoseconds> outcome(Child child, const StepReport& report) {
  const bool is_right = child.reap_and_check();
  if (report.failed != nullptr) return os_or_unsupported(report.failed, report.os_errno);
  if (!is_right) return wrong_child();
  return report.spent;
}

// What the filters answer to getppid(2), so that a child can see that its filter is in force.
constexpr int kRefusal = ENOTNAM;

// A filter of exactly `count` instructions, at least 4. It refuses getppid and allows the rest, after as many
// comparisons with numbers that no system call has as it takes.
std::vector<sock_filter> filter_of(size_t count) {
  constexpr uint32_t kNoSuchCall = 0x3fff0000;
  std::vector<sock_filter> filter;
  filter.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  while (filter.size() + 3 < count) {
    filter.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kNoSuchCall + static_cast<uint32_t>(filter.size()), 0, 0));
  }
  filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1));
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | kRefusal));
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return filter;
}

struct FilterStep {
  sock_fprog program;
  StepReport report;
};

int install_filter_in_child(void* argument) {
  FilterStep& step = *static_cast<FilterStep*>(argument);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return step.report.fail_in_child("set no_new_privs");
  const auto start = Clock::now();
  const long installed = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &step.program);
  step.report.spent = Clock::now() - start;
  if (installed != 0) return step.report.fail_in_child("install a seccomp filter");
  return syscall(SYS_getppid) == -1 && errno == kRefusal ? kChildDidIt : 1;
}

Result<Nanoseconds> install_filter(const SpawnTools& tools, uint64_t instructions) {
  std::vector<sock_filter> filter = filter_of(instructions);
  FilterStep step{{static_cast<unsigned short>(filter.size()), filter.data()}, {}};
  return outcome(SG_TRY(Child::start(kSharedMemory, install_filter_in_child, &step, tools.stack)),
                 step.report);
}

struct PivotStep {
  std::string uid_map, gid_map;
  StepReport report;
};

bool write_in_child(const char* path, std::string_view text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool is_written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(file);
  return is_written;
}

bool map_ids_in_child(const PivotStep& step) {
  return write_in_child("/proc/self/setgroups", "deny") &&
         write_in_child("/proc/self/gid_map", step.gid_map) &&
         write_in_child("/proc/self/uid_map", step.uid_map);
}

// The old root ends up mounted over the new one, and goes away with the last call.
bool pivot_in_child() {
  return mount("none", "/tmp", "tmpfs", MS_NODEV | MS_NOEXEC | MS_NOSUID, "size=0") == 0 &&
         chdir("/tmp") == 0 && syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0;
}

int change_root_in_child(void* argument) {
  PivotStep& step = *static_cast<PivotStep*>(argument);
  if (!map_ids_in_child(step)) return step.report.fail_in_child("map the ids of a user namespace");
  const auto start = Clock::now();
  const bool is_done = pivot_in_child();
  step.report.spent = Clock::now() - start;
  if (!is_done) return step.report.fail_in_child("change to an empty root");
  return access("/proc", F_OK) != 0 && errno == ENOENT ? kChildDidIt : 1;
}

Result<Nanoseconds> pivot(const SpawnTools& tools, uint64_t) {
  PivotStep step{fmt::format("0 {} 1\n", geteuid()), fmt::format("0 {} 1\n", getegid()), {}};
  const uint64_t flags = kSharedMemory | CLONE_NEWUSER | CLONE_NEWNS;
  return outcome(SG_TRY(Child::start(flags, change_root_in_child, &step, tools.stack)), step.report);
}

constexpr RawSpawnCase kCases[] = {
    {"seccomp/4", install_filter, 4},
    {"seccomp/16", install_filter, 16},
    {"seccomp/100", install_filter, 100},
    {"pivot_root", pivot, 0},
};

}  // namespace

std::span<const RawSpawnCase> raw_jail_step_cases() { return kCases; }

}  // namespace sandglass::bench
