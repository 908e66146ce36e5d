// bzip2 round trips over text: workloads/bzip2/README.md.
#include <bzlib.h>
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

#include "workloads/prose.h"

using sandglass::workload::pack_prose;

namespace {

constexpr uint64_t kUnitBytes = 8 * 1024;
constexpr uint64_t kMaxTextBytes = 1024 * 1024;
constexpr int kBlocksOf900k = 9;

char text[kMaxTextBytes];
char packed[kMaxTextBytes + kMaxTextBytes / 100 + 600];
char unpacked[kMaxTextBytes];

// The size of the packed text, or 0 when it did not come back as it was.
size_t round_trip(size_t text_bytes) {
  unsigned packed_bytes = sizeof(packed);
  if (BZ2_bzBuffToBuffCompress(packed, &packed_bytes, text, static_cast<unsigned>(text_bytes), kBlocksOf900k,
                               0, 0) != BZ_OK)
    return 0;
  memset(unpacked, 0, text_bytes);
  unsigned unpacked_bytes = sizeof(unpacked);
  if (BZ2_bzBuffToBuffDecompress(unpacked, &unpacked_bytes, packed, packed_bytes, 0, 0) != BZ_OK) return 0;
  return unpacked_bytes == text_bytes && memcmp(text, unpacked, text_bytes) == 0 ? packed_bytes : 0;
}

}  // namespace

extern "C" void bz_internal_error(int) { sandglass_trap(); }

extern "C" uint64_t run(uint64_t units) {
  return pack_prose(units * kUnitBytes, text, kMaxTextBytes, packed, round_trip);
}
SANDGLASS_EXPORT(run)
