#include "sandbox/backend/linux/doctor/refusal_causes.h"

#include <fmt/format.h>

#include <fstream>
#include <optional>
#include <vector>

namespace sandglass::probes {
namespace {

constexpr int kAnyError = 0;
// Below what the fix sets: the limit has been reached. Above it, an outer namespace has another one.
constexpr long kFewNamespaces = 9999;

// A sysctl that refuses something while its value lies in [low, high].
struct Setting {
  std::string_view applies_to;  // the name of a feature or of a layer
  int os_errno;                 // what it refuses with
  std::string_view name;
  long low, high;
  std::string_view fix;
};

constexpr Setting kSettings[] = {
    {"namespaces", kAnyError, "kernel.apparmor_restrict_unprivileged_userns", 1, 1,
     "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile with the rule "
     "`userns,` "
     "for the program"},
    {"user namespace", EPERM, "kernel.unprivileged_userns_clone", 0, 0,
     "sysctl -w kernel.unprivileged_userns_clone=1"},
    {"user namespace", ENOSPC, "user.max_user_namespaces", 0, kFewNamespaces,
     "sysctl -w user.max_user_namespaces=10000"},
    {"mount namespace", ENOSPC, "user.max_mnt_namespaces", 0, kFewNamespaces,
     "sysctl -w user.max_mnt_namespaces=10000"},
    {"network namespace", ENOSPC, "user.max_net_namespaces", 0, kFewNamespaces,
     "sysctl -w user.max_net_namespaces=10000"},
    {"ipc namespace", ENOSPC, "user.max_ipc_namespaces", 0, kFewNamespaces,
     "sysctl -w user.max_ipc_namespaces=10000"},
    {"uts namespace", ENOSPC, "user.max_uts_namespaces", 0, kFewNamespaces,
     "sysctl -w user.max_uts_namespaces=10000"},
    {"cgroup namespace", ENOSPC, "user.max_cgroup_namespaces", 0, kFewNamespaces,
     "sysctl -w user.max_cgroup_namespaces=10000"},
    {"pid namespace", ENOSPC, "user.max_pid_namespaces", 0, kFewNamespaces,
     "sysctl -w user.max_pid_namespaces=10000"},
    {"memfd execution", EACCES, "vm.memfd_noexec", 1, 2, "sysctl -w vm.memfd_noexec=0"},
    {"pidfd_getfd", EPERM, "kernel.yama.ptrace_scope", 2, 3,
     "sysctl -w kernel.yama.ptrace_scope=1; from 3 it takes a reboot"},
    {"io_uring", EPERM, "kernel.io_uring_disabled", 1, 2,
     "sysctl -w kernel.io_uring_disabled=0; while it is 1, membership in the group kernel.io_uring_group "
     "helps, "
     "too"},
};

std::string first_line(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  while (!line.empty() && (line.back() == '\0' || line.back() == ' ')) line.pop_back();
  return line;
}

std::optional<long> read_setting(const std::string& proc, std::string_view name) {
  std::string path = fmt::format("{}/sys/", proc);
  for (const char c : name) path += c == '.' ? '/' : c;
  std::ifstream file(path);
  long value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

std::optional<Explanation> explain_by_setting(const Refused& refused, const Error& error,
                                              const std::string& proc) {
  for (const Setting& setting : kSettings) {
    if (setting.applies_to != refused.name && setting.applies_to != refused.layer) continue;
    if (setting.os_errno != kAnyError && setting.os_errno != error.os_errno) continue;
    const std::optional<long> value = read_setting(proc, setting.name);
    if (!value || *value < setting.low || *value > setting.high) continue;
    return Explanation{fmt::format("{} is {}", setting.name, *value), std::string(setting.fix)};
  }
  return std::nullopt;
}

bool is_under_seccomp(const std::string& proc) {
  std::ifstream file(proc + "/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line == "Seccomp:\t2") return true;
  }
  return false;
}

bool is_permission_error(int os_errno) { return os_errno == EPERM || os_errno == EACCES; }

// A filter may also kill, or pretend that the kernel is older than it is.
bool may_be_seccomp(const Error& error) {
  return is_permission_error(error.os_errno) || error.os_errno == ENOSYS || error.os_errno == EBUSY ||
         std::string_view(error.detail).ends_with("SIGSYS");
}

// What a container or a service manager puts around a process. One cannot see from inside what exactly they
// refuse, so the other fix is named as well.
Explanation explain_by_confinement(const Refused& refused, const Error& error, const std::string& proc) {
  std::vector<std::string> findings, fixes;
  if (!refused.system_calls.empty() && may_be_seccomp(error) && is_under_seccomp(proc)) {
    findings.emplace_back("a seccomp filter is on this process");
    fixes.push_back(
        fmt::format("let its profile allow {} (docker: --security-opt seccomp=FILE; systemd: "
                    "SystemCallFilter=)",
                    refused.system_calls));
  }
  const std::string profile = first_line(proc + "/self/attr/current");
  if (is_permission_error(error.os_errno) && !profile.empty() && profile != "unconfined") {
    findings.push_back(fmt::format("the security profile {} confines this process", profile));
    fixes.push_back(fmt::format("let the security profile allow {} (docker: --security-opt apparmor=PROFILE)",
                                refused.system_calls));
  }
  fixes.emplace_back(refused.fix);
  return {fmt::format("{}", fmt::join(findings, "; ")), fmt::format("{}", fmt::join(fixes, "; or: "))};
}

}  // namespace

Explanation explain(const Refused& refused, const Error& error, const std::string& proc) {
  if (std::optional<Explanation> found = explain_by_setting(refused, error, proc)) return *found;
  return explain_by_confinement(refused, error, proc);
}

}  // namespace sandglass::probes
