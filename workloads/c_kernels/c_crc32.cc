// CRC-32 as in zip files, a byte and a load from the table at a time: workloads/c_kernels/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

constexpr size_t kBytes = 1 << 20;

uint32_t table[256];
uint8_t bytes[kBytes];

void make_table() {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    table[byte] = crc;
  }
}

uint32_t crc32(const uint8_t* at, size_t count) {
  uint32_t crc = ~uint32_t{0};
  for (; count != 0; count--) crc = crc >> 8 ^ table[(crc ^ *at++) & 0xff];
  return ~crc;
}

}  // namespace

extern "C" uint64_t run(uint64_t rounds) {
  Checksum checksum;
  make_table();
  for (uint64_t round = 0; round < rounds; round++) {
    Random random(round);
    for (size_t at = 0; at < kBytes; at += 8) {
      uint64_t word = random.next();
      memcpy(bytes + at, &word, sizeof(word));
    }
    checksum.add(crc32(bytes, kBytes));
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
