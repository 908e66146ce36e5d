// What the kernel says about a system call that a worker's filter forbids.
//
// The filter answers with a notification: the kernel stops the calling thread inside the call and tells the
// one who holds the filter's listener. The answer is never "go on", and there is no other answer either: an
// error would let hostile code run again, with the knowledge of having been caught, until SIGKILL arrives.
// Unanswered it stays where it is, and cannot hang the host: a fatal signal ends the wait at once, whether
// the notification has been received or not. So whoever receives a violation kills the process through its
// pidfd, and closes the listener only after that: closing it answers everything that waits with ENOSYS.
//
// A signal that the worker handles also ends the wait, and the call is made and notified again afterwards;
// SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19) keeps it stopped from the receipt on.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "sandbox/base/result.h"

namespace sandglass {

struct Violation {
  pid_t pid = 0;   // the thread that called, as the receiver's pid namespace numbers it; 0: not in it
  int number = 0;  // of the call, to be read with the architecture; -1 is possible
  uint32_t architecture = 0;         // AUDIT_ARCH_*: how the call was made, not what the process is
  uint64_t instruction_pointer = 0;  // behind the instruction that made the call
};

// Takes the next notification from a listener without waiting; nothing when there is none, when whoever
// caused it has died since, and when no process has the filter any more. One thread at a time for each
// listener.
Result<std::optional<Violation>> receive_violation(int listener);

}  // namespace sandglass
