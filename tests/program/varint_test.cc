#include <gtest/gtest.h>

#include "sandbox/program/blob_format.h"

namespace sandglass::blob_format {
namespace {

std::vector<uint8_t> written(uint32_t value) {
  std::vector<uint8_t> out;
  write_varint(out, value);
  return out;
}

struct Case {
  uint32_t value;
  std::vector<uint8_t> bytes;
};

const Case kShortest[] = {
    {0, {0x00}},
    {127, {0x7f}},
    {128, {0x80, 0x80}},
    {0x2000, {0xa0, 0x00}},
    {0x3fff, {0xbf, 0xff}},
    {0x4000, {0xc0, 0x00, 0x40}},
    {0x1fffff, {0xdf, 0xff, 0xff}},
    {0x200000, {0xe0, 0x00, 0x00, 0x20}},
    {0xfffffff, {0xef, 0xff, 0xff, 0xff}},
    {0x10000000, {0xf0, 0x00, 0x00, 0x00, 0x10}},
    {0x12345678, {0xf0, 0x78, 0x56, 0x34, 0x12}},
    {0xffffffff, {0xf0, 0xff, 0xff, 0xff, 0xff}},
};

TEST(Varint, IsWrittenInTheShortestWay) {
  for (const Case& c : kShortest) EXPECT_EQ(written(c.value), c.bytes) << c.value;
}

TEST(Varint, IsReadBack) {
  for (const Case& c : kShortest) {
    const auto varint = read_varint(c.bytes);
    ASSERT_TRUE(varint) << c.value;
    EXPECT_EQ(varint->value, c.value);
    EXPECT_EQ(varint->size_bytes, c.bytes.size());
  }
}

TEST(Varint, RoundTripsAroundEveryPowerOfTwo) {
  for (uint64_t power = 1; power <= uint64_t{1} << 32; power <<= 1) {
    for (uint64_t value = power - 1; value <= power + 1 && value <= UINT32_MAX; ++value) {
      const auto bytes = written(static_cast<uint32_t>(value));
      EXPECT_EQ(read_varint(bytes)->value, value);
      EXPECT_LE(bytes.size(), kMaxVarintBytes);
    }
  }
}

TEST(Varint, MayBeLongerThanNeeded) {
  for (const Case& c : {Case{5, {0x80, 5}}, Case{5, {0xc0, 5, 0}}, Case{5, {0xe0, 5, 0, 0}},
                        Case{5, {0xf0, 5, 0, 0, 0}}, Case{0, {0xf0, 0, 0, 0, 0}}}) {
    ASSERT_TRUE(read_varint(c.bytes)) << c.bytes.size();
    EXPECT_EQ(read_varint(c.bytes)->value, c.value);
  }
}

TEST(Varint, IgnoresWhatFollows) {
  const auto varint = read_varint(std::vector<uint8_t>{0x80, 0x80, 0xff});
  ASSERT_TRUE(varint);
  EXPECT_EQ(varint->value, 128u);
  EXPECT_EQ(varint->size_bytes, 2u);
}

TEST(Varint, CutOffAnywhereIsRefused) {
  for (const Case& c : kShortest) {
    for (size_t size = 0; size < c.bytes.size(); ++size) {
      const std::vector<uint8_t> prefix(c.bytes.begin(), c.bytes.begin() + static_cast<ptrdiff_t>(size));
      EXPECT_FALSE(read_varint(prefix)) << c.value << " cut to " << size;
    }
  }
}

// f1 to f7 would have bits left above the 32 that the following bytes give; f8 on counts five bytes and more.
TEST(Varint, FirstBytesAboveF0AreRefused) {
  for (int first = 0xf1; first <= 0xff; ++first) {
    const std::vector<uint8_t> bytes = {static_cast<uint8_t>(first), 0, 0, 0, 0, 0, 0, 0, 0, 0};
    EXPECT_FALSE(read_varint(bytes)) << first;
  }
}

}  // namespace
}  // namespace sandglass::blob_format
