// A child process with its pidfd, killed and reaped at the end of its scope.
#pragma once

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "sandbox/base/unique_fd.h"

namespace sandglass {

class Child {
 public:
  // Runs `body` in the child, which must not return from it by an exception; then _exit(0).
  template <typename Body>
  explicit Child(Body body) : pid_(::fork()) {
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // even if the test dies
      body();
      ::_exit(0);
    }
    pidfd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    EXPECT_TRUE(pidfd_);
  }
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}
  ~Child() {
    if (pid_ <= 0) return;
    kill();
    wait();
  }

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  void kill() const { ::kill(pid_, SIGKILL); }
  // Reaps it and tells its wait status.
  int wait() {
    int status = -1;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }
  void close_pidfd() { pidfd_ = {}; }

 private:
  pid_t pid_;
  UniqueFd pidfd_;
};

inline Child sleeping_child() {
  return Child([] {
    while (true) ::pause();
  });
}

inline void allow_many_descriptors() {
  rlimit limit = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

}  // namespace sandglass
