// Every stop snippet stops as its row says.
#include <gtest/gtest.h>

#include "tests/workloads/guest.h"

namespace sandglass {
namespace {

class StopSnippetTest : public testing::TestWithParam<Backend> {};

TEST_P(StopSnippetTest, StopsAsItsRowSays) {
  for (const StopSnippet& snippet : stop_snippets()) {
    auto sandbox = make_guest(snippet.assembly, GetParam(), GasMetering::kSync);
    ASSERT_TRUE(sandbox) << to_string(sandbox.error());
    (*sandbox)->set_gas(1'000);
    ASSERT_TRUE((*sandbox)->prepare_call("main", {snippet.argument}));
    const Result<Interrupt> stop = (*sandbox)->run();
    ASSERT_TRUE(stop) << to_string(stop.error());
    EXPECT_EQ(stop->kind, snippet.kind) << snippet.name;
    if (snippet.kind != InterruptKind::kTrap) continue;
    EXPECT_EQ(stop->trap, snippet.trap) << snippet.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, StopSnippetTest, testing::ValuesIn(kAllBackends),
                         [](const auto& info) { return std::string(name_of(info.param)); });

TEST(StopSnippetTableTest, FindsRowsByName) {
  ASSERT_NE(find_stop_snippet("spin"), nullptr);
  EXPECT_EQ(find_stop_snippet("spin")->kind, InterruptKind::kOutOfGas);
  EXPECT_EQ(find_stop_snippet("spi"), nullptr);
}

}  // namespace
}  // namespace sandglass
