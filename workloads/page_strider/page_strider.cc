// Walks through much memory: workloads/page_strider/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <stdlib.h>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

constexpr uint32_t kMaxMegabytes = 64;
constexpr uint32_t kWordsPerMegabyte = (1 << 20) / sizeof(uint64_t);
constexpr uint32_t kLineWords = 64 / sizeof(uint64_t);
constexpr uint32_t kPageWords = 4096 / sizeof(uint64_t);
constexpr uint32_t kStopWords = 256 / sizeof(uint64_t);  // from one stop of the chase to the next

// Kept from call to call: this measures memory that is there. touch_pages is about memory that is not.
uint64_t* memory;

void write_all(uint32_t words) {
  for (uint32_t i = 0; i < words; i++) memory[i] = i * 0x9e3779b97f4a7c15u;
}

uint64_t sum_all(uint32_t words) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < words; i++) sum += memory[i];
  return sum;
}

// One word of every line, a line of every page after the other: each step is on another page.
void stride(uint32_t words) {
  for (uint32_t line = 0; line < kPageWords; line += kLineWords) {
    for (uint32_t i = line; i < words; i += kPageWords) memory[i] ^= memory[i] >> 29;
  }
}

// The first word of every stop names the next stop; one circle goes through all of them (Sattolo's shuffle).
void link_stops(uint32_t stops) {
  for (uint32_t i = 0; i < stops; i++) memory[i * kStopWords] = i;
  Random random(stops);
  for (uint32_t i = stops - 1; i > 0; i--) {
    uint64_t& there = memory[random.below(i) * kStopWords];
    uint64_t& here = memory[i * kStopWords];
    const uint64_t next = here;
    here = there;
    there = next;
  }
}

// Once around: each load waits for the one before.
void chase(uint32_t stops, Checksum& checksum) {
  uint64_t at = 0, sum = 0;
  for (uint32_t step = 0; step < stops; step++) {
    at = memory[at * kStopWords];
    sum = sum * 3 + at;
  }
  checksum.add(at);
  checksum.add(sum);
}

}  // namespace

extern "C" uint64_t run(uint64_t megabytes) {
  if (megabytes == 0 || megabytes > kMaxMegabytes) return 0;
  if (!memory) memory = static_cast<uint64_t*>(malloc(size_t{kMaxMegabytes} << 20));
  if (!memory) return 0;
  const uint32_t words = static_cast<uint32_t>(megabytes) * kWordsPerMegabyte;
  const uint32_t stops = words / kStopWords;

  Checksum checksum;
  write_all(words);
  stride(words);
  checksum.add(sum_all(words));
  link_stops(stops);
  chase(stops, checksum);
  checksum.add(sum_all(words));
  return checksum.value();
}
SANDGLASS_EXPORT(run)
