// A reset of the file of guest memory: what it finds, what it leaves, what it gives back.
#include "sandbox/backend/linux/guest_file.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <vector>

#include "sandbox/base/mapping.h"

namespace sandglass {
namespace {

constexpr uint32_t kData = 0x30000;
constexpr uint64_t kPage = kMinPageBytes;

class GuestFileTest : public ::testing::Test {
 protected:
  GuestFileTest() {
    for (size_t i = 0; i < content_.size(); ++i) content_[i] = static_cast<uint8_t>(i % 250 + 1);
  }

  uint64_t page_count() const {
    struct stat status;
    EXPECT_EQ(::fstat(file_.get(), &status), 0);
    return static_cast<uint64_t>(status.st_blocks) * 512 / kPage;
  }
  void soil(uint64_t begin, uint64_t size_bytes) { std::memset(memory() + begin, 0xee, size_bytes); }
  bool is_zero(uint64_t begin, uint64_t size_bytes) const {
    const uint8_t* const bytes = memory() + begin;
    return std::all_of(bytes, bytes + size_bytes, [](uint8_t byte) { return byte == 0; });
  }
  bool has_content() const {
    return std::equal(content_.begin(), content_.end(), memory() + kData) &&
           is_zero(kData + content_.size(), 3 * kPage - content_.size());
  }
  uint8_t* memory() const { return mapping_.data(); }

  // Two pages and a bit.
  std::vector<uint8_t> content_ = std::vector<uint8_t>(2 * kPage + 100);
  // With a page behind guest memory, as a worker's has.
  UniqueFd file_ = create_memfd("test", kGuestSpaceBytes + kPage).value();
  Mapping mapping_ = Mapping::shared(file_, kGuestSpaceBytes + kPage).value();
  GuestFile guest_file_{file_, memory(), {kData, content_}};
};

TEST_F(GuestFileTest, ContentIsWrittenWithoutOtherPages) {
  ASSERT_TRUE(guest_file_.write_content());
  EXPECT_EQ(page_count(), 3u);
  EXPECT_TRUE(has_content());
}

TEST_F(GuestFileTest, ResetGivesEveryPageItsContent) {
  ASSERT_TRUE(guest_file_.write_content());
  const uint64_t places[] = {0,          0x10000,       kData - kPage,       kData,
                             kData + 50, kData + kPage, kData + 2 * kPage,   kData + 3 * kPage,
                             0x80000000, 0xfffcf123,    kGuestSpaceBytes - 1};
  for (const uint64_t place : places) soil(place, 1);
  soil(kData, 3 * kPage);
  ASSERT_TRUE(guest_file_.reset());
  EXPECT_TRUE(has_content());
  for (const uint64_t place : places) {
    if (place < kData || place >= kData + content_.size()) {
      EXPECT_TRUE(is_zero(round_down(place, kPage), kPage) || place / kPage == (kData + 2 * kPage) / kPage)
          << std::hex << place;
    }
  }
}

TEST_F(GuestFileTest, ResetLeavesThePageBehindGuestMemoryAlone) {
  soil(kGuestSpaceBytes - kPage, 2 * kPage);
  ASSERT_TRUE(guest_file_.reset());
  EXPECT_TRUE(is_zero(kGuestSpaceBytes - kPage, kPage));
  EXPECT_EQ(memory()[kGuestSpaceBytes], 0xee);
  EXPECT_EQ(memory()[kGuestSpaceBytes + kPage - 1], 0xee);
}

TEST_F(GuestFileTest, ResetFindsPagesWhoeverMadeThem) {
  const Mapping other = Mapping::shared(file_, kGuestSpaceBytes).value();
  other.data()[0x700000] = 1;
  ASSERT_EQ(::pwrite(file_.get(), "x", 1, 0x900000), 1);
  ASSERT_TRUE(guest_file_.reset());
  EXPECT_TRUE(is_zero(0x700000, kPage));
  EXPECT_TRUE(is_zero(0x900000, kPage));
}

TEST_F(GuestFileTest, PagesThatWereUsedStay) {
  soil(0x100000, 64 * kPage);
  ASSERT_TRUE(guest_file_.reset());
  EXPECT_EQ(page_count(), 64u);
  EXPECT_TRUE(is_zero(0x100000, 64 * kPage));
}

TEST_F(GuestFileTest, PagesThatWereNotUsedAgainAreGivenBack) {
  soil(0x100000, 64 * kPage);
  ASSERT_TRUE(guest_file_.reset());
  soil(0x100000 + 3 * kPage, kPage);
  soil(0x100000 + 30 * kPage, kPage);
  ASSERT_TRUE(guest_file_.reset());
  // Three pages in front of the first one are too few to bother.
  EXPECT_EQ(page_count(), 5u);
  EXPECT_TRUE(is_zero(0x100000, 64 * kPage));
}

TEST_F(GuestFileTest, KeptPagesStayUsedOrNot) {
  const GuestRange kept = {0x100000, 0x100000 + 64 * kPage};
  soil(0x100000, 64 * kPage);
  for (int round = 0; round < 3; ++round) ASSERT_TRUE(guest_file_.reset({}, kept));
  EXPECT_EQ(page_count(), 64u);
}

TEST_F(GuestFileTest, PagesBeyondTheLimitAreGivenBack) {
  constexpr uint64_t kLimit = GuestFile::kMaxZeroedBytes;
  ASSERT_TRUE(guest_file_.write_content());
  soil(0x100000, 3 * kLimit);
  soil(0xfff00000, 5 * kPage);
  ASSERT_TRUE(guest_file_.reset());
  EXPECT_EQ(page_count(), kLimit / kPage + 3);
  EXPECT_TRUE(is_zero(0x100000, 3 * kLimit));
  EXPECT_TRUE(is_zero(0xfff00000, 5 * kPage));
  EXPECT_TRUE(has_content());
}

TEST_F(GuestFileTest, ExceptedRangeIsNotLookedAt) {
  const GuestRange except = {0x100000, 0x100000 + 4 * kPage};
  soil(except.begin - kPage, 6 * kPage);
  ASSERT_TRUE(guest_file_.reset(except));
  EXPECT_TRUE(is_zero(except.begin - kPage, kPage));
  EXPECT_TRUE(is_zero(except.end, kPage));
  for (uint64_t at = except.begin; at < except.end; ++at) ASSERT_EQ(memory()[at], 0xee);
}

TEST_F(GuestFileTest, OverwriteCutsContentAtTheRange) {
  soil(kData - kPage, 5 * kPage);
  guest_file_.overwrite({kData - kPage, kData + kPage});
  EXPECT_TRUE(is_zero(kData - kPage, kPage));
  EXPECT_TRUE(std::equal(content_.begin(), content_.begin() + kPage, memory() + kData));
  EXPECT_EQ(memory()[kData + kPage], 0xee);
  guest_file_.overwrite({kData + kPage, kData + 4 * kPage});
  EXPECT_TRUE(has_content());
  EXPECT_TRUE(is_zero(kData + 3 * kPage, kPage));
}

TEST_F(GuestFileTest, DiscardedPagesAreGone) {
  soil(0x100000, 4 * kPage);
  ASSERT_TRUE(discard_guest_file(file_, {0x100000 + kPage, 0x100000 + 3 * kPage}));
  EXPECT_EQ(page_count(), 2u);
  EXPECT_TRUE(is_zero(0x100000 + kPage, 2 * kPage));
  ASSERT_TRUE(wipe_guest_file(file_));
  EXPECT_EQ(page_count(), 0u);
  EXPECT_TRUE(discard_guest_file(file_, {}));
}

// With a memory of the pages of the last reset. Each test ends in a look at the whole file.
class KnownPagesTest : public GuestFileTest {
 protected:
  KnownPagesTest() {
    EXPECT_TRUE(guest_file_.write_content());
    soil(kGuestSpaceBytes, kPage);  // as a worker's file has it
    soil(kFirst, 4 * kPage);
    reset();
  }
  ~KnownPagesTest() override {
    EXPECT_TRUE(has_content());
    for (off_t end = 0;;) {
      const off_t begin = ::lseek(file_.get(), end, SEEK_DATA);
      if (begin < 0 || static_cast<uint64_t>(begin) >= kGuestSpaceBytes) break;
      end = ::lseek(file_.get(), begin, SEEK_HOLE);
      for (auto at = static_cast<uint64_t>(begin); at < static_cast<uint64_t>(end); at += kPage) {
        const bool is_content = at >= kData && at < kData + 3 * kPage;
        if (is_content || at >= kGuestSpaceBytes) continue;
        EXPECT_TRUE(is_zero(at, kPage)) << std::hex << at;
      }
    }
  }

  void reset(const GuestRange& except = {}) { ASSERT_TRUE(knowing_.reset(except)); }
  // What the file takes, and what the host believes, without the page behind guest memory.
  uint64_t known_count() const {
    uint64_t bytes = 0;
    for (const GuestRange& pages : known_.ranges) bytes += pages.size();
    return bytes / kPage;
  }
  void expect_known(uint64_t count) const {
    EXPECT_EQ(known_.file_bytes, page_count() * kPage);
    EXPECT_EQ(page_count(), count + 1);
    EXPECT_EQ(known_count(), count);
  }

  static constexpr uint64_t kFirst = 0x100000;
  KnownPages known_;
  GuestFile knowing_{file_, memory(), {kData, content_}, &known_};
};

TEST_F(KnownPagesTest, TheSamePagesAreMadeNewAgain) {
  expect_known(7);
  for (int round = 0; round < 3; ++round) {
    soil(kFirst + kPage, 2 * kPage);
    soil(kData, 3 * kPage);
    reset();
    expect_known(7);
  }
}

TEST_F(KnownPagesTest, PagesThatHaveComeAreFound) {
  for (const uint64_t place : {kFirst + 10 * kPage, uint64_t{0}, kData - kPage, kGuestSpaceBytes - kPage}) {
    soil(place, kPage);
    soil(kFirst, kPage);
    reset();
    EXPECT_TRUE(is_zero(place, kPage));
  }
  expect_known(11);
}

TEST_F(KnownPagesTest, PagesThatHaveComeAreFoundWhoeverMadeThem) {
  const Mapping other = Mapping::shared(file_, kGuestSpaceBytes).value();
  other.data()[0x700000] = 1;
  reset();
  EXPECT_TRUE(is_zero(0x700000, kPage));
  ASSERT_EQ(::pwrite(file_.get(), "x", 1, 0x900000), 1);
  reset();
  EXPECT_TRUE(is_zero(0x900000, kPage));
  other.data()[0x700000 + kPage - 1] = 1;
  reset();
  EXPECT_TRUE(is_zero(0x700000, kPage));
  expect_known(9);
}

TEST_F(KnownPagesTest, PagesThatWereGivenBackAreNotKnownAnyMore) {
  soil(0x400000, 64 * kPage);
  reset();
  expect_known(71);
  soil(0x400000 + 3 * kPage, kPage);
  reset();
  expect_known(11);
  soil(0x400000 + 40 * kPage, kPage);
  reset();
  EXPECT_TRUE(is_zero(0x400000 + 40 * kPage, kPage));
  expect_known(12);
}

TEST_F(KnownPagesTest, PagesBeyondTheLimitAreNotKnownAnyMore) {
  constexpr uint64_t kLimit = GuestFile::kMaxZeroedBytes;
  soil(0x400000, 3 * kLimit);
  reset();
  expect_known(7 + kLimit / kPage);
  soil(0x400000, 3 * kLimit);
  reset();
  expect_known(7 + kLimit / kPage);
}

TEST_F(KnownPagesTest, AnotherExceptedRangeIsAnotherQuestion) {
  const GuestRange except = {kFirst, kFirst + 4 * kPage};
  soil(except.begin, 4 * kPage);
  for (int round = 0; round < 2; ++round) {
    soil(kData, kPage);
    reset(except);
    EXPECT_EQ(memory()[kFirst], 0xee);
    EXPECT_EQ(known_count(), 3u);
  }
  reset();
  expect_known(7);
}

TEST_F(KnownPagesTest, WhatWasTakenAwayByOthersIsForgotten) {
  ASSERT_TRUE(discard_guest_file(file_, {kFirst, kFirst + 4 * kPage}));
  known_.forget();
  soil(0x200000, 4 * kPage);
  reset();
  expect_known(7);
}

// Pages that have been swapped out are not in memory, but they are in the file.
TEST_F(GuestFileTest, ResetFindsPagesThatHaveBeenSwappedOut) {
  soil(0x100000, 64 * kPage);
  ASSERT_EQ(::madvise(memory() + 0x100000, 64 * kPage, MADV_PAGEOUT), 0);
  unsigned char is_resident[64];
  ASSERT_EQ(::mincore(memory() + 0x100000, 64 * kPage, is_resident), 0);
  if (std::all_of(is_resident, is_resident + 64, [](unsigned char bit) { return (bit & 1) != 0; })) {
    GTEST_SKIP() << "nothing is swapped out here: no swap space";
  }
  ASSERT_TRUE(guest_file_.reset());
  EXPECT_TRUE(is_zero(0x100000, 64 * kPage));
}

}  // namespace
}  // namespace sandglass
