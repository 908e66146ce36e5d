// The supervisor and its process: fork, exit, and kernels that refuse io_uring.
#include <cstdlib>
#include <string>

#include "tests/linux/child.h"
#include "tests/linux/counting_watcher.h"
#include "tests/linux/filter.h"

namespace sandglass {
namespace {

// A child fails by its exit status; the sentence says why.
void require(bool condition, const char* sentence) {
  if (condition) return;
  std::fprintf(stderr, "in a child: %s\n", sentence);
  ::_exit(1);
}

void see_a_death() {
  const Child child = sleeping_child();
  CountingWatcher watcher;
  require(Supervisor::watch(child.pidfd(), &watcher).has_value(), "a watch fails");
  child.kill();
  require(watcher.is_called(), "a death is not reported");
}

bool has_succeeded(int wait_status) { return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0; }

TEST(SupervisorProcess, ForkedChildHasItsOwnAndLeavesTheParentsAlone) {
  const Child watched = sleeping_child();
  CountingWatcher watcher;
  ASSERT_TRUE(Supervisor::watch(watched.pidfd(), &watcher));
  // So that the supervisor's thread is up: AddressSanitizer holds a lock while a thread starts, and a child
  // that was forked meanwhile inherits it locked.
  see_a_death();
  Child child([&] {
    Supervisor::forget(&watcher);  // its parent's; here it is not watched
    see_a_death();
    require(Supervisor::watch(watched.pidfd(), &watcher).has_value(),
            "the parent's watcher cannot be reused");
    Supervisor::forget(&watcher);
  });
  EXPECT_TRUE(has_succeeded(child.wait()));
  EXPECT_EQ(watcher.calls(), 0);
  watched.kill();
  EXPECT_TRUE(watcher.is_called());
  see_a_death();
}

TEST(SupervisorProcess, ManyThreadsForkWhileOthersWatch) {
  std::atomic<bool> is_over = false;
  std::thread busy([&] {
    while (!is_over) {
      const UniqueFd event(::eventfd(1, EFD_CLOEXEC));
      CountingWatcher watcher;
      ASSERT_TRUE(Supervisor::watch(event.get(), &watcher));
    }
  });
  for (int i = 0; i < 100; ++i) {
    Child child([] { see_a_death(); });
    ASSERT_TRUE(has_succeeded(child.wait()));
  }
  is_over = true;
  busy.join();
}

class Forker final : public Watcher {
 public:
  ~Forker() { Supervisor::forget(this); }
  void on_ready() override {
    const pid_t pid = ::fork();
    if (pid == 0) {
      see_a_death();
      ::_exit(0);
    }
    pid_ = pid;
  }
  pid_t pid() const { return pid_; }

 private:
  std::atomic<pid_t> pid_ = 0;
};

TEST(SupervisorProcess, WatcherMayForkInItsCall) {
  const UniqueFd event(::eventfd(1, EFD_CLOEXEC));
  Forker forker;
  ASSERT_TRUE(Supervisor::watch(event.get(), &forker));
  ASSERT_TRUE(comes_true([&] { return forker.pid() > 0; }));
  int status = -1;
  ASSERT_EQ(::waitpid(forker.pid(), &status, 0), forker.pid());
  EXPECT_TRUE(has_succeeded(status));
  see_a_death();
}

TEST(SupervisorProcess, ExitStopsTheThreadWhateverIsWatched) {
  Child child([] {
    static const Child watched = sleeping_child();
    static CountingWatcher watcher;
    require(Supervisor::watch(watched.pidfd(), &watcher).has_value(), "a watch fails");
    std::exit(0);
  });
  EXPECT_TRUE(has_succeeded(child.wait()));
}

TEST(SupervisorProcess, WatcherMayExitInItsCall) {
  class Exiting final : public Watcher {
   public:
    ~Exiting() { Supervisor::forget(this); }
    void on_ready() override { std::exit(7); }
  };
  Child child([] {
    static Exiting watcher;
    require(Supervisor::watch(::eventfd(1, EFD_CLOEXEC), &watcher).has_value(), "a watch fails");
    while (true) ::pause();
  });
  const int status = child.wait();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

// Registered before the supervisor's own handler, so it runs after it.
CountingWatcher* g_late_watcher = nullptr;
void watch_late() {
  Supervisor::forget(g_late_watcher);
  const UniqueFd event(::eventfd(1, EFD_CLOEXEC));
  const Status status = Supervisor::watch(event.get(), g_late_watcher);
  require(!status && status.error().kind == ErrorKind::kInvalidArgument, "a watch at exit is not refused");
  ::_exit(g_late_watcher->calls());
}

TEST(SupervisorProcess, ForgetsAndRefusesAfterItsEnd) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process that has had no supervisor yet
  EXPECT_EXIT(
      {
        std::atexit(watch_late);
        const UniqueFd silent(::eventfd(0, EFD_CLOEXEC));
        // Never destroyed: statics would be, before that handler runs.
        g_late_watcher = new CountingWatcher;
        require(Supervisor::watch(silent.get(), g_late_watcher).has_value(), "a watch fails");
        std::exit(1);
      },
      testing::ExitedWithCode(0), "");
}

TEST(SupervisorProcess, NamesTheSysctlWhereRingsAreRefused) {
  for (int refusal : {EPERM, ENOSYS}) {
    Child child([=] {
      require(install_filter({SYS_io_uring_setup}, SECCOMP_RET_ERRNO | refusal) == 0, "no filter");
      const UniqueFd event(::eventfd(1, EFD_CLOEXEC));
      CountingWatcher watcher;
      const Status status = Supervisor::watch(event.get(), &watcher);
      require(!status && status.error().kind == ErrorKind::kUnsupported, "the kind is not unsupported");
      require(status.error().os_errno == refusal, "the errno is lost");
      require(to_string(status.error()).find("kernel.io_uring_disabled") != std::string::npos, "no sysctl");
    });
    EXPECT_TRUE(has_succeeded(child.wait())) << refusal;
  }
}

TEST(SupervisorProcess, WatchesAgainOnceRingsAreAllowed) {
  Child child([] {
    rlimit limit = {};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const UniqueFd event(::eventfd(1, EFD_CLOEXEC));
    const rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    CountingWatcher watcher;
    ::setrlimit(RLIMIT_NOFILE, &none);
    const Status status = Supervisor::watch(event.get(), &watcher);
    require(!status && status.error().os_errno == EMFILE, "a watch succeeds without descriptors");
    ::setrlimit(RLIMIT_NOFILE, &limit);
    see_a_death();
  });
  EXPECT_TRUE(has_succeeded(child.wait()));
}

}  // namespace
}  // namespace sandglass
