// The runner passes a right expectation and names every wrong one, on every backend.
#include "sandbox/cli/conformance.h"

#include <gtest/gtest.h>

namespace sandglass::cli {
namespace {

// load_u8 a0, 0x20000; trap. One block of 25 gas.
TestVector load_vector() {
  TestVector vector = {.name = "load", .initial_gas = 10000, .program = {0, 0, 6, 52, 7, 0, 0, 2, 0, 33}};
  vector.steps = {MapStep{0x20000, 4096, true}, WriteStep{{0x20000, {0x12, 0x34}}}, SetRegStep{Reg::a0, 99},
                  RunStep{}};
  vector.block_costs = {{0, 25}};
  return vector;
}

AssertStep right_answer() {
  AssertStep expected = {.status = "panic", .pc = 5, .gas = 9975};
  expected.regs.emplace()[static_cast<size_t>(Reg::a0)] = 0x12;
  expected.memory = {{0x20000, {0x12, 0x34}}};
  return expected;
}

class ConformanceTest : public testing::TestWithParam<Backend> {
 protected:
  std::vector<std::string> differences(TestVector vector, const AssertStep& expected) {
    vector.steps.push_back(expected);
    std::vector<std::string> texts;
    for (const Difference& difference : run_vector(vector, GetParam())) {
      EXPECT_EQ(difference.backend, GetParam());
      EXPECT_EQ(difference.vector, vector.name);
      if (!difference.stepwise) {
        texts.push_back(difference.field + ": " + difference.expected + ", " + difference.got);
      }
    }
    return texts;
  }
  using Texts = std::vector<std::string>;
};

TEST_P(ConformanceTest, PassesWhatIsRight) { EXPECT_EQ(differences(load_vector(), right_answer()), Texts{}); }

TEST_P(ConformanceTest, NamesEveryWrongField) {
  AssertStep wrong = right_answer();
  wrong.status = "halt";
  wrong.pc = 6;
  wrong.gas = 1;
  wrong.regs->at(0) = 1;
  wrong.memory->at(0).contents[1] = 0x35;
  EXPECT_EQ(differences(load_vector(), wrong),
            (Texts{"status: halt, panic", "gas: 1, 9975", "pc: 6, 5", "ra: 0x1, 0x0",
                   "memory at 0x20001: 53, 52", "memory at 0x20001: 53, 52"}));
}

TEST_P(ConformanceTest, ExpectsZeroInMemoryThatIsNotListed) {
  AssertStep wrong = right_answer();
  wrong.memory->at(0).contents.pop_back();
  EXPECT_EQ(differences(load_vector(), wrong), Texts{"memory at 0x20001: 0, 52"});
}

TEST_P(ConformanceTest, ComparesBlockCosts) {
  TestVector vector = load_vector();
  vector.block_costs = {{0, 24}, {1, 5}};
  EXPECT_EQ(differences(vector, right_answer()),
            (Texts{"cost of block 0: 24, 25", "cost of block 1: 5, none"}));
}

TEST_P(ConformanceTest, ComparesThePageOfAFault) {
  TestVector vector = load_vector();
  vector.steps = {RunStep{}};
  EXPECT_EQ(differences(vector, {.status = "page-fault", .pc = 0, .page_fault_address = 0x20000}), Texts{});
  EXPECT_EQ(differences(vector, {.page_fault_address = 0x21000}),
            Texts{"page-fault-address: 135168, 131072"});
  EXPECT_EQ(differences(load_vector(), {.page_fault_address = 0x20000}),
            Texts{"page-fault-address: 131072, none"});
}

TEST_P(ConformanceTest, ComparesTheNumberOfAHostCall) {
  TestVector vector = {.name = "call", .initial_gas = 10000, .program = {0, 0, 3, 10, 9, 0, 0b101}};
  vector.steps = {RunStep{}};
  EXPECT_EQ(differences(vector, {.status = "ecalli", .pc = 0, .host_call = 9}), Texts{});
  EXPECT_EQ(differences(vector, {.host_call = 8}), Texts{"hostcall: 8, 9"});
}

// jump_indirect ra with the return-to-host address in ra.
TEST_P(ConformanceTest, ComparesThePcOfAHaltInTheStepwiseRun) {
  TestVector vector = {.name = "halt", .initial_gas = 10000, .program = {0, 0, 2, 50, 0, 0b01}};
  vector.steps = {SetRegStep{Reg::ra, 0xffff0000}, RunStep{}, AssertStep{.status = "halt", .pc = 0}};
  EXPECT_TRUE(run_vector(vector, GetParam()).empty());
  vector.steps.back() = AssertStep{.status = "halt", .pc = 1};
  const std::vector<Difference> differences = run_vector(vector, GetParam());
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_TRUE(differences[0].stepwise);
  EXPECT_EQ(differences[0].field, "pc");
}

TEST_P(ConformanceTest, ReportsAProgramThatIsRefused) {
  TestVector vector = load_vector();
  vector.program.pop_back();
  const Texts texts = differences(vector, right_answer());
  ASSERT_EQ(texts.size(), 1u);
  EXPECT_TRUE(texts[0].starts_with("set-up: success, bad program")) << texts[0];
}

TEST_P(ConformanceTest, ReportsAStepThatIsRefused) {
  TestVector vector = load_vector();
  vector.steps = {WriteStep{{0x20000, {1}}}};
  const Texts texts = differences(vector, right_answer());
  ASSERT_EQ(texts.size(), 1u);
  EXPECT_TRUE(texts[0].starts_with("step 0: success, out of range")) << texts[0];
}

TEST_P(ConformanceTest, ReportsAnAssertWithoutARun) {
  TestVector vector = load_vector();
  vector.steps.clear();
  const Texts texts = differences(vector, right_answer());
  ASSERT_EQ(texts.size(), 1u);
  EXPECT_TRUE(texts[0].starts_with("step 0: success, invalid argument")) << texts[0];
}

TEST_P(ConformanceTest, CountsAndLogs) {
  TestVector good = load_vector(), bad = load_vector();
  good.steps.push_back(right_answer());
  bad.steps.push_back(AssertStep{.gas = 0});
  const TestVector vectors[] = {good, bad};
  const Backend backends[] = {GetParam()};
  Texts lines;
  const ConformanceResult result =
      run_conformance(vectors, backends, [&](const std::string& line) { lines.push_back(line); });
  const std::string backend(name_of(GetParam()));
  EXPECT_EQ(result.passed, 1u);
  EXPECT_EQ(result.failed, 1u);
  EXPECT_EQ(lines, (Texts{"load [" + backend + "] gas: expected 0, got 9975",
                          "load [" + backend + ", stepwise] gas: expected 0, got 9975",
                          backend + ": 1 of 2 vectors passed"}));
}

INSTANTIATE_TEST_SUITE_P(Backends, ConformanceTest, testing::ValuesIn(kAllBackends),
                         [](const auto& info) { return std::string(name_of(info.param)); });

}  // namespace
}  // namespace sandglass::cli
