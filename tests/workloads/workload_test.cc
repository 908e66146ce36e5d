// Every workload keeps its contract (workloads/README.md) on every backend, in every gas mode.
#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "tests/workloads/guest.h"

namespace sandglass {

void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << "result " << outcome.result << " after " << outcome.stops << " stops";
}

namespace {

using Parameter = std::tuple<const Workload*, Backend, GasMetering>;

std::vector<const Workload*> all_workloads() {
  std::vector<const Workload*> all;
  for (const Workload& workload : workloads()) all.push_back(&workload);
  return all;
}

std::string parameter_name(const testing::TestParamInfo<Parameter>& info) {
  const auto [workload, backend, gas] = info.param;
  return std::string(workload->name) + "_" + std::string(name_of(backend)) + "_" + name_of(gas);
}

class WorkloadTest : public testing::TestWithParam<Parameter> {
 protected:
  void SetUp() override {
    auto sandbox = make_guest(workload().assembly, std::get<Backend>(GetParam()), gas_mode());
    ASSERT_TRUE(sandbox) << to_string(sandbox.error());
    sandbox_ = std::move(*sandbox);
  }

  const Workload& workload() const { return *std::get<const Workload*>(GetParam()); }
  GasMetering gas_mode() const { return std::get<GasMetering>(GetParam()); }

  Result<Outcome> call(const WorkloadSize& size) {
    SG_TRY(prepare(*sandbox_, workload(), size));
    return finish(*sandbox_, workload());
  }

  void expect_outcome(const WorkloadSize& size) {
    const Result<Outcome> outcome = call(size);
    ASSERT_TRUE(outcome) << to_string(outcome.error());
    EXPECT_EQ(*outcome, expected_outcome(size));
  }

  std::unique_ptr<Sandbox> sandbox_;
};

TEST_P(WorkloadTest, GivesTheExpectedResult) { expect_outcome(workload().quick); }

TEST_P(WorkloadTest, GivesItAgainOnTheSameSandbox) {
  expect_outcome(workload().quick);
  expect_outcome(workload().quick);
}

// The quick sizes stay below 16 MiB; touch_pages has more, which would only be zeros compared with zeros.
TEST_P(WorkloadTest, LeavesTheMemoryThatItsTwinLeaves) {
  std::vector<uint8_t> twin_memory;
  if (workload().input) twin_memory = workload().input(workload().quick);
  twin_memory.resize(std::min<size_t>(workload().memory_bytes, MiB(16)));
  const auto [a0, a1] = workload().quick.arguments;
  EXPECT_EQ(workload().twin(a0, a1, twin_memory.data()), workload().quick.expected);

  expect_outcome(workload().quick);
  const auto memory = read_guest(*sandbox_, workload().memory_base, twin_memory.size());
  ASSERT_TRUE(memory) << to_string(memory.error());
  EXPECT_TRUE(*memory == twin_memory);
}

class MeteredWorkloadTest : public WorkloadTest {};

TEST_P(MeteredWorkloadTest, CostsExactlyItsInstructions) {
  sandbox_->set_gas(static_cast<int64_t>(workload().quick.instructions));
  expect_outcome(workload().quick);
  EXPECT_EQ(sandbox_->gas(), 0);
}

class ExactlyMeteredWorkloadTest : public WorkloadTest {};

TEST_P(ExactlyMeteredWorkloadTest, IsStoppedWhenOneUnitOfGasIsMissing) {
  sandbox_->set_gas(static_cast<int64_t>(workload().quick.instructions) - 1);
  const Result<Outcome> outcome = call(workload().quick);
  ASSERT_FALSE(outcome) << "result " << outcome->result;
  EXPECT_EQ(outcome.error().kind, ErrorKind::kViolation);
  EXPECT_STREQ(outcome.error().detail, name_of(InterruptKind::kOutOfGas));
}

class FullSizeWorkloadTest : public WorkloadTest {};

TEST_P(FullSizeWorkloadTest, GivesTheExpectedResult) {
  sandbox_->set_gas(static_cast<int64_t>(workload().full.instructions));
  expect_outcome(workload().full);
  if (gas_mode() == GasMetering::kNone) return;
  EXPECT_EQ(sandbox_->gas(), 0);
}

auto combinations(std::span<const Backend> backends, std::span<const GasMetering> gas_modes) {
  return testing::Combine(testing::ValuesIn(all_workloads()),
                          testing::ValuesIn(backends.begin(), backends.end()),
                          testing::ValuesIn(gas_modes.begin(), gas_modes.end()));
}

// The interpreter would need minutes for the full sizes.
constexpr Backend kFastBackends[] = {Backend::kGeneric};
constexpr GasMetering kMetered[] = {GasMetering::kSync, GasMetering::kAsync};
constexpr GasMetering kStoppingInTime[] = {GasMetering::kSync};

INSTANTIATE_TEST_SUITE_P(All, WorkloadTest, combinations(kAllBackends, kAllGasModes), parameter_name);
INSTANTIATE_TEST_SUITE_P(All, MeteredWorkloadTest, combinations(kAllBackends, kMetered), parameter_name);
INSTANTIATE_TEST_SUITE_P(All, ExactlyMeteredWorkloadTest, combinations(kAllBackends, kStoppingInTime),
                         parameter_name);
INSTANTIATE_TEST_SUITE_P(All, FullSizeWorkloadTest, combinations(kFastBackends, kAllGasModes),
                         parameter_name);

TEST(TwinTest, GivesTheExpectedResultAtBothSizes) {
  for (const Workload& workload : workloads()) {
    EXPECT_EQ(run_twin(workload, workload.quick), workload.quick.expected) << workload.name;
    EXPECT_EQ(run_twin(workload, workload.full), workload.full.expected) << workload.name;
  }
}

TEST(WorkloadTableTest, HasNoNameTwice) {
  std::set<std::string_view> names;
  for (const Workload& workload : workloads())
    EXPECT_TRUE(names.insert(workload.name).second) << workload.name;
}

TEST(WorkloadTableTest, FindsRowsByName) {
  ASSERT_NE(find_workload("sieve"), nullptr);
  EXPECT_EQ(find_workload("sieve")->name, "sieve");
  EXPECT_EQ(find_workload("siev"), nullptr);
}

TEST(WorkloadTableTest, KeepsQuickSizesBelowAMillionInstructions) {
  for (const Workload& workload : workloads())
    EXPECT_LT(workload.quick.instructions, 1'000'000u) << workload.name;
}

// Tests run in the root of the project.
TEST(WorkloadTableTest, DescribesEveryWorkload) {
  for (const Workload& workload : workloads()) {
    const auto readme = std::filesystem::path("workloads") / workload.name / "README.md";
    EXPECT_TRUE(std::filesystem::exists(readme)) << readme;
  }
}

TEST(WorkloadVerificationTest, NoticesAWrongAnswer) {
  const Workload& memcpy = *find_workload("memcpy");
  auto sandbox = make_guest(memcpy.assembly, Backend::kInterpreter, GasMetering::kSync).value();
  Workload without_input = memcpy;
  without_input.input = nullptr;
  ASSERT_TRUE(prepare(*sandbox, without_input, memcpy.quick));
  const Result<Outcome> outcome = finish(*sandbox, without_input);
  ASSERT_TRUE(outcome);
  EXPECT_NE(*outcome, expected_outcome(memcpy.quick));
}

TEST(WorkloadVerificationTest, NoticesAHostCallThatIsNotPartOfIt) {
  const Workload& caller = *find_workload("host_call_loop");
  auto sandbox = make_guest(caller.assembly, Backend::kInterpreter, GasMetering::kSync).value();
  Workload expecting_another = caller;
  expecting_another.host_call = 1;
  ASSERT_TRUE(prepare(*sandbox, expecting_another, caller.quick));
  const Result<Outcome> outcome = finish(*sandbox, expecting_another);
  ASSERT_FALSE(outcome);
  EXPECT_STREQ(outcome.error().detail, name_of(InterruptKind::kHostCall));
}

TEST(WorkloadVerificationTest, NoticesATrapThatIsNotPartOfIt) {
  const Workload& trapper = *find_workload("trap_loop");
  auto sandbox = make_guest(trapper.assembly, Backend::kInterpreter, GasMetering::kSync).value();
  Workload expecting_none = trapper;
  expecting_none.resume_at = {};
  ASSERT_TRUE(prepare(*sandbox, expecting_none, trapper.quick));
  const Result<Outcome> outcome = finish(*sandbox, expecting_none);
  ASSERT_FALSE(outcome);
  EXPECT_STREQ(outcome.error().detail, name_of(InterruptKind::kTrap));
}

}  // namespace
}  // namespace sandglass
