// A jail in a cgroup of its own: who is in it, what its limits do, and that nothing of it stays.
#include "sandbox/backend/linux/cgroup.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "sandbox/backend/linux/cgroup_hierarchies.h"
#include "sandbox/base/units.h"
#include "tests/pool/helpers.h"

namespace sandglass {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Grows its heap by a1 bytes and writes to every page of them.
constexpr std::string_view kGrowingGuest = R"(
pub @main:
  a0 = sbrk a1
  a2 = a0 - a1
@next:
  u64 [a2] = a2
  a2 = a2 + 4096
  jump @next if a2 <u a0
  ret
)";

std::set<std::string> groups_of_this_process() {
  std::set<std::string> found;
  const std::string prefix = "sandglass-" + std::to_string(::getpid()) + "-";
  for (const CgroupHierarchy& one : mounted_cgroup_hierarchies(".")) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(one.parent, ignored)) {
      if (entry.path().filename().string().starts_with(prefix)) found.insert(entry.path());
    }
  }
  return found;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<pid_t> processes_in(const std::string& group) {
  std::set<pid_t> processes;
  std::ifstream file(group + "/cgroup.procs");
  for (pid_t process; file >> process;) processes.insert(process);
  return processes;
}

// The number behind a word of a file.
uint64_t number_in(const std::string& text, const std::string& key) {
  const size_t found = text.find(key + " ");
  return found == std::string::npos ? 0 : std::stoull(text.substr(found + key.size()));
}

class CgroupTest : public ::testing::Test {
 protected:
  void SetUp() override { EXPECT_TRUE(groups_of_this_process().empty()); }
  void TearDown() override {
    EXPECT_TRUE(groups_of_this_process().empty()) << "a group has been left behind";
  }

  // Whether this machine lets this user have such a group. If not, why is what it should be.
  static std::string refusal(const CgroupOptions& options) {
    const Result<Cgroup> group = Cgroup::create(options);
    if (group) return {};
    EXPECT_NE(group.error().detail[0], '\0') << "it names the file or the controller";
    return to_string(group.error());
  }
};

#define SKIP_UNLESS_POSSIBLE(options) \
  if (const std::string why = refusal(options); !why.empty()) GTEST_SKIP() << why

TEST_F(CgroupTest, EveryProcessOfTheJailIsInIt) {
  for (const CgroupOptions& options : {CgroupOptions{.parent = "."},
                                       {.parent = ".", .pids_max = 10},
                                       {.parent = ".", .memory_max_bytes = MiB(64), .cpu_max_percent = 50}}) {
    SKIP_UNLESS_POSSIBLE(options);
    const auto jail = Jail::launch({.cgroup = options});
    ASSERT_TRUE(jail) << to_string(jail.error());
    const auto first = (*jail)->spawn(false), second = (*jail)->spawn(true);
    ASSERT_TRUE(first && second);
    const pid_t process = (*first)->process_id();
    ASSERT_FALSE((*jail)->cgroup().paths().empty());
    for (const std::string& path : (*jail)->cgroup().paths()) {
      EXPECT_EQ(processes_in(path), (std::set<pid_t>{parent_of(process), process, (*second)->process_id()}));
      const std::string name = path.substr(path.rfind('/'));
      EXPECT_NE(text_of("/proc/" + std::to_string(process) + "/cgroup").find(name), std::string::npos);
    }
    (*jail)->forget(**first);
    (*jail)->forget(**second);
  }
}

TEST_F(CgroupTest, BesideThisProcessMeansBelowTheGroupAbove) {
  const auto parent_of = [](const char* where, const CgroupHierarchy& like) {
    for (const CgroupHierarchy& one : mounted_cgroup_hierarchies(where)) {
      if (one.version == like.version && (like.version == 2 || one.controllers == like.controllers))
        return one.parent;
    }
    return std::string();
  };
  size_t found = 0;
  for (const CgroupHierarchy& own : mounted_cgroup_hierarchies(".")) {
    const std::string root = parent_of("/", own), beside = parent_of("..", own);
    EXPECT_TRUE(own.parent.starts_with(root));
    EXPECT_EQ(beside, own.parent == root ? root : own.parent.substr(0, own.parent.rfind('/')));
    EXPECT_TRUE(std::filesystem::is_directory(beside)) << beside;
    ++found;
  }
  if (found == 0) GTEST_SKIP() << "no cgroup hierarchy is mounted here";
}

TEST_F(CgroupTest, EachJailHasOneOfItsOwn) {
  const CgroupOptions options = {.parent = ".", .pids_max = 10};
  SKIP_UNLESS_POSSIBLE(options);
  const auto pool = pool_with({.jail = {.cgroup = options}, .profile = JailProfile::kPrivate});
  const auto first = sandbox_of(pool, linux_module()), second = sandbox_of(pool, linux_module());
  EXPECT_EQ(groups_of_this_process().size(), 2u);
}

TEST_F(CgroupTest, AGuestThatGrowsBeyondTheLimitDiesAndThePoolGoesOn) {
  const CgroupOptions options = {.parent = ".", .memory_max_bytes = MiB(32)};
  SKIP_UNLESS_POSSIBLE(options);
  const auto pool = pool_with({.jail = {.cgroup = options}});
  const auto module = linux_module(kGrowingGuest);
  for (int round = 0; round < 3; ++round) {
    const auto small = sandbox_of(pool, module);
    ASSERT_TRUE(small->prepare_call("main", {MiB(4), MiB(4)}));
    const Result<Interrupt> fits = small->run({.deadline = seconds(20)});
    ASSERT_TRUE(fits) << to_string(fits.error());
    ASSERT_EQ(fits->kind, InterruptKind::kFinished);

    auto large = sandbox_of(pool, module);
    ASSERT_TRUE(large->prepare_call("main", {MiB(96), MiB(96)}));
    const Result<Interrupt> stop = large->run({.deadline = seconds(20)});
    ASSERT_FALSE(stop) << name_of(stop->kind);
    EXPECT_EQ(stop.error().kind, ErrorKind::kWorkerDied) << to_string(stop.error());
    // The host holds the file of its memory, which counts as long as that.
    large.reset();
    use_once(pool, linux_module());
  }
  EXPECT_EQ(pool->statistics().jails_made, 1u) << "the template has survived";
}

TEST_F(CgroupTest, WorkersBeyondTheLimitAreNotForked) {
  const CgroupOptions options = {.parent = ".", .pids_max = 3};
  SKIP_UNLESS_POSSIBLE(options);
  const auto pool = pool_with({.jail = {.cgroup = options}, .max_idle = 0});
  const auto module = linux_module();
  auto first = sandbox_of(pool, module);
  const auto second = sandbox_of(pool, module);
  const auto third = try_sandbox(pool, module);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().os_errno, EAGAIN) << to_string(third.error());
  EXPECT_EQ(*run_main(*second, 1), 2u);
  first.reset();
  EXPECT_TRUE(becomes_true([&] { return try_sandbox(pool, module).has_value(); }));
}

TEST_F(CgroupTest, AGuestIsHeldBackAtItsShareOfTheCpu) {
  const CgroupOptions options = {.parent = ".", .cpu_max_percent = 10};
  SKIP_UNLESS_POSSIBLE(options);
  const auto pool = pool_with({.jail = {.cgroup = options}});
  const auto sandbox = sandbox_of(pool, linux_module("pub @main:\n jump @main", {.gas = GasMetering::kNone}));
  const std::set<std::string> groups = groups_of_this_process();
  ASSERT_EQ(groups.size(), 1u);
  const auto throttled = [&] { return number_in(text_of(*groups.begin() + "/cpu.stat"), "nr_throttled"); };
  EXPECT_TRUE(becomes_true([&] {
    EXPECT_TRUE(sandbox->prepare_call("main"));
    EXPECT_EQ(sandbox->run({.deadline = milliseconds(50)})->kind, InterruptKind::kDeadlineExceeded);
    return throttled() > 0;
  }));
}

TEST_F(CgroupTest, NothingIsLeftOfALaunchThatFails) {
  const CgroupOptions options = {.parent = ".", .pids_max = 10};
  SKIP_UNLESS_POSSIBLE(options);
  // Too little for the jail's own mappings.
  const auto jail = Jail::launch({.cgroup = options, .address_space_limit_bytes = 1});
  ASSERT_FALSE(jail);
  EXPECT_NE(std::string_view(jail.error().detail).find("of the jail"), std::string_view::npos);
}

TEST_F(CgroupTest, ANameThatIsTakenIsNotUsed) {
  const CgroupOptions options = {.parent = ".", .pids_max = 10};
  SKIP_UNLESS_POSSIBLE(options);
  std::string next;
  {
    const Cgroup group = Cgroup::create(options).value();
    const std::string path = group.paths().front();
    const size_t digits = path.find_last_not_of("0123456789") + 1;
    next = path.substr(0, digits) + std::to_string(std::stoul(path.substr(digits)) + 1);
  }
  ASSERT_TRUE(std::filesystem::create_directory(next));
  {
    const Result<Cgroup> group = Cgroup::create(options);
    ASSERT_TRUE(group) << to_string(group.error());
    EXPECT_NE(group->paths().front(), next);
  }
  EXPECT_EQ(::rmdir(next.c_str()), 0) << "it was somebody else's";
}

TEST_F(CgroupTest, WhatMakesNoSenseIsRefused) {
  for (const CgroupOptions& options : {CgroupOptions{.memory_max_bytes = MiB(1)},
                                       {.parent = "relative", .pids_max = 9},
                                       {.parent = ".", .pids_max = 1}}) {
    const auto jail = Jail::launch({.cgroup = options});
    ASSERT_FALSE(jail);
    EXPECT_EQ(jail.error().kind, ErrorKind::kInvalidArgument) << to_string(jail.error());
  }
}

TEST_F(CgroupTest, AParentThatDoesNotExistIsNamed) {
  SKIP_UNLESS_POSSIBLE((CgroupOptions{.parent = ".", .pids_max = 10}));
  const auto jail = Jail::launch({.cgroup = {.parent = "/sandglass-no-such-parent", .pids_max = 10}});
  ASSERT_FALSE(jail);
  // Version 1 has the controller everywhere, version 2 where it was handed down.
  EXPECT_TRUE(jail.error().os_errno == ENOENT || jail.error().kind == ErrorKind::kUnsupported);
  EXPECT_NE(jail.error().detail[0], '\0');
}

// Run in a child: what it finds, as its exit status.
int look_as_ordinary_user() {
  if (::setgroups(0, nullptr) != 0 || ::setresgid(65534, 65534, 65534) != 0 ||
      ::setresuid(65534, 65534, 65534) != 0)
    return 2;
  const Result<Cgroup> group = Cgroup::create({.parent = ".", .pids_max = 10});
  if (group) return 3;
  const Error& error = group.error();
  if (error.kind != ErrorKind::kOs || error.os_errno != EACCES) return 4;
  const bool says_where = std::string_view(error.detail).find("/sandglass-") != std::string_view::npos;
  const bool says_how = std::string_view(error.what).find("Delegate=yes") != std::string_view::npos;
  return says_where && says_how ? 0 : 5;
}

TEST_F(CgroupTest, AUserWhoMayNotWriteItIsToldWhereAndHow) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody who may surely not";
  SKIP_UNLESS_POSSIBLE((CgroupOptions{.parent = ".", .pids_max = 10}));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(look_as_ordinary_user());
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << WEXITSTATUS(status);
}

}  // namespace
}  // namespace sandglass
