// Child: a process of a benchmark's own, started by the raw system call, so that exactly what was asked for
// is what is timed.
//
// Functions that run in a child end in _in_child. They use system calls and their stack only: the child
// shares the memory of this process (kSharedMemory) or has a copy of a process whose locks nobody will
// release.
#pragma once

#include <sched.h>
#include <signal.h>

#include <cstdint>

#include "sandbox/base/mapping.h"
#include "sandbox/base/result.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass::bench {

// The exit status of a child that did what it was for; tiny/program.cc has the same.
inline constexpr int kChildDidIt = 42;

// Returns the exit status.
using ChildFunction = int (*)(void* argument);

// As vfork(2): the child runs in our memory, on a stack of its own, and we stand still until it has exited or
// replaced itself. Costs no copy of our page tables.
inline constexpr uint64_t kSharedMemory = CLONE_VM | CLONE_VFORK;

// All that a process can have of its own without asking for more than a user namespace.
inline constexpr uint64_t kAllNamespaces =
    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNET;

// What this kernel refuses because a right, a system call or a resource is missing becomes kUnsupported;
// anything else kOs.
Error os_or_unsupported(const char* what, int os_errno);
// The same for an error of the library.
Error unsupported_if_refused(Error error);

class Child {
 public:
  Child() = default;
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(pidfd_, other.pidfd_);
    return *this;
  }
  // Kills and reaps it, unless it has been reaped.
  ~Child();

  // `flags` are those of clone3(2): namespaces, CLONE_PIDFD, kSharedMemory; 0 is a plain fork. `stack` is for
  // kSharedMemory only.
  static Result<Child> start(uint64_t flags, ChildFunction function, void* argument, const Mapping& stack);
  // A plain fork that does not outlive us.
  static Result<Child> fork(ChildFunction function, void* argument);
  // Takes over a process that something else has started.
  static Child adopt(int pid) { return Child(pid, -1); }

  int pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }  // -1 without CLONE_PIDFD
  // Waits for its end, reaps it, and returns the status as waitpid(2) has it.
  int reap();
  // reap(), and whether it exited with kChildDidIt.
  bool reap_and_check();

 private:
  Child(int pid, int pidfd) : pid_(pid), pidfd_(pidfd) {}

  int pid_ = 0;
  UniqueFd pidfd_;
};

}  // namespace sandglass::bench
