#include "zygote/jail.h"

#include <asm/errno.h>
#include <asm/prctl.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>

#include "sandbox/abi/address_space.h"
#include "sandbox/abi/hardening_calls.h"
#include "sandbox/abi/kernel_constants.h"
#include "zygote/messages.h"
#include "zygote/system_calls.h"
#include "zygote/worker.h"

namespace sandglass::zygote {
namespace {

using namespace worker_space;

extern "C" const char zygote_image_end[];  // zygote.ld

int g_listener;  // when the request asks for a filter
bool g_is_timestamp_gone;
constexpr uint32_t kNobody = 65534;

// Steps: 0, or -errno. -------------------------------------------------------------------------------------

long close_descriptors(const LaunchRequest&) { return call(__NR_close_range, 1, ~0u, 0); }

long become_ordinary_user(const LaunchRequest& request) {
  if ((request.flags & kLaunchFromRoot) == 0) return 0;
  if (const long failed = call(__NR_setgroups, 0, 0); failed < 0) return failed;
  if (const long failed = call(__NR_setresgid, kNobody, kNobody, kNobody); failed < 0) return failed;
  if (const long failed = call(__NR_setresuid, kNobody, kNobody, kNobody); failed < 0) return failed;
  // Changing users has made /proc/self root's; the maps below must be ours to write.
  return call(__NR_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
}

long enter_user_namespace(const LaunchRequest& request) {
  if ((request.flags & kLaunchOwnUserNamespace) != 0) return 0;
  return call(__NR_unshare, CLONE_NEWUSER);
}

long write_file(const char* path, const char* text, size_t size_bytes) {
  const long fd = call(__NR_open, path, O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  const long written = call(__NR_write, fd, text, size_bytes);
  call(__NR_close, fd);
  return written < 0 ? written : 0;
}

// Root inside, an ordinary user outside: what is left of it once the capabilities are gone is the number.
long map_ids(const LaunchRequest& request) {
  if ((request.flags & kLaunchOwnUserNamespace) != 0) return 0;
  static_assert(kNobody == 65534, "the maps below");
  constexpr char kMap[] = "0 65534 1";
  if (const long failed = write_file("/proc/self/setgroups", "deny", 4); failed < 0) return failed;
  if (const long failed = write_file("/proc/self/gid_map", kMap, sizeof kMap - 1); failed < 0) return failed;
  return write_file("/proc/self/uid_map", kMap, sizeof kMap - 1);
}

long enter_mount_namespace(const LaunchRequest&) { return call(__NR_unshare, CLONE_NEWNS); }
long enter_ipc_namespace(const LaunchRequest&) { return call(__NR_unshare, CLONE_NEWIPC); }
long enter_uts_namespace(const LaunchRequest&) { return call(__NR_unshare, CLONE_NEWUTS); }
long enter_cgroup_namespace(const LaunchRequest&) { return call(__NR_unshare, CLONE_NEWCGROUP); }
long enter_network_namespace(const LaunchRequest&) { return call(__NR_unshare, CLONE_NEWNET); }

// Where the host had no right to start us as the first process of a namespace, a child of ours is the
// template. It becomes the host's child, and hands itself over before it does anything else: whatever happens
// to this process from then on, which has nothing left to do, the host knows whom to wait for.
long enter_pid_namespace(const LaunchRequest&) {
  if (call(__NR_getpid) == 1) return 0;
  if (const long failed = call(__NR_unshare, CLONE_NEWPID); failed < 0) return failed;
  clone_args arguments = {};
  arguments.flags = CLONE_PARENT;
  const long process = call(__NR_clone3, &arguments, sizeof arguments);
  if (process < 0) return process;
  if (process > 0) exit_process(0);
  const long pidfd = call(__NR_pidfd_open, call(__NR_getpid), 0);
  if (pidfd < 0) return pidfd;
  const LaunchReport report = {.kind = LaunchReport::kTemplate};
  if (send_message(template_fd::kControl, &report, sizeof report, (int)pidfd) < 0)
    exit_process(kExitProtocol);
  return call(__NR_close, pidfd);
}

long forget_host_name(const LaunchRequest&) {
  if (const long failed = call(__NR_sethostname, "sandglass", 9); failed < 0) return failed;
  return call(__NR_setdomainname, "", 0);
}

long enter_empty_root(const LaunchRequest&) {
  constexpr long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (const long failed = call(__NR_mount, 0, "/", 0, MS_REC | MS_PRIVATE, 0); failed < 0) return failed;
  // Any directory will do; /proc is there because the maps have just been written in it.
  if (const long failed = call(__NR_mount, "none", "/proc", "tmpfs", kFlags, "size=4k,nr_inodes=1");
      failed < 0)
    return failed;
  if (const long failed = call(__NR_chdir, "/proc"); failed < 0) return failed;
  if (const long failed = call(__NR_pivot_root, ".", "."); failed < 0) return failed;
  if (const long failed = call(__NR_umount2, ".", 2 /* MNT_DETACH */); failed < 0) return failed;
  if (const long failed = call(__NR_chdir, "/"); failed < 0) return failed;
  return call(__NR_mount, 0, "/", 0, kFlags | MS_REMOUNT | MS_BIND | MS_RDONLY, 0);
}

struct Limit {
  int resource;
  uint64_t value;
};

long limit_resources(const LaunchRequest& request) {
  const Limit limits[] = {
      {RLIMIT_AS, request.address_space_limit_bytes},
      {RLIMIT_DATA, request.address_space_limit_bytes},
      {RLIMIT_STACK, 64 << 10},
      {RLIMIT_CORE, 0},
      {RLIMIT_FSIZE, 0},
      {RLIMIT_MEMLOCK, 0},
      {RLIMIT_MSGQUEUE, 0},
      {RLIMIT_LOCKS, 0},
      {RLIMIT_SIGPENDING, 64},
      {RLIMIT_NICE, 0},
      {RLIMIT_RTPRIO, 0},
      {RLIMIT_NOFILE, 8},  // the template needs five at most
  };
  for (const Limit& limit : limits) {
    const rlimit64 both = {limit.value, limit.value};
    if (const long failed = call(__NR_setrlimit, limit.resource, &both); failed < 0) return failed;
  }
  return 0;
}

long forbid_new_privileges(const LaunchRequest&) {
  if (const long failed = call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); failed < 0) return failed;
  return call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

long drop_capabilities(const LaunchRequest&) {
  long failed = 0;
  // EINVAL: there are no more.
  for (long capability = 0; failed == 0; ++capability)
    failed = call(__NR_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
  if (failed != -EINVAL) return failed;
  if (const long failed = call(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); failed < 0)
    return failed;
  constexpr long kBits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                         SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                         SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED | SECBIT_KEEP_CAPS_LOCKED;
  if (const long failed = call(__NR_prctl, PR_SET_SECUREBITS, kBits, 0, 0, 0); failed < 0) return failed;
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const __user_cap_data_struct none[2] = {};
  return call(__NR_capset, &header, none);
}

long forbid_writable_code(const LaunchRequest&) {
  return call(__NR_prctl, kPrSetMdwe, kPrMdweRefuseExecGain, 0, 0, 0);
}

long enter_landlock(const LaunchRequest&) {
  constexpr long kCreateRuleset = 444, kRestrictSelf = 446, kAskVersion = 1;
  const long version = call(kCreateRuleset, 0, 0, kAskVersion);
  if (version < 0) return version;
  // Everything the version knows is denied, and no rule allows any of it.
  constexpr int kFileRights[] = {0, 13, 14, 15, 15, 16};
  const int file_rights = version < 5 ? kFileRights[version] : kFileRights[5];
  const LandlockRulesetAttributes ruleset = {.handled_access_fs = (uint64_t{1} << file_rights) - 1,
                                             .handled_access_net = version >= 4 ? 3u : 0u,
                                             .scoped = version >= 6 ? 3u : 0u};
  const size_t size_bytes = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const long fd = call(kCreateRuleset, &ruleset, size_bytes, 0);
  if (fd < 0) return fd;
  const long result = call(kRestrictSelf, fd, 0);
  call(__NR_close, fd);
  return result;
}

long unmap_leftovers(const LaunchRequest&) {
  constexpr uint64_t kFirst = 0x10000, kEnd = 0x7fff'ffff'f000;
  if (const long failed = call(__NR_munmap, kFirst, kZygoteImage - kFirst); failed < 0) return failed;
  return call(__NR_munmap, kGuestMemory, kEnd - kGuestMemory);
}

long map_stacks(const LaunchRequest&) {
  constexpr long kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
  const long signals =
      call(__NR_mmap, kSignalStack, kSignalStackBytes, PROT_READ | PROT_WRITE, kFlags, -1, 0);
  if (signals < 0) return signals;
  const long guests = call(__NR_mmap, kGuestStack, kGuestStackBytes, PROT_READ | PROT_WRITE, kFlags, -1, 0);
  return guests < 0 ? guests : 0;
}

// A worker that was taken over cannot put other pages in their place.
long seal_mappings(const LaunchRequest&) {
  const uint64_t image_bytes = reinterpret_cast<uint64_t>(zygote_image_end) - kZygoteImage;
  if (const long failed = call(kSysMseal, kZygoteImage, image_bytes, 0); failed < 0) return failed;
  if (const long failed = call(kSysMseal, kSignalStack, kSignalStackBytes, 0); failed < 0) return failed;
  return call(kSysMseal, kGuestStack, kGuestStackBytes, 0);
}

long handle_signals(const LaunchRequest&) { return install_signal_handlers(); }

long point_at_guest_memory(const LaunchRequest&) { return call(__NR_arch_prctl, ARCH_SET_GS, kGuestMemory); }

// Hardenings. ----------------------------------------------------------------------------------------------

long harden(const LaunchRequest& request, HardeningRow row) {
  if ((request.hardenings >> row & 1) == 0) return 0;
  const long failed = apply_hardening(row, [](int operation, unsigned long a, unsigned long b) {
    return call(__NR_prctl, operation, a, b, 0, 0);
  });
  if (row == kHardening_forbid_timestamp && failed >= 0) g_is_timestamp_gone = true;
  return failed;
}

#define HARDENING(name, text, against, needs) \
  long name(const LaunchRequest& request) { return harden(request, kHardening_##name); }
#include "sandbox/abi/hardenings.def"
#undef HARDENING

long install_filter(const LaunchRequest& request) {
  if ((request.flags & kLaunchWithSeccomp) == 0) return 0;
  sock_fprog program = {.len = (uint16_t)request.filter_length,
                        .filter = const_cast<sock_filter*>(request.filter)};
  // Once the host has read the notification, no signal makes the caller run again but SIGKILL.
  constexpr long kFlags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  const long listener = call(__NR_seccomp, SECCOMP_SET_MODE_FILTER, kFlags, &program);
  if (listener < 0) return listener;
  g_listener = (int)listener;
  return 0;
}

// The table. -----------------------------------------------------------------------------------------------

struct Step {
  long (*run)(const LaunchRequest&);
  bool is_required;
};
constexpr Step kSteps[] = {
#define JAIL_STEP(name, text, is_required) {name, is_required},
#include "sandbox/abi/jail_steps.def"
#undef JAIL_STEP
};
static_assert(sizeof kSteps / sizeof kSteps[0] == kJailStepCount);

// Stands still once there is no time stamp counter.
uint64_t cycles() {
  static uint64_t last = 0;
  if (!g_is_timestamp_gone) last = __builtin_ia32_rdtsc();
  return last;
}

}  // namespace

Jailed enter_jail(const LaunchRequest& request) {
  static LaunchReport report;
  report.kind = LaunchReport::kReady;
  for (uint32_t i = 0; i < kJailStepCount; ++i) {
    const uint64_t begin = cycles();
    const long result = kSteps[i].run(request);
    report.cycles[i] = cycles() - begin;
    if (result >= 0) continue;
    if (!kSteps[i].is_required) {
      report.left_out |= uint64_t{1} << i;
      continue;
    }
    report.kind = LaunchReport::kFailed;
    report.step = i;
    report.error = (int32_t)-result;
    send_message(template_fd::kControl, &report, sizeof report);
    exit_process(kExitSetup);
  }
  return {.report = report, .listener = (request.flags & kLaunchWithSeccomp) != 0 ? g_listener : -1};
}

}  // namespace sandglass::zygote
