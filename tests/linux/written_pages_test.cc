// Which pages of a real worker were written to, as the kernel and the host remember it.
#include "sandbox/backend/linux/written_pages.h"

#include <fcntl.h>

#include <set>

#include "tests/linux/worker_memory.h"

namespace sandglass {
namespace {

class WrittenPagesTest : public WorkerMemoryTest {
 protected:
  WrittenPagesTest() : WorkerMemoryTest(FaultUse::kWriteTracking) {}

  void track() {
    written_ =
        WrittenPages::track(userfaultfd(), worker_->open_process_file("pagemap", O_RDONLY).value(), kRange)
            .value();
  }
  std::set<uint64_t> take() {
    std::set<uint64_t> result;
    const Status status = written_->take([&](const GuestRange& range) {
      for (uint64_t at = range.begin; at < range.end; at += kPage) result.insert((at - kRange.begin) / kPage);
    });
    EXPECT_TRUE(status) << to_string(status.error());
    return result;
  }
  using Pages = std::set<uint64_t>;

  std::unique_ptr<WrittenPages> written_;
};

TEST_F(WrittenPagesTest, NothingAtFirst) {
  track();
  EXPECT_EQ(take(), Pages{});
}

TEST_F(WrittenPagesTest, WhatWasWrittenBeforeIsForgotten) {
  ASSERT_TRUE(worker_writes(pages(0, 10)));
  track();
  EXPECT_EQ(take(), Pages{});
}

TEST_F(WrittenPagesTest, PagesOfTheWorkerAreReportedOnce) {
  track();
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(worker_writes(pages(3, 2)));
    ASSERT_TRUE(worker_writes(pages(1023, 1)));
    EXPECT_EQ(take(), (Pages{3, 4, 1023}));
    EXPECT_EQ(take(), Pages{});
  }
}

// More pieces than one call to the kernel reports.
TEST_F(WrittenPagesTest, ManyPiecesAreAllReported) {
  track();
  Pages expected;
  for (uint64_t page = 0; page < 1024; page += 2) {
    ASSERT_TRUE(worker_writes(pages(page, 1)));
    expected.insert(page);
  }
  EXPECT_EQ(take(), expected);
  EXPECT_EQ(take(), Pages{});
}

TEST_F(WrittenPagesTest, HostSaysWhatItWrote) {
  track();
  written_->add({kRange.begin + 5 * kPage + 100, kRange.begin + 7 * kPage + 1});
  written_->add({kRange.begin - 10, kRange.begin + 1});
  written_->add({kRange.end - 1, kRange.end + 100});
  written_->add({kRange.end, kRange.end + 100});
  written_->add({0, kRange.begin});
  EXPECT_EQ(take(), (Pages{0, 5, 6, 7, 1023}));
  EXPECT_EQ(take(), Pages{});
}

TEST_F(WrittenPagesTest, HostsAccessesAreNotTakenForTheWorkers) {
  track();
  std::memset(memory(kRange), 1, kRange.size());
  EXPECT_EQ(take(), Pages{});
}

// As when the kernel swaps pages out: it takes them from the worker's page table.
TEST_F(WrittenPagesTest, PagesTakenFromTheWorkerAreNotForgotten) {
  track();
  ASSERT_TRUE(worker_writes(pages(10, 2)));
  ASSERT_TRUE(worker_writes(pages(40, 1)));
  ASSERT_EQ(take(), (Pages{10, 11, 40}));
  ASSERT_TRUE(worker_writes(pages(11, 1)));
  ASSERT_TRUE(change(MemoryChange::Kind::kDiscard, pages(8, 8)));
  EXPECT_TRUE(take().contains(11));
  ASSERT_TRUE(worker_writes(pages(10, 1)));
  EXPECT_TRUE(take().contains(10));
}

TEST_F(WrittenPagesTest, MappingThatIsNotTheOneIsAProtocolViolation) {
  track();
  ASSERT_TRUE(change(MemoryChange::Kind::kMapMemory, pages(0, 10)));
  const Status status = written_->take([](const GuestRange&) {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kProtocolViolation);
}

}  // namespace
}  // namespace sandglass
