// LZ4 round trips over text: workloads/lz4/README.md.
#include <lz4.h>
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

#include "workloads/prose.h"

using sandglass::workload::pack_prose;

namespace {

constexpr uint64_t kUnitBytes = 64 * 1024;
constexpr uint64_t kMaxTextBytes = 1024 * 1024;

char text[kMaxTextBytes];
char packed[LZ4_COMPRESSBOUND(kMaxTextBytes)];
char unpacked[kMaxTextBytes];
alignas(8) char state[sizeof(LZ4_stream_t)];

// The size of the packed text, or 0 when it did not come back as it was.
size_t round_trip(size_t bytes) {
  const int text_bytes = static_cast<int>(bytes);
  int packed_bytes = LZ4_compress_fast_extState(state, text, packed, text_bytes, sizeof(packed), 1);
  memset(unpacked, 0, bytes);
  if (LZ4_decompress_safe(packed, unpacked, packed_bytes, text_bytes) != text_bytes) return 0;
  return memcmp(text, unpacked, bytes) == 0 ? static_cast<size_t>(packed_bytes) : 0;
}

}  // namespace

extern "C" uint64_t run(uint64_t units) {
  return pack_prose(units * kUnitBytes, text, kMaxTextBytes, packed, round_trip);
}
SANDGLASS_EXPORT(run)
