// Every workload keeps its contract (workloads/README.md) on every backend, in every gas mode.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "tests/workloads/guest.h"
#include "workloads/programs.h"

namespace sandglass {

void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << "result " << outcome.result << " after " << outcome.stops << " stops";
}

namespace {

// For programs that nobody has counted.
constexpr int64_t kPlentyOfGas = int64_t{1} << 60;

using Parameter = std::tuple<const Workload*, Backend, GasMetering>;

std::vector<const Workload*> all_workloads() {
  std::vector<const Workload*> all;
  for (const Workload& workload : workloads()) all.push_back(&workload);
  return all;
}

std::vector<const Workload*> counted_workloads() {
  std::vector<const Workload*> all = all_workloads();
  std::erase_if(all, [](const Workload* workload) { return workload->full.instructions == 0; });
  return all;
}

std::string parameter_name(const testing::TestParamInfo<Parameter>& info) {
  const auto [workload, backend, gas] = info.param;
  return std::string(workload->name) + "_" + std::string(name_of(backend)) + "_" + name_of(gas);
}

class WorkloadTest : public testing::TestWithParam<Parameter> {
 protected:
  void SetUp() override {
    const auto program = load(workload());
    ASSERT_TRUE(program) << to_string(program.error());
    auto sandbox = make_guest(*program, std::get<Backend>(GetParam()), gas_mode());
    ASSERT_TRUE(sandbox) << to_string(sandbox.error());
    sandbox_ = std::move(*sandbox);
    sandbox_->set_gas(kPlentyOfGas);
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
  const auto instructions = static_cast<int64_t>(workload().full.instructions);
  if (instructions != 0) sandbox_->set_gas(instructions);
  expect_outcome(workload().full);
  if (gas_mode() == GasMetering::kNone || instructions == 0) return;
  EXPECT_EQ(sandbox_->gas(), 0);
}

class ProgramTest : public testing::TestWithParam<const Workload*> {};

TEST_P(ProgramTest, CostsTheSameOnEveryBackend) {
  std::set<int64_t> spent;
  for (const Backend backend : kAllBackends) {
    auto sandbox = make_guest(load(*GetParam()).value(), backend, GasMetering::kSync).value();
    sandbox->set_gas(kPlentyOfGas);
    prepare(*sandbox, *GetParam(), GetParam()->quick).value();
    ASSERT_TRUE(finish(*sandbox, *GetParam()));
    spent.insert(kPlentyOfGas - sandbox->gas());
  }
  EXPECT_EQ(spent.size(), 1u);
  EXPECT_GT(*spent.begin(), 100'000);  // it does something
}

TEST_P(ProgramTest, AnswersAnotherSizeOtherwise) {
  const auto [argument, unused] = GetParam()->quick.arguments;
  EXPECT_NE(GetParam()->twin(argument + 1, 0, nullptr), GetParam()->quick.expected);
}

TEST_P(ProgramTest, HasAFastTwinThatAgrees) {
  for (const WorkloadSize& size : {GetParam()->quick, GetParam()->full})
    EXPECT_EQ(GetParam()->fast_twin(size.arguments[0], 0, nullptr), size.expected);
}

std::vector<const Workload*> programs() {
  std::vector<const Workload*> all;
  for (const Workload& program : guest_programs()) all.push_back(&program);
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, ProgramTest, testing::ValuesIn(programs()),
                         [](const auto& info) { return std::string(info.param->name); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ProgramTest);

// So that nobody takes a build without them for a complete one.
TEST(MissingProgramsTest, AreSaidWithAReason) {
  std::string all;
  for (const std::string_view missing : missing_programs()) {
    const size_t colon = missing.find(": ");
    ASSERT_NE(colon, std::string_view::npos) << missing;
    EXPECT_GT(missing.size(), colon + 2) << missing;
    all += std::string(missing) + "\n";
  }
  EXPECT_FALSE(guest_programs().empty() && missing_programs().empty());
  if (!all.empty()) GTEST_SKIP() << all;
}

auto combinations(const std::vector<const Workload*>& rows, std::span<const Backend> backends,
                  std::span<const GasMetering> gas_modes) {
  return testing::Combine(testing::ValuesIn(rows), testing::ValuesIn(backends.begin(), backends.end()),
                          testing::ValuesIn(gas_modes.begin(), gas_modes.end()));
}

// The interpreter would need minutes for the full sizes.
constexpr Backend kFastBackends[] = {Backend::kGeneric, Backend::kLinux};
constexpr GasMetering kMetered[] = {GasMetering::kSync, GasMetering::kAsync};
constexpr GasMetering kStoppingInTime[] = {GasMetering::kSync};

INSTANTIATE_TEST_SUITE_P(All, WorkloadTest, combinations(all_workloads(), kAllBackends, kAllGasModes),
                         parameter_name);
INSTANTIATE_TEST_SUITE_P(All, MeteredWorkloadTest, combinations(counted_workloads(), kAllBackends, kMetered),
                         parameter_name);
INSTANTIATE_TEST_SUITE_P(All, ExactlyMeteredWorkloadTest,
                         combinations(counted_workloads(), kAllBackends, kStoppingInTime), parameter_name);
INSTANTIATE_TEST_SUITE_P(All, FullSizeWorkloadTest,
                         combinations(all_workloads(), kFastBackends, kAllGasModes), parameter_name);

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

// The headings of every README in a folder of workloads/. Tests run in the root of the project.
std::set<std::string> described_workloads() {
  std::set<std::string> headings;
  for (const auto& folder : std::filesystem::directory_iterator("workloads")) {
    std::ifstream readme(folder.path() / "README.md");
    for (std::string line; std::getline(readme, line);)
      if (line.starts_with('#')) headings.insert(line.substr(line.find_first_not_of("# ")));
  }
  return headings;
}

TEST(WorkloadTableTest, DescribesEveryWorkload) {
  const std::set<std::string> headings = described_workloads();
  for (const Workload& workload : workloads())
    EXPECT_TRUE(headings.contains(std::string(workload.name))) << workload.name;
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
