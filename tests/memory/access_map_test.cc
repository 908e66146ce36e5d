// AccessMap with static paging: the regions of the memory map, the heap and the aux limit.
#include "sandbox/memory/access_map.h"

#include <gtest/gtest.h>

#include <random>

namespace sandglass {
namespace {

using Verdict = AccessMap::Verdict;

// RO 0x10000…0x12000 · RW 0x30000…0x31000 · heap from 0x30064 · stack 0xfffce000…0xfffd0000 ·
// aux 0xfffe0000…0xfffe2000
constexpr MemoryMap::Sizes kSizes = {
    .ro_data_bytes = 5000, .rw_data_bytes = 100, .stack_bytes = 4097, .aux_bytes = 8192};
constexpr uint32_t kRo = 0x10000, kRoEnd = 0x12000, kRw = 0x30000, kRwEnd = 0x31000, kHeap = 0x30064;
constexpr uint32_t kStack = 0xfffce000, kStackEnd = 0xfffd0000, kAux = 0xfffe0000, kAuxEnd = 0xfffe2000;

AccessMap make_map(InstructionSet set = InstructionSet::kLatest64, const MemoryMap::Sizes& sizes = kSizes,
                   uint32_t page_bytes = 4096) {
  return AccessMap(*MemoryMap::create(page_bytes, sizes), set, /*dynamic_paging=*/false);
}

bool guest_can(const AccessMap& map, Access access, uint32_t address, uint64_t size_bytes) {
  return map.check_guest(address, size_bytes, access).verdict == Verdict::kAllowed;
}
bool host_can(const AccessMap& map, Access access, uint32_t address, uint64_t size_bytes) {
  return map.check_host(address, size_bytes, access).has_value();
}

struct RegionCase {
  const char* name;
  uint32_t begin, end;
  bool guest_writes, host_writes;
};
constexpr RegionCase kRegions[] = {
    {"ro data", kRo, kRoEnd, false, false},
    {"rw data", kRw, kRwEnd, true, true},
    {"stack", kStack, kStackEnd, true, true},
    {"aux", kAux, kAuxEnd, false, true},
};

TEST(AccessMapStatic, EveryRegionOpensFromItsFirstToItsLastByte) {
  const AccessMap map = make_map();
  for (const RegionCase& region : kRegions) {
    SCOPED_TRACE(region.name);
    for (const uint32_t address : {region.begin, region.begin + 1, region.end - 1}) {
      EXPECT_TRUE(guest_can(map, Access::kRead, address, 1));
      EXPECT_EQ(guest_can(map, Access::kWrite, address, 1), region.guest_writes);
      EXPECT_TRUE(host_can(map, Access::kRead, address, 1));
      EXPECT_EQ(host_can(map, Access::kWrite, address, 1), region.host_writes);
    }
    EXPECT_TRUE(guest_can(map, Access::kRead, region.begin, region.end - region.begin));
    EXPECT_TRUE(host_can(map, Access::kRead, region.begin, region.end - region.begin));
  }
}

TEST(AccessMapStatic, NothingOpensAroundARegion) {
  const AccessMap map = make_map();
  for (const RegionCase& region : kRegions) {
    SCOPED_TRACE(region.name);
    const uint64_t size_bytes = region.end - region.begin;
    for (const Access access : {Access::kRead, Access::kWrite}) {
      EXPECT_FALSE(guest_can(map, access, region.begin - 1, 1));
      EXPECT_FALSE(guest_can(map, access, region.end, 1));
      EXPECT_FALSE(guest_can(map, access, region.begin - 1, 2));
      EXPECT_FALSE(guest_can(map, access, region.end - 1, 2));
      EXPECT_FALSE(guest_can(map, access, region.begin, size_bytes + 1));
      EXPECT_FALSE(host_can(map, access, region.begin - 1, 2));
      EXPECT_FALSE(host_can(map, access, region.end - 1, 2));
    }
  }
}

TEST(AccessMapStatic, RefusalsAreForbiddenNeverMissing) {
  const AccessMap map = make_map();
  for (const uint32_t address : {0u, 0xffffu, kRoEnd, kRwEnd, kStackEnd, kAuxEnd, 0xffff0000u, 0xffffffffu}) {
    EXPECT_EQ(map.check_guest(address, 1, Access::kRead).verdict, Verdict::kForbidden) << address;
  }
  EXPECT_EQ(map.check_guest(kRo, 1, Access::kWrite).verdict, Verdict::kForbidden);
}

TEST(AccessMapStatic, AnAccessMayNotSpanTwoRegions) {
  const AccessMap map = make_map();
  EXPECT_FALSE(guest_can(map, Access::kRead, kStack, uint64_t{kAuxEnd} - kStack));
  EXPECT_FALSE(host_can(map, Access::kRead, kRo, uint64_t{kRwEnd} - kRo));
}

TEST(AccessMapStatic, SizeZeroIsAlwaysFine) {
  const AccessMap map = make_map();
  for (const uint32_t address : {0u, kRo, kRoEnd, 0xffffffffu}) {
    EXPECT_TRUE(guest_can(map, Access::kWrite, address, 0));
    EXPECT_TRUE(host_can(map, Access::kWrite, address, 0));
  }
}

TEST(AccessMapStatic, SizesThatWrapAroundAreRefused) {
  const AccessMap map = make_map();
  for (const uint64_t size_bytes : {uint64_t{1} << 32, (uint64_t{1} << 32) + 1, uint64_t{1} << 63,
                                    UINT64_MAX - kRw, UINT64_MAX - kRw + 2, UINT64_MAX}) {
    SCOPED_TRACE(size_bytes);
    for (const uint32_t address : {1u, kRo, kRo + 1, kRw, kRw + 1, kStack, kAux, UINT32_MAX}) {
      EXPECT_FALSE(guest_can(map, Access::kRead, address, size_bytes));
      EXPECT_FALSE(host_can(map, Access::kRead, address, size_bytes));
    }
  }
}

TEST(AccessMapStatic, AnAccessAcrossTheEndOfTheSpaceIsRefused) {
  const AccessMap map = make_map();
  EXPECT_FALSE(guest_can(map, Access::kRead, 0xfffffffc, 8));
  EXPECT_FALSE(host_can(map, Access::kWrite, 0xfffffffc, 8));
}

TEST(AccessMapStatic, EmptyRegionsOpenNothing) {
  const AccessMap map = make_map(InstructionSet::kLatest64, {});
  for (const uint32_t address : {0x10000u, 0x20000u, 0x30000u, 0xfffdffffu, 0xfffeffffu, 0xffff0000u}) {
    EXPECT_FALSE(guest_can(map, Access::kRead, address, 1)) << address;
    EXPECT_FALSE(host_can(map, Access::kRead, address, 1)) << address;
  }
}

TEST(AccessMapStatic, WholeBiggerPagesOpen) {
  const AccessMap map = make_map(InstructionSet::kLatest64, kSizes, 65536);
  EXPECT_TRUE(guest_can(map, Access::kRead, 0x1ffff, 1));
  EXPECT_FALSE(guest_can(map, Access::kRead, 0x1ffff, 2));
  EXPECT_TRUE(guest_can(map, Access::kWrite, 0x30000, 0x10000));
  EXPECT_TRUE(guest_can(map, Access::kWrite, 0xfffc0000, 0x10000));
  EXPECT_FALSE(guest_can(map, Access::kWrite, 0xfffbffff, 1));
}

TEST(AccessMapStatic, HostErrorNamesTheAddress) {
  const Status status = make_map().check_host(0x5000, 4, Access::kRead);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kOutOfRange);
  EXPECT_EQ(status.error().where, 0x5000u);
}

// Heap.

TEST(AccessMapHeap, StartsBehindTheData) {
  const AccessMap map = make_map();
  EXPECT_EQ(map.heap_bytes(), 0u);
  EXPECT_EQ(map.heap_top(), kHeap);
  EXPECT_EQ(map.data_and_heap().end, kRwEnd);
}

TEST(AccessMapHeap, OpensUpToThePageRoundedTop) {
  AccessMap map = make_map();
  EXPECT_EQ(map.grow_heap(kRwEnd - kHeap), kRwEnd);  // fills the page that is open already
  EXPECT_FALSE(guest_can(map, Access::kWrite, kRwEnd, 1));
  EXPECT_EQ(map.grow_heap(1), kRwEnd + 1);
  EXPECT_TRUE(guest_can(map, Access::kWrite, kRwEnd, 4096));
  EXPECT_FALSE(guest_can(map, Access::kWrite, kRwEnd, 4097));
  EXPECT_TRUE(host_can(map, Access::kWrite, kRwEnd, 4096));
  EXPECT_EQ(map.heap_bytes(), kRwEnd + 1 - kHeap);
}

TEST(AccessMapHeap, OneAccessMaySpanDataAndHeap) {
  AccessMap map = make_map();
  ASSERT_TRUE(map.grow_heap(0x10000));
  EXPECT_TRUE(guest_can(map, Access::kWrite, kRw, 0x11000));
}

TEST(AccessMapHeap, GrowingByNothingTellsTheTop) {
  AccessMap map = make_map();
  EXPECT_EQ(map.grow_heap(0), kHeap);
  ASSERT_TRUE(map.grow_heap(5));
  EXPECT_EQ(map.grow_heap(0), kHeap + 5);
}

TEST(AccessMapHeap, GrowsToTheLastByteAndNotFurther) {
  AccessMap map = make_map();
  constexpr uint32_t kLimit = 0xfffb0000;  // 64 KiB below the stack's block
  EXPECT_EQ(map.grow_heap(kLimit - kHeap + 1), std::nullopt);
  EXPECT_EQ(map.grow_heap(UINT32_MAX), std::nullopt);
  EXPECT_EQ(map.heap_bytes(), 0u);
  EXPECT_EQ(map.grow_heap(kLimit - kHeap), kLimit);
  EXPECT_TRUE(guest_can(map, Access::kWrite, kLimit - 1, 1));
  EXPECT_FALSE(guest_can(map, Access::kWrite, kLimit, 1));
  EXPECT_EQ(map.grow_heap(1), std::nullopt);
  EXPECT_EQ(map.grow_heap(UINT32_MAX), std::nullopt);
  EXPECT_EQ(map.grow_heap(0), kLimit);
}

TEST(AccessMapHeap, WithoutDataTheHeapOpensFromItsBase) {
  AccessMap map = make_map(InstructionSet::kLatest64, {});
  EXPECT_FALSE(guest_can(map, Access::kWrite, 0x20000, 1));
  EXPECT_EQ(map.grow_heap(1), 0x20001u);
  EXPECT_TRUE(guest_can(map, Access::kWrite, 0x20000, 4096));
  EXPECT_FALSE(guest_can(map, Access::kWrite, 0x20000, 4097));
}

TEST(AccessMapHeap, GrowthCanBeTakenBack) {
  AccessMap map = make_map();
  ASSERT_TRUE(map.grow_heap(0x10000));
  map.set_heap_bytes(0);
  EXPECT_FALSE(guest_can(map, Access::kWrite, kRwEnd, 1));
  EXPECT_EQ(map.heap_top(), kHeap);
}

// Aux.

TEST(AccessMapAux, LimitIsRoundedUpToPages) {
  AccessMap map = make_map();
  ASSERT_TRUE(map.set_accessible_aux(1));
  EXPECT_EQ(map.accessible_aux_bytes(), 4096u);
  EXPECT_TRUE(guest_can(map, Access::kRead, kAux, 4096));
  EXPECT_FALSE(guest_can(map, Access::kRead, kAux, 4097));
  EXPECT_TRUE(host_can(map, Access::kWrite, kAux, 4096));
  EXPECT_FALSE(host_can(map, Access::kWrite, kAux + 4096, 1));
}

TEST(AccessMapAux, CanBeClosedAndOpenedAgain) {
  AccessMap map = make_map();
  ASSERT_TRUE(map.set_accessible_aux(0));
  EXPECT_FALSE(guest_can(map, Access::kRead, kAux, 1));
  EXPECT_FALSE(host_can(map, Access::kRead, kAux, 1));
  ASSERT_TRUE(map.set_accessible_aux(8192));
  EXPECT_TRUE(guest_can(map, Access::kRead, kAux, 8192));
}

TEST(AccessMapAux, RefusesMoreThanTheRegion) {
  AccessMap map = make_map();
  ASSERT_TRUE(map.set_accessible_aux(4096));
  for (const uint32_t size_bytes : {8193u, 65536u, UINT32_MAX}) {
    EXPECT_EQ(map.set_accessible_aux(size_bytes).error().kind, ErrorKind::kInvalidArgument) << size_bytes;
  }
  EXPECT_EQ(map.accessible_aux_bytes(), 4096u);
}

TEST(AccessMapAux, ResetOpensAllOfItAndEmptiesTheHeap) {
  AccessMap map = make_map();
  ASSERT_TRUE(map.set_accessible_aux(0));
  ASSERT_TRUE(map.grow_heap(0x10000));
  map.reset();
  EXPECT_EQ(map.accessible_aux_bytes(), 8192u);
  EXPECT_EQ(map.heap_top(), kHeap);
  EXPECT_FALSE(guest_can(map, Access::kWrite, kRwEnd, 1));
}

TEST(AccessMapStatic, ManagesNoPages) {
  const AccessMap map = make_map();
  EXPECT_FALSE(map.is_dynamic());
  EXPECT_EQ(map.check_pages(kRw, 4096).error().kind, ErrorKind::kUnsupported);
}

// The rules said once more, byte by byte and without ranges, against random accesses near every border.
TEST(AccessMapStatic, AgreesWithAByteWiseModel) {
  AccessMap map = make_map();
  ASSERT_TRUE(map.grow_heap(10'000));
  ASSERT_TRUE(map.set_accessible_aux(4096));
  const uint32_t heap_page_end = 0x33000;  // 0x30064 + 10000 = 0x32774
  const auto region_of = [&](uint64_t byte) {
    if (byte >= kRo && byte < kRoEnd) return 1;
    if (byte >= kRw && byte < heap_page_end) return 2;
    if (byte >= kStack && byte < kStackEnd) return 3;
    if (byte >= kAux && byte < kAux + 4096) return 4;
    return 0;
  };
  std::mt19937 random(1);
  const uint32_t borders[] = {kRo, kRoEnd, kRw, heap_page_end, kStack, kStackEnd, kAux, kAux + 4096, 0};
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t address = borders[random() % std::size(borders)] + random() % 41 - 20;
    const uint64_t size_bytes = 1 + random() % 30;
    const int region = region_of(address);
    bool one_region = region != 0;
    for (uint64_t k = 0; k < size_bytes; ++k) one_region &= region_of(uint64_t{address} + k) == region;
    const bool guest_writes = one_region && (region == 2 || region == 3);
    const bool host_writes = one_region && region != 1;
    ASSERT_EQ(guest_can(map, Access::kRead, address, size_bytes), one_region) << address << "+" << size_bytes;
    ASSERT_EQ(guest_can(map, Access::kWrite, address, size_bytes), guest_writes) << address;
    ASSERT_EQ(host_can(map, Access::kRead, address, size_bytes), one_region) << address;
    ASSERT_EQ(host_can(map, Access::kWrite, address, size_bytes), host_writes) << address;
  }
}

}  // namespace
}  // namespace sandglass
