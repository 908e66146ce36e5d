#include "sandbox/backend/linux/doctor/features.h"

#include <fmt/format.h>

#include <algorithm>

#include "sandbox/backend/linux/doctor/feature_probes.h"
#include "sandbox/backend/linux/doctor/refusal_causes.h"

namespace sandglass {
namespace {

struct Probe {
  std::string_view name;
  std::string_view layer;
  bool is_required;
  Result<int> (*run)();
  std::string_view needs;         // a feature above without which this one cannot be tried
  std::string_view system_calls;  // that the probe tries
  const char* value_text;         // how a success is printed, with {} for its value; null: it has none
  std::string_view purpose;
  std::string_view fix;
};

constexpr bool kRequired = true, kOptional = false;

constexpr std::string_view kCgroupFix =
    "start in a cgroup that has this controller and that this user may write, or below such a one: "
    "systemd-run --user --scope -p Delegate=yes COMMAND";

template <HardeningRow kRow>
Result<int> probe_hardening() {
  return probes::hardening(kRow);
}

// In the order in which a worker comes to need them.
constexpr Probe kProbes[] = {
    {"user namespace", "namespaces", kRequired, probes::user_namespace, "", "unshare", nullptr,
     "an ordinary user may build the jail, and root in it is nobody outside",
     "a kernel with CONFIG_USER_NS=y; start outside of a chroot, which cannot make user namespaces, and of a "
     "container for which user.max_user_namespaces was used up outside"},
    {"id maps", "namespaces", kRequired, probes::id_maps, "user namespace", "write to /proc/self/uid_map",
     nullptr, "the jail's only user is one that has no rights outside",
     "mount /proc writable (a container may mask it)"},
    {"mount namespace", "namespaces", kRequired, probes::mount_namespace, "user namespace", "unshare",
     nullptr, "a worker's file system is its own",
     "start where user.max_mnt_namespaces is not used up, in a container also outside of it"},
    {"network namespace", "namespaces", kRequired, probes::net_namespace, "user namespace", "unshare",
     nullptr, "a worker has no network", "a kernel with CONFIG_NET_NS=y"},
    {"ipc namespace", "namespaces", kRequired, probes::ipc_namespace, "user namespace", "unshare", nullptr,
     "a worker reaches no System V objects and message queues", "a kernel with CONFIG_IPC_NS=y"},
    {"uts namespace", "namespaces", kRequired, probes::uts_namespace, "user namespace", "unshare", nullptr,
     "a worker does not learn the host's name", "a kernel with CONFIG_UTS_NS=y"},
    {"cgroup namespace", "namespaces", kRequired, probes::cgroup_namespace, "user namespace", "unshare",
     nullptr, "a worker does not see the host's cgroups", "a kernel with CONFIG_CGROUPS=y"},
    {"pid namespace", "namespaces", kRequired, probes::pid_namespace, "user namespace", "unshare, clone",
     nullptr, "a worker sees no process of the host, and dies with its template",
     "a kernel with CONFIG_PID_NS=y"},
    {"empty root", "namespaces", kRequired, probes::empty_root, "mount namespace",
     "mount, pivot_root, umount2", nullptr, "a worker has no files",
     "start where the root is an ordinary mount: neither an initramfs nor a chroot can be pivoted away from"},

    {"sealed memfd", "images", kRequired, probes::sealed_memfd, "", "memfd_create, fcntl", nullptr,
     "workers read code and commands in pages that only the host can write", "Linux 5.1 or newer"},
    {"memfd execution", "images", kRequired, probes::execveat_of_memfd, "sealed memfd",
     "memfd_create, execveat", nullptr, "the zygote starts from memory, whatever files there are",
     "Linux 3.19 or newer with CONFIG_MEMFD_CREATE=y"},

    {"clone3", "processes", kRequired, probes::clone3_with_pidfd, "",
     "clone3, pidfd_send_signal, poll, waitid", nullptr,
     "the host starts, kills and outlives a process through a handle that cannot be mistaken",
     "Linux 5.5 or newer"},
    {"pidfd_getfd", "processes", kRequired, probes::pidfd_getfd, "", "pidfd_getfd", nullptr,
     "the host takes a worker's descriptors (its userfaultfd) without asking it", "Linux 5.6 or newer"},
    {"pidfd exit status", "processes", kOptional, probes::pidfd_exit_status, "", "ioctl on a pidfd", nullptr,
     "the host learns how a worker died that nobody waits for", "Linux 6.15 or newer"},

    {"seccomp filter", "filters", kRequired, probes::seccomp_filter, "", "prctl, seccomp", nullptr,
     "a worker makes the system calls of its table and no others", "a kernel with CONFIG_SECCOMP_FILTER=y"},
    {"seccomp notification", "filters", kRequired, probes::seccomp_notification, "seccomp filter",
     "seccomp with a listener, ioctl on it", nullptr,
     "a violation is reported by the kernel, with number and address, not by the worker",
     "Linux 5.0 or newer; a process whose filter already has a listener cannot add one: start outside of it"},
    {"landlock", "filters", kOptional, probes::landlock, "",
     "landlock_create_ruleset, landlock_restrict_self", "ABI {}",
     "files stay out of reach should the empty root fail",
     "Linux 5.13 or newer with CONFIG_SECURITY_LANDLOCK=y, and landlock in the boot parameter lsm="},
    {"landlock signal scope", "filters", kOptional, probes::landlock_signal_scope, "landlock",
     "landlock_create_ruleset, landlock_restrict_self", nullptr,
     "no process outside of the jail can be signalled should the filter fail",
     "Linux 6.12 or newer (Landlock ABI 6)"},

    {"rlimits", "limits", kRequired, probes::rlimits, "", "setrlimit", nullptr,
     "a worker's address space, descriptors and processes are bounded",
     "start as an ordinary user, or where root can become user 65534: RLIMIT_NPROC does not bind root"},
    {"cgroup pids", "limits", kOptional, probes::cgroup_pids, "clone3", "mkdir, open, write, clone3",
     "version {}", "JailOptions::cgroup can bound how many workers there are together", kCgroupFix},
    {"cgroup memory", "limits", kOptional, probes::cgroup_memory, "clone3", "mkdir, open, write, clone3",
     "version {}", "JailOptions::cgroup can bound what many workers touch together", kCgroupFix},
    {"cgroup cpu", "limits", kOptional, probes::cgroup_cpu, "clone3", "mkdir, open, write, clone3",
     "version {}", "JailOptions::cgroup can bound the CPU time of many workers together", kCgroupFix},

    {"userfaultfd", "paging", kRequired, probes::userfaultfd, "sealed memfd", "userfaultfd, ioctl on it",
     nullptr, "the host decides page by page what a guest's memory holds",
     "Linux 6.8 or newer with CONFIG_USERFAULTFD=y; user mode needs no vm.unprivileged_userfaultfd"},

    {"shared futex", "hand-over", kRequired, probes::shared_futex, "sealed memfd", "futex", nullptr,
     "host and worker sleep while it is the other's turn", "a kernel with CONFIG_FUTEX=y"},
    {"fsgsbase", "hand-over", kRequired, probes::fsgsbase, "", "", nullptr,
     "guest code is entered and left without a system call",
     "Linux 5.9 or newer without nofsgsbase on its command line, on a CPU from 2013 or later"},

    {"io_uring", "supervision", kRequired, probes::io_uring, "", "io_uring_setup, io_uring_enter", nullptr,
     "one thread of the host hears of the death of any worker", "Linux 5.4 or newer with CONFIG_IO_URING=y"},

    {"mseal", "hardening", kOptional, probes::mseal, "", "mseal", nullptr,
     "the zygote's own pages cannot be moved or replaced", "Linux 6.10 or newer"},
    {"no exec gain", "hardening", kOptional, probes::no_exec_gain, "", "prctl", nullptr,
     "what a worker wrote can never become executable", "Linux 6.3 or newer (PR_SET_MDWE)"},

// For those who ask for them: JailOptions::hardening.
#define HARDENING(name, text, against, needs)                                                   \
  {#name,   "hardening on request", kOptional, probe_hardening<kHardening_##name>, "", "prctl", \
   nullptr, "against " against,     needs},
#include "sandbox/abi/hardenings.def"
#undef HARDENING
};

bool is_missing(const std::vector<FeatureReport>& reports, std::string_view name) {
  return std::any_of(reports.begin(), reports.end(), [name](const FeatureReport& report) {
    return report.name == name && report.state == FeatureReport::kMissing;
  });
}

// "set up an io_uring: EPERM (Operation not permitted); kernel.io_uring_disabled is 2"
std::string describe(const Error& error, const std::string& finding) {
  std::string text = error.what;
  if (error.detail[0] != '\0') text += fmt::format(" {}", error.detail);
  if (error.os_errno != 0)
    text += fmt::format(": {} ({})", ::strerrorname_np(error.os_errno), ::strerrordesc_np(error.os_errno));
  if (!finding.empty()) text += "; " + finding;
  return text;
}

FeatureReport try_feature(const Probe& probe, const std::vector<FeatureReport>& before) {
  FeatureReport report = {
      .name = probe.name, .layer = probe.layer, .is_required = probe.is_required, .purpose = probe.purpose};
  if (!probe.needs.empty() && is_missing(before, probe.needs)) {
    report.detail = fmt::format("cannot be tried without: {}", probe.needs);
    report.fix = fmt::format("the fix of: {}", probe.needs);
    return report;
  }
  const Result<int> outcome = probe.run();
  if (outcome) {
    report.state = FeatureReport::kOk;
    if (probe.value_text != nullptr) report.detail = fmt::format(fmt::runtime(probe.value_text), *outcome);
    return report;
  }
  const probes::Explanation explanation =
      probes::explain({probe.name, probe.layer, probe.system_calls, probe.fix}, outcome.error());
  report.detail = describe(outcome.error(), explanation.finding);
  report.fix = explanation.fix;
  return report;
}

}  // namespace

std::vector<FeatureReport> probe_features() {
  std::vector<FeatureReport> reports;
  for (const Probe& probe : kProbes) reports.push_back(try_feature(probe, reports));
  return reports;
}

}  // namespace sandglass
