// Made-up text for programs that compress.
#pragma once

#include "workloads/sdk/include/sandglass/workload.h"

namespace sandglass::workload {

// Words of a small vocabulary, the frequent ones far more often than the others: as compressible as prose.
inline void write_prose(char* text, size_t bytes, uint64_t seed) {
  Random random(seed);
  char words[256][12];
  for (auto& word : words) {
    for (char& letter : word) letter = static_cast<char>('a' + random.below(26));
  }
  for (size_t at = 0; at < bytes;) {
    uint32_t rank = random.below(random.below(256) + 1);
    uint32_t length = 3 + rank % 9;
    for (uint32_t i = 0; i < length && at < bytes; i++) text[at++] = words[rank][i];
    if (at < bytes) text[at++] = ' ';
  }
}

// The checksum of `bytes` of prose, packed in texts of at most `max_text_bytes` each, or 0 when one did not
// come back as it was. `round_trip(text_bytes)` packs `text` into `packed`, unpacks it again and returns the
// packed size, or 0.
template <typename RoundTrip>
uint64_t pack_prose(uint64_t bytes, char* text, size_t max_text_bytes, const char* packed,
                    RoundTrip round_trip) {
  Checksum checksum;
  for (uint64_t left = bytes; left > 0;) {
    const size_t text_bytes = left < max_text_bytes ? left : max_text_bytes;
    write_prose(text, text_bytes, left);
    const size_t packed_bytes = round_trip(text_bytes);
    if (packed_bytes == 0) return 0;
    checksum.add(packed_bytes);
    checksum.add_words(packed, packed_bytes);
    left -= text_bytes;
  }
  return checksum.value();
}

}  // namespace sandglass::workload
