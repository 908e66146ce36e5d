// What went wrong once is never used again.
#include <csignal>

#include "tests/pool/helpers.h"

namespace sandglass {
namespace {

class PoolQuarantine : public ::testing::Test {
 protected:
  std::shared_ptr<const Module> module_ = linux_module();
  std::shared_ptr<const Module> other_ = linux_module("pub @main:\n a0 = a0 + 1\n a0 = a0 + 0\n ret");
  std::shared_ptr<WorkerPool> pool_ = pool_with({});
};

TEST_F(PoolQuarantine, KilledWhileIdle) {
  for (const auto& next : {module_, other_}) {
    auto sandbox = sandbox_of(pool_, module_);
    const UniqueFd pidfd = pidfd_of(process_of(*sandbox));
    sandbox.reset();
    const WorkerPoolStatistics before = pool_->statistics();
    ASSERT_EQ(before.idle, 1u);
    kill_and_wait(pidfd.get());
    use_once(pool_, next);
    EXPECT_EQ(pool_->statistics().spawned, before.spawned + 1);
    EXPECT_EQ(pool_->statistics().deaths(), before.deaths() + 1);
    pool_->clear();
  }
}

TEST_F(PoolQuarantine, AllIdleOnesKilled) {
  std::vector<std::unique_ptr<Sandbox>> sandboxes;
  std::vector<UniqueFd> pidfds;
  for (int i = 0; i < 8; ++i) {
    sandboxes.push_back(sandbox_of(pool_, module_));
    pidfds.push_back(pidfd_of(process_of(*sandboxes.back())));
  }
  sandboxes.clear();
  for (const UniqueFd& pidfd : pidfds) kill_and_wait(pidfd.get());
  use_once(pool_, module_);
  EXPECT_EQ(pool_->statistics().deaths(), 8u);
  EXPECT_EQ(pool_->statistics().live, 1u);
}

TEST_F(PoolQuarantine, KilledWhileInUse) {
  auto sandbox = sandbox_of(pool_, module_);
  kill_and_wait(worker_of(*sandbox).pidfd());
  const Result<uint64_t> result = run_main(*sandbox, 1);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kWorkerDied);
  sandbox.reset();
  EXPECT_EQ(pool_->statistics().deaths(), 1u);
  EXPECT_EQ(pool_->statistics().quarantined(), 1u);
  EXPECT_EQ(pool_->statistics().live, 0u);
  use_once(pool_, module_);
}

TEST_F(PoolQuarantine, KilledWhileTheGuestRuns) {
  const auto endless = linux_module(kEndless);
  auto sandbox = Sandbox::create(endless, {.gas = INT64_MAX, .workers = pool_}).value();
  std::thread killer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ::kill(process_of(*sandbox), SIGKILL);
  });
  sandbox->set_next_program_counter(0);
  const Result<Interrupt> stop = sandbox->run();
  killer.join();
  ASSERT_FALSE(stop);
  EXPECT_EQ(stop.error().kind, ErrorKind::kWorkerDied);
  sandbox.reset();
  EXPECT_EQ(pool_->statistics().deaths(), 1u);
  use_once(pool_, module_);
}

// The guest's memory is reset without the worker's help, so its death may show nowhere but in the pool.
TEST_F(PoolQuarantine, KilledBeforeItIsGivenBack) {
  auto sandbox = sandbox_of(pool_, module_);
  EXPECT_EQ(*run_main(*sandbox, 1), 2u);
  kill_and_wait(worker_of(*sandbox).pidfd());
  sandbox.reset();
  use_once(pool_, module_);
  EXPECT_EQ(pool_->statistics().deaths(), 1u);
  EXPECT_EQ(pool_->statistics().reused, 0u);
}

struct Misdeed {
  ErrorKind kind;
  DropReason reason;
};

TEST_F(PoolQuarantine, CountsWhatWentWrong) {
  constexpr Misdeed kMisdeeds[] = {{ErrorKind::kViolation, DropReason::kViolation},
                                   {ErrorKind::kProtocolViolation, DropReason::kProtocolViolation},
                                   {ErrorKind::kWorkerDied, DropReason::kDied},
                                   {ErrorKind::kOs, DropReason::kUnclean}};
  for (const Misdeed& misdeed : kMisdeeds) {
    SCOPED_TRACE(name_of(misdeed.reason));
    std::unique_ptr<Worker> worker = pool_->acquire({}).value();
    const UniqueFd pidfd = pidfd_of(worker->process_id());
    const Error failure = Error::make(misdeed.kind, "as the test says");
    pool_->give_back(std::move(worker), false, &failure);
    EXPECT_TRUE(has_ended(pidfd.get()));
    EXPECT_EQ(pool_->statistics().dropped_for(misdeed.reason), 1u);
  }
  EXPECT_EQ(pool_->statistics().quarantined(), 4u);
  EXPECT_EQ(pool_->statistics().reused, 0u);
}

// The supervisor may see the system call after the worker has answered, so its sandbox knows nothing of it.
TEST_F(PoolQuarantine, ViolationOfAWorkerThatSeemsClean) {
  std::unique_ptr<Worker> worker = pool_->acquire({}).value();
  worker->set_violation({});
  pool_->give_back(std::move(worker), true);
  EXPECT_EQ(pool_->statistics().violations(), 1u);
  EXPECT_EQ(pool_->statistics().live, 0u);
}

// A worker that has been taken over writes what it likes into its page.
TEST_F(PoolQuarantine, NonsenseInTheSequenceWord) {
  auto sandbox = sandbox_of(pool_, module_);
  // So that no answer of its own comes over ours.
  ASSERT_TRUE(stop_process(process_of(*sandbox)));
  __atomic_store_n(&worker_of(*sandbox).shared().sequence, 0x12345, __ATOMIC_SEQ_CST);
  const Result<uint64_t> result = run_main(*sandbox, 1);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kProtocolViolation);
  sandbox.reset();
  EXPECT_EQ(pool_->statistics().dropped_for(DropReason::kProtocolViolation), 1u);
  EXPECT_EQ(pool_->statistics().live, 0u);
}

TEST_F(PoolQuarantine, StoppedWorkerIsKilledAndReplaced) {
  auto sandbox = sandbox_of(pool_, linux_module(kEndless));
  ASSERT_TRUE(stop_process(process_of(*sandbox)));
  sandbox->set_next_program_counter(0);
  const Result<Interrupt> stop = sandbox->run({.deadline = std::chrono::milliseconds(10)});
  ASSERT_FALSE(stop);
  EXPECT_EQ(stop.error().kind, ErrorKind::kWorkerDied);
  sandbox.reset();
  EXPECT_EQ(pool_->statistics().deaths(), 1u);
  use_once(pool_, module_);
}

}  // namespace
}  // namespace sandglass
