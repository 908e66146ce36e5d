// Zstandard round trips over text: workloads/zstd/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>
#include <zstd.h>

#include "workloads/prose.h"

using sandglass::workload::Checksum;

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
  Checksum checksum;
  for (uint64_t left = units * kUnitBytes; left > 0;) {
    size_t text_bytes = left < kMaxTextBytes ? left : kMaxTextBytes;
    sandglass::workload::write_prose(text, text_bytes, left);
    size_t packed_bytes = packer.round_trip(text_bytes);
    if (packed_bytes == 0) return 0;
    checksum.add(packed_bytes);
    checksum.add_words(packed, packed_bytes);
    left -= text_bytes;
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
