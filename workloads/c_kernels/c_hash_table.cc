// A hash table with open addressing and linear probing: workloads/c_kernels/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

constexpr uint32_t kSlots = 1 << 16;      // 1 MiB
constexpr uint32_t kKeys = 3 << 14;       // below kSlots: there is always a free slot
constexpr uint32_t kOperations = 40'000;  // per round

struct Slot {
  uint64_t key;  // 0: free
  uint64_t value;
};
Slot slots[kSlots];
uint32_t used;

uint32_t home(uint64_t key) { return static_cast<uint32_t>(key * 0x9e3779b97f4a7c15u >> 48); }
uint32_t next(uint32_t slot) { return (slot + 1) % kSlots; }

// The slot of the key, or the free one where it would go.
uint32_t find(uint64_t key) {
  uint32_t slot = home(key);
  while (slots[slot].key != 0 && slots[slot].key != key) slot = next(slot);
  return slot;
}

void put(uint64_t key, uint64_t value) {
  Slot& slot = slots[find(key)];
  used += slot.key == 0;
  slot = {key, value};
}

// Moves up what could not be at home because of the one that goes: there are no tombstones.
void erase(uint64_t key) {
  uint32_t hole = find(key);
  if (slots[hole].key == 0) return;
  used--;
  for (uint32_t slot = next(hole); slots[slot].key != 0; slot = next(slot)) {
    uint32_t from_home = (slot - home(slots[slot].key)) % kSlots;
    if (from_home < (slot - hole) % kSlots) continue;
    slots[hole] = slots[slot];
    hole = slot;
  }
  slots[hole].key = 0;
}

}  // namespace

// Of eight operations three insert, one erases and four look up.
extern "C" uint64_t run(uint64_t rounds) {
  memset(slots, 0, sizeof(slots));
  used = 0;
  Checksum checksum;
  for (uint64_t round = 0; round < rounds; round++) {
    Random random(round);
    for (uint32_t operation = 0; operation < kOperations; operation++) {
      uint64_t number = random.next();
      uint64_t key = 1 + (number >> 32) % kKeys;
      if (number % 8 < 3) {
        put(key, number);
      } else if (number % 8 == 3) {
        erase(key);
      } else {
        const Slot& slot = slots[find(key)];
        checksum.add(slot.key == 0 ? 0 : slot.value);
      }
    }
    checksum.add(used);
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
