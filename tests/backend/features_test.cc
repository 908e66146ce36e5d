// Probing the kernel changes nothing in the process that asks, and known causes of a refusal are named.
#include "sandbox/backend/linux/doctor/features.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "sandbox/backend/linux/doctor/refusal_causes.h"
#include "sandbox/backend/linux/doctor/throwaway_child.h"

namespace sandglass {
namespace {

size_t count_entries(const char* folder) {
  const std::filesystem::directory_iterator entries(folder);
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

std::string identity_of_this_process() {
  std::ifstream status("/proc/self/status");
  std::string text;
  for (std::string line; std::getline(status, line);) {
    for (const char* key :
         {"Uid:", "Gid:", "Groups:", "NoNewPrivs:", "Seccomp", "Cap", "SigBlk:", "SigCgt:"}) {
      if (line.starts_with(key)) text += line + "\n";
    }
  }
  for (const char* name : {"user", "mnt", "net", "pid_for_children", "uts"})
    text += std::filesystem::read_symlink(std::string("/proc/self/ns/") + name).string() + "\n";
  std::ifstream limits("/proc/self/limits");
  return text + std::string(std::istreambuf_iterator<char>(limits), {});
}

TEST(FeaturesTest, ProbingLeavesTheProcessAsItWas) {
  const std::string identity = identity_of_this_process();
  const size_t descriptors = count_entries("/proc/self/fd");
  EXPECT_GT(probe_features().size(), 20u);
  EXPECT_EQ(identity_of_this_process(), identity);
  EXPECT_EQ(count_entries("/proc/self/fd"), descriptors);
}

sig_atomic_t child_signals = 0;

TEST(FeaturesTest, ChildrenAreInvisibleToTheProcess) {
  struct sigaction action = {}, before;
  action.sa_handler = [](int) { child_signals = child_signals + 1; };
  ASSERT_EQ(::sigaction(SIGCHLD, &action, &before), 0);
  (void)probe_features();
  EXPECT_EQ(child_signals, 0);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG | __WALL), -1);
  EXPECT_EQ(errno, ECHILD);
  ::sigaction(SIGCHLD, &before, nullptr);
}

TEST(ThrowawayChildTest, ReturnsWhatTheTrialReturns) {
  const pid_t parent = ::getpid();
  const Result<int> value = probes::run_in_child([]() -> Result<int> { return 42; });
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, 42);
  const Result<int> other = probes::run_in_child([parent]() -> Result<int> { return ::getpid() != parent; });
  EXPECT_TRUE(other && *other == 1);
}

TEST(ThrowawayChildTest, ReturnsTheTrialsError) {
  const Result<int> refused = probes::run_in_child([]() -> Result<int> {
    errno = EXDEV;
    return Error::os("cross the river");
  });
  ASSERT_FALSE(refused);
  EXPECT_STREQ(refused.error().what, "cross the river");
  EXPECT_EQ(refused.error().os_errno, EXDEV);
}

TEST(ThrowawayChildTest, ReportsASilentDeath) {
  const Result<int> killed = probes::run_in_child([]() -> Result<int> {
    ::kill(::getpid(), SIGKILL);
    return 0;
  });
  ASSERT_FALSE(killed);
  EXPECT_STREQ(killed.error().detail, "by signal 9, SIGKILL");
  const Result<int> gone = probes::run_in_child([]() -> Result<int> { probes::exit_in_child(0); });
  ASSERT_FALSE(gone);
  EXPECT_STREQ(gone.error().what, "the trial ended without a word");
}

TEST(ThrowawayChildTest, GivesUpOnATrialThatHangs) {
  const Result<int> endless = probes::run_in_child([]() -> Result<int> {
    for (;;) ::pause();
  });
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().kind, ErrorKind::kExhausted);
}

// A /proc of the test's making.
class CausesTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(proc_ + "/self/attr"); }
  void TearDown() override { std::filesystem::remove_all(proc_); }

  void write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = proc_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  probes::Explanation explain(std::string_view name, std::string_view layer, int os_errno) {
    const Error error = {.kind = ErrorKind::kOs, .os_errno = os_errno, .what = "try"};
    return probes::explain({name, layer, "this_call", "the usual fix"}, error, proc_);
  }

  std::string proc_ = testing::TempDir() + "proc-" + std::to_string(::getpid());
};

TEST_F(CausesTest, WithoutACauseTheUsualFixStays) {
  const probes::Explanation found = explain("io_uring", "supervision", EPERM);
  EXPECT_EQ(found.finding, "");
  EXPECT_EQ(found.fix, "the usual fix");
}

struct SettingCase {
  const char* feature;
  const char* layer;
  int os_errno;
  const char* setting;  // "name/as/path"
  const char* refusing;
  const char* allowing;
  const char* fix_begins;
};
constexpr SettingCase kSettingCases[] = {
    {"mount namespace", "namespaces", EPERM, "kernel/apparmor_restrict_unprivileged_userns", "1", "0",
     "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
    {"user namespace", "namespaces", EPERM, "kernel/unprivileged_userns_clone", "0", "1",
     "sysctl -w kernel.unprivileged_userns_clone=1"},
    {"user namespace", "namespaces", ENOSPC, "user/max_user_namespaces", "0", "96365",
     "sysctl -w user.max_user_namespaces=10000"},
    {"network namespace", "namespaces", ENOSPC, "user/max_net_namespaces", "5", "96365",
     "sysctl -w user.max_net_namespaces=10000"},
    {"memfd execution", "images", EACCES, "vm/memfd_noexec", "2", "0", "sysctl -w vm.memfd_noexec=0"},
    {"pidfd_getfd", "processes", EPERM, "kernel/yama/ptrace_scope", "3", "1",
     "sysctl -w kernel.yama.ptrace_scope=1"},
    {"io_uring", "supervision", EPERM, "kernel/io_uring_disabled", "2", "0",
     "sysctl -w kernel.io_uring_disabled=0"},
};

TEST_F(CausesTest, ASettingThatRefusesIsNamed) {
  for (const SettingCase& row : kSettingCases) {
    SCOPED_TRACE(row.setting);
    write(std::string("sys/") + row.setting, std::string(row.refusing) + "\n");
    const probes::Explanation refused = explain(row.feature, row.layer, row.os_errno);
    EXPECT_TRUE(refused.finding.ends_with(std::string(" is ") + row.refusing)) << refused.finding;
    EXPECT_TRUE(refused.fix.starts_with(row.fix_begins)) << refused.fix;
    EXPECT_EQ(explain("another", "another", row.os_errno).finding, "");
    write(std::string("sys/") + row.setting, std::string(row.allowing) + "\n");
    EXPECT_EQ(explain(row.feature, row.layer, row.os_errno).fix, "the usual fix");
  }
}

TEST_F(CausesTest, ASettingIsNotBlamedForAnotherError) {
  write("sys/kernel/io_uring_disabled", "2\n");
  EXPECT_EQ(explain("io_uring", "supervision", ENOMEM).fix, "the usual fix");
}

TEST_F(CausesTest, ConfinementsAreNamedBesideTheUsualFix) {
  write("self/status", "Name:\tx\nSeccomp:\t2\n");
  write("self/attr/current", "docker-default (enforce)\n");
  const probes::Explanation found = explain("empty root", "namespaces", EACCES);
  EXPECT_NE(found.finding.find("seccomp filter"), std::string::npos);
  EXPECT_NE(found.finding.find("docker-default (enforce)"), std::string::npos);
  EXPECT_NE(found.fix.find("this_call"), std::string::npos);
  EXPECT_TRUE(found.fix.ends_with("or: the usual fix")) << found.fix;
  EXPECT_EQ(explain("empty root", "namespaces", EINVAL).finding, "");
  write("self/status", "Name:\tx\nSeccomp:\t0\n");
  write("self/attr/current", "unconfined\n");
  EXPECT_EQ(explain("empty root", "namespaces", EACCES).finding, "");
}

}  // namespace
}  // namespace sandglass
