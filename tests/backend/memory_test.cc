// Memory as the host reads and writes it, the heap and the aux region.
#include "tests/backend/guest.h"

namespace sandglass {
namespace {

class MemoryTest : public BackendTest {
 protected:
  // RO 0x10000…0x12000 · RW 0x30000…0x31000 · heap from 0x30064 · stack 0xfffce000…0xfffd0000 ·
  // aux 0xfffe0000…0xfffe2000
  static std::unique_ptr<Sandbox> make(ModuleOptions options = {}) {
    options.aux_bytes = 8192;
    return start(
        "%ro_data_size = 5000\n%ro_data = 0102\n%rw_data_size = 100\n%rw_data = 0304\n"
        "%stack_size = 4097\na0 = u8 [a1]\n u8 [a1] = a2\n trap",
        options);
  }
};
SG_ON_ALL_BACKENDS(MemoryTest);

constexpr uint32_t kRo = 0x10000, kRw = 0x30000, kRwEnd = 0x31000, kHeap = 0x30064;
constexpr uint32_t kStack = 0xfffce000, kStackEnd = 0xfffd0000, kAux = 0xfffe0000, kAuxEnd = 0xfffe2000;

struct Region {
  const char* name;
  uint32_t begin, end;
  bool host_writes, guest_writes;
};
constexpr Region kRegions[] = {
    {"ro data", kRo, 0x12000, false, false},
    {"rw data", kRw, kRwEnd, true, true},
    {"stack", kStack, kStackEnd, true, true},
    {"aux", kAux, kAuxEnd, true, false},
};

TEST_P(MemoryTest, HostReachesEveryRegionAndNotAByteMore) {
  const auto sandbox = make();
  for (const Region& region : kRegions) {
    SCOPED_TRACE(region.name);
    const uint32_t size_bytes = region.end - region.begin;
    EXPECT_TRUE(can_read(*sandbox, region.begin, size_bytes));
    EXPECT_FALSE(can_read(*sandbox, region.begin - 1, 2));
    EXPECT_FALSE(can_read(*sandbox, region.end - 1, 2));
    EXPECT_FALSE(can_read(*sandbox, region.end, 1));
    EXPECT_EQ(can_write(*sandbox, region.begin, size_bytes), region.host_writes);
    EXPECT_FALSE(can_write(*sandbox, region.begin - 1, 2));
    EXPECT_FALSE(can_write(*sandbox, region.end - 1, 2));
    EXPECT_EQ(sandbox->zero(region.begin, size_bytes).has_value(), region.host_writes);
    EXPECT_FALSE(sandbox->zero(region.begin, size_bytes + 1));
  }
}

TEST_P(MemoryTest, RefusalNamesTheAddressAndChangesNothing) {
  const auto sandbox = make();
  const Status refused = sandbox->write(kRwEnd - 4, std::vector<uint8_t>(8, 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kOutOfRange);
  EXPECT_EQ(refused.error().where, kRwEnd - 4);
  EXPECT_EQ(read_bytes(*sandbox, kRwEnd - 4, 4), std::vector<uint8_t>(4, 0));
  std::vector<uint8_t> out(8, 0x77);
  ASSERT_FALSE(sandbox->read(kRwEnd - 4, out));
  EXPECT_EQ(out, std::vector<uint8_t>(8, 0x77));
}

TEST_P(MemoryTest, SizeZeroSucceedsAnywhere) {
  const auto sandbox = make();
  for (const uint32_t address : {0u, kRo, kRwEnd, 0xffff0000u, UINT32_MAX}) {
    EXPECT_TRUE(sandbox->read(address, {}));
    EXPECT_TRUE(sandbox->write(address, {}));
    EXPECT_TRUE(sandbox->zero(address, 0));
    EXPECT_TRUE(sandbox->is_accessible(address, 0, Access::kWrite));
  }
}

TEST_P(MemoryTest, SizesThatWrapAroundAreRefused) {
  const auto sandbox = make();
  for (const uint64_t size : {uint64_t{1} << 32, (uint64_t{1} << 32) + 1, ~uint64_t{0},
                              ~uint64_t{0} - kRw + 2, uint64_t{1} << 63}) {
    EXPECT_FALSE(sandbox->zero(kRw, size));
    EXPECT_FALSE(sandbox->is_accessible(kRw, size, Access::kRead));
  }
  EXPECT_FALSE(can_read(*sandbox, UINT32_MAX, 2));
  EXPECT_EQ(read_bytes(*sandbox, kRw, 2), (std::vector<uint8_t>{3, 4}));
}

TEST_P(MemoryTest, StartsWithTheInitialDataAndZeroes) {
  const auto sandbox = make();
  EXPECT_EQ(read_bytes(*sandbox, kRo, 3), (std::vector<uint8_t>{1, 2, 0}));
  EXPECT_EQ(read_bytes(*sandbox, kRw, 3), (std::vector<uint8_t>{3, 4, 0}));
  EXPECT_EQ(read_bytes(*sandbox, kRo + 2, 8190), std::vector<uint8_t>(8190, 0));
  EXPECT_EQ(read_bytes(*sandbox, kStack, 8192), std::vector<uint8_t>(8192, 0));
  EXPECT_EQ(read_bytes(*sandbox, kAux, 8192), std::vector<uint8_t>(8192, 0));
}

TEST_P(MemoryTest, GuestAndHostSeeTheSameBytes) {
  const auto sandbox = make();
  for (const Region& region : kRegions) {
    SCOPED_TRACE(region.name);
    for (const uint32_t address : {region.begin, region.end - 1}) {
      if (region.host_writes) {
        ASSERT_TRUE(sandbox->write(address, std::vector<uint8_t>{0x5a}));
      }
      const uint8_t before = read_bytes(*sandbox, address, 1)[0];
      ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{0, address, 0xc3}));
      const Interrupt stop = sandbox->run().value();
      EXPECT_EQ(sandbox->reg(Reg::a0), before);
      EXPECT_EQ(stop.trap, region.guest_writes ? TrapKind::kInstruction : TrapKind::kMemoryAccess);
      EXPECT_EQ(read_bytes(*sandbox, address, 1)[0], region.guest_writes ? 0xc3 : before);
    }
  }
}

TEST_P(MemoryTest, AccessibleMeansForTheGuest) {
  const auto sandbox = make();
  EXPECT_TRUE(sandbox->is_accessible(kAux, 8192, Access::kRead));
  EXPECT_FALSE(sandbox->is_accessible(kAux, 1, Access::kWrite));
  EXPECT_TRUE(sandbox->is_accessible(kRo, 8192, Access::kRead));
  EXPECT_FALSE(sandbox->is_accessible(kRo, 1, Access::kWrite));
  EXPECT_FALSE(sandbox->is_accessible(kRo - 1, 1, Access::kRead));
}

TEST_P(MemoryTest, AuxEndsWhereTheHostSays) {
  const auto sandbox = make();
  ASSERT_TRUE(sandbox->write(kAux, std::vector<uint8_t>(8192, 9)));
  ASSERT_TRUE(sandbox->set_accessible_aux(1));  // rounded up to a page
  EXPECT_TRUE(can_read(*sandbox, kAux, 4096));
  EXPECT_FALSE(can_read(*sandbox, kAux, 4097));
  EXPECT_FALSE(can_write(*sandbox, kAux + 4096, 1));
  const auto guest_reads = [&](uint32_t address) {
    EXPECT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{0, address}));
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
    return sandbox->reg(Reg::a0) == 9;
  };
  EXPECT_TRUE(guest_reads(kAux + 4095));
  EXPECT_FALSE(guest_reads(kAux + 4096));
  ASSERT_TRUE(sandbox->set_accessible_aux(0));
  EXPECT_FALSE(guest_reads(kAux));
  ASSERT_TRUE(sandbox->set_accessible_aux(8192));
  EXPECT_TRUE(guest_reads(kAuxEnd - 1));
}

TEST_P(MemoryTest, AuxLimitCannotExceedTheRegion) {
  const auto sandbox = make();
  for (const uint32_t size : {8193u, 65536u, UINT32_MAX}) {
    const Status refused = sandbox->set_accessible_aux(size);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kInvalidArgument);
  }
  EXPECT_TRUE(can_read(*sandbox, kAux, 8192));
}

TEST_P(MemoryTest, WorksWithEveryPageSize) {
  for (const uint32_t page_bytes : {4096u, 16384u, 65536u}) {
    const auto sandbox = make({.page_bytes = page_bytes});
    const uint32_t rounded = std::max<uint32_t>(page_bytes, 8192);
    EXPECT_TRUE(can_read(*sandbox, kRo, rounded));
    EXPECT_FALSE(can_read(*sandbox, kRo, rounded + 1));
    EXPECT_TRUE(can_write(*sandbox, kStackEnd - rounded, rounded));
    EXPECT_FALSE(can_write(*sandbox, kStackEnd - rounded - 1, 2));
    EXPECT_TRUE(can_write(*sandbox, kAux, rounded));
    EXPECT_EQ(sandbox->sbrk(1), kHeap + 1);
    EXPECT_TRUE(can_write(*sandbox, kRw, page_bytes));
    EXPECT_FALSE(can_write(*sandbox, kRw, page_bytes + 1));
  }
}

TEST_P(MemoryTest, HostMovesTheHeapAsTheGuestDoes) {
  const auto sandbox = make();
  EXPECT_EQ(sandbox->heap_bytes(), 0u);
  EXPECT_EQ(sandbox->sbrk(0), kHeap);
  EXPECT_EQ(sandbox->sbrk(4096), kHeap + 4096);
  EXPECT_EQ(sandbox->heap_bytes(), 4096u);
  EXPECT_TRUE(can_write(*sandbox, kRw, 8192));
  EXPECT_FALSE(can_write(*sandbox, kRw, 8193));
  const uint32_t limit = sandbox->module().memory_map().max_heap_bytes();
  EXPECT_EQ(sandbox->sbrk(limit - 4096 + 1), std::nullopt);
  EXPECT_EQ(sandbox->sbrk(UINT32_MAX), std::nullopt);
  EXPECT_EQ(sandbox->heap_bytes(), 4096u);
  EXPECT_EQ(sandbox->sbrk(limit - 4096), kHeap + limit);
  EXPECT_TRUE(can_write(*sandbox, kHeap + limit - 1, 1));
  EXPECT_FALSE(can_read(*sandbox, kHeap + limit, 1));
}

TEST_P(MemoryTest, PagesCannotBeManagedInStaticMode) {
  const auto sandbox = make();
  EXPECT_EQ(sandbox->provide(kRw, 4096, Protection::kRead).error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(sandbox->protect(kRw, 4096, Protection::kRead).error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(sandbox->free_pages(kRw, 4096).error().kind, ErrorKind::kUnsupported);
  EXPECT_TRUE(can_write(*sandbox, kRw, 4096));
}

}  // namespace
}  // namespace sandglass
