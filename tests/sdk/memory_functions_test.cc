// Every length and alignment that takes another path, against the host's functions.
#include "workloads/sdk/memory_functions.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace sandglass::guest {
namespace {

// Exact sizes: a sanitizer sees each byte too far.
std::vector<uint8_t> pattern(size_t bytes, uint8_t seed = 1) {
  std::vector<uint8_t> result(bytes);
  for (size_t i = 0; i < bytes; i++) result[i] = static_cast<uint8_t>(i * 37 + i / 251 + seed);
  return result;
}

constexpr size_t kLengths = 150;  // beyond every short path and a few rounds of the loops

TEST(MoveBytes, CopiesEveryLengthAndTouchesNothingElse) {
  for (size_t bytes = 0; bytes < kLengths; bytes++) {
    for (size_t offset = 0; offset < 9; offset++) {
      std::vector<uint8_t> from = pattern(offset + bytes), to = pattern(bytes + 2, 99), expected = to;
      move_bytes(to.data() + 1, from.data() + offset, bytes);
      if (bytes > 0) std::memcpy(expected.data() + 1, from.data() + offset, bytes);
      ASSERT_EQ(to, expected) << bytes << " at " << offset;
    }
  }
}

TEST(MoveBytes, MovesOntoItselfAtEveryDistance) {
  for (size_t bytes = 1; bytes < kLengths; bytes++) {
    for (size_t from = 0; from < 70; from++) {
      for (size_t to : {size_t{0}, size_t{1}, size_t{33}, size_t{69}}) {
        std::vector<uint8_t> memory = pattern(bytes + 70), expected = memory;
        move_bytes(memory.data() + to, memory.data() + from, bytes);
        std::memmove(expected.data() + to, expected.data() + from, bytes);
        ASSERT_EQ(memory, expected) << bytes << " from " << from << " to " << to;
      }
    }
  }
}

TEST(MoveBytes, MovesMuch) {
  std::vector<uint8_t> memory = pattern(100'000), expected = memory;
  for (auto [to, from] : {std::array<size_t, 2>{0, 1}, {1, 0}, {0, 4097}, {5001, 3}}) {
    move_bytes(memory.data() + to, memory.data() + from, 90'000);
    std::memmove(expected.data() + to, expected.data() + from, 90'000);
    ASSERT_EQ(memory, expected) << from << " to " << to;
  }
}

TEST(FillBytes, FillsEveryLengthAndTouchesNothingElse) {
  for (size_t bytes = 0; bytes < 600; bytes++) {
    for (int value : {0, 0xab, -1, 0x1234}) {  // only the low byte counts
      std::vector<uint8_t> memory = pattern(bytes + 2), expected = memory;
      fill_bytes(memory.data() + 1, value, bytes);
      if (bytes > 0) std::memset(expected.data() + 1, value, bytes);
      ASSERT_EQ(memory, expected) << bytes;
    }
  }
}

int sign(int value) { return (value > 0) - (value < 0); }

TEST(CompareBytes, FindsTheFirstDifferenceWhereverItIs) {
  for (size_t bytes = 0; bytes < 40; bytes++) {
    std::vector<uint8_t> left = pattern(bytes), right = left;
    ASSERT_EQ(compare_bytes(left.data(), right.data(), bytes), 0);
    for (size_t at = 0; at < bytes; at++) {
      for (int change : {1, 0x80, 0xff}) {
        right = left;
        right[at] = static_cast<uint8_t>(right[at] + change);
        if (at + 1 < bytes) right[bytes - 1] ^= 0x55;  // must not decide
        ASSERT_EQ(sign(compare_bytes(left.data(), right.data(), bytes)),
                  sign(std::memcmp(left.data(), right.data(), bytes)))
            << bytes << " at " << at;
      }
    }
  }
}

TEST(StringLength, OfEveryLengthAtEveryAlignment) {
  for (size_t bytes = 0; bytes < 70; bytes++) {
    for (size_t offset = 0; offset < 9; offset++) {
      for (char letter : {'a', '\x80', '\x01', '\xff'}) {
        std::string text(offset, '\0');
        text += std::string(bytes, letter);
        ASSERT_EQ(string_length(text.c_str() + offset), bytes);
      }
    }
  }
}

}  // namespace
}  // namespace sandglass::guest
