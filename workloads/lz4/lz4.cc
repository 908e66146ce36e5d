// LZ4 round trips over text: workloads/lz4/README.md.
#include <lz4.h>
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

constexpr int kTextBytes = 256 * 1024;

char text[kTextBytes];
char packed[LZ4_COMPRESSBOUND(kTextBytes)];
char unpacked[kTextBytes];
alignas(8) char state[sizeof(LZ4_stream_t)];

// Words of a small vocabulary, the frequent ones far more often than the others: as compressible as prose.
void write_text(uint64_t seed) {
  Random random(seed);
  char words[256][12];
  for (auto& word : words) {
    for (char& letter : word) letter = static_cast<char>('a' + random.below(26));
  }
  for (int at = 0; at < kTextBytes;) {
    uint32_t rank = random.below(random.below(256) + 1);
    int length = 3 + static_cast<int>(rank % 9);
    for (int i = 0; i < length && at < kTextBytes; i++) text[at++] = words[rank][i];
    if (at < kTextBytes) text[at++] = ' ';
  }
}

// The size of the packed text, or 0 when it did not come back as it was.
int round_trip() {
  int bytes = LZ4_compress_fast_extState(state, text, packed, kTextBytes, sizeof(packed), 1);
  memset(unpacked, 0, sizeof(unpacked));
  if (LZ4_decompress_safe(packed, unpacked, bytes, kTextBytes) != kTextBytes) return 0;
  return memcmp(text, unpacked, kTextBytes) == 0 ? bytes : 0;
}

}  // namespace

extern "C" uint64_t run(uint64_t rounds) {
  Checksum checksum;
  for (uint64_t round = 0; round < rounds; round++) {
    write_text(round);
    int bytes = round_trip();
    if (bytes == 0) return 0;
    checksum.add(static_cast<uint64_t>(bytes));
    for (int at = 0; at + 8 <= bytes; at += 8) {
      uint64_t word;
      memcpy(&word, packed + at, sizeof(word));
      checksum.add(word);
    }
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
