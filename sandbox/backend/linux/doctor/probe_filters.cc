#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/abi/kernel_constants.h"
#include "sandbox/backend/linux/doctor/feature_probes.h"
#include "sandbox/backend/linux/doctor/throwaway_child.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass::probes {
namespace {

// The call that the filters here catch: harmless, and none of ours.
constexpr uint32_t kCaughtCall = SYS_getppid;

Status give_up_privileges_in_child() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Error::os("set no_new_privs");
  return {};
}

// A filter that answers kCaughtCall with `action` and allows the rest; what seccomp(2) returns.
Result<int> install_filter_in_child(uint32_t action, unsigned flags, const char* what) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kCaughtCall, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
  SG_TRY(give_up_privileges_in_child());
  const long fd = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (fd < 0) return Error::os(what);
  return static_cast<int>(fd);
}

[[noreturn]] void make_caught_call_in_child() {
  ::syscall(kCaughtCall);
  exit_in_child(0);
}

// The filter sits in a child of its own: a parent that shares it could not wait for what it kills.
Result<int> kill_by_filter_in_child() {
  SG_TRY(install_filter_in_child(SECCOMP_RET_KILL_PROCESS, 0, "install a seccomp filter"));
  const pid_t pid = fork_in_child();
  if (pid < 0) return Error::os("fork behind a filter");
  if (pid == 0) make_caught_call_in_child();
  const int status = SG_TRY(wait_in_child(pid));
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
    return Error::make(ErrorKind::kUnsupported, "a seccomp filter did not kill");
  return 0;
}

Status check_notification_in_child(int listener) {
  struct pollfd poll_fd = {.fd = listener, .events = POLLIN};
  if (::poll(&poll_fd, 1, 1000) != 1)
    return Error::make(ErrorKind::kUnsupported, "the listener hears of no call");
  struct seccomp_notif notification = {};
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification) != 0)
    return Error::os("receive a seccomp notification");
  if (notification.data.nr != static_cast<int>(kCaughtCall) || notification.data.arch != AUDIT_ARCH_X86_64)
    return Error::make(ErrorKind::kUnsupported, "a seccomp notification names another call");
  return {};
}

// As with workers: the caught call is never answered, the caller dies.
Result<int> notify_in_child() {
  const UniqueFd listener(SG_TRY(install_filter_in_child(
      SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER, "install a seccomp filter with a listener")));
  const pid_t pid = fork_in_child();
  if (pid < 0) return Error::os("fork behind a filter");
  if (pid == 0) make_caught_call_in_child();
  const Status heard = check_notification_in_child(listener.get());
  ::kill(pid, SIGKILL);
  const int status = SG_TRY(wait_in_child(pid));
  SG_TRY(heard);
  if (!WIFSIGNALED(status)) return Error::make(ErrorKind::kUnsupported, "a caught call went on by itself");
  return 0;
}

Result<int> landlock_abi_in_child() {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 0) return Error::os("ask for the Landlock ABI");
  return static_cast<int>(abi);
}

// A ruleset without rules: nothing of what it handles is allowed.
Status restrict_in_child(const LandlockRulesetAttributes& attributes, size_t size_bytes) {
  const UniqueFd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size_bytes, 0)));
  if (!ruleset) return Error::os("make a Landlock ruleset");
  SG_TRY(give_up_privileges_in_child());
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
    return Error::os("enforce a Landlock ruleset");
  return {};
}

Result<int> deny_files_in_child() {
  const int abi = SG_TRY(landlock_abi_in_child());
  const LandlockRulesetAttributes attributes = {.handled_access_fs = LANDLOCK_ACCESS_FS_READ_DIR};
  SG_TRY(restrict_in_child(attributes, sizeof attributes.handled_access_fs));
  const UniqueFd root(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root || errno != EACCES)
    return Error::make(ErrorKind::kUnsupported, "a Landlock ruleset denies nothing");
  return abi;
}

Result<int> deny_signals_in_child(pid_t outside) {
  SG_TRY(restrict_in_child({.scoped = kLandlockScopeSignal}, sizeof(LandlockRulesetAttributes)));
  if (::kill(outside, 0) == 0 || errno != EPERM)
    return Error::make(ErrorKind::kUnsupported, "Landlock's signal scope denies nothing");
  return 0;
}

}  // namespace

Result<int> seccomp_filter() { return run_in_child(kill_by_filter_in_child); }
Result<int> seccomp_notification() { return run_in_child(notify_in_child); }
Result<int> landlock() { return run_in_child(deny_files_in_child); }
Result<int> landlock_signal_scope() {
  const pid_t caller = ::getpid();
  return run_in_child([caller] { return deny_signals_in_child(caller); });
}

}  // namespace sandglass::probes
