// What /proc says about this process and the processes of its jails.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <vector>

#include "sandbox/base/unique_fd.h"

namespace sandglass::faults {

struct JailProcesses {
  std::vector<pid_t> templates, workers;
};
JailProcesses find_jail_processes();

// A descriptor of the process if it is a child of `parent`: a number that was read a moment ago may belong to
// somebody else by now, who must not get a signal of ours. Empty when it is not, or is gone.
UniqueFd open_child_of(pid_t parent, pid_t process);
pid_t parent_of(pid_t process);  // 0 when it is gone
char state_of(pid_t process);    // as ps(1) has it: R, S, T, Z …; '-' when it is gone

// What a leak would make grow.
struct Holdings {
  size_t descriptors = 0;
  size_t mappings = 0;
  size_t children = 0;         // and grandchildren, dead or alive
  size_t allocated_bytes = 0;  // by malloc(3), in all threads
  size_t resident_bytes = 0;   // anonymous and shared memory
};
Holdings count_holdings();

}  // namespace sandglass::faults
