// The tests of this executable once more, as an ordinary user: workers are made in another way then.
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace {

constexpr uid_t kNobody = 65534;

TEST(AsOrdinaryUser, EveryTestOfThisProgram) {
  if (::geteuid() != 0) GTEST_SKIP() << "this is an ordinary user";
  const int program = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(program, 0);
  const std::string filter = "--gtest_filter=" + GTEST_FLAG_GET(filter) +
                             (GTEST_FLAG_GET(filter).find('-') == std::string::npos ? "-" : ":") +
                             "AsOrdinaryUser.*";
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
        ::setresuid(kNobody, kNobody, kNobody) != 0) {
      ::_exit(126);
    }
    ::unsetenv("GTEST_OUTPUT");
    ::unsetenv("GTEST_FILTER");
    std::string name = "attack_test", brief = "--gtest_brief=1", copy = filter;
    char* const arguments[] = {name.data(), copy.data(), brief.data(), nullptr};
    ::fexecve(program, arguments, environ);
    ::_exit(127);
  }
  ::close(program);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
