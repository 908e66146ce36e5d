// The pages of a real worker, decided by the host; and how the host hears of a worker that is not as it
// should be.
#include "sandbox/backend/linux/dynamic_pages.h"

#include <algorithm>

#include "sandbox/backend/linux/linux_sandbox.h"
#include "tests/backend/guest.h"
#include "tests/linux/worker_memory.h"

namespace sandglass {
namespace {

class DynamicPagesTest : public WorkerMemoryTest {
 protected:
  DynamicPagesTest() : WorkerMemoryTest(FaultUse::kDynamicPaging) {
    register_pages(userfaultfd(), kRange, PageFaults::kMissingAndWrites).value();
  }
  Status provide(const GuestRange& range, std::span<const uint8_t> content = {}, bool is_read_only = false) {
    return provide_pages({userfaultfd(), worker_->memory_file()}, range, content, is_read_only);
  }
  bool holds(const GuestRange& range, uint8_t byte) {
    return std::all_of(memory(range), memory(range) + range.size(), [&](uint8_t b) { return b == byte; });
  }
};

TEST_F(DynamicPagesTest, PagesAreMissingUntilTheyAreProvided) {
  EXPECT_FALSE(worker_writes(pages(0, 1)));
  ASSERT_TRUE(provide(pages(0, 1)));
  EXPECT_TRUE(worker_writes(pages(0, 1)));
  EXPECT_FALSE(worker_writes(pages(0, 2)));
  ASSERT_TRUE(provide(pages(1, 1023)));
  EXPECT_TRUE(worker_writes(kRange));
  EXPECT_TRUE(holds(kRange, 0));
}

TEST_F(DynamicPagesTest, ReadOnlyPagesAreProtectedFromTheStart) {
  for (const uint64_t count : {1u, 16u, 17u, 100u}) {
    ASSERT_TRUE(provide(pages(0, count), {}, true));
    for (const uint64_t page : {uint64_t{0}, count / 2, count - 1})
      EXPECT_FALSE(worker_writes(pages(page, 1)));
    ASSERT_TRUE(protect_pages(userfaultfd(), pages(0, count), false));
    EXPECT_TRUE(worker_writes(pages(0, count)));
    ASSERT_TRUE(protect_pages(userfaultfd(), pages(count - 1, 1), true));
    EXPECT_FALSE(worker_writes(pages(count - 1, 1)));
  }
}

TEST_F(DynamicPagesTest, ContentFillsPagesAndZeroesTheRest) {
  const std::vector<uint8_t> content(2 * kPage + 10, 0x33);
  for (const bool is_read_only : {false, true}) {
    ASSERT_TRUE(provide(pages(0, 20), content, is_read_only));
    EXPECT_TRUE(std::equal(content.begin(), content.end(), memory(pages(0, 20))));
    EXPECT_TRUE(holds({kRange.begin + content.size(), pages(0, 20).end}, 0));
    EXPECT_EQ(worker_writes(pages(0, 20)), !is_read_only);
  }
}

TEST_F(DynamicPagesTest, PagesThatAreThereAreReplaced) {
  for (const bool is_read_only : {false, true}) {
    // Made by the host, and by a worker that maps the file a second time somewhere else.
    for (const uint64_t page : {0u, 3u, 4u, 500u, 1023u}) std::memset(memory(pages(page, 1)), 0xee, kPage);
    ASSERT_TRUE(provide(kRange, {}, is_read_only));
    EXPECT_TRUE(holds(kRange, 0));
    EXPECT_EQ(worker_writes(pages(500, 1)), !is_read_only);
  }
}

TEST_F(DynamicPagesTest, PagesTakenAwayAreMissingWithoutTheirProtection) {
  ASSERT_TRUE(provide(pages(0, 8), {}, true));
  ASSERT_TRUE(discard_guest_file(worker_->memory_file(), pages(0, 8)));
  EXPECT_FALSE(worker_writes(pages(0, 1)));
  ASSERT_TRUE(provide(pages(0, 8)));
  EXPECT_TRUE(worker_writes(pages(0, 8)));
}

TEST_F(DynamicPagesTest, ProtectionOfAMissingPageDoesNotStick) {
  ASSERT_TRUE(provide(pages(0, 1)));
  ASSERT_TRUE(protect_pages(userfaultfd(), pages(0, 3), true));
  EXPECT_FALSE(worker_writes(pages(0, 1)));
  ASSERT_TRUE(provide(pages(1, 2)));
  EXPECT_TRUE(worker_writes(pages(1, 2)));
}

TEST_F(DynamicPagesTest, MappingThatIsGoneIsAProtocolViolation) {
  ASSERT_TRUE(provide(pages(0, 1)));
  ASSERT_TRUE(change(MemoryChange::Kind::kUnmap, pages(0, 2)));
  EXPECT_EQ(provide(pages(0, 2)).error().kind, ErrorKind::kProtocolViolation);
  EXPECT_EQ(provide(pages(0, 2), {}, true).error().kind, ErrorKind::kProtocolViolation);
  EXPECT_EQ(protect_pages(userfaultfd(), pages(0, 1), true).error().kind, ErrorKind::kProtocolViolation);
}

TEST_F(DynamicPagesTest, MappingThatIsOnlyPartlyGoneIsAProtocolViolation) {
  ASSERT_TRUE(change(MemoryChange::Kind::kUnmap, pages(5, 1)));
  EXPECT_EQ(provide(pages(0, 10)).error().kind, ErrorKind::kProtocolViolation);
}

TEST_F(DynamicPagesTest, PlainMemoryInPlaceOfGuestMemoryIsAProtocolViolation) {
  ASSERT_TRUE(change(MemoryChange::Kind::kMapAnonymous, kRange));
  EXPECT_EQ(provide(pages(0, 2)).error().kind, ErrorKind::kProtocolViolation);
}

TEST_F(DynamicPagesTest, DeathOfTheWorkerIsNamed) {
  ASSERT_TRUE(provide(pages(0, 1)));
  end(*worker_);
  EXPECT_EQ(provide(pages(1, 1)).error().kind, ErrorKind::kWorkerDied);
  EXPECT_EQ(provide(pages(0, 1), {}, true).error().kind, ErrorKind::kWorkerDied);
  EXPECT_EQ(protect_pages(userfaultfd(), pages(0, 1), true).error().kind, ErrorKind::kWorkerDied);
  EXPECT_FALSE(register_pages(userfaultfd(), kRange, PageFaults::kWrites));
}

// Sandboxes. ------------------------------------------------------------------------------------------------

std::unique_ptr<Sandbox> start_here(std::string_view text, ModuleOptions options) {
  options.backend = Backend::kLinux;
  return start(text, options);
}

Worker& worker_of(const Sandbox& sandbox) {
  return const_cast<Worker&>(static_cast<const LinuxSandbox&>(sandbox).worker());
}

TEST(DynamicSandboxTest, SaysThatTheWorkerDied) {
  const auto sandbox = start_here("trap", {.dynamic_paging = true});
  ASSERT_TRUE(sandbox->provide(0x20000, 4096, Protection::kReadWrite));
  end(worker_of(*sandbox));
  EXPECT_EQ(sandbox->provide(0x30000, 4096, Protection::kRead).error().kind, ErrorKind::kWorkerDied);
  EXPECT_FALSE(can_read(*sandbox, 0x30000, 1));
  EXPECT_EQ(sandbox->protect(0x20000, 4096, Protection::kRead).error().kind, ErrorKind::kWorkerDied);
  EXPECT_EQ(sandbox->run().error().kind, ErrorKind::kWorkerDied);
  EXPECT_EQ(sandbox->reset_memory().error().kind, ErrorKind::kWorkerDied);
}

TEST(ImageSandboxTest, SaysThatTheWorkerDied) {
  const auto sandbox =
      start_here("%rw_data_size = 100\n%rw_data = 0102\ntrap", {.memory = MemoryStrategy::kImage});
  ASSERT_TRUE(can_write(*sandbox, 0x20000, 4));
  end(worker_of(*sandbox));
  std::vector<uint8_t> bytes(4);
  EXPECT_EQ(sandbox->read(0x20000, bytes).error().kind, ErrorKind::kWorkerDied);
  EXPECT_EQ(sandbox->write(0x20000, bytes).error().kind, ErrorKind::kWorkerDied);
  EXPECT_EQ(sandbox->run().error().kind, ErrorKind::kWorkerDied);
  EXPECT_EQ(sandbox->reset_memory().error().kind, ErrorKind::kWorkerDied);
}

}  // namespace
}  // namespace sandglass
