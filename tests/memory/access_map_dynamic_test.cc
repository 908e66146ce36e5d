// AccessMap with dynamic paging: the pages that the host has provided, and what can never be provided.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "sandbox/memory/access_map.h"

namespace sandglass {
namespace {

using Verdict = AccessMap::Verdict;

constexpr MemoryMap::Sizes kSizes = {
    .ro_data_bytes = 5000, .rw_data_bytes = 100, .stack_bytes = 4097, .aux_bytes = 8192};
constexpr uint32_t kRwEnd = 0x31000, kHeap = 0x30064, kHeapLimit = 0xfffb0000;

AccessMap make_map(InstructionSet set = InstructionSet::kJamV1, uint32_t page_bytes = 4096) {
  return AccessMap(*MemoryMap::create(page_bytes, kSizes), set, /*dynamic_paging=*/true);
}

void provide(AccessMap& map, uint32_t address, uint64_t size_bytes, Protection protection) {
  map.set_pages(*map.check_pages(address, size_bytes), protection);
}

void expect_stop(const AccessMap& map, uint32_t address, uint64_t size_bytes, Access access, Verdict verdict,
                 uint32_t page_address) {
  const AccessMap::Check check = map.check_guest(address, size_bytes, access);
  EXPECT_EQ(check.verdict, verdict) << std::hex << address;
  EXPECT_EQ(check.page_address, page_address) << std::hex << address;
}

TEST(AccessMapDynamic, StartsWithNothing) {
  const AccessMap map = make_map();
  EXPECT_TRUE(map.is_dynamic());
  for (const uint32_t address : {0x10000u, 0x30000u, 0x31000u, 0x8000'0000u, 0xfffcf000u, 0xfffe0000u}) {
    expect_stop(map, address + 5, 1, Access::kRead, Verdict::kMissing, address);
    EXPECT_FALSE(map.check_host(address, 1, Access::kRead)) << address;
  }
}

TEST(AccessMapDynamic, FirstAndLast64KiBAreForbidden) {
  const AccessMap map = make_map();
  for (const uint32_t address : {0u, 0x1000u, 0xffffu, 0xffff0000u, 0xffffffffu}) {
    EXPECT_EQ(map.check_guest(address, 1, Access::kRead).verdict, Verdict::kForbidden) << address;
    EXPECT_FALSE(map.check_host(address, 1, Access::kRead)) << address;
  }
}

TEST(AccessMapDynamic, ReachingIntoAForbiddenEdgeIsForbiddenThoughThePageIsMissing) {
  const AccessMap map = make_map();
  EXPECT_EQ(map.check_guest(0xffff, 2, Access::kRead).verdict, Verdict::kForbidden);
  EXPECT_EQ(map.check_guest(0xfffeffff, 2, Access::kRead).verdict, Verdict::kForbidden);
  EXPECT_EQ(map.check_guest(0xfffffffc, 8, Access::kRead).verdict, Verdict::kForbidden);
  expect_stop(map, 0xfffeffff, 1, Access::kRead, Verdict::kMissing, 0xfffef000);
}

TEST(AccessMapDynamic, AProvidedPageOpensForBoth) {
  AccessMap map = make_map();
  provide(map, 0x50000, 1, Protection::kReadWrite);
  EXPECT_EQ(map.check_guest(0x50000, 4096, Access::kWrite).verdict, Verdict::kAllowed);
  EXPECT_TRUE(map.check_host(0x50000, 4096, Access::kWrite));
  EXPECT_FALSE(map.check_host(0x50fff, 2, Access::kWrite));
}

TEST(AccessMapDynamic, AReadOnlyPageStopsTheGuestsWritesAndNotTheHosts) {
  AccessMap map = make_map();
  provide(map, 0x50000, 4096, Protection::kRead);
  EXPECT_EQ(map.check_guest(0x50000, 8, Access::kRead).verdict, Verdict::kAllowed);
  expect_stop(map, 0x50010, 8, Access::kWrite, Verdict::kWriteProtected, 0x50000);
  EXPECT_TRUE(map.check_host(0x50000, 4096, Access::kWrite));
}

TEST(AccessMapDynamic, AStraddlingAccessNamesTheFirstPageInTheWay) {
  AccessMap map = make_map();
  expect_stop(map, 0x50fff, 2, Access::kRead, Verdict::kMissing, 0x50000);
  provide(map, 0x50000, 1, Protection::kReadWrite);
  expect_stop(map, 0x50fff, 2, Access::kRead, Verdict::kMissing, 0x51000);
  provide(map, 0x51000, 1, Protection::kRead);
  EXPECT_EQ(map.check_guest(0x50fff, 2, Access::kRead).verdict, Verdict::kAllowed);
  expect_stop(map, 0x50fff, 2, Access::kWrite, Verdict::kWriteProtected, 0x51000);
}

TEST(AccessMapDynamic, PagesCanBeTakenAway) {
  AccessMap map = make_map();
  provide(map, 0x50000, 0x3000, Protection::kReadWrite);
  map.set_pages(*map.check_pages(0x51000, 1), std::nullopt);
  expect_stop(map, 0x50000, 0x3000, Access::kRead, Verdict::kMissing, 0x51000);
  EXPECT_FALSE(map.check_host(0x50000, 0x3000, Access::kRead));
  EXPECT_TRUE(map.check_host(0x52000, 0x1000, Access::kRead));
}

TEST(AccessMapDynamic, AllPresentIgnoresProtection) {
  AccessMap map = make_map();
  provide(map, 0x50000, 4096, Protection::kRead);
  provide(map, 0x51000, 4096, Protection::kReadWrite);
  EXPECT_TRUE(map.all_present({0x50000, 0x52000}));
  EXPECT_FALSE(map.all_present({0x50000, 0x53000}));
  EXPECT_TRUE(map.all_present({0x53000, 0x53000}));
}

TEST(AccessMapDynamic, ResetTakesEveryPageAway) {
  AccessMap map = make_map();
  provide(map, 0x10000, 0xffff0000 - 0x10000, Protection::kReadWrite);
  ASSERT_EQ(map.check_guest(0x10000, 0xffff0000 - 0x10000, Access::kWrite).verdict, Verdict::kAllowed);
  map.reset();
  expect_stop(map, 0x10000, 1, Access::kRead, Verdict::kMissing, 0x10000);
  expect_stop(map, 0xfffeffff, 1, Access::kRead, Verdict::kMissing, 0xfffef000);
}

TEST(AccessMapDynamic, TheAuxLimitHasNoMeaning) {
  EXPECT_EQ(make_map().set_accessible_aux(0).error().kind, ErrorKind::kUnsupported);
}

TEST(AccessMapDynamic, SizesThatWrapAroundAreRefused) {
  AccessMap map = make_map();
  provide(map, 0x50000, 4096, Protection::kReadWrite);
  for (const uint64_t size_bytes :
       {uint64_t{1} << 32, UINT64_MAX - 0x50000, UINT64_MAX - 0x4f000, UINT64_MAX}) {
    SCOPED_TRACE(size_bytes);
    EXPECT_EQ(map.check_guest(0x50001, size_bytes, Access::kRead).verdict, Verdict::kForbidden);
    EXPECT_FALSE(map.check_host(0x50001, size_bytes, Access::kRead));
  }
}

TEST(AccessMapDynamic, SizeZeroIsAlwaysFine) {
  const AccessMap map = make_map();
  EXPECT_EQ(map.check_guest(0, 0, Access::kWrite).verdict, Verdict::kAllowed);
  EXPECT_TRUE(map.check_host(0xffffffff, 0, Access::kWrite));
}

// Requests for pages.

TEST(AccessMapPages, RequestsAreRoundedUpToPages) {
  const AccessMap map = make_map();
  const GuestRange range = *map.check_pages(0x20000, 4097);
  EXPECT_EQ(range.begin, 0x20000u);
  EXPECT_EQ(range.end, 0x22000u);
  EXPECT_TRUE(map.check_pages(0x20000, 0)->empty());
}

TEST(AccessMapPages, AddressesMustBeAligned) {
  const Result<GuestRange> range = make_map().check_pages(0x20001, 1);
  EXPECT_EQ(range.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(range.error().where, 0x20001u);
  EXPECT_EQ(make_map(InstructionSet::kJamV1, 16384).check_pages(0x21000, 1).error().kind,
            ErrorKind::kInvalidArgument);
}

TEST(AccessMapPages, TheEdgesOfTheSpaceCannotBeProvided) {
  const AccessMap map = make_map();
  EXPECT_TRUE(map.check_pages(0x10000, 0xffff0000 - 0x10000));
  EXPECT_EQ(map.check_pages(0xf000, 1).error().kind, ErrorKind::kOutOfRange);
  EXPECT_EQ(map.check_pages(0, 0x20000).error().kind, ErrorKind::kOutOfRange);
  EXPECT_EQ(map.check_pages(0xfffef000, 0x1001).error().kind, ErrorKind::kOutOfRange);
  EXPECT_EQ(map.check_pages(0xffff0000, 1).error().kind, ErrorKind::kOutOfRange);
}

TEST(AccessMapPages, SizesThatWrapAroundAreRefused) {
  const AccessMap map = make_map();
  for (const uint64_t size_bytes : {uint64_t{1} << 32, UINT64_MAX - 0x1f000, UINT64_MAX - 1, UINT64_MAX}) {
    EXPECT_EQ(map.check_pages(0x20000, size_bytes).error().kind, ErrorKind::kOutOfRange) << size_bytes;
  }
}

TEST(AccessMapPages, BiggerPagesComeWhole) {
  AccessMap map = make_map(InstructionSet::kJamV1, 65536);
  provide(map, 0x50000, 1, Protection::kReadWrite);
  EXPECT_EQ(map.check_guest(0x50000, 0x10000, Access::kWrite).verdict, Verdict::kAllowed);
  expect_stop(map, 0x5ffff, 2, Access::kRead, Verdict::kMissing, 0x60000);
}

// The heap in sets with sbrk: closed until it is opened.

TEST(AccessMapDynamicHeap, IsForbiddenUntilSbrkOpensIt) {
  AccessMap map = make_map(InstructionSet::kLatest64);
  expect_stop(map, kHeap, 1, Access::kRead, Verdict::kMissing, 0x30000);  // shares the page of the data
  expect_stop(map, kRwEnd, 1, Access::kRead, Verdict::kForbidden, kRwEnd);
  expect_stop(map, kHeapLimit - 1, 1, Access::kRead, Verdict::kForbidden, kHeapLimit - 4096);
  expect_stop(map, kHeapLimit, 1, Access::kRead, Verdict::kMissing, kHeapLimit);
  ASSERT_TRUE(map.grow_heap(kRwEnd - kHeap + 1));
  expect_stop(map, kRwEnd + 4095, 1, Access::kRead, Verdict::kMissing, kRwEnd);
  expect_stop(map, kRwEnd + 4096, 1, Access::kRead, Verdict::kForbidden, kRwEnd + 4096);
}

TEST(AccessMapDynamicHeap, MemoryAroundItIsMerelyMissing) {
  const AccessMap map = make_map(InstructionSet::kLatest64);
  expect_stop(map, 0x10000, 1, Access::kRead, Verdict::kMissing, 0x10000);
  expect_stop(map, 0x2ffff, 1, Access::kRead, Verdict::kMissing, 0x2f000);
  expect_stop(map, 0xfffcf000, 1, Access::kRead, Verdict::kMissing, 0xfffcf000);
}

TEST(AccessMapDynamicHeap, WithoutSbrkItIsMemoryLikeAnyOther) {
  for (const InstructionSet set : {InstructionSet::kJamV1, InstructionSet::kReviveV1}) {
    expect_stop(make_map(set), kRwEnd, 1, Access::kRead, Verdict::kMissing, kRwEnd);
  }
  EXPECT_EQ(make_map(InstructionSet::kLatest32).check_guest(kRwEnd, 1, Access::kRead).verdict,
            Verdict::kForbidden);
}

TEST(AccessMapDynamicHeap, ResetClosesItAgain) {
  AccessMap map = make_map(InstructionSet::kLatest64);
  ASSERT_TRUE(map.grow_heap(0x10000));
  map.reset();
  expect_stop(map, kRwEnd, 1, Access::kRead, Verdict::kForbidden, kRwEnd);
}

// Random requests against a map of the pages that were provided.
TEST(AccessMapDynamic, AgreesWithAPageWiseModel) {
  AccessMap map = make_map();
  std::map<uint32_t, Protection> model;
  std::mt19937 random(2);
  constexpr uint32_t kBase = 0x40000, kPages = 8;
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t first = random() % kPages, count = random() % (kPages - first + 1), what = random() % 3;
    const auto protection = what == 0   ? std::nullopt
                            : what == 1 ? std::optional(Protection::kRead)
                                        : std::optional(Protection::kReadWrite);
    map.set_pages(*map.check_pages(kBase + first * 4096, count * 4096), protection);
    for (uint32_t page = first; page < first + count; ++page) {
      model.erase(page);
      if (protection) model.emplace(page, *protection);
    }
    const uint32_t address = kBase + random() % (kPages * 4096 - 64), size_bytes = 1 + random() % 64;
    const Access access = random() % 2 == 0 ? Access::kRead : Access::kWrite;
    AccessMap::Check expected;
    for (uint32_t page = (address - kBase) / 4096; page <= (address + size_bytes - 1 - kBase) / 4096;
         ++page) {
      const auto found = model.find(page);
      if (found == model.end()) {
        expected = {Verdict::kMissing, kBase + page * 4096};
        break;
      }
      if (access == Access::kWrite && found->second == Protection::kRead) {
        expected = {Verdict::kWriteProtected, kBase + page * 4096};
        break;
      }
    }
    const AccessMap::Check actual = map.check_guest(address, size_bytes, access);
    ASSERT_EQ(actual.verdict, expected.verdict);
    ASSERT_EQ(actual.page_address, expected.page_address);
  }
}

}  // namespace
}  // namespace sandglass
