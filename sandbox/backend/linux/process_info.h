// What the kernel says about a process behind a pidfd.
#pragma once

#include <sys/types.h>

#include <optional>

namespace sandglass {

// Its number in our pid namespace; 0 when the kernel does not say. PIDFD_GET_INFO (Linux 6.13), else
// /proc/self/fdinfo.
pid_t process_id_of(int pidfd);

// How it ended, as waitpid(2) encodes it, also for a process that is nobody's child here. Nothing while it
// runs and on kernels before 6.15 (PIDFD_INFO_EXIT).
std::optional<int> exit_status_of(int pidfd);

}  // namespace sandglass
