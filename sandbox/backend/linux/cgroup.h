// Cgroup: a control group of its own for the processes of a jail, which bounds what they use together.
//
// Resource limits bound one process each, and none of them bounds memory that is touched; a cgroup does. Both
// kinds of hierarchy will do, also side by side, as distributions mount them: each limit goes where its
// controller is. No process of the jail is ever outside: of a version 2 hierarchy the zygote is born in the
// group (CLONE_INTO_CGROUP), of version 1 it enters before it becomes the zygote, and everything else is its
// child.
//
// What does not fit in a memory limit makes the kernel kill a process of the group, usually the largest: its
// sandbox fails with kWorkerDied. Which one it picks is the kernel's choice, so give tenants that must not
// meet jails of their own. A guest's memory is a file that the host holds: pages that the host touches first
// are the host's, and those of a worker count until its sandbox is dropped, be the worker dead or not.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sandbox/base/result.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass {

struct CgroupHierarchy;

struct CgroupOptions {
  // Below which group each jail gets one: its name as in /proc/self/cgroup ("/" is the root), which must be
  // the same in each hierarchy that is needed; or "." for this process's own, or ".." for the one above, so
  // that jails are beside this process: in version 2, a group whose children have limits has no processes
  // itself. The user must be allowed to write it. Empty: no group.
  std::string parent;
  // With no limit at all, the group is one of version 2, where use can be read. 0: no limit. Memory is what
  // the jail's processes touch, kernel memory included, and swap, where the kernel counts it by group.
  uint64_t memory_max_bytes = 0;
  uint32_t pids_max = 0;         // processes: a template, and a worker each; two are the least
  uint32_t cpu_max_percent = 0;  // of one core; 250: two and a half

  bool operator==(const CgroupOptions&) const = default;
};

class Cgroup {
 public:
  // The group of nobody.
  Cgroup() = default;
  // Fails when a limit cannot be set: the error names the file and what would help. Nothing is left then.
  static Result<Cgroup> create(const CgroupOptions& options);
  Cgroup(Cgroup&&) noexcept;
  Cgroup& operator=(Cgroup&&) noexcept;
  // Removes the group, whose processes have ended. When the host is killed, an empty group stays.
  ~Cgroup();

  // For clone3(2) with CLONE_INTO_CGROUP; -1: not needed.
  int folder() const { return folder_.get(); }
  // The files that a process writes a 0 to, to enter.
  std::span<const UniqueFd> entrances() const { return entrances_; }
  // Where it is: a folder per hierarchy.
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  Status add(const CgroupHierarchy& hierarchy, const CgroupOptions& options);
  Status open(const CgroupHierarchy& hierarchy, const std::string& path);

  UniqueFd folder_;
  std::vector<UniqueFd> entrances_;
  std::vector<std::string> paths_;
  uint32_t forks_ = 0;  // a forked child's copy removes nothing
};

}  // namespace sandglass
