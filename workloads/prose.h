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

}  // namespace sandglass::workload
