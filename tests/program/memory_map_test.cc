#include <gtest/gtest.h>

#include <random>

#include "sandbox/program/memory_map.h"

namespace sandglass {
namespace {

void expect_range(const GuestRange& range, uint64_t begin, uint64_t end) {
  EXPECT_EQ(range.begin, begin);
  EXPECT_EQ(range.end, end);
}

TEST(MemoryMap, PlacesOneByteOfEverything) {
  const MemoryMap map = MemoryMap::create(0x4000, {1, 1, 1, 0}).value();
  expect_range(map.ro_data(), 0x10000, 0x14000);
  expect_range(map.rw_data(), 0x30000, 0x34000);
  EXPECT_EQ(map.heap_base(), 0x30001u);
  expect_range(map.stack(), 0xfffdc000, 0xfffe0000);
  EXPECT_EQ(map.initial_sp(), 0xfffe0000u);
  EXPECT_TRUE(map.aux().empty());
  EXPECT_EQ(map.max_heap_bytes(), (uint64_t{1} << 32) - 4 * 0x10000 - 0x30001);
}

TEST(MemoryMap, PlacesAStackAlone) {
  const MemoryMap map = MemoryMap::create(4096, {.stack_bytes = 8192}).value();
  expect_range(map.ro_data(), 0x10000, 0x10000);
  expect_range(map.rw_data(), 0x20000, 0x20000);
  EXPECT_EQ(map.heap_base(), 0x20000u);
  expect_range(map.stack(), 0xfffde000, 0xfffe0000);
}

TEST(MemoryMap, PlacesAuxDataAboveTheStack) {
  const MemoryMap map = MemoryMap::create(4096, {.stack_bytes = 1, .aux_bytes = 0x10001}).value();
  expect_range(map.aux(), 0xfffd0000, 0xfffe1000);
  EXPECT_EQ(map.initial_sp(), 0xfffc0000u);
  expect_range(map.stack(), 0xfffbf000, 0xfffc0000);
}

TEST(MemoryMap, PlacesEverythingAlikeForEveryPageSize) {
  const MemoryMap::Sizes sizes = {0x12345, 0x23456, 0x34567, 0x45678};
  const MemoryMap reference = MemoryMap::create(4096, sizes).value();
  for (uint32_t page_bytes : {0x2000u, 0x4000u, 0x8000u, 0x10000u}) {
    const MemoryMap map = MemoryMap::create(page_bytes, sizes).value();
    EXPECT_EQ(map.ro_data().begin, reference.ro_data().begin);
    EXPECT_EQ(map.rw_data().begin, reference.rw_data().begin);
    EXPECT_EQ(map.aux().begin, reference.aux().begin);
    EXPECT_EQ(map.initial_sp(), reference.initial_sp());
    EXPECT_EQ(map.heap_base(), reference.heap_base());
    EXPECT_EQ(map.max_heap_bytes(), reference.max_heap_bytes());
    EXPECT_EQ(map.ro_data().size(), round_up(0x12345, page_bytes));
    EXPECT_EQ(map.stack().size(), round_up(0x34567, page_bytes));
  }
}

TEST(MemoryMap, RefusesOddPageSizes) {
  for (uint32_t page_bytes : {0u, 1u, 2048u, 4095u, 4097u, 0x3000u, 0x18000u, 0x20000u, 0x80000000u}) {
    const auto map = MemoryMap::create(page_bytes, {});
    ASSERT_FALSE(map) << page_bytes;
    EXPECT_EQ(map.error().kind, ErrorKind::kInvalidArgument);
  }
}

// One region may take 2^32 less five granules: the two ends and three guards.
TEST(MemoryMap, KnowsTheLargestRegion) {
  constexpr uint64_t kLargest = 0xfffb0000;
  uint64_t MemoryMap::Sizes::*const regions[] = {
      &MemoryMap::Sizes::ro_data_bytes, &MemoryMap::Sizes::rw_data_bytes, &MemoryMap::Sizes::stack_bytes,
      &MemoryMap::Sizes::aux_bytes};
  for (const auto region : regions) {
    MemoryMap::Sizes sizes;
    sizes.*region = kLargest;
    EXPECT_TRUE(MemoryMap::create(4096, sizes));
    for (uint64_t too_much : {kLargest + 1, uint64_t{UINT32_MAX}, uint64_t{1} << 32, UINT64_MAX}) {
      sizes.*region = too_much;
      const auto map = MemoryMap::create(4096, sizes);
      ASSERT_FALSE(map) << too_much;
      EXPECT_EQ(map.error().kind, ErrorKind::kBadProgram);
    }
  }
}

TEST(MemoryMap, RefusesRegionsThatOnlyFitAlone) {
  EXPECT_FALSE(MemoryMap::create(4096, {.ro_data_bytes = 0x80000000, .stack_bytes = 0x80000000}));
  EXPECT_FALSE(MemoryMap::create(4096, {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}));
}

TEST(MemoryMap, LeavesNoHeapWhenTheRegionsFillEverything) {
  const MemoryMap map = MemoryMap::create(4096, {.stack_bytes = 0xfffb0000}).value();
  EXPECT_EQ(map.max_heap_bytes(), 0u);
  EXPECT_EQ(map.stack().begin, 0x30000u);
  EXPECT_EQ(map.max_heap_end(), map.heap_base());
}

TEST(MemoryMap, KeepsRegionsApart) {
  std::mt19937 random(5);
  const auto size = [&random] { return uint64_t{random() >> (random() % 32)}; };
  int created = 0;
  for (int round = 0; round < 20000; ++round) {
    const MemoryMap::Sizes sizes = {size(), size(), size(), size()};
    const auto map = MemoryMap::create(4096u << (random() % 5), sizes);
    if (!map) continue;
    ++created;
    EXPECT_EQ(map->ro_data().begin, 0x10000u);
    EXPECT_GE(map->rw_data().begin, map->ro_data().end + 0x10000);
    EXPECT_EQ(map->heap_base(), map->rw_data().begin + sizes.rw_data_bytes);
    EXPECT_GE(map->stack().begin, map->max_heap_end() + 0x10000);
    EXPECT_GE(map->stack().begin, map->rw_data().end + 0x10000);
    EXPECT_EQ(map->aux().begin, map->stack().end + 0x10000);
    EXPECT_LE(map->aux().end, 0xffff0000u);
    EXPECT_GE(map->aux().size(), sizes.aux_bytes);
    EXPECT_GE(map->stack().size(), sizes.stack_bytes);
  }
  EXPECT_GT(created, 1000);
}

TEST(GuestRange, ContainsWhatLiesWhollyInside) {
  const GuestRange range{0x10000, 0x12000};
  EXPECT_TRUE(range.contains(0x10000, 0x2000));
  EXPECT_TRUE(range.contains(0x11fff, 1));
  EXPECT_TRUE(range.contains(0x12000, 0));
  EXPECT_FALSE(range.contains(0x11fff, 2));
  EXPECT_FALSE(range.contains(0xffff, 2));
  EXPECT_FALSE(range.contains(0x12001, 0));
}

TEST(GuestRange, IsNotFooledByHugeSizes) {
  const GuestRange range{0x10000, 0x12000};
  EXPECT_FALSE(range.contains(0x10000, UINT64_MAX));
  EXPECT_FALSE(range.contains(0x10000, UINT64_MAX - 0xffff));
  EXPECT_FALSE(range.contains(UINT64_MAX, 1));
}

}  // namespace
}  // namespace sandglass
