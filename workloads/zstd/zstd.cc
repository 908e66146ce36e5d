// Zstandard round trips over text: workloads/zstd/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>
#include <zstd.h>

#include "workloads/prose.h"

using sandglass::workload::pack_prose;

namespace {

constexpr uint64_t kUnitBytes = 64 * 1024;
constexpr uint64_t kMaxTextBytes = 1024 * 1024;
constexpr int kLevel = 3;  // the library's own default

char text[kMaxTextBytes];
char packed[ZSTD_COMPRESSBOUND(kMaxTextBytes)];
char unpacked[kMaxTextBytes];

// One context of each kind for all texts, as in programs that compress more than once.
class Packer {
 public:
  Packer() : compressor_(ZSTD_createCCtx()), decompressor_(ZSTD_createDCtx()) {}
  ~Packer() {
    ZSTD_freeCCtx(compressor_);
    ZSTD_freeDCtx(decompressor_);
  }

  // The size of the packed text, or 0 when it did not come back as it was.
  size_t round_trip(size_t text_bytes) {
    if (!compressor_ || !decompressor_) return 0;
    size_t packed_bytes = ZSTD_compressCCtx(compressor_, packed, sizeof(packed), text, text_bytes, kLevel);
    if (ZSTD_isError(packed_bytes)) return 0;
    memset(unpacked, 0, text_bytes);
    if (ZSTD_decompressDCtx(decompressor_, unpacked, text_bytes, packed, packed_bytes) != text_bytes)
      return 0;
    return memcmp(text, unpacked, text_bytes) == 0 ? packed_bytes : 0;
  }

 private:
  ZSTD_CCtx* compressor_;
  ZSTD_DCtx* decompressor_;
};

}  // namespace

extern "C" uint64_t run(uint64_t units) {
  Packer packer;
  return pack_prose(units * kUnitBytes, text, kMaxTextBytes, packed,
                    [&](size_t text_bytes) { return packer.round_trip(text_bytes); });
}
SANDGLASS_EXPORT(run)
