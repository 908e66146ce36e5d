#include "bench/harness.h"

#include <gtest/gtest.h>

namespace sandglass::bench {
namespace {

// Answers rightly `right_answers` times, then never again.
struct Answering {
  int64_t right_answers;
  bool run() { return right_answers-- > 0; }
};

auto answering(int64_t right_answers) {
  return [=]() -> Result<std::unique_ptr<Answering>> {
    return std::make_unique<Answering>(Answering{right_answers});
  };
}
constexpr int64_t kAlways = INT64_MAX;

Options ten_iterations(std::string filter = "") { return {.filter = std::move(filter), .iterations = 10}; }

TEST(SuiteTest, SucceedsWhenEveryAnswerIsRight) {
  Suite suite(ten_iterations());
  suite.add("right/a", answering(kAlways));
  EXPECT_EQ(suite.run(), kOk);
}

TEST(SuiteTest, FailsOnAWrongAnswerBeforeTiming) {
  Suite suite(ten_iterations());
  suite.add("wrong/at_once", answering(0));
  EXPECT_EQ(suite.run(), kFailed);
}

TEST(SuiteTest, FailsOnASingleWrongAnswerWhileTiming) {
  Suite suite(ten_iterations());
  suite.add("wrong/later", answering(10));  // one to verify and nine to time
  EXPECT_EQ(suite.run(), kFailed);
}

TEST(SuiteTest, GoesOnAfterAFailure) {
  bool has_run = false;
  Suite suite(ten_iterations());
  suite.add("wrong/at_once", answering(0));
  suite.add("right/a", [&] {
    has_run = true;
    return answering(kAlways)();
  });
  EXPECT_EQ(suite.run(), kFailed);
  EXPECT_TRUE(has_run);
}

TEST(SuiteTest, FailsWhenAFixtureCannotBeMade) {
  Suite suite(ten_iterations());
  suite.add("wrong/unmade", []() -> Result<std::unique_ptr<Answering>> {
    return Error::make(ErrorKind::kInvalidArgument, "not like this");
  });
  EXPECT_EQ(suite.run(), kFailed);
}

TEST(SuiteTest, SkipsWhatThisMachineCannotDo) {
  bool has_run = false;
  Suite suite(ten_iterations());
  suite.add("unsupported/a", []() -> Result<std::unique_ptr<Answering>> {
    return Error::make(ErrorKind::kUnsupported, "not here");
  });
  suite.add("right/a", [&] {
    has_run = true;
    return answering(kAlways)();
  });
  EXPECT_EQ(suite.run(), kOk);
  EXPECT_TRUE(has_run);
}

struct Inconsistent {
  bool run() { return true; }
  bool is_consistent() const { return false; }
};

TEST(SuiteTest, FailsWhenTheFixtureIsInconsistentInTheEnd) {
  Suite suite(ten_iterations());
  suite.add("wrong/in_the_end",
            []() -> Result<std::unique_ptr<Inconsistent>> { return std::make_unique<Inconsistent>(); });
  EXPECT_EQ(suite.run(), kFailed);
}

struct Counting {
  explicit Counting(int& alive, int& most, int64_t& runs) : alive_(alive), runs_(runs) {
    most = std::max(most, ++alive_);
  }
  ~Counting() { --alive_; }
  bool run(Nanoseconds& spent) {
    ++runs_;
    spent = Nanoseconds(1000);
    return true;
  }
  int& alive_;
  int64_t& runs_;
};

TEST(SuiteTest, VerifiesOnceThenTimesAndKeepsOneFixtureAlive) {
  int alive = 0, most = 0;
  int64_t runs = 0;
  const auto make = [&]() -> Result<std::unique_ptr<Counting>> {
    return std::make_unique<Counting>(alive, most, runs);
  };
  Suite suite(ten_iterations());
  suite.add("count/a", make);
  suite.add("count/b", make);
  EXPECT_EQ(suite.run(), kOk);
  EXPECT_EQ(runs, 2 * (1 + 10));
  EXPECT_EQ(most, 1);
  EXPECT_EQ(alive, 0);
}

// The first run verifies; of those that are timed, nine take 1 µs and the last 91 µs.
struct Uneven {
  static constexpr bool kIsLatency = true;
  bool run(Nanoseconds& spent) {
    spent = Nanoseconds(++runs == 11 ? 91'000 : 1'000);
    return true;
  }
  void report(benchmark::State& state) { counters = state.counters; }
  benchmark::UserCounters& counters;
  int runs = 0;
};

// Says that each operation took a millisecond, so that the number of operations tells the time it was given.
struct Millisecond {
  int64_t* operations;
  bool run(Nanoseconds& spent) {
    spent = std::chrono::milliseconds(1);
    ++*operations;
    return true;
  }
};

TEST(SuiteTest, GivesWhatRunsBesideHogsTimeForManySlices) {
  int64_t alone = 0, beside_hogs = 0;
  const auto counting = [](int64_t* operations) {
    return [=]() -> Result<std::unique_ptr<Millisecond>> {
      return std::make_unique<Millisecond>(Millisecond{operations});
    };
  };
  Suite suite({.min_seconds = "0.005"});
  suite.add("x/alone", counting(&alone));
  suite.add("x/hogs", counting(&beside_hogs));
  EXPECT_EQ(suite.run(), kOk);
  EXPECT_LT(alone, 100);
  EXPECT_GE(beside_hogs, 100);
}

TEST(SuiteTest, ReportsTheSpreadOfLatencies) {
  benchmark::UserCounters counters;
  Suite suite(ten_iterations());
  suite.add("latency/a", [&]() -> Result<std::unique_ptr<Uneven>> {
    return std::unique_ptr<Uneven>(new Uneven{counters});
  });
  EXPECT_EQ(suite.run(), kOk);
  EXPECT_NEAR(counters["p50_ns"], 1'000, 4);
  EXPECT_NEAR(counters["p99_ns"], 91'000, 364);
  EXPECT_NEAR(counters["mean_over_p50"], 10, 0.04);
}

// Which of three benchmarks a filter selects.
std::string selected_by(const std::string& filter, ExitCode expected = kOk) {
  std::string names;
  Suite suite(ten_iterations(filter));
  for (const char* name : {"x/one", "x/two", "y/one"}) {
    suite.add(name, [&names, name] {
      names += std::string(name) + " ";
      return answering(kAlways)();
    });
  }
  EXPECT_EQ(suite.run(), expected) << filter;
  return names;
}

TEST(SuiteTest, SelectsByRegularExpression) {
  EXPECT_EQ(selected_by(""), "x/one x/two y/one ");
  EXPECT_EQ(selected_by("one"), "x/one y/one ");
  EXPECT_EQ(selected_by("^x/.*o$"), "x/two ");
  EXPECT_EQ(selected_by("two|^y"), "x/two y/one ");
  EXPECT_EQ(selected_by("-one"), "x/two ");
}

TEST(SuiteTest, MatchesTheBareNameEvenWithAFixedCount) { EXPECT_EQ(selected_by("two$"), "x/two "); }

TEST(SuiteTest, SaysWhenNothingMatches) { EXPECT_EQ(selected_by("nowhere", kNothingMatched), ""); }

TEST(SuiteTest, RefusesABrokenExpression) { EXPECT_EQ(selected_by("(", kUsage), ""); }

std::string order_of(uint64_t seed, bool shuffle) {
  std::string order;
  Options options = ten_iterations();
  options.seed = seed;
  options.shuffle = shuffle;
  Suite suite(options);
  for (const char name : std::string_view("abcdefgh")) {
    suite.add(std::string("order/") + name, [&order, name] {
      order += name;
      return answering(kAlways)();
    });
  }
  EXPECT_EQ(suite.run(), kOk);
  return order;
}

TEST(SuiteTest, ShufflesBySeedOnly) {
  EXPECT_EQ(order_of(5, false), "abcdefgh");
  const std::string shuffled = order_of(5, true);
  EXPECT_NE(shuffled, "abcdefgh");
  EXPECT_EQ(shuffled, order_of(5, true));
  EXPECT_NE(shuffled, order_of(6, true));
}

}  // namespace
}  // namespace sandglass::bench
