// bzip2 round trips over text: workloads/bzip2/README.md.
#include <bzlib.h>
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

#include "workloads/prose.h"

using sandglass::workload::Checksum;

namespace {

constexpr uint64_t kUnitBytes = 8 * 1024;
constexpr uint64_t kMaxTextBytes = 1024 * 1024;
constexpr int kBlocksOf900k = 9;

char text[kMaxTextBytes];
char packed[kMaxTextBytes + kMaxTextBytes / 100 + 600];
char unpacked[kMaxTextBytes];

// The size of the packed text, or 0 when it did not come back as it was.
unsigned round_trip(unsigned text_bytes) {
  unsigned packed_bytes = sizeof(packed);
  if (BZ2_bzBuffToBuffCompress(packed, &packed_bytes, text, text_bytes, kBlocksOf900k, 0, 0) != BZ_OK)
    return 0;
  memset(unpacked, 0, text_bytes);
  unsigned unpacked_bytes = sizeof(unpacked);
  if (BZ2_bzBuffToBuffDecompress(unpacked, &unpacked_bytes, packed, packed_bytes, 0, 0) != BZ_OK) return 0;
  return unpacked_bytes == text_bytes && memcmp(text, unpacked, text_bytes) == 0 ? packed_bytes : 0;
}

}  // namespace

extern "C" void bz_internal_error(int) { sandglass_trap(); }

extern "C" uint64_t run(uint64_t units) {
  Checksum checksum;
  for (uint64_t left = units * kUnitBytes; left > 0;) {
    unsigned text_bytes = static_cast<unsigned>(left < kMaxTextBytes ? left : kMaxTextBytes);
    sandglass::workload::write_prose(text, text_bytes, left);
    unsigned packed_bytes = round_trip(text_bytes);
    if (packed_bytes == 0) return 0;
    checksum.add(packed_bytes);
    checksum.add_words(packed, packed_bytes);
    left -= text_bytes;
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
