#include "sandbox/base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <utility>

namespace sandglass {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

UniqueFd open_null() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

TEST(UniqueFd, StartsEmpty) {
  const UniqueFd fd;
  EXPECT_FALSE(fd);
  EXPECT_EQ(fd.get(), -1);
}

TEST(UniqueFd, DescriptorZeroCounts) {
  // Owned for a moment only: the test gives descriptor 0 back as it was.
  const int saved = ::dup(0);
  {
    const UniqueFd zero(::dup2(open_null().get(), 0));
    EXPECT_TRUE(zero);
  }
  EXPECT_FALSE(is_open(0));
  if (saved >= 0) {
    ::dup2(saved, 0);
    ::close(saved);
  }
}

TEST(UniqueFd, ClosesOnDestruction) {
  int number = -1;
  {
    const UniqueFd fd = open_null();
    number = fd.get();
    ASSERT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, MoveTakesOwnership) {
  UniqueFd from = open_null();
  const int number = from.get();
  {
    const UniqueFd to = std::move(from);
    EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): what is left behind is the promise
    EXPECT_EQ(to.get(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, AssignmentClosesTheOldOne) {
  UniqueFd fd = open_null();
  const int old = fd.get();
  UniqueFd other = open_null();
  const int kept = other.get();
  ASSERT_NE(old, kept);
  fd = UniqueFd(std::move(other));
  EXPECT_EQ(fd.get(), kept);
  EXPECT_FALSE(is_open(old));
  EXPECT_TRUE(is_open(kept));
}

}  // namespace
}  // namespace sandglass
