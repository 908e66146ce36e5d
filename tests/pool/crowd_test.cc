// As many workers as a host of 24 GiB shall be able to hold, all alive and all of use.
#include <sys/resource.h>

#include "tests/pool/helpers.h"

namespace sandglass {
namespace {

constexpr size_t kWorkers = 1000;
constexpr size_t kDescriptorsPerWorker = 4, kOtherDescriptors = 256, kOtherProcesses = 1000;

// The number in a file, or "no limit" where there is none.
uint64_t limit_in(const std::string& path) {
  std::ifstream file(path);
  uint64_t limit = 0;
  return file >> limit ? limit : UINT64_MAX;
}

// Of the cgroup, wherever that is mounted.
uint64_t process_limit() {
  std::ifstream groups("/proc/self/cgroup");
  uint64_t limit = limit_in("/proc/sys/kernel/pid_max") - kOtherProcesses;
  for (std::string line; std::getline(groups, line);) {
    const size_t controllers = line.find(':') + 1, path = line.find(':', controllers) + 1;
    const std::string folder = line.substr(controllers, path - controllers - 1) == "pids" ? "pids/" : "";
    limit = std::min(limit, limit_in("/sys/fs/cgroup/" + folder + line.substr(path) + "/pids.max"));
  }
  return limit;
}

// What keeps this process from having so many, or nothing.
std::string why_not() {
  rlimit descriptors = {};
  ::getrlimit(RLIMIT_NOFILE, &descriptors);
  const rlim_t wanted = kOtherDescriptors + kDescriptorsPerWorker * kWorkers;
  if (descriptors.rlim_max < wanted) {
    return "the limit of descriptors, " + std::to_string(descriptors.rlim_max) + ", is below " +
           std::to_string(wanted);
  }
  descriptors.rlim_cur = std::max(descriptors.rlim_cur, wanted);
  ::setrlimit(RLIMIT_NOFILE, &descriptors);
  const uint64_t processes = process_limit();
  return processes < kWorkers ? "there may be no more than " + std::to_string(processes) + " processes" : "";
}

class PoolCrowd : public ::testing::Test {
 protected:
  // Everybody counts calls in memory of its own and has a number of its own.
  static constexpr const char* kCountingGuest =
      "%rw_data_size = 4096\npub @main:\n a1 = u64 [0x20000]\n a1 = a1 + 1\n u64 [0x20000] = a1\n a0 = a0 * "
      "1000\n"
      " a0 = a0 + a1\n ret";
  void SetUp() override {
    const std::string reason = why_not();
    if (!reason.empty()) GTEST_SKIP() << reason;
  }
  static void expect_call(Sandbox& sandbox, uint64_t number, uint64_t time) {
    const Result<uint64_t> answer = run_main(sandbox, number);
    ASSERT_TRUE(answer) << "worker " << number << ": " << to_string(answer.error());
    ASSERT_EQ(*answer, number * 1000 + time) << "worker " << number;
  }
};

TEST_F(PoolCrowd, AThousandWorkersLiveAndAnswerAtATime) {
  const LeakCheck leaks;
  const auto pool = pool_with({.max_live = kWorkers});
  const auto module = linux_module(kCountingGuest);
  std::vector<std::unique_ptr<Sandbox>> crowd;
  std::set<pid_t> processes;
  for (size_t i = 0; i < kWorkers; ++i) {
    auto sandbox = try_sandbox(pool, module);
    ASSERT_TRUE(sandbox) << "worker " << i << ": " << to_string(sandbox.error());
    crowd.push_back(std::move(*sandbox));
    ASSERT_NO_FATAL_FAILURE(expect_call(*crowd.back(), i, 1));
    processes.insert(process_of(*crowd.back()));
  }
  EXPECT_EQ(pool->statistics().live, kWorkers);
  EXPECT_EQ(processes.size(), kWorkers);
  EXPECT_FALSE(try_sandbox(pool, module)) << "one more than max_live";
  for (size_t i = 0; i < kWorkers; ++i) ASSERT_NO_FATAL_FAILURE(expect_call(*crowd[i], i, 2));
  // Some die, and nobody else notices.
  constexpr size_t kEvery = 50;
  for (size_t i = 0; i < kWorkers; i += kEvery) ::kill(process_of(*crowd[i]), SIGKILL);
  for (size_t i = 0; i < kWorkers; ++i) {
    if (i % kEvery != 0) {
      ASSERT_NO_FATAL_FAILURE(expect_call(*crowd[i], i, 3));
      continue;
    }
    const Result<uint64_t> answer = run_main(*crowd[i], i);
    ASSERT_FALSE(answer) << "worker " << i;
    EXPECT_EQ(answer.error().kind, ErrorKind::kWorkerDied) << to_string(answer.error());
  }
}

}  // namespace
}  // namespace sandglass
