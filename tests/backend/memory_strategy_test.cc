// What a guest and its host see does not depend on where the memory comes from: every strategy, with initial
// data small and large, on every backend.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "tests/backend/guest.h"

namespace sandglass {
namespace {

constexpr uint32_t kRw = 0x30000, kStackEnd = 0xfffd0000, kAux = 0xfffe0000;
constexpr uint32_t kHeapBytes = 64 << 10, kStackBytes = 64 << 10, kAuxBytes = 8192;
// The program: stores a1 at a0, then every 4 KiB, a2 times; then it loads what is at a3.
constexpr std::string_view kProgram =
    "pub @main:\n u64 [a0] = a1\n a0 = a0 + 4096\n a2 = a2 + 0xffffffffffffffff\n jump @main if a2 != 0\n"
    " a1 = u64 [a3]\n ecalli 1\n trap";

class MemoryStrategyTest
    : public ::testing::TestWithParam<std::tuple<Backend, MemoryStrategy, uint32_t /* content, bytes */>> {
 protected:
  static uint32_t content_bytes() { return std::get<2>(GetParam()); }
  // RW data has zeroes behind its content: the rest of a page, and more pages.
  static uint32_t rw_bytes() { return content_bytes() + 3 * 4096; }
  static uint32_t rw_end() { return round_up(kRw + rw_bytes(), 4096); }

  static std::vector<uint8_t> initial() {
    std::vector<uint8_t> bytes(rw_end() - kRw, 0);
    for (uint32_t i = 0; i < content_bytes(); ++i) bytes[i] = static_cast<uint8_t>(i * 7 + i / 4096 + 1);
    return bytes;
  }

  // Made once per test: its sandboxes get the same worker, one after the other.
  std::unique_ptr<Sandbox> make() {
    if (module_ == nullptr) {
      ProgramParts parts = assemble(kProgram).value();
      parts.ro_data = {1, 2, 3};
      parts.ro_data_bytes = 100;
      parts.rw_data = initial();
      parts.rw_data.resize(content_bytes());
      parts.rw_data_bytes = rw_bytes();
      parts.stack_bytes = kStackBytes;
      ModuleOptions options;
      options.backend = std::get<0>(GetParam());
      options.memory = std::get<1>(GetParam());
      options.aux_bytes = kAuxBytes;
      module_ = Module::create(Program::from_parts(std::move(parts)).value(), options).value();
    }
    return Sandbox::create(module_).value();
  }

  // The guest stores `value` in `pages` pages from `address` on; what it then finds at `probe`.
  static uint64_t run(Sandbox& sandbox, uint32_t address, uint64_t value, uint64_t pages, uint32_t probe) {
    EXPECT_TRUE(sandbox.prepare_call("main", {address, value, pages, probe}));
    EXPECT_EQ(sandbox.run()->kind, InterruptKind::kHostCall) << std::hex << address;
    return sandbox.reg(Reg::a1);
  }

  static void expect_fresh(Sandbox& sandbox) {
    EXPECT_EQ(read_bytes(sandbox, kRw, rw_end() - kRw), initial());
    EXPECT_EQ(read_bytes(sandbox, 0x10000, 4), (std::vector<uint8_t>{1, 2, 3, 0}));
    EXPECT_EQ(read_bytes(sandbox, kStackEnd - kStackBytes, kStackBytes), std::vector<uint8_t>(kStackBytes));
    EXPECT_EQ(read_bytes(sandbox, kAux, kAuxBytes), std::vector<uint8_t>(kAuxBytes));
    EXPECT_EQ(sandbox.heap_bytes(), 0u);
  }

  std::shared_ptr<const Module> module_;
};

std::string name_of_parameter(const ::testing::TestParamInfo<MemoryStrategyTest::ParamType>& info) {
  constexpr const char* kNames[] = {"lazy", "eager", "image"};
  const auto& [backend, strategy, bytes] = info.param;
  return std::string(name_of(backend)) + "_" + kNames[static_cast<int>(strategy)] + "_" +
         std::to_string(bytes);
}

INSTANTIATE_TEST_SUITE_P(Backends, MemoryStrategyTest,
                         ::testing::Combine(::testing::ValuesIn(kAllBackends),
                                            ::testing::Values(MemoryStrategy::kLazy, MemoryStrategy::kEager,
                                                              MemoryStrategy::kImage),
                                            ::testing::Values(0, 5000, 100 << 10, (1 << 20) + 5)),
                         name_of_parameter);

TEST_P(MemoryStrategyTest, StartsWithTheInitialData) {
  const auto sandbox = make();
  expect_fresh(*sandbox);
  const std::vector<uint8_t> bytes = initial();
  for (uint32_t offset = 0; offset + 8 <= bytes.size(); offset += 4096 * 5) {
    uint64_t expected;
    std::memcpy(&expected, bytes.data() + offset, 8);
    EXPECT_EQ(run(*sandbox, kStackEnd - 8, 1, 1, kRw + offset), expected) << offset;
  }
}

TEST_P(MemoryStrategyTest, HostAndGuestSeeEachOthersWrites) {
  const auto sandbox = make();
  ASSERT_TRUE(sandbox->sbrk(kHeapBytes));
  std::vector<uint8_t> expected = initial();
  expected.resize(rw_end() - kRw + kHeapBytes / 2);
  // Over the border between content, zeroes and heap, in one piece.
  const uint32_t begin = content_bytes() / 2;
  const std::vector<uint8_t> bytes(rw_bytes() - begin + 10'000, 0x5a);
  ASSERT_TRUE(sandbox->write(kRw + begin, bytes));
  std::copy(bytes.begin(), bytes.end(), expected.begin() + begin);
  EXPECT_EQ(run(*sandbox, kRw, 0x0807060504030201, 2, kRw + begin + 16), 0x5a5a5a5a5a5a5a5au);
  for (uint32_t page = 0; page < 2; ++page) {
    for (uint8_t i = 0; i < 8; ++i) expected[page * 4096 + i] = i + 1;
  }
  EXPECT_EQ(read_bytes(*sandbox, kRw, expected.size()), expected);
  ASSERT_TRUE(sandbox->zero(kRw + 3, expected.size() - 10));
  std::fill(expected.begin() + 3, expected.end() - 7, 0);
  EXPECT_EQ(read_bytes(*sandbox, kRw, expected.size()), expected);
  EXPECT_EQ(run(*sandbox, kStackEnd - 8, 1, 1, kRw), 0x030201u);
}

TEST_P(MemoryStrategyTest, ResetTakesBackWhatTheGuestWrote) {
  const auto sandbox = make();
  for (const uint64_t pages : {1u, 3u, 16u, 200u}) {
    const uint64_t rw_pages = std::min<uint64_t>(pages, (rw_end() - kRw) / 4096);
    run(*sandbox, kRw + 8, ~uint64_t{0}, rw_pages, kRw);
    run(*sandbox, rw_end() - 4096, ~uint64_t{0}, 1, kRw);
    run(*sandbox, kStackEnd - kStackBytes, ~uint64_t{0}, 16, kRw);
    ASSERT_TRUE(sandbox->reset_memory());
    expect_fresh(*sandbox);
  }
}

TEST_P(MemoryStrategyTest, ResetTakesBackWhatTheHostWrote) {
  const auto sandbox = make();
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(sandbox->sbrk(kHeapBytes));
    ASSERT_TRUE(can_write(*sandbox, kRw + content_bytes() / 3, 100));
    ASSERT_TRUE(can_write(*sandbox, rw_end() - 50, 200));
    ASSERT_TRUE(sandbox->zero(kRw, 5));
    ASSERT_TRUE(can_write(*sandbox, kAux, kAuxBytes));
    ASSERT_TRUE(sandbox->reset_memory());
    expect_fresh(*sandbox);
  }
}

TEST_P(MemoryStrategyTest, ResetOfAllPagesTwice) {
  const auto sandbox = make();
  for (int round = 0; round < 2; ++round) {
    run(*sandbox, kRw, 0x4141414141414141, (rw_end() - kRw) / 4096, kRw);
    ASSERT_TRUE(sandbox->reset_memory());
    ASSERT_TRUE(sandbox->reset_memory());
    expect_fresh(*sandbox);
  }
}

TEST_P(MemoryStrategyTest, NextSandboxIsFreshAndHasAClosedHeap) {
  for (int round = 0; round < 4; ++round) {
    const auto sandbox = make();
    expect_fresh(*sandbox);
    EXPECT_FALSE(can_read(*sandbox, rw_end(), 1));
    ASSERT_TRUE(sandbox->sbrk(kHeapBytes));
    const uint32_t heap = rw_end();
    EXPECT_EQ(run(*sandbox, heap, ~uint64_t{0}, 8, heap + 8), 0u);
    EXPECT_EQ(run(*sandbox, kRw, ~uint64_t{0}, 2, heap + 4096 + 8), 0u);
    ASSERT_TRUE(can_write(*sandbox, heap + 100, 5000));
  }
}

}  // namespace
}  // namespace sandglass
