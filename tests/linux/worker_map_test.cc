// The changes between what modules have mapped, carried out on a model of an address space, page by page.
#include "sandbox/backend/linux/worker_map.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <map>
#include <optional>
#include <random>

#include "sandbox/abi/address_space.h"

namespace sandglass {
namespace {

using namespace worker_space;
using From = WorkerRegion::From;
using Kind = MemoryChange::Kind;

constexpr uint64_t kPage = kPageBytes;

struct Page {
  Kind kind;
  uint64_t file_offset;
  uint32_t protection;
  int round;  // when it was mapped
};

// Does what a worker does.
class AddressSpace {
 public:
  void carry_out(const ChangeList& changes, int round) {
    for (const MemoryChange& change : changes.all()) {
      for (uint64_t at = change.address; at < change.address + change.size_bytes; at += kPage) {
        // The windows are too large to walk.
        if (change.kind == Kind::kUnmap) break;
        const bool is_there = pages_.contains(at);
        if (change.kind == Kind::kProtect) {
          ASSERT_TRUE(is_there) << "mprotect(2) fails with ENOMEM";
          pages_[at].protection = change.protection;
        } else {
          pages_[at] = {change.kind, change.file_offset + (at - change.address), change.protection, round};
        }
      }
      if (change.kind == Kind::kUnmap) {
        pages_.erase(pages_.lower_bound(change.address),
                     pages_.lower_bound(change.address + change.size_bytes));
      }
    }
  }
  const Page* at(uint64_t address) const {
    const auto found = pages_.find(address);
    return found == pages_.end() ? nullptr : &found->second;
  }
  const std::map<uint64_t, Page>& pages() const { return pages_; }

 private:
  std::map<uint64_t, Page> pages_;
};

WorkerRegion region(From from, uint64_t first, uint64_t count, uint32_t protection,
                    uint64_t base = kGuestMemory) {
  return {.from = from,
          .begin = base + first * kPage,
          .end = base + (first + count) * kPage,
          .file_offset = from == From::kImage ? (first + 7) * kPage : 0,
          .protection = protection};
}

class WorkerMapTest : public ::testing::Test {
 protected:
  // Returns how many changes it took.
  size_t become(const std::vector<WorkerRegion>& wanted) {
    const ChangeList changes = map_.become(wanted);
    space_.carry_out(changes, ++round_);
    check(wanted);
    return changes.all().size();
  }

  void check(const std::vector<WorkerRegion>& wanted) const {
    for (const WorkerRegion& region : wanted) {
      for (uint64_t at = region.begin; at < region.end; at += kPage) check_page(region, at);
    }
    for (const auto& [at, page] : space_.pages()) {
      if (is_in(wanted, at)) continue;
      // Whatever else is there cannot be accessed, and is nobody's image.
      ASSERT_EQ(page.kind, Kind::kMapMemory) << std::hex << at;
      ASSERT_EQ(page.protection, 0u) << std::hex << at;
    }
  }
  void check_page(const WorkerRegion& region, uint64_t at) const {
    const Page* const page = space_.at(at);
    ASSERT_NE(page, nullptr) << std::hex << at;
    ASSERT_EQ(page->protection, region.protection) << std::hex << at;
    const bool is_file = region.from == From::kGuestFile || region.from == From::kTrackedFile;
    ASSERT_EQ(page->kind, is_file                       ? Kind::kMapMemory
                          : region.from == From::kImage ? Kind::kMapImage
                                                        : Kind::kMapAnonymous);
    if (is_file) {
      ASSERT_EQ(page->file_offset, at - kGuestMemory);
    }
    if (region.from == From::kImage) {
      ASSERT_EQ(page->file_offset, region.file_offset + (at - region.begin));
    }
    // Everything but plain guest memory is new.
    if (region.from != From::kGuestFile) {
      ASSERT_EQ(page->round, round_) << std::hex << at;
    }
  }
  static bool is_in(const std::vector<WorkerRegion>& regions, uint64_t at) {
    return std::any_of(regions.begin(), regions.end(),
                       [&](const auto& region) { return at >= region.begin && at < region.end; });
  }

  WorkerMap map_;
  AddressSpace space_;
  int round_ = 0;
};

constexpr uint32_t kRw = PROT_READ | PROT_WRITE, kRx = PROT_READ | PROT_EXEC;

TEST_F(WorkerMapTest, SameLayoutChangesTheImagesOnly) {
  const std::vector<WorkerRegion> layout = {
      region(From::kGuestFile, 0x20, 4, kRw), region(From::kGuestFile, 0x24, 100, PROT_NONE),
      region(From::kGuestFile, 0x1000, 16, kRw), region(From::kImage, 0, 2, kRx, kCode)};
  EXPECT_EQ(become(layout), 4u);
  EXPECT_EQ(become(layout), 1u);
}

TEST_F(WorkerMapTest, OtherProtectionsAreNoMappings) {
  become({region(From::kGuestFile, 0x20, 4, kRw), region(From::kGuestFile, 0x24, 100, PROT_NONE)});
  EXPECT_EQ(become({region(From::kGuestFile, 0x20, 8, kRw), region(From::kGuestFile, 0x28, 96, PROT_NONE)}),
            1u);
  for (const auto& [at, page] : space_.pages()) EXPECT_EQ(page.round, 1);
  EXPECT_EQ(become({region(From::kGuestFile, 0x20, 2, kRw)}), 1u);
  EXPECT_EQ(become({region(From::kGuestFile, 0x22, 3, PROT_READ)}), 2u);
}

TEST_F(WorkerMapTest, WhatSticksOutOfAnImageGoes) {
  become({region(From::kImage, 0x10, 8, PROT_READ), region(From::kImage, 0, 50, kRx, kCode)});
  become({region(From::kImage, 0x12, 2, PROT_READ), region(From::kImage, 0, 3, kRx, kCode)});
  EXPECT_EQ(space_.pages().size(), 5u);
  become({region(From::kImage, 0, 1, kRx, kCode)});
  EXPECT_EQ(space_.pages().size(), 1u);
}

TEST_F(WorkerMapTest, TrackedPagesAreNeverTakenOver) {
  become({region(From::kTrackedFile, 0x20, 8, kRw)});
  become({region(From::kTrackedFile, 0x20, 8, kRw)});
  become({region(From::kGuestFile, 0x20, 4, kRw)});
  EXPECT_EQ(space_.pages().size(), 4u);
  EXPECT_EQ(space_.at(kGuestMemory + 0x20 * kPage)->round, 3);
  become({region(From::kTrackedFile, 0x20, 4, kRw)});
  EXPECT_EQ(space_.at(kGuestMemory + 0x20 * kPage)->round, 4);
}

TEST_F(WorkerMapTest, GuestMemoryInPlaceOfAnImageIsMapped) {
  become({region(From::kImage, 0x20, 4, PROT_READ), region(From::kZeroes, 0x24, 4, PROT_READ)});
  become({region(From::kGuestFile, 0x1e, 20, kRw)});
}

// So many pieces that they are not worth it any more: then everything is new.
TEST_F(WorkerMapTest, PiecesDoNotPileUp) {
  for (uint64_t i = 0; i < 200; ++i) {
    become({region(From::kGuestFile, 0x20 + 16 * i, 3, kRw), region(From::kImage, 0, 2, kRx, kCode)});
    ASSERT_LE(map_.regions().size(), 30u);
  }
}

TEST_F(WorkerMapTest, AnySequenceOfModules) {
  std::mt19937 random(20261125);
  const auto below = [&](uint64_t n) { return random() % n; };
  for (int step = 0; step < 3000; ++step) {
    std::vector<WorkerRegion> wanted;
    uint64_t at = 0x10 + below(4);
    for (uint64_t count = below(7); count > 0; --count) {
      constexpr uint32_t kProtections[] = {PROT_NONE, PROT_READ, kRw};
      wanted.push_back(region(static_cast<From>(below(4)), at, 1 + below(12), kProtections[below(3)]));
      at = (wanted.back().end - kGuestMemory) / kPage + (below(2) != 0 ? below(40) : 0);
    }
    if (below(4) != 0) wanted.push_back(region(From::kImage, 0, 1 + below(5), PROT_READ, kImagedJumpTable));
    wanted.push_back(region(From::kImage, 0, 1 + below(20), kRx, kCode));
    become(wanted);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace sandglass
