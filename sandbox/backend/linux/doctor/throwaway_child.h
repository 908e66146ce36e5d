// Throw-away children: a copy of this process that tries something and is gone.
//
// What a trial does to its process (namespaces, filters, limits, mappings) ends with it. It runs between fork
// and exit, perhaps forked while another thread held a lock: system calls and the stack only, and by
// convention its functions end in _in_child. Errors are plain values, so they come back as they are.
#pragma once

#include <sys/types.h>

#include "sandbox/base/result.h"

namespace sandglass::probes {

namespace internal {
Result<int> run_in_child(Result<int> (*call)(const void*), const void* trial);
}

// What trial() returned in a child. A child that is killed or does not end within some seconds is an error.
// The caller's signals, children and descriptors stay what they are: the child has no exit signal, so neither
// a SIGCHLD handler nor a wait() of the caller sees it. Costs a fork.
template <typename Trial>
Result<int> run_in_child(Trial trial) {
  return internal::run_in_child([](const void* call) { return (*static_cast<const Trial*>(call))(); },
                                &trial);
}

// Inside of a trial: forks once more, through the oldest call there is. 0 in the new process, which dies with
// its parent; negative with errno set when refused. `pidfd`, when given, receives a pidfd.
pid_t fork_in_child(int* pidfd = nullptr);

// Ends the calling child at once, without running anything of the copied process.
[[noreturn]] void exit_in_child(int status);

// Waits for a process of fork_in_child(): the status as waitpid(2) reports it.
Result<int> wait_in_child(pid_t pid);

// What a root host's workers do first: user 65534 instead of root, so limits and permissions hold. Does
// nothing for others, and nothing where that user does not exist (a user namespace that maps root alone).
Status become_ordinary_user_in_child();

}  // namespace sandglass::probes
