// Test vectors are read strictly: what is not understood is an error, never a check that silently passes.
#include "sandbox/cli/test_vector.h"

#include <gtest/gtest.h>

#include <fstream>

#include "sandbox/base/check.h"

namespace sandglass::cli {
namespace {

constexpr std::string_view kGood = R"({"name": "n", "initial-pc": 1, "initial-gas": -5, "program": [0, 255],
  "steps": [{"map": {"address": 131072, "length": 4096, "is-writable": true}},
            {"write": {"address": 131073, "contents": [1, 2]}},
            {"set-reg": {"reg": 12, "value": 18446744073709551615}}, {"run": {}},
            {"assert": {"status": "ecalli", "gas": 3, "pc": 4, "hostcall": 9, "page-fault-address": 8192,
                        "regs": [0,1,2,3,4,5,6,7,8,9,10,11,12],
                        "memory": [{"address": 131073, "contents": [1, 2]}]}}],
  "block-gas-costs": [{"pc": 0, "cost": 25}]})";

std::string error_of(std::string_view json) {
  const auto result = parse_test_vector(json, "file.json");
  const auto* error = std::get_if<VectorError>(&result);
  return error != nullptr ? error->text : "no error";
}

// kGood with one piece replaced.
std::string error_after(std::string_view from, std::string_view to) {
  std::string json(kGood);
  const size_t at = json.find(from);
  SG_CHECK(at != std::string::npos);
  return error_of(json.replace(at, from.size(), to));
}

TEST(TestVectorTest, HasEverythingThatTheFileSays) {
  const auto result = parse_test_vector(kGood, "file.json");
  const auto* vector = std::get_if<TestVector>(&result);
  ASSERT_NE(vector, nullptr) << error_of(kGood);
  EXPECT_EQ(vector->name, "n");
  EXPECT_EQ(vector->initial_pc, 1u);
  EXPECT_EQ(vector->initial_gas, -5);
  EXPECT_EQ(vector->program, (std::vector<uint8_t>{0, 255}));
  ASSERT_EQ(vector->block_costs.size(), 1u);
  EXPECT_EQ(vector->block_costs[0].cost, 25u);
  ASSERT_EQ(vector->steps.size(), 5u);
  EXPECT_TRUE(std::get<MapStep>(vector->steps[0]).is_writable);
  EXPECT_EQ(std::get<WriteStep>(vector->steps[1]).chunk.address, 131073u);
  EXPECT_EQ(std::get<SetRegStep>(vector->steps[2]).reg, Reg::a5);
  EXPECT_EQ(std::get<SetRegStep>(vector->steps[2]).value, UINT64_MAX);
  EXPECT_TRUE(std::holds_alternative<RunStep>(vector->steps[3]));
}

TEST(TestVectorTest, KeepsEveryExpectation) {
  const auto vector = std::get<TestVector>(parse_test_vector(kGood, "file.json"));
  const auto& expected = std::get<AssertStep>(vector.steps[4]);
  EXPECT_EQ(expected.status, "ecalli");
  EXPECT_EQ(expected.gas, 3);
  EXPECT_EQ(expected.pc, 4u);
  EXPECT_EQ(expected.host_call, 9u);
  EXPECT_EQ(expected.page_fault_address, 8192u);
  EXPECT_EQ(expected.regs->at(12), 12u);
  EXPECT_EQ(expected.memory->at(0).contents, (std::vector<uint8_t>{1, 2}));
}

TEST(TestVectorTest, NamesTheFileThatIsNoJson) {
  EXPECT_EQ(error_of("{"), "file.json: not JSON");
  EXPECT_EQ(error_of(""), "file.json: not JSON");
}

TEST(TestVectorTest, NamesTheFieldThatIsBad) {
  EXPECT_EQ(error_of("[]"), "file.json: \"vector\" is no object");
  EXPECT_EQ(error_after("\"name\": \"n\",", ""), "file.json: \"name\" is missing");
  EXPECT_EQ(error_after("\"n\"", "7"), "file.json: \"name\" is no text");
  EXPECT_EQ(error_after("\"initial-gas\": -5", "\"initial-gas\": 1.5"),
            "file.json: \"initial-gas\" is no integer in -9223372036854775808 … 9223372036854775807");
  EXPECT_EQ(error_after("[0, 255]", "[0, 256]"), "file.json: \"program\" is no integer in 0 … 255");
  EXPECT_EQ(error_after("\"initial-pc\": 1", "\"initial-pc\": 4294967296"),
            "file.json: \"initial-pc\" is no integer in 0 … 4294967295");
  EXPECT_EQ(error_after("\"initial-pc\": 1", "\"initial-pc\": -1"),
            "file.json: \"initial-pc\" is no integer in 0 … 4294967295");
  EXPECT_EQ(error_after("true", "1"), "file.json: \"is-writable\" is neither true nor false");
  EXPECT_EQ(error_after("\"reg\": 12", "\"reg\": 13"), "file.json: \"reg\" is no register");
  EXPECT_EQ(error_after("11,12]", "11]"), "file.json: \"regs\" does not have 13 elements");
  EXPECT_EQ(error_after("4096", "4294967295"), "file.json: \"length\" is larger than 64 MiB");
}

TEST(TestVectorTest, RefusesWhatItWouldNotCheck) {
  EXPECT_EQ(error_after("\"gas\": 3", "\"heap\": 3"), "file.json: \"heap\" is not known here");
  EXPECT_EQ(error_after("{\"run\": {}}", "{\"walk\": {}}"), "file.json: \"walk\" is no kind of step");
  EXPECT_EQ(error_after("{\"run\": {}}", "{}"), "file.json: \"steps\" has an element that is not one step");
  EXPECT_EQ(error_after("{\"run\": {}}", "{\"run\": {\"gas\": 1}}"), "file.json: \"gas\" is not known here");
  EXPECT_EQ(error_after("ecalli", "bored"),
            "file.json: \"status\" is none of panic, halt, page-fault, out-of-gas, ecalli");
}

class TestVectorFolder : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const char* name, std::string_view text) { std::ofstream(folder_ / name) << text; }

  std::filesystem::path folder_;
};

TEST_F(TestVectorFolder, IsReadInTheOrderOfItsNames) {
  write("b.json", kGood);
  write("a.json", std::string(kGood).replace(kGood.find("\"n\""), 3, "\"first\""));
  write("notes.txt", "not a vector");
  const auto result = read_test_vectors(folder_);
  const auto& vectors = std::get<std::vector<TestVector>>(result);
  ASSERT_EQ(vectors.size(), 2u);
  EXPECT_EQ(vectors[0].name, "first");
}

TEST_F(TestVectorFolder, WithABadFileIsAnErrorThatNamesIt) {
  write("a.json", kGood);
  write("b.json", "{}");
  const auto result = read_test_vectors(folder_);
  EXPECT_EQ(std::get<VectorError>(result).text, (folder_ / "b.json").string() + ": \"name\" is missing");
}

TEST_F(TestVectorFolder, WithoutVectorsIsAnError) {
  EXPECT_TRUE(std::holds_alternative<VectorError>(read_test_vectors(folder_)));
  EXPECT_TRUE(std::holds_alternative<VectorError>(read_test_vectors(folder_ / "nowhere")));
}

}  // namespace
}  // namespace sandglass::cli
