// Dynamic paging: the guest asks for a page, the host provides it or lets the guest go.
#include "tests/backend/guest.h"

namespace sandglass {
namespace {

class PagingTest : public BackendTest {
 protected:
  // RW data is 0x20000…0xa0000 unless the text says otherwise; behind it lies the heap, which is closed.
  static std::unique_ptr<Sandbox> make(const std::string& text, uint32_t page_bytes = 4096) {
    return start("%rw_data_size = 524288\n" + text, {.dynamic_paging = true, .page_bytes = page_bytes});
  }
};
SG_ON_ALL_BACKENDS(PagingTest);

constexpr uint32_t kPage = 0x50000;

void expect_page_fault(const Interrupt& stop, uint32_t page, const MemoryFault& fault,
                       bool is_write_protected = false) {
  ASSERT_EQ(stop.kind, InterruptKind::kPageFault);
  EXPECT_EQ(stop.page_address, page);
  EXPECT_EQ(stop.page_bytes, 4096u);
  EXPECT_EQ(stop.is_write_protected, is_write_protected);
  EXPECT_EQ(stop.fault.address, fault.address);
  EXPECT_EQ(stop.fault.size_bytes, fault.size_bytes);
  EXPECT_EQ(stop.fault.access, fault.access);
}

TEST_P(PagingTest, FaultIsServedAndTheInstructionRepeated) {
  const auto sandbox = make("a0 = 3\n u32 [0x50010] = a0\n a1 = u8 [0x50010]\n trap");
  expect_page_fault(sandbox->run().value(), kPage, {0x50010, 4, Access::kWrite});
  EXPECT_PCS(*sandbox, at(3), at(3));
  const int64_t gas = sandbox->gas();
  ASSERT_TRUE(sandbox->provide(kPage, 4096, Protection::kReadWrite));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->reg(Reg::a1), 3u);
  EXPECT_EQ(sandbox->gas(), gas);
}

TEST_P(PagingTest, FaultRepeatsUntilThePageIsThere) {
  const auto sandbox = make("a1 = u64 [a0 + 0x50000]\n trap");
  for (int i = 0; i < 3; ++i) {
    expect_page_fault(sandbox->run().value(), kPage, {kPage, 8, Access::kRead});
  }
  ASSERT_TRUE(sandbox->provide(kPage, 1, Protection::kRead));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
}

TEST_P(PagingTest, RegistersMayChangeAtAFault) {
  const auto sandbox = make("u32 [a0] = a1\n trap");
  sandbox->set_reg(Reg::a0, 0x70000);
  expect_page_fault(sandbox->run().value(), 0x70000, {0x70000, 4, Access::kWrite});
  ASSERT_TRUE(sandbox->provide(kPage, 4096, Protection::kReadWrite));
  sandbox->set_reg(Reg::a0, kPage + 4);
  sandbox->set_reg(Reg::a1, 0x04030201);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(read_bytes(*sandbox, kPage + 4, 4), (std::vector<uint8_t>{1, 2, 3, 4}));
}

TEST_P(PagingTest, HostGivesUpByGoingElsewhere) {
  const auto sandbox = make("a1 = u8 [0x50000]\n pub @out:\n a0 = 5\n trap");
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kPageFault);
  ASSERT_TRUE(sandbox->prepare_call("out"));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->reg(Reg::a0), 5u);
  EXPECT_FALSE(sandbox->is_accessible(kPage, 1, Access::kRead));
}

TEST_P(PagingTest, AccessOverTwoPagesIsAllOrNothing) {
  const auto sandbox = make("u64 [0x50ffc] = a0\n a1 = u64 [0x50ffc]\n trap");
  sandbox->set_reg(Reg::a0, 0x1122334455667788);
  expect_page_fault(sandbox->run().value(), kPage, {0x50ffc, 8, Access::kWrite});
  ASSERT_TRUE(sandbox->provide(kPage, 4096, Protection::kReadWrite));
  expect_page_fault(sandbox->run().value(), kPage + 4096, {0x50ffc, 8, Access::kWrite});
  EXPECT_EQ(read_bytes(*sandbox, 0x50ffc, 4), std::vector<uint8_t>(4, 0));
  ASSERT_TRUE(sandbox->provide(kPage + 4096, 4096, Protection::kReadWrite));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->reg(Reg::a1), 0x1122334455667788u);
}

TEST_P(PagingTest, AccessOverTwoPagesAsksForTheSecondOneFirstWhenOnlyThatIsMissing) {
  const auto sandbox = make("a1 = u16 [0x50fff]\n trap");
  ASSERT_TRUE(sandbox->provide(kPage, 4096, Protection::kRead));
  expect_page_fault(sandbox->run().value(), kPage + 4096, {0x50fff, 2, Access::kRead});
}

TEST_P(PagingTest, WriteToAReadOnlyPageSaysSo) {
  const auto sandbox = make("a1 = u8 [0x50000]\n u16 [0x50fff] = a0\n trap");
  ASSERT_TRUE(sandbox->provide(kPage, 4096, Protection::kRead));
  ASSERT_TRUE(sandbox->provide(kPage + 4096, 4096, Protection::kReadWrite));
  ASSERT_TRUE(sandbox->write(kPage, std::vector<uint8_t>{8}));
  const MemoryFault fault = {0x50fff, 2, Access::kWrite};
  expect_page_fault(sandbox->run().value(), kPage, fault, true);
  EXPECT_EQ(sandbox->reg(Reg::a1), 8u);
  sandbox->set_reg(Reg::a0, 0x2211);
  ASSERT_TRUE(sandbox->protect(kPage, 1, Protection::kReadWrite));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(read_bytes(*sandbox, 0x50fff, 2), (std::vector<uint8_t>{0x11, 0x22}));
  EXPECT_EQ(read_bytes(*sandbox, kPage, 1), std::vector<uint8_t>{8});
}

TEST_P(PagingTest, PageMayBecomeReadOnlyLater) {
  const auto sandbox = make("pub @main:\n u8 [0x50000] = a0\n ecalli 1\n jump @main");
  ASSERT_TRUE(sandbox->provide(kPage, 4096, Protection::kReadWrite));
  sandbox->set_reg(Reg::a0, 7);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
  ASSERT_TRUE(sandbox->protect(kPage, 4096, Protection::kRead));
  expect_page_fault(sandbox->run().value(), kPage, {kPage, 1, Access::kWrite}, true);
  EXPECT_EQ(read_bytes(*sandbox, kPage, 1), std::vector<uint8_t>{7});
}

TEST_P(PagingTest, FreedPageIsMissingAndEmptyWhenItComesBack) {
  const auto sandbox = make("pub @main:\n a0 = u8 [0x50000]\n ecalli 1\n jump @main");
  ASSERT_TRUE(sandbox->provide(kPage, 4096, Protection::kReadWrite));
  ASSERT_TRUE(can_write(*sandbox, kPage, 4096));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
  EXPECT_EQ(sandbox->reg(Reg::a0), 0xeeu);
  ASSERT_TRUE(sandbox->free_pages(kPage, 4096));
  ASSERT_TRUE(sandbox->free_pages(kPage, 8192));  // missing ones are fine
  EXPECT_FALSE(can_read(*sandbox, kPage, 1));
  expect_page_fault(sandbox->run().value(), kPage, {kPage, 1, Access::kRead});
  ASSERT_TRUE(sandbox->provide(kPage, 4096, Protection::kRead));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
  EXPECT_EQ(sandbox->reg(Reg::a0), 0u);
}

TEST_P(PagingTest, ProvidingAgainZeroesAndSetsTheProtection) {
  const auto sandbox = make("trap");
  ASSERT_TRUE(sandbox->provide(kPage, 8192, Protection::kReadWrite));
  ASSERT_TRUE(can_write(*sandbox, kPage, 8192));
  ASSERT_TRUE(sandbox->provide(kPage, 1, Protection::kRead));
  EXPECT_EQ(read_bytes(*sandbox, kPage, 4096), std::vector<uint8_t>(4096, 0));
  EXPECT_EQ(read_bytes(*sandbox, kPage + 4096, 4096), std::vector<uint8_t>(4096, 0xee));
  EXPECT_FALSE(sandbox->is_accessible(kPage, 1, Access::kWrite));
  EXPECT_TRUE(sandbox->is_accessible(kPage + 4096, 1, Access::kWrite));
}

TEST_P(PagingTest, PagesCanBeProvidedWithTheirContent) {
  for (const size_t size_bytes : {1u, 4096u, 5000u, 16u * 4096, 40u * 4096 + 1}) {
    const auto sandbox = make("a1 = u8 [0x50000]\n ecalli 1\n u8 [0x50001] = a1\n trap");
    std::vector<uint8_t> bytes(size_bytes);
    for (size_t i = 0; i < size_bytes; ++i) bytes[i] = static_cast<uint8_t>(i % 251 + 1);
    ASSERT_TRUE(sandbox->provide(kPage, bytes, Protection::kRead));
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
    EXPECT_EQ(sandbox->reg(Reg::a1), 1u);
    expect_page_fault(sandbox->run().value(), kPage, {kPage + 1, 1, Access::kWrite}, true);
    bytes.resize(round_up(size_bytes, 4096));
    EXPECT_EQ(read_bytes(*sandbox, kPage, bytes.size()), bytes);
    EXPECT_FALSE(can_read(*sandbox, kPage, bytes.size() + 1));
    // Over pages that are there.
    ASSERT_TRUE(sandbox->provide(kPage, std::vector<uint8_t>{9}, Protection::kReadWrite));
    EXPECT_EQ(read_bytes(*sandbox, kPage, 3), (std::vector<uint8_t>{9, 0, 0}));
    EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction);
    EXPECT_EQ(read_bytes(*sandbox, kPage, 3), (std::vector<uint8_t>{9, 1, 0}));
  }
}

TEST_P(PagingTest, ContentIsCheckedAsAnyOtherRequest) {
  const auto sandbox = make("trap");
  const std::vector<uint8_t> bytes(8192, 1);
  EXPECT_EQ(sandbox->provide(kPage + 1, bytes, Protection::kRead).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(sandbox->provide(0xfffef000, bytes, Protection::kRead).error().kind, ErrorKind::kOutOfRange);
  EXPECT_TRUE(sandbox->provide(kPage, std::span<const uint8_t>(), Protection::kRead));
  EXPECT_FALSE(can_read(*sandbox, kPage, 1));
}

TEST_P(PagingTest, ProvidingOverHolesMakesEveryPageNew) {
  const auto sandbox = make("u64 [a0] = a1\n a1 = u64 [a0 + 8]\n trap");
  for (const uint32_t page : {1u, 2u, 5u, 19u}) {
    ASSERT_TRUE(
        sandbox->provide(kPage + page * 4096, 4096, page == 2 ? Protection::kRead : Protection::kReadWrite));
    ASSERT_TRUE(can_write(*sandbox, kPage + page * 4096, 4096));
  }
  ASSERT_TRUE(sandbox->provide(kPage, 20 * 4096, Protection::kReadWrite));
  EXPECT_EQ(read_bytes(*sandbox, kPage, 20 * 4096), std::vector<uint8_t>(20 * 4096, 0));
  for (uint32_t page = 0; page < 20; ++page) {
    ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{kPage + page * 4096, 7}));
    EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction) << page;
    EXPECT_EQ(sandbox->reg(Reg::a1), 0u);
  }
}

TEST_P(PagingTest, ProtectingARangeWithAHoleChangesNothing) {
  const auto sandbox = make("u8 [0x50000] = a0\n u8 [0x52000] = a0\n trap");
  ASSERT_TRUE(sandbox->provide(kPage, 4096, Protection::kReadWrite));
  ASSERT_TRUE(sandbox->provide(kPage + 8192, 4096, Protection::kReadWrite));
  EXPECT_EQ(sandbox->protect(kPage, 3 * 4096, Protection::kRead).error().kind, ErrorKind::kOutOfRange);
  EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction);
  EXPECT_FALSE(can_read(*sandbox, kPage + 4096, 1));
}

TEST_P(PagingTest, ProtectionDoesNotOutliveItsPage) {
  const auto sandbox = make("u8 [0x50000] = a0\n trap");
  ASSERT_TRUE(sandbox->provide(kPage, 16 * 4096, Protection::kRead));
  ASSERT_TRUE(sandbox->free_pages(kPage, 16 * 4096));
  ASSERT_TRUE(sandbox->provide(kPage, 16 * 4096, Protection::kReadWrite));
  EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction);
  sandbox->set_next_program_counter(0);
  ASSERT_TRUE(sandbox->protect(kPage, 16 * 4096, Protection::kRead));
  ASSERT_TRUE(sandbox->reset_memory());
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kPageFault);
  ASSERT_TRUE(sandbox->provide(kPage, 4096, Protection::kReadWrite));
  EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction);
}

TEST_P(PagingTest, FirstAndLast64KibTrap) {
  for (const uint32_t address : {0u, 0xfff8u, 0xfffcu, 0xffff0000u, 0xfffefffcu, 0xfffffff8u, 0xfffffffcu}) {
    const auto sandbox = make("a1 = u64 [a0]\n trap");
    sandbox->set_reg(Reg::a0, address);
    const Interrupt stop = sandbox->run().value();
    EXPECT_EQ(stop.kind, InterruptKind::kTrap) << std::hex << address;
    EXPECT_EQ(stop.trap, TrapKind::kMemoryAccess);
    EXPECT_EQ(stop.fault.address, address);
  }
}

TEST_P(PagingTest, BordersOfTheGuardsCanBeProvided) {
  for (const uint32_t address : {0x10000u, 0xfffefff8u}) {
    const auto sandbox = make("u64 [a0] = a1\n trap");
    sandbox->set_reg(Reg::a0, address);
    sandbox->set_reg(Reg::a1, 1);
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kPageFault);
    ASSERT_TRUE(sandbox->provide(address & ~0xfffu, 4096, Protection::kReadWrite));
    EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction);
    EXPECT_EQ(read_bytes(*sandbox, address, 8)[0], 1);
  }
}

TEST_P(PagingTest, BadPageRequestsAreRefused) {
  const auto sandbox = make("trap");
  const auto kind_of = [](const Status& status) { return status.error().kind; };
  EXPECT_EQ(kind_of(sandbox->provide(kPage + 1, 4096, Protection::kRead)), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of(sandbox->free_pages(kPage + 2048, 1)), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of(sandbox->provide(0xf000, 4096, Protection::kRead)), ErrorKind::kOutOfRange);
  EXPECT_EQ(kind_of(sandbox->provide(0xf000, 8192, Protection::kRead)), ErrorKind::kOutOfRange);
  EXPECT_EQ(kind_of(sandbox->provide(0xffff0000, 1, Protection::kRead)), ErrorKind::kOutOfRange);
  EXPECT_EQ(kind_of(sandbox->provide(0xfffef000, 4097, Protection::kRead)), ErrorKind::kOutOfRange);
  for (const uint64_t size : {uint64_t{1} << 32, ~uint64_t{0}, ~uint64_t{0} - kPage + 1}) {
    EXPECT_EQ(kind_of(sandbox->provide(kPage, size, Protection::kRead)), ErrorKind::kOutOfRange);
    EXPECT_EQ(kind_of(sandbox->free_pages(kPage, size)), ErrorKind::kOutOfRange);
  }
  EXPECT_EQ(kind_of(sandbox->protect(kPage, 4096, Protection::kRead)), ErrorKind::kOutOfRange);
  ASSERT_TRUE(sandbox->provide(kPage, 4096, Protection::kReadWrite));
  EXPECT_EQ(kind_of(sandbox->protect(kPage, 4097, Protection::kRead)), ErrorKind::kOutOfRange);
  EXPECT_TRUE(sandbox->is_accessible(kPage, 4096, Access::kWrite));
  EXPECT_TRUE(sandbox->provide(kPage, 0, Protection::kRead));
  EXPECT_TRUE(sandbox->is_accessible(kPage, 4096, Access::kWrite));
}

TEST_P(PagingTest, HostNeedsThePagesItTouchesWhateverTheirProtection) {
  const auto sandbox = make("trap");
  ASSERT_TRUE(sandbox->provide(kPage, 4096, Protection::kRead));
  ASSERT_TRUE(sandbox->provide(kPage + 4096, 4096, Protection::kReadWrite));
  ASSERT_TRUE(sandbox->provide(kPage + 8192, 4096, Protection::kRead));
  EXPECT_TRUE(can_write(*sandbox, kPage + 100, 3 * 4096 - 200));
  std::vector<uint8_t> expected(3 * 4096, 0);
  std::fill(expected.begin() + 100, expected.end() - 100, 0xee);
  EXPECT_EQ(read_bytes(*sandbox, kPage, 3 * 4096), expected);
  EXPECT_FALSE(sandbox->is_accessible(kPage, 1, Access::kWrite));
  EXPECT_FALSE(can_write(*sandbox, kPage, 3 * 4096 + 1));
  ASSERT_TRUE(sandbox->zero(kPage, 3 * 4096));
  EXPECT_EQ(read_bytes(*sandbox, kPage, 3 * 4096), std::vector<uint8_t>(3 * 4096, 0));
  EXPECT_FALSE(sandbox->is_accessible(kPage + 8192, 1, Access::kWrite));
}

// The pages of the host's write are writable only meanwhile: the guest must still fault.
TEST_P(PagingTest, ReadOnlyPageStaysReadOnlyForTheGuestAfterTheHostWroteToIt) {
  const auto sandbox = make("u8 [0x50000] = a0\n trap");
  ASSERT_TRUE(sandbox->provide(kPage, 4096, Protection::kRead));
  ASSERT_TRUE(can_write(*sandbox, kPage, 4096));
  expect_page_fault(sandbox->run().value(), kPage, {kPage, 1, Access::kWrite}, true);
}

TEST_P(PagingTest, HeapBeyondItsTopTrapsAndIsAskedForBelowIt) {
  const auto sandbox = make("%rw_data_size = 100\na2 = sbrk a0\n u8 [a1] = a2\n trap");
  sandbox->set_reg(Reg::a0, 4096);
  sandbox->set_reg(Reg::a1, 0x21fff);  // the page-rounded top is 0x22000
  expect_page_fault(sandbox->run().value(), 0x21000, {0x21fff, 1, Access::kWrite});
  EXPECT_EQ(sandbox->reg(Reg::a2), 0x20064u + 4096);
  EXPECT_EQ(sandbox->heap_bytes(), 4096u);
  sandbox->set_reg(Reg::a1, 0x22000);
  const Interrupt stop = sandbox->run().value();
  EXPECT_EQ(stop.kind, InterruptKind::kTrap);
  EXPECT_EQ(stop.fault.address, 0x22000u);
}

TEST_P(PagingTest, HeapPagesComeOnDemandAndTheLimitGoesBackWithAReset) {
  const auto sandbox = make("%rw_data_size = 100\npub @main:\n u8 [a0] = a1\n trap");
  const auto store = [&sandbox](uint32_t address) {
    EXPECT_TRUE(sandbox->prepare_call("main", {address, 5}));
    return sandbox->run().value();
  };
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(store(0x21000).trap, TrapKind::kMemoryAccess);
    ASSERT_EQ(sandbox->sbrk(3 * 4096), 0x20064u + 3 * 4096);
    for (const uint32_t page : {0x21000u, 0x22000u, 0x23000u}) {
      const Interrupt stop = store(page + 8);
      expect_page_fault(stop, page, {page + 8, 1, Access::kWrite});
      ASSERT_TRUE(sandbox->provide(stop.page_address, stop.page_bytes, Protection::kReadWrite));
      EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction);
      EXPECT_EQ(read_bytes(*sandbox, page + 8, 1), std::vector<uint8_t>{5});
    }
    const Interrupt beyond = store(0x24000);
    EXPECT_EQ(beyond.trap, TrapKind::kMemoryAccess);
    EXPECT_EQ(beyond.fault.address, 0x24000u);
    ASSERT_TRUE(sandbox->reset_memory());
    EXPECT_EQ(sandbox->heap_bytes(), 0u);
    EXPECT_FALSE(can_read(*sandbox, 0x21000, 1));
  }
}

TEST_P(PagingTest, MemsetGoesOnWhereAPageWasMissing) {
  const auto sandbox = make("memset\n trap");
  sandbox->set_gas(100'000);
  sandbox->set_reg(Reg::a0, kPage + 4000);
  sandbox->set_reg(Reg::a1, 0x33);
  sandbox->set_reg(Reg::a2, 8192);
  for (uint32_t page : {0u, 1u, 2u}) {
    const uint32_t address = page == 0 ? kPage + 4000 : kPage + page * 4096;
    expect_page_fault(sandbox->run().value(), kPage + page * 4096, {address, 1, Access::kWrite});
    EXPECT_EQ(sandbox->reg(Reg::a0), address);
    EXPECT_EQ(sandbox->reg(Reg::a0) + sandbox->reg(Reg::a2), kPage + 4000u + 8192);
    ASSERT_TRUE(sandbox->provide(kPage + page * 4096, 4096, Protection::kReadWrite));
  }
  EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction);
  EXPECT_EQ(sandbox->gas(), 100'000 - 2 - 8192);
  EXPECT_EQ(read_bytes(*sandbox, kPage + 4000, 8192), std::vector<uint8_t>(8192, 0x33));
  EXPECT_EQ(read_bytes(*sandbox, kPage + 3999, 1), std::vector<uint8_t>(1, 0));
}

TEST_P(PagingTest, LargePagesAreAskedForAsAWhole) {
  const auto sandbox = make("u8 [0x5ffff] = a0\n trap", 65536);
  const Interrupt stop = sandbox->run().value();
  ASSERT_EQ(stop.kind, InterruptKind::kPageFault);
  EXPECT_EQ(stop.page_address, 0x50000u);
  EXPECT_EQ(stop.page_bytes, 65536u);
  ASSERT_TRUE(sandbox->provide(0x50000, 1, Protection::kReadWrite));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_TRUE(can_read(*sandbox, 0x50000, 65536));
}

}  // namespace
}  // namespace sandglass
