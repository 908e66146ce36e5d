#include "sandbox/base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace sandglass {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return Error::make(ErrorKind::kInvalidArgument, "the number is odd", value);
  return value / 2;
}

Status require_even(int value) {
  SG_TRY(half(value));
  return {};
}

Result<int> quarter(int value) { return SG_TRY(half(SG_TRY(half(value)))); }

TEST(Result, HoldsAValue) {
  const Result<int> result = half(8);
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, 4);
}

TEST(Result, HoldsAnError) {
  const Result<int> result = half(7);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_STREQ(result.error().what, "the number is odd");
  EXPECT_EQ(result.error().where, 7u);
}

TEST(Result, TryPassesTheValueOn) { EXPECT_EQ(*quarter(12), 3); }

TEST(Result, TryReturnsTheFirstError) {
  EXPECT_EQ(quarter(7).error().where, 7u);
  EXPECT_EQ(quarter(6).error().where, 3u);
}

TEST(Result, TryWorksOnStatus) {
  EXPECT_TRUE(require_even(2));
  EXPECT_EQ(require_even(3).error().where, 3u);
}

TEST(Result, MovesOutWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 5);
}

TEST(Result, EvaluatesItsArgumentOnce) {
  int calls = 0;
  const auto run = [&]() -> Status {
    SG_TRY([&] { return ++calls, half(4); }());
    return {};
  };
  EXPECT_TRUE(run());
  EXPECT_EQ(calls, 1);
}

TEST(ResultDeathTest, ValueOfAnErrorStopsAndSaysWhichError) {
  EXPECT_DEATH((void)half(1).value(), "the number is odd");
  EXPECT_DEATH(require_even(1).value(), "the number is odd");
}

TEST(ResultDeathTest, ErrorOfAValueIsOurBug) {
  EXPECT_DEATH((void)half(2).error(), "sandglass bug");
  EXPECT_DEATH((void)require_even(2).error(), "sandglass bug");
}

TEST(Error, CapturesErrno) {
  errno = ENOENT;
  const Error error = Error::os("open the file");
  EXPECT_EQ(error.kind, ErrorKind::kOs);
  EXPECT_EQ(error.os_errno, ENOENT);
  EXPECT_EQ(to_string(error), "system call failed: open the file: No such file or directory");
}

TEST(Error, SaysWhatWhereAndWhich) {
  EXPECT_EQ(to_string(Error::make(ErrorKind::kBadProgram, "unknown section")),
            "bad program: unknown section");
  EXPECT_EQ(to_string(Error::make(ErrorKind::kBadProgram, "unknown section", 31)),
            "bad program: unknown section (at 0x1f = 31)");
  EXPECT_EQ(to_string(Error::make(ErrorKind::kBadProgram, "unknown name", 0, "foo")),
            "bad program: unknown name 'foo' (at 0x0 = 0)");
}

TEST(Error, CutsALongDetailAndStaysTerminated) {
  const std::string name(500, 'x');
  const Error error = Error::make(ErrorKind::kBadProgram, "unknown name", 0, name);
  EXPECT_EQ(std::string(error.detail), std::string(sizeof error.detail - 1, 'x'));
}

TEST(Error, KeepsADetailThatJustFits) {
  const std::string name(sizeof(Error::detail) - 1, 'y');
  EXPECT_EQ(std::string(Error::make(ErrorKind::kBadProgram, "", 0, name).detail), name);
}

TEST(Error, EveryKindHasItsOwnName) {
  std::vector<std::string> names;
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kProtocolViolation); ++kind) {
    names.push_back(name_of(static_cast<ErrorKind>(kind)));
    EXPECT_NE(names.back(), "unknown error");
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(Error, CanBeCopiedBetweenProcesses) { static_assert(std::is_trivially_copyable_v<Error>); }

}  // namespace
}  // namespace sandglass
