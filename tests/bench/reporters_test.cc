#include "bench/reporters.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

namespace sandglass::bench {
namespace {

using Row = benchmark::BenchmarkReporter::Run;

Row run_with(benchmark::UserCounters counters) {
  Row run;
  run.run_name.function_name = "family/backend/variant";
  run.run_name.iterations = "iterations:10";
  run.run_name.time_type = "manual_time";
  run.family_index = 0;
  run.per_family_instance_index = 0;
  run.run_type = Row::RT_Iteration;
  run.iterations = 10;
  run.repetition_index = 0;
  run.repetitions = 1;
  run.real_accumulated_time = 1e-6;
  run.cpu_accumulated_time = 1e-6;
  run.counters = std::move(counters);
  return run;
}

std::string report(std::string_view format, const Row& run) {
  std::ostringstream out, errors;
  const auto reporter = make_reporter(format);
  reporter->SetOutputStream(&out);
  reporter->SetErrorStream(&errors);
  benchmark::BenchmarkReporter::Context context;
  context.name_field_width = 30;  // its constructor leaves it to chance
  EXPECT_TRUE(reporter->ReportContext(context));
  reporter->ReportRuns({run});
  reporter->Finalize();
  return out.str();
}

nlohmann::json first_benchmark(const Row& run) {
  return nlohmann::json::parse(report("json", run)).at("benchmarks").at(0);  // throws on NaN
}

TEST(ReportersTest, LeavesOutCountersThatAreNoNumbers) {
  const auto json = first_benchmark(run_with({{"good", 1.5},
                                              {"nan", std::nan("")},
                                              {"infinite", std::numeric_limits<double>::infinity()},
                                              {"minus_infinite", -std::numeric_limits<double>::infinity()}}));
  EXPECT_EQ(json.at("good"), 1.5);
  for (const char* name : {"nan", "infinite", "minus_infinite"}) EXPECT_FALSE(json.contains(name)) << name;
}

TEST(ReportersTest, WritesTimesThatAreNoNumbersAsZero) {
  Row run = run_with({});
  run.real_accumulated_time = std::nan("");
  EXPECT_EQ(first_benchmark(run).at("real_time"), 0.0);
}

TEST(ReportersTest, KeepsSettingsOutOfNames) {
  const auto json = first_benchmark(run_with({}));
  EXPECT_EQ(json.at("name"), "family/backend/variant");
  EXPECT_EQ(json.at("run_name"), "family/backend/variant");
}

TEST(ReportersTest, ShowsNoiseInResultsButNotToPeople) {
  const Row run = run_with({{"noise_steal_ms", 3}, {"code_bytes", 7}});
  EXPECT_EQ(first_benchmark(run).at("noise_steal_ms"), 3.0);
  const std::string console = report("console", run);
  EXPECT_EQ(console.find("noise"), std::string::npos) << console;
  EXPECT_NE(console.find("code_bytes=7"), std::string::npos) << console;
}

TEST(ReportersTest, TellsPeopleThatASkippedBenchmarkIsNoError) {
  Row run = run_with({});
  run.error_occurred = true;
  run.error_message = "unsupported: needs two cores";
  EXPECT_EQ(first_benchmark(run).at("error_message"), "unsupported: needs two cores");
  const std::string console = report("console", run);
  EXPECT_NE(console.find("skipped: unsupported: needs two cores"), std::string::npos) << console;
  EXPECT_EQ(console.find("ERROR"), std::string::npos) << console;

  run.error_message = "a wrong answer while timing";
  EXPECT_NE(report("console", run).find("ERROR"), std::string::npos);
}

TEST(ReportersTest, ShowsInvertedRatesAsNanoseconds) {
  const benchmark::Counter counter(
      4, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  const std::string console = report("console", run_with({{"ns_per_instruction", counter}}));
  EXPECT_NE(console.find("ns_per_instruction=4\n"), std::string::npos) << console;
}

}  // namespace
}  // namespace sandglass::bench
