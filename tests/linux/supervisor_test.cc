// The supervisor: who is called, how often, and that it ends with forget().
#include <sys/epoll.h>
#include <sys/mman.h>

#include <functional>
#include <memory>
#include <random>
#include <semaphore>
#include <vector>

#include "tests/linux/child.h"
#include "tests/linux/counting_watcher.h"

namespace sandglass {
namespace {

UniqueFd make_event(unsigned count = 0) { return UniqueFd(::eventfd(count, EFD_CLOEXEC | EFD_NONBLOCK)); }

void in_threads(int count, const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

// Does in its call what the test wants.
class Scripted final : public Watcher {
 public:
  explicit Scripted(std::function<void()> script) : script_(std::move(script)) {}
  ~Scripted() { Supervisor::forget(this); }
  void on_ready() override {
    ++calls_;
    script_();
  }
  int calls() const { return calls_; }

 private:
  const std::function<void()> script_;
  std::atomic<int> calls_ = 0;
};

// Holds the supervisor inside of a call, so that what happens meanwhile comes in one go.
class Gate {
 public:
  Gate() : watcher_([this] { pass(); }) {
    EXPECT_TRUE(Supervisor::watch(event_.get(), &watcher_));
    entered_.acquire();
  }
  ~Gate() { open(); }
  void open() {
    if (!is_open_) opened_.release();
    is_open_ = true;
  }
  Watcher* watcher() { return &watcher_; }

 private:
  void pass() {
    entered_.release();
    opened_.acquire();
  }

  const UniqueFd event_ = make_event(1);
  std::binary_semaphore entered_{0}, opened_{0};
  bool is_open_ = false;
  Scripted watcher_;
};

TEST(Supervisor, ReportsADeath) {
  const Child child = sleeping_child();
  CountingWatcher watcher;
  ASSERT_TRUE(Supervisor::watch(child.pidfd(), &watcher));
  let_supervisor_catch_up();
  EXPECT_EQ(watcher.calls(), 0);
  child.kill();
  EXPECT_TRUE(watcher.is_called());
}

TEST(Supervisor, ReportsWhoDiedBeforeTheWatch) {
  Child zombie([] {});
  siginfo_t info = {};
  ASSERT_EQ(::waitid(P_PID, zombie.pid(), &info, WEXITED | WNOWAIT), 0);
  Child reaped([] {});
  reaped.wait();
  for (const Child* child : {&zombie, &reaped}) {
    CountingWatcher watcher;
    ASSERT_TRUE(Supervisor::watch(child->pidfd(), &watcher));
    EXPECT_TRUE(watcher.is_called());
  }
}

TEST(Supervisor, ReportsEachOfAThousandDeathsOnce) {
  constexpr int kCount = 1000;
  allow_many_descriptors();
  std::vector<Child> children;
  std::vector<CountingWatcher> watchers(kCount);
  for (int i = 0; i < kCount; ++i) {
    children.push_back(sleeping_child());
    ASSERT_TRUE(Supervisor::watch(children[i].pidfd(), &watchers[i]));
  }
  for (int i = 0; i < kCount; i += 2) children[i].kill();
  for (int i = 0; i < kCount; i += 2) ASSERT_TRUE(watchers[i].is_called()) << i;
  for (int i = 1; i < kCount; i += 2) ASSERT_EQ(watchers[i].calls(), 0) << i;
  for (int i = 1; i < kCount; i += 2) children[i].kill();
  for (int i = 1; i < kCount; i += 2) ASSERT_TRUE(watchers[i].is_called()) << i;
  for (Child& child : children) child.wait();  // reaping wakes those who poll a pidfd once more
  let_supervisor_catch_up();
  for (const CountingWatcher& watcher : watchers) ASSERT_EQ(watcher.calls(), 1);
}

TEST(Supervisor, ReportsOneDeathToTenThousandWatchers) {
  constexpr int kCount = 10'000;
  allow_many_descriptors();
  const Child child = sleeping_child();
  std::vector<UniqueFd> copies;
  std::vector<CountingWatcher> watchers(kCount);
  for (CountingWatcher& watcher : watchers) {
    copies.emplace_back(::dup(child.pidfd()));
    ASSERT_TRUE(Supervisor::watch(copies.back().get(), &watcher));
  }
  child.kill();
  for (const CountingWatcher& watcher : watchers) ASSERT_TRUE(watcher.is_called());
  let_supervisor_catch_up();
  for (const CountingWatcher& watcher : watchers) ASSERT_EQ(watcher.calls(), 1);
}

TEST(Supervisor, IsSilentAboutTheForgotten) {
  const Child child = sleeping_child();
  CountingWatcher watcher;
  ASSERT_TRUE(Supervisor::watch(child.pidfd(), &watcher));
  Supervisor::forget(&watcher);
  Supervisor::forget(&watcher);  // nothing to do
  child.kill();
  siginfo_t info = {};
  ASSERT_EQ(::waitid(P_PID, child.pid(), &info, WEXITED | WNOWAIT), 0);
  let_supervisor_catch_up();
  EXPECT_EQ(watcher.calls(), 0);
}

TEST(Supervisor, IsNotConfusedByADescriptorsNextUse) {
  Child first = sleeping_child();
  const int number = first.pidfd();
  const UniqueFd keeps_it_alive(::dup(number));
  CountingWatcher of_first, of_second;
  ASSERT_TRUE(Supervisor::watch(number, &of_first));
  Supervisor::forget(&of_first);
  first.close_pidfd();
  const Child second = sleeping_child();
  ASSERT_EQ(second.pidfd(), number);
  ASSERT_TRUE(Supervisor::watch(second.pidfd(), &of_second));
  first.kill();
  first.wait();
  let_supervisor_catch_up();
  EXPECT_EQ(of_second.calls(), 0);
  second.kill();
  EXPECT_TRUE(of_second.is_called());
  EXPECT_EQ(of_first.calls(), 0);
}

TEST(Supervisor, DropsAnEventThatItHasAlreadyFetched) {
  const UniqueFd first = make_event(1), second = make_event(1);
  std::unique_ptr<Scripted> watchers[2];
  // Whoever comes first destroys the other, whose event is on its way, and gives its memory something new.
  watchers[0] = std::make_unique<Scripted>([&] { watchers[1] = nullptr; });
  watchers[1] = std::make_unique<Scripted>([&] { watchers[0] = nullptr; });
  Gate gate;
  ASSERT_TRUE(Supervisor::watch(first.get(), watchers[0].get()));
  ASSERT_TRUE(Supervisor::watch(second.get(), watchers[1].get()));
  gate.open();
  let_supervisor_catch_up();
  ASSERT_NE(watchers[0] == nullptr, watchers[1] == nullptr);
  EXPECT_EQ((watchers[0] ? watchers[0] : watchers[1])->calls(), 1);
}

TEST(Supervisor, WatcherMayForgetAndDestroyItselfInItsCall) {
  const Child child = sleeping_child();
  std::binary_semaphore done{0};
  Scripted* watcher = nullptr;
  watcher = new Scripted([&] {
    std::binary_semaphore* const survives = &done;
    delete watcher;
    survives->release();
  });
  ASSERT_TRUE(Supervisor::watch(child.pidfd(), watcher));
  child.kill();
  EXPECT_TRUE(done.try_acquire_for(kPatience));
  let_supervisor_catch_up();
}

TEST(Supervisor, WatcherMayWatchSomethingElseInItsCall) {
  const UniqueFd events[] = {make_event(1), make_event(1)};
  Scripted* self = nullptr;
  Scripted watcher([&] {
    if (self->calls() > 1) return;
    Supervisor::forget(self);
    EXPECT_TRUE(Supervisor::watch(events[1].get(), self));
  });
  self = &watcher;
  ASSERT_TRUE(Supervisor::watch(events[0].get(), self));
  EXPECT_TRUE(comes_true([&] { return watcher.calls() == 2; }));
}

TEST(Supervisor, ForgetWaitsForTheCallUnderWay) {
  Gate gate;
  std::atomic<int> returned = 0;
  std::vector<std::thread> forgetful;
  for (int i = 0; i < 2; ++i) {
    forgetful.emplace_back([&] {
      Supervisor::forget(gate.watcher());
      ++returned;
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(returned, 0);
  gate.open();
  for (std::thread& thread : forgetful) thread.join();
  EXPECT_EQ(returned, 2);
}

TEST(Supervisor, ForgetDoesNotWaitForTheCallsOfOthers) {
  const UniqueFd event = make_event(1);
  CountingWatcher watcher;
  Gate gate;
  ASSERT_TRUE(Supervisor::watch(event.get(), &watcher));
  Supervisor::forget(&watcher);  // would hang
  gate.open();
  let_supervisor_catch_up();
  EXPECT_EQ(watcher.calls(), 0);
}

TEST(Supervisor, CallsForEachArrivalWhenAskedTo) {
  const UniqueFd event = make_event();
  CountingWatcher watcher;
  ASSERT_TRUE(Supervisor::watch_repeatedly(event.get(), &watcher));
  for (int round = 1; round <= 100; ++round) {
    ASSERT_EQ(::eventfd_write(event.get(), 1), 0);
    ASSERT_TRUE(comes_true([&] { return watcher.calls() == round; })) << round;
  }
  let_supervisor_catch_up();
  EXPECT_EQ(watcher.calls(), 100);  // what is left unread is not repeated
}

// Called after forget(), it touches freed memory or finds itself forgotten.
class Fragile final : public Watcher {
 public:
  explicit Fragile(std::atomic<int>* calls) : calls_(calls) {}
  ~Fragile() { EXPECT_TRUE(is_forgotten_); }
  void forget() {
    Supervisor::forget(this);
    is_forgotten_ = true;  // not atomic: forget() orders it behind the last call
  }
  void on_ready() override {
    EXPECT_FALSE(is_forgotten_);
    ++*calls_;
  }

 private:
  std::atomic<int>* calls_;
  bool is_forgotten_ = false;
};

TEST(Supervisor, ForgetsInTimeWhileEventsArrive) {
  std::atomic<int> calls = 0;
  in_threads(4, [&](int thread) {
    std::minstd_rand random(thread + 1);
    for (int round = 0; round < 2000; ++round) {
      const UniqueFd event = make_event();
      const auto watcher = std::make_unique<Fragile>(&calls);
      const auto watch = round % 2 == 0 ? Supervisor::watch : Supervisor::watch_repeatedly;
      ASSERT_TRUE(watch(event.get(), watcher.get()));
      ASSERT_EQ(::eventfd_write(event.get(), 1), 0);
      const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(random() % 40'000);
      while (std::chrono::steady_clock::now() < end) {
      }
      watcher->forget();
    }
  });
  EXPECT_GT(calls, 0);
}

TEST(Supervisor, ForgetsInTimeWhileChildrenDie) {
  std::atomic<int> calls = 0;
  in_threads(4, [&](int thread) {
    std::minstd_rand random(thread + 1);
    for (int round = 0; round < 50; ++round) {
      const Child child = sleeping_child();
      const auto watcher = std::make_unique<Fragile>(&calls);
      ASSERT_TRUE(Supervisor::watch(child.pidfd(), watcher.get()));
      child.kill();
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 500));
      watcher->forget();
    }
  });
  EXPECT_GT(calls, 0);
}

TEST(Supervisor, TwoThreadsMayForgetTheSameWatcher) {
  std::atomic<int> calls = 0;
  for (int round = 0; round < 200; ++round) {
    const UniqueFd event = make_event(1);
    Fragile watcher(&calls);
    ASSERT_TRUE(Supervisor::watch(event.get(), &watcher));
    std::thread other([&] { Supervisor::forget(&watcher); });
    Supervisor::forget(&watcher);
    other.join();
    watcher.forget();
  }
}

// What a request of io_uring would do to the thread that made it.
TEST(Supervisor, DeathDoesNotInterruptTheThreadThatWatches) {
  const Child child = sleeping_child();
  CountingWatcher watcher;
  ASSERT_TRUE(Supervisor::watch(child.pidfd(), &watcher));
  std::thread killer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    child.kill();
  });
  const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event = {};
  EXPECT_EQ(::epoll_wait(epoll.get(), &event, 1, 200), 0) << errno;
  killer.join();
  EXPECT_TRUE(watcher.is_called());
}

TEST(Supervisor, ThreadBlocksSignals) {
  const UniqueFd event = make_event(1);
  sigset_t blocked = {};
  Scripted watcher([&] { ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked); });
  ASSERT_TRUE(Supervisor::watch(event.get(), &watcher));
  ASSERT_TRUE(comes_true([&] { return watcher.calls() == 1; }));
  Supervisor::forget(&watcher);
  for (int signal : {SIGTERM, SIGINT, SIGURG, SIGALRM, SIGPROF, SIGCHLD, SIGUSR1, SIGRTMIN}) {
    EXPECT_EQ(sigismember(&blocked, signal), 1) << signal;
  }
}

TEST(Supervisor, RefusesWhatItCannotWatch) {
  CountingWatcher watcher;
  EXPECT_EQ(Supervisor::watch(-1, &watcher).error().os_errno, EBADF);
  const UniqueFd file(::memfd_create("a file is always ready", MFD_CLOEXEC));
  EXPECT_EQ(Supervisor::watch(file.get(), &watcher).error().os_errno, EPERM);
  const UniqueFd event = make_event(1);
  EXPECT_TRUE(Supervisor::watch(event.get(), &watcher));  // what failed has left nothing behind
  EXPECT_EQ(Supervisor::watch(event.get(), &watcher).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_TRUE(watcher.is_called());
}

}  // namespace
}  // namespace sandglass
