#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>

#include "sandbox/backend/linux/doctor/feature_probes.h"
#include "sandbox/backend/linux/doctor/throwaway_child.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass::probes {
namespace {

Status enter_user_namespace_in_child() {
  SG_TRY(become_ordinary_user_in_child());
  if (::unshare(CLONE_NEWUSER) != 0) return Error::os("enter a user namespace");
  return {};
}

Status write_file_in_child(const char* path, std::string_view text, const char* what) {
  const UniqueFd fd(::open(path, O_WRONLY | O_CLOEXEC));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return Error::os(what);
  return {};
}

// "0 ID 1": root inside is this one id outside.
Status write_id_map_in_child(const char* path, unsigned outer_id, const char* what) {
  char line[32] = "0 ";
  char* end = std::to_chars(line + 2, line + sizeof line - 3, outer_id).ptr;
  *end++ = ' ';
  *end++ = '1';
  *end++ = '\n';
  return write_file_in_child(path, {line, static_cast<size_t>(end - line)}, what);
}

Result<int> map_ids_in_child() {
  SG_TRY(become_ordinary_user_in_child());
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  SG_TRY(enter_user_namespace_in_child());
  SG_TRY(write_file_in_child("/proc/self/setgroups", "deny", "give up setgroups"));
  SG_TRY(write_id_map_in_child("/proc/self/gid_map", group, "write the group map"));
  SG_TRY(write_id_map_in_child("/proc/self/uid_map", user, "write the user map"));
  if (::getuid() != 0) return Error::make(ErrorKind::kUnsupported, "the id map has no effect");
  return 0;
}

Result<int> unshare_in_child(int flag, const char* what) {
  SG_TRY(enter_user_namespace_in_child());
  if (::unshare(flag) != 0) return Error::os(what);
  return 0;
}

Result<int> start_pid_namespace_in_child() {
  SG_TRY(unshare_in_child(CLONE_NEWPID, "make a pid namespace"));
  const pid_t pid = fork_in_child();
  if (pid < 0) return Error::os("fork the first process of a pid namespace");
  if (pid == 0) exit_in_child(::syscall(SYS_getpid) == 1 ? 0 : 1);
  if (SG_TRY(wait_in_child(pid)) != 0)
    return Error::make(ErrorKind::kUnsupported, "the first process of a pid namespace is not number 1");
  return 0;
}

// The new root goes onto /proc: through it the id maps were written, so it is there.
Result<int> empty_root_in_child() {
  SG_TRY(map_ids_in_child());
  if (::unshare(CLONE_NEWNS) != 0) return Error::os("make a mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return Error::os("make mounts private");
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (::mount("tmpfs", "/proc", "tmpfs", kFlags, "size=4096") != 0) return Error::os("mount a tmpfs");
  if (::chdir("/proc") != 0) return Error::os("enter the tmpfs");
  if (::syscall(SYS_pivot_root, ".", ".") != 0) return Error::os("pivot_root into the tmpfs");
  if (::umount2(".", MNT_DETACH) != 0) return Error::os("detach the old root");
  if (::chdir("/") != 0) return Error::os("enter the new root");
  if (::access("/proc", F_OK) == 0 || errno != ENOENT)
    return Error::make(ErrorKind::kUnsupported, "the old root can still be reached");
  return 0;
}

// A child that unshares one more namespace inside of a user namespace of its own.
template <int kFlag>
Result<int> probe_namespace(const char* what) {
  return run_in_child([what] { return unshare_in_child(kFlag, what); });
}

}  // namespace

Result<int> user_namespace() {
  return run_in_child([]() -> Result<int> {
    SG_TRY(enter_user_namespace_in_child());
    return 0;
  });
}
Result<int> id_maps() { return run_in_child(map_ids_in_child); }
Result<int> mount_namespace() { return probe_namespace<CLONE_NEWNS>("make a mount namespace"); }
Result<int> net_namespace() { return probe_namespace<CLONE_NEWNET>("make a network namespace"); }
Result<int> ipc_namespace() { return probe_namespace<CLONE_NEWIPC>("make an ipc namespace"); }
Result<int> uts_namespace() { return probe_namespace<CLONE_NEWUTS>("make a uts namespace"); }
Result<int> cgroup_namespace() { return probe_namespace<CLONE_NEWCGROUP>("make a cgroup namespace"); }
Result<int> pid_namespace() { return run_in_child(start_pid_namespace_in_child); }
Result<int> empty_root() { return run_in_child(empty_root_in_child); }

}  // namespace sandglass::probes
