#include "bench/options.h"

#include <gtest/gtest.h>

namespace sandglass::bench {
namespace {

Result<Options> parse(std::initializer_list<const char*> arguments) {
  return parse_options(std::span(arguments.begin(), arguments.size()));
}

TEST(OptionsTest, HasDefaultsThatRunEverything) {
  const Options options = parse({}).value();
  EXPECT_EQ(options.filter, "");
  EXPECT_EQ(options.iterations, 0);
  EXPECT_EQ(options.seed, 1u);
  EXPECT_TRUE(options.passed_on.empty());
}

TEST(OptionsTest, TakesBothSpellingsAndBothWaysToGiveAValue) {
  EXPECT_EQ(parse({"--filter=a/b"}).value().filter, "a/b");
  EXPECT_EQ(parse({"--filter", "a/b"}).value().filter, "a/b");
  EXPECT_EQ(parse({"--benchmark_filter=a/b"}).value().filter, "a/b");
  EXPECT_TRUE(parse({"--list"}).value().list);
  EXPECT_TRUE(parse({"--benchmark_list_tests=true"}).value().list);
  EXPECT_FALSE(parse({"--list=false"}).value().list);
}

TEST(OptionsTest, KeepsAnEqualsSignInAValue) { EXPECT_EQ(parse({"--out=a=b.json"}).value().out, "a=b.json"); }

TEST(OptionsTest, UnderstandsSecondsWithAndWithoutUnit) {
  EXPECT_EQ(parse({"--min-time=0.01s"}).value().min_seconds, "0.01");
  EXPECT_EQ(parse({"--benchmark_min_time=0.5"}).value().min_seconds, "0.5");
}

TEST(OptionsTest, UnderstandsACountOfIterations) {
  const Options options = parse({"--min-time=10x"}).value();
  EXPECT_EQ(options.iterations, 10);
  EXPECT_EQ(options.min_seconds, "");
  EXPECT_EQ(parse({"--dry-run"}).value().iterations, 1);
}

TEST(OptionsTest, LetsTheLastOfTwoMinTimesWin) {
  EXPECT_EQ(parse({"--min-time=10x", "--min-time=1s"}).value().iterations, 0);
}

TEST(OptionsTest, PassesOnWhatGoogleBenchmarkKnows) {
  const Options options = parse({"--repetitions=3", "--benchmark_enable_random_interleaving=true"}).value();
  EXPECT_EQ(options.passed_on, (std::vector<std::string>{"--benchmark_repetitions=3",
                                                         "--benchmark_enable_random_interleaving=true"}));
}

class RefusedOption : public testing::TestWithParam<const char*> {};

TEST_P(RefusedOption, IsAnError) {
  const Result<Options> options = parse({GetParam()});
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().kind, ErrorKind::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(All, RefusedOption,
                         testing::Values("--nonsense", "stray", "--filter", "--out", "--list=maybe",
                                         "--min-time=", "--min-time=soon", "--min-time=-1", "--min-time=nan",
                                         "--min-time=inf", "--min-time=0x", "--min-time=-3x",
                                         "--min-time=1.5x", "--min-time=99999999999999999999x",
                                         "--repetitions=0", "--repetitions=many", "--format=xml",
                                         "--out-format=yaml", "--sandglass_seed=-1",
                                         "--sandglass_unheard=1"));

TEST(OptionsTest, NamesEveryFlagInTheHelp) {
  const std::string help = help_text();
  for (const char* flag : {"--filter", "--list", "--out", "--repetitions", "--min-time", "--dry-run",
                           "--sandglass_seed", "--sandglass_shuffle", "--help"}) {
    EXPECT_NE(help.find(flag), std::string::npos) << flag;
  }
}

}  // namespace
}  // namespace sandglass::bench
