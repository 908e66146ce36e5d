// LZ4 round trips over text: workloads/lz4/README.md.
#include <lz4.h>
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

#include "workloads/prose.h"

using sandglass::workload::Checksum;

namespace {

constexpr uint64_t kUnitBytes = 64 * 1024;
constexpr uint64_t kMaxTextBytes = 1024 * 1024;

char text[kMaxTextBytes];
char packed[LZ4_COMPRESSBOUND(kMaxTextBytes)];
char unpacked[kMaxTextBytes];
alignas(8) char state[sizeof(LZ4_stream_t)];

// The size of the packed text, or 0 when it did not come back as it was.
int round_trip(int text_bytes) {
  int packed_bytes = LZ4_compress_fast_extState(state, text, packed, text_bytes, sizeof(packed), 1);
  memset(unpacked, 0, static_cast<size_t>(text_bytes));
  if (LZ4_decompress_safe(packed, unpacked, packed_bytes, text_bytes) != text_bytes) return 0;
  return memcmp(text, unpacked, static_cast<size_t>(text_bytes)) == 0 ? packed_bytes : 0;
}

}  // namespace

extern "C" uint64_t run(uint64_t units) {
  Checksum checksum;
  for (uint64_t left = units * kUnitBytes; left > 0;) {
    uint64_t text_bytes = left < kMaxTextBytes ? left : kMaxTextBytes;
    sandglass::workload::write_prose(text, text_bytes, left);
    int packed_bytes = round_trip(static_cast<int>(text_bytes));
    if (packed_bytes == 0) return 0;
    checksum.add(static_cast<uint64_t>(packed_bytes));
    checksum.add_words(packed, static_cast<size_t>(packed_bytes));
    left -= text_bytes;
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
