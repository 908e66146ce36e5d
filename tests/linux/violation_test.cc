// What a seccomp listener tells about a forbidden system call.
#include <poll.h>
#include <sys/mman.h>

#include <array>
#include <cstring>

#include "sandbox/backend/linux/violation.h"
#include "tests/linux/child.h"
#include "tests/linux/counting_watcher.h"
#include "tests/linux/filter.h"

// Makes a system call without arguments at a place whose end is known.
extern "C" long sandglass_test_call(long number);
extern "C" long sandglass_test_call_ia32(long number);
extern "C" const char sandglass_test_after_call[], sandglass_test_after_call_ia32[];
asm(R"(
  .text
  sandglass_test_call:
    mov %rdi, %rax
    syscall
  sandglass_test_after_call:
    ret
  sandglass_test_call_ia32:
    push %rbx
    mov %rdi, %rax
    int $0x80
  sandglass_test_after_call_ia32:
    pop %rbx
    ret
)");

namespace sandglass {
namespace {

constexpr uint32_t kX32Bit = 0x4000'0000;
constexpr uint32_t kNoCall = 0xffff'ffff;

// What parent and child share.
struct Shared {
  std::atomic<int> listener = -1;  // as the child numbers it
  std::atomic<pid_t> first_pid = 0;
  std::atomic<bool> has_returned = false;
  std::atomic<bool> is_first_gone = false;
};

class ViolationTest : public testing::Test {
 protected:
  void SetUp() override {
    void* const page =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(page, MAP_FAILED);
    shared_ = new (page) Shared;
  }
  void TearDown() override { ::munmap(shared_, sizeof(Shared)); }

  void install_in_child() const {
    shared_->listener = install_filter({SYS_getppid, kNoCall, kX32Bit | SYS_getppid}, SECCOMP_RET_USER_NOTIF,
                                       SECCOMP_FILTER_FLAG_NEW_LISTENER);
    if (shared_->listener < 0) ::_exit(1);
  }
  template <typename Call>
  Child violator(Call call) const {
    return Child([&] {
      install_in_child();
      call();
      shared_->has_returned = true;
    });
  }
  Child violator() const {
    return violator([] { sandglass_test_call(SYS_getppid); });
  }
  UniqueFd listener_of(const Child& child) const {
    EXPECT_TRUE(comes_true([&] { return shared_->listener >= 0; }));
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_getfd, child.pidfd(), shared_->listener.load(), 0)));
  }

  Shared* shared_ = nullptr;
};

bool is_readable(const UniqueFd& listener, std::chrono::milliseconds patience) {
  pollfd request = {.fd = listener.get(), .events = POLLIN};
  return ::poll(&request, 1, static_cast<int>(patience.count())) == 1 && (request.revents & POLLIN) != 0;
}

bool becomes_readable(const UniqueFd& listener) { return is_readable(listener, kPatience); }

TEST_F(ViolationTest, TellsWhoCalledWhatFromWhere) {
  struct Case {
    long number;
    int expected;
  };
  for (const Case& one :
       {Case{SYS_getppid, SYS_getppid}, Case{-1, -1}, Case{kX32Bit | SYS_getppid, kX32Bit | SYS_getppid}}) {
    shared_->listener = -1;
    const Child child = violator([one] { sandglass_test_call(one.number); });
    const UniqueFd listener = listener_of(child);
    ASSERT_TRUE(becomes_readable(listener));
    const auto violation = receive_violation(listener.get()).value();
    ASSERT_TRUE(violation.has_value());
    EXPECT_EQ(violation->pid, child.pid());
    EXPECT_EQ(violation->number, one.expected);
    EXPECT_EQ(violation->architecture, static_cast<uint32_t>(AUDIT_ARCH_X86_64));
    EXPECT_EQ(violation->instruction_pointer, reinterpret_cast<uint64_t>(sandglass_test_after_call));
  }
}

TEST_F(ViolationTest, TellsAForeignArchitecture) {
  constexpr long kIa32Getppid = 64;
  Child probe([] { sandglass_test_call_ia32(kIa32Getppid); });
  if (WIFSIGNALED(probe.wait())) GTEST_SKIP() << "this kernel has no IA-32 emulation";
  const Child child = violator([] { sandglass_test_call_ia32(kIa32Getppid); });
  const UniqueFd listener = listener_of(child);
  ASSERT_TRUE(becomes_readable(listener));
  const auto violation = receive_violation(listener.get()).value();
  ASSERT_TRUE(violation.has_value());
  EXPECT_EQ(violation->number, kIa32Getppid);
  EXPECT_EQ(violation->architecture, static_cast<uint32_t>(AUDIT_ARCH_I386));
  EXPECT_EQ(violation->instruction_pointer, reinterpret_cast<uint64_t>(sandglass_test_after_call_ia32));
}

TEST_F(ViolationTest, CallNeverReturnsAndSigkillEndsIt) {
  Child child = violator();
  const UniqueFd listener = listener_of(child);
  ASSERT_TRUE(becomes_readable(listener));
  ASSERT_TRUE(receive_violation(listener.get()).value().has_value());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(shared_->has_returned);
  child.kill();
  const int status = child.wait();
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(shared_->has_returned);
}

TEST_F(ViolationTest, IsReceivedOnceAndNobodyWaits) {
  const Child child = violator();
  const UniqueFd listener = listener_of(child);
  ASSERT_TRUE(becomes_readable(listener));
  EXPECT_TRUE(receive_violation(listener.get()).value().has_value());
  EXPECT_FALSE(receive_violation(listener.get()).value().has_value());
}

TEST_F(ViolationTest, IsNothingBeforeTheCall) {
  const Child child = violator([] {
    while (true) ::pause();
  });
  const UniqueFd listener = listener_of(child);
  EXPECT_FALSE(receive_violation(listener.get()).value().has_value());
}

TEST_F(ViolationTest, OfADeadProcessIsNothing) {
  Child child = violator();
  const UniqueFd listener = listener_of(child);
  ASSERT_TRUE(becomes_readable(listener));
  child.kill();
  child.wait();
  EXPECT_FALSE(receive_violation(listener.get()).value().has_value());
}

TEST_F(ViolationTest, OfADyingProcessIsThereOrNothing) {
  int found = 0;
  for (int round = 0; round < 200; ++round) {
    shared_->listener = -1;
    const Child child = violator();
    const UniqueFd listener = listener_of(child);
    ASSERT_TRUE(becomes_readable(listener));
    std::thread killer([&] { child.kill(); });
    const auto violation = receive_violation(listener.get());
    killer.join();
    ASSERT_TRUE(violation) << to_string(violation.error());
    found += violation->has_value() ? 1 : 0;
  }
  RecordProperty("found", found);
}

// The dead leave their count behind in the kernel; it must not hide or invent anything.
TEST_F(ViolationTest, OfTheNextProcessIsFoundBehindADeadOne) {
  const Child child([&] {
    install_in_child();
    const pid_t first = ::fork();
    if (first == 0) {
      sandglass_test_call(SYS_getppid);
      ::_exit(0);
    }
    shared_->first_pid = first;
    while (!shared_->is_first_gone) ::usleep(100);
    sandglass_test_call(SYS_getppid);
  });
  const UniqueFd listener = listener_of(child);
  ASSERT_TRUE(becomes_readable(listener));
  ASSERT_TRUE(comes_true([&] { return shared_->first_pid > 0; }));
  ASSERT_EQ(::kill(shared_->first_pid, SIGKILL), 0);
  ASSERT_TRUE(comes_true([&] { return !is_readable(listener, std::chrono::milliseconds(0)); }));
  shared_->is_first_gone = true;
  ASSERT_TRUE(becomes_readable(listener));
  const auto violation = receive_violation(listener.get()).value();
  ASSERT_TRUE(violation.has_value());
  EXPECT_EQ(violation->pid, child.pid());
  EXPECT_FALSE(receive_violation(listener.get()).value().has_value());
}

TEST_F(ViolationTest, ErrorsNameWhatIsNoListener) {
  const UniqueFd event(::eventfd(1, EFD_CLOEXEC));
  EXPECT_EQ(receive_violation(event.get()).error().kind, ErrorKind::kOs);
  EXPECT_EQ(receive_violation(-1).error().os_errno, EBADF);
  EXPECT_EQ(receive_violation(1'000'000).error().os_errno, EBADF);
}

// As the host does it: hear of it, ask, kill, hear of the death.
class Avenger final : public Watcher {
 public:
  Avenger(const UniqueFd& listener, const Child& child) : listener_(listener), child_(child) {}
  ~Avenger() { Supervisor::forget(this); }
  void on_ready() override {
    while (receive_violation(listener_.get()).value()) {
      ++violations_;
      child_.kill();
    }
    ++calls_;
  }
  int violations() const { return violations_; }
  int calls() const { return calls_; }

 private:
  const UniqueFd& listener_;
  const Child& child_;
  std::atomic<int> violations_ = 0, calls_ = 0;
};

TEST_F(ViolationTest, SupervisorReportsItAndThenTheDeath) {
  const Child child = violator();
  const UniqueFd listener = listener_of(child);
  CountingWatcher death;
  Avenger avenger(listener, child);
  ASSERT_TRUE(Supervisor::watch(child.pidfd(), &death));
  ASSERT_TRUE(Supervisor::watch_repeatedly(listener.get(), &avenger));
  EXPECT_TRUE(death.is_called());
  EXPECT_EQ(avenger.violations(), 1);
  // Nobody has the filter any more. The listener stays hung up for ever, which is news only once.
  EXPECT_TRUE(comes_true([&] { return avenger.calls() >= 2; }));
  let_supervisor_catch_up();
  EXPECT_LE(avenger.calls(), 3);
}

}  // namespace
}  // namespace sandglass
