// The guests' allocator against a model: which bytes are whose, and what is in them.
#include "workloads/sdk/heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <vector>

namespace sandglass::guest {
namespace {

// Where a heap gets its memory. One at a time: a heap knows a plain function only.
struct Source {
  std::vector<uint8_t> memory;
  size_t used = 0;
  size_t limit = 0;
  size_t gap = 0;  // left unused before each piece: another user of the same memory
  size_t calls = 0;
};
Source source;

void* more(size_t bytes) {
  source.calls++;
  if (source.gap + bytes > source.limit - source.used) return nullptr;
  uint8_t* start = source.memory.data() + source.used + source.gap;
  source.used += source.gap + bytes;
  return start;
}

class HeapTest : public ::testing::Test {
 protected:
  // Not zeroed: a heap must not rely on it. `offset`: the guest's heap starts at any address.
  void use(size_t limit, size_t offset = 0, size_t gap = 0) {
    source = Source{std::vector<uint8_t>(limit, 0xa5), offset, limit, gap, 0};
  }

  Heap heap_{more};
};

struct Block {
  size_t bytes;
  uint8_t filling;
};

// Every block that is alive, by address.
class Model {
 public:
  void add(void* memory, size_t bytes, uint8_t filling) {
    uint8_t* start = static_cast<uint8_t*>(memory);
    auto after = blocks_.lower_bound(start);
    ASSERT_TRUE(after == blocks_.end() || start + bytes <= after->first);
    if (after != blocks_.begin()) {
      auto before = std::prev(after);
      ASSERT_LE(before->first + before->second.bytes, start);
    }
    ASSERT_GE(Heap::usable_bytes(memory), bytes);
    ASSERT_TRUE(start >= source.memory.data() && start + bytes <= source.memory.data() + source.used);
    std::memset(start, filling, Heap::usable_bytes(memory));  // all of it: nobody else's may be in there
    blocks_[start] = {bytes, filling};
  }
  Block take(void* memory) {
    auto found = blocks_.find(static_cast<uint8_t*>(memory));
    Block block = found->second;
    EXPECT_TRUE(holds(memory, block.bytes, block.filling));
    blocks_.erase(found);
    return block;
  }
  static bool holds(const void* memory, size_t bytes, uint8_t filling) {
    const uint8_t* start = static_cast<const uint8_t*>(memory);
    return std::all_of(start, start + bytes, [&](uint8_t byte) { return byte == filling; });
  }
  void* any(std::mt19937& random) const {
    return std::next(blocks_.begin(), static_cast<long>(random() % blocks_.size()))->first;
  }
  size_t size() const { return blocks_.size(); }

 private:
  std::map<uint8_t*, Block> blocks_;
};

// Mostly small, sometimes large, as programs are.
size_t some_size(std::mt19937& random) {
  switch (random() % 8) {
    case 0: return random() % 100'000;
    case 1: return random() % 4000;
    default: return random() % 200;
  }
}

struct Layout {
  size_t offset, gap;
};

class HeapModelTest : public HeapTest, public ::testing::WithParamInterface<Layout> {
 protected:
  void allocate() {
    size_t bytes = some_size(random_);
    size_t alignment = random_() % 4 == 0 ? size_t{1} << (random_() % 13) : Heap::kAlignment;
    void* memory = random_() % 2 ? heap_.allocate_aligned(alignment, bytes) : heap_.allocate(bytes);
    if (!memory) return;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % Heap::kAlignment, 0u);
    model_.add(memory, bytes, static_cast<uint8_t>(random_()));
  }
  void resize() {
    void* memory = model_.any(random_);
    Block block = model_.take(memory);
    size_t bytes = some_size(random_);
    void* moved = heap_.resize(memory, bytes);
    if (!moved) {
      model_.add(memory, block.bytes, block.filling);
      return;
    }
    EXPECT_TRUE(Model::holds(moved, std::min(bytes, block.bytes), block.filling));
    model_.add(moved, bytes, block.filling);
  }
  void release() {
    void* memory = model_.any(random_);
    model_.take(memory);
    heap_.release(memory);
  }
  void release_all() {
    while (model_.size() > 0) release();
  }

  std::mt19937 random_{1};
  Model model_;
};

TEST_P(HeapModelTest, KeepsEveryBlockApartAndIntact) {
  use(16 << 20, GetParam().offset, GetParam().gap);
  for (int step = 0; step < 20'000 && !HasFatalFailure(); step++) {
    if (model_.size() == 0 || random_() % 2) {
      allocate();
    } else if (random_() % 3) {
      release();
    } else {
      resize();
    }
  }
  EXPECT_GT(model_.size(), 100u);
  release_all();
}

TEST_P(HeapModelTest, SurvivesThatThereIsNoMoreMemory) {
  use(1 << 20, GetParam().offset, GetParam().gap);
  int failures = 0;
  for (int step = 0; step < 5'000 && !HasFatalFailure(); step++) {
    size_t before = model_.size();
    if (model_.size() > 0 && random_() % 3 == 0) {
      random_() % 2 ? release() : resize();
    } else {
      allocate();
      failures += model_.size() == before;
    }
  }
  EXPECT_GT(failures, 10);
  release_all();
}

INSTANTIATE_TEST_SUITE_P(Layouts, HeapModelTest,
                         ::testing::Values(Layout{0, 0}, Layout{3, 0}, Layout{0, 64}, Layout{9, 7}));

TEST_F(HeapTest, MergesNeighboursOnBothSides) {
  use(1 << 20);
  void* blocks[64];
  for (void*& block : blocks) block = heap_.allocate(800);
  size_t calls = source.calls;
  for (size_t i = 0; i < 64; i += 2) heap_.release(blocks[i]);  // none touches another
  for (size_t i = 1; i < 64; i += 2) heap_.release(blocks[i]);  // each touches two
  EXPECT_NE(heap_.allocate(64 * 800), nullptr);
  EXPECT_EQ(source.calls, calls);
}

TEST_F(HeapTest, JoinsNewMemoryToWhatItHad) {
  use(1 << 20, 5);
  void* small = heap_.allocate(Heap::kGrowBytes / 2);
  heap_.release(small);
  void* large = heap_.allocate(Heap::kGrowBytes + Heap::kGrowBytes / 4);  // in neither piece alone
  EXPECT_EQ(large, small);
}

TEST_F(HeapTest, AProgramThatFreesWhatItAllocatesDoesNotGrow) {
  use(1 << 20);
  for (size_t bytes : {1, 5'000, 50'000}) heap_.release(heap_.allocate(bytes));
  size_t calls = source.calls;
  for (int round = 0; round < 1000; round++) {
    for (size_t bytes : {1, 5'000, 50'000}) heap_.release(heap_.allocate(bytes));
  }
  EXPECT_EQ(source.calls, calls);
}

TEST_F(HeapTest, GivesTheSameSizeFromTheSamePlace) {
  use(1 << 20);
  for (size_t bytes : {40, 5'000, 50'001}) {
    void* first = heap_.allocate(bytes);
    heap_.allocate(16);  // between it and what is free behind
    heap_.release(first);
    EXPECT_EQ(heap_.allocate(bytes), first) << bytes;
  }
}

TEST_F(HeapTest, ResizesInPlaceWhereTheNeighbourIsFree) {
  use(1 << 20);
  void* first = heap_.allocate(1000);
  void* second = heap_.allocate(1000);
  heap_.allocate(1000);
  heap_.release(second);
  EXPECT_EQ(heap_.resize(first, 1900), first);
  EXPECT_EQ(heap_.resize(first, 10), first);
  void* again = heap_.allocate(1000);
  EXPECT_LT(again, static_cast<uint8_t*>(first) + 1900);  // what was given back is used again
}

TEST_F(HeapTest, RefusesWhatCannotBe) {
  use(1 << 20);
  void* memory = heap_.allocate(100);
  EXPECT_EQ(heap_.allocate(SIZE_MAX), nullptr);
  EXPECT_EQ(heap_.allocate(SIZE_MAX - 20), nullptr);
  EXPECT_EQ(heap_.allocate_aligned(size_t{1} << 63, 1), nullptr);
  EXPECT_EQ(heap_.allocate_aligned(64, SIZE_MAX - 64), nullptr);
  EXPECT_EQ(heap_.resize(memory, SIZE_MAX - 8), nullptr);
  EXPECT_EQ(heap_.resize(memory, 120), memory);
}

TEST_F(HeapTest, AlignsAsAsked) {
  use(4 << 20);
  for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
    void* memory = heap_.allocate_aligned(alignment, 100);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % alignment, 0u);
  }
}

using HeapDeathTest = HeapTest;

TEST_F(HeapDeathTest, StopsAtASecondRelease) {
  use(1 << 20);
  void* first = heap_.allocate(100);
  void* second = heap_.allocate(100);
  heap_.allocate(100);
  heap_.release(first);
  EXPECT_DEATH(heap_.release(first), "");
  heap_.release(second);  // merged with the first
  EXPECT_DEATH(heap_.release(second), "");
}

}  // namespace
}  // namespace sandglass::guest
