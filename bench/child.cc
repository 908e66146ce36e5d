#include "bench/child.h"

#include <linux/sched.h>
#include <sanitizer/asan_interface.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace sandglass::bench {
namespace {

// clone3(2), and in the child exit_group(function(argument)). The C library has no wrapper for it: behind the
// system call the child stands on another stack, where no compiled function can go on. A fork (without a
// stack of its own) goes on below the red zone of its copy.
long clone3_and_call(const clone_args& arguments, ChildFunction function, void* argument) {
  long result = SYS_clone3;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "sub $128, %%rsp\n\t"
      "and $-16, %%rsp\n\t"
      "mov %[argument], %%rdi\n\t"
      "call *%[function]\n\t"
      "mov %%eax, %%edi\n\t"
      "mov %[exit_group], %%eax\n\t"
      "syscall\n"
      "1:"
      : "+a"(result)
      : "D"(&arguments), "S"(sizeof arguments), [function] "r"(function), [argument] "r"(argument),
        [exit_group] "i"(SYS_exit_group)
      : "rcx", "r11", "cc", "memory");
  return result;
}

struct ForkedCall {
  ChildFunction function;
  void* argument;
  int parent;
};

int call_while_parent_lives_in_child(void* argument) {
  const ForkedCall& call = *static_cast<const ForkedCall*>(argument);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != call.parent) return 0;  // it died before it could be noticed
  return call.function(call.argument);
}

}  // namespace

Error os_or_unsupported(const char* what, int os_errno) {
  Error error{.kind = ErrorKind::kOs, .os_errno = os_errno, .what = what};
  switch (os_errno) {
    case EPERM:
    case EACCES:
    case ENOSYS:
    case EINVAL:  // an option from the future
    case ENOSPC:  // too many namespaces
    case ENODEV: error.kind = ErrorKind::kUnsupported; break;
    default: break;
  }
  return error;
}

Error unsupported_if_refused(Error error) {
  if (error.kind == ErrorKind::kOs) error.kind = os_or_unsupported(error.what, error.os_errno).kind;
  return error;
}

Result<Child> Child::start(uint64_t flags, ChildFunction function, void* argument, const Mapping& stack) {
  int pidfd = -1;
  clone_args arguments = {};
  arguments.flags = flags;
  arguments.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if ((flags & CLONE_VM) != 0) {
    arguments.stack = reinterpret_cast<uint64_t>(stack.data());
    arguments.stack_size = stack.size_bytes();
  }
  const long pid = clone3_and_call(arguments, function, argument);
  // A child that has replaced itself or exited never left its functions, so AddressSanitizer, where it is on,
  // still guards their frames. Whatever is mapped there next would be taken for them.
  if ((flags & CLONE_VM) != 0) ASAN_UNPOISON_MEMORY_REGION(stack.data(), stack.size_bytes());
  if (pid < 0) {
    const bool is_in_namespace = (flags & CLONE_NEWUSER) != 0;
    return os_or_unsupported(is_in_namespace ? "start a process in a user namespace" : "start a process",
                             static_cast<int>(-pid));
  }
  return Child(static_cast<int>(pid), pidfd);
}

Result<Child> Child::fork(ChildFunction function, void* argument) {
  ForkedCall call{function, argument, getpid()};
  return start(0, call_while_parent_lives_in_child, &call, Mapping());
}

int Child::reap() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return status;
}

bool Child::reap_and_check() {
  const int status = reap();
  return WIFEXITED(status) && WEXITSTATUS(status) == kChildDidIt;
}

Child::~Child() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  reap();
}

}  // namespace sandglass::bench
