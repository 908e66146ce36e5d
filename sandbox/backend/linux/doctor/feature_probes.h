// One function per feature that the Linux backend builds on: it tries the real thing in a throw-away child
// and says which step was refused. The value of a success is what its row in features.cc prints (an ABI
// number); 0 where there is nothing to say.
#pragma once

#include "sandbox/abi/launch.h"
#include "sandbox/base/result.h"

namespace sandglass::probes {

// probe_namespaces.cc
Result<int> user_namespace();
Result<int> id_maps();
Result<int> mount_namespace();
Result<int> net_namespace();
Result<int> ipc_namespace();
Result<int> uts_namespace();
Result<int> cgroup_namespace();
Result<int> pid_namespace();
Result<int> empty_root();

// probe_processes.cc
Result<int> clone3_with_pidfd();
Result<int> pidfd_getfd();
Result<int> pidfd_exit_status();
Result<int> rlimits();

// probe_cgroups.cc: the version of the hierarchy
Result<int> cgroup_pids();
Result<int> cgroup_memory();
Result<int> cgroup_cpu();

// probe_filters.cc
Result<int> seccomp_filter();
Result<int> seccomp_notification();
Result<int> landlock();  // the ABI
Result<int> landlock_signal_scope();

// probe_memory.cc
Result<int> sealed_memfd();
Result<int> execveat_of_memfd();
Result<int> userfaultfd();
Result<int> mseal();
Result<int> no_exec_gain();

// probe_hardenings.cc
Result<int> hardening(HardeningRow row);

// probe_waiting.cc
Result<int> shared_futex();
Result<int> io_uring();
Result<int> fsgsbase();

}  // namespace sandglass::probes
