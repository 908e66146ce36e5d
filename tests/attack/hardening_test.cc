// What is there for those who ask for it, against an intruder: no clock, and a bound on memory.
#include "sandbox/base/units.h"
#include "tests/attack/field.h"

namespace sandglass::attack {
namespace {

enum Clock : uint64_t { kRdtsc, kRdtscp, kRdpmc };

// What the intruder has read, and how its run went.
struct Reading {
  int64_t value;
  Result<Interrupt> stop;
};
Reading read_clock(Intrusion& intrusion, Clock clock) {
  Orders orders;
  orders.argument = clock;
  intrusion.give(orders);
  Result<Interrupt> stop = intrusion.run();
  return {intrusion.orders().calls[0].result, std::move(stop)};
}

class AttackWithTimestamp : public AttackTest {};

TEST_F(AttackWithTimestamp, ReadsIt) {
  for (const Clock clock : {kRdtsc, kRdtscp}) {
    Intrusion intrusion = intrude(intrude_with_clock);
    const Reading reading = read_clock(intrusion, clock);
    EXPECT_TRUE(reading.stop) << to_string(reading.stop.error());
    EXPECT_NE(reading.value, 0);
  }
}

class AttackWithoutTimestamp : public AttackTest {
 protected:
  AttackWithoutTimestamp() : AttackTest(pool()) {}
  static std::shared_ptr<WorkerPool> pool() {
    static const auto pool = attack_pool({.hardening = {.forbid_timestamp = true}}).value();
    return pool;
  }
};

// A fault in code that is no guest's: nothing that a guest could have met.
TEST_F(AttackWithoutTimestamp, ReadsNothingAndIsCaught) {
  for (const Clock clock : {kRdtsc, kRdtscp, kRdpmc}) {
    SCOPED_TRACE(clock);
    Intrusion intrusion = intrude(intrude_with_clock);
    const Reading reading = read_clock(intrusion, clock);
    EXPECT_EQ(reading.value, 0);
    EXPECT_FALSE(reading.stop);
    expect_kind(intrusion, ErrorKind::kProtocolViolation);
  }
}

constexpr uint64_t kMemoryLimit = MiB(32);

class AttackInCgroup : public AttackTest {
 protected:
  AttackInCgroup() : AttackTest(pool() ? *pool() : nullptr) {}
  static const Result<std::shared_ptr<WorkerPool>>& pool() {
    static const auto pool = attack_pool({.cgroup = {.parent = ".", .memory_max_bytes = kMemoryLimit}});
    return pool;
  }
  void SetUp() override {
    if (!pool()) GTEST_SKIP() << to_string(pool().error());
    AttackTest::SetUp();
  }
  void TearDown() override {
    if (pool()) AttackTest::TearDown();
  }
  // The kernel kills, or refuses the call; either way it is over.
  void expect_bounded(std::initializer_list<Call> calls) {
    Intrusion intrusion = intrude(intrude_with_calls, orders_of(calls));
    const Result<Interrupt> stop = intrusion.run();
    ASSERT_FALSE(stop) << "all of it fits: the last call gave "
                       << intrusion.orders().calls[calls.size() - 1].result;
    EXPECT_EQ(intrusion.orders().calls_begun, calls.size());
    expect_kind(intrusion, ErrorKind::kWorkerDied);
  }
};

constexpr uint64_t kReadWrite = 3, kPopulateWrite = 23;
constexpr uint64_t kZeroes = 0x4032,
                   kShared = 0x11;  // MAP_PRIVATE | FIXED | ANONYMOUS | NORESERVE, MAP_SHARED | FIXED
constexpr uint64_t kSize = 4 * kMemoryLimit;

TEST_F(AttackInCgroup, MemoryOfItsOwnIsBounded) {
  expect_bounded({{__NR_mmap, {kLowCode, kSize, kReadWrite, kZeroes, ~uint64_t{0}, 0}},
                  {__NR_madvise, {kLowCode, kSize, kPopulateWrite}}});
}

// The file is the host's, and as large as all of guest memory; what the worker touches of it counts as its
// own.
TEST_F(AttackInCgroup, MemoryOfTheSharedFileIsBounded) {
  expect_bounded({{__NR_mmap, {kLowCode, kSize, kReadWrite, kShared, 3, GiB(1)}},
                  {__NR_madvise, {kLowCode, kSize, kPopulateWrite}}});
}

}  // namespace
}  // namespace sandglass::attack
