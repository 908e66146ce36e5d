// A program of this folder has a function answer(), which returns a checksum of all it did: as a guest, and
// natively from main().
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" uint64_t answer(void);
#else
uint64_t answer(void);
#endif

static inline uint64_t mix(uint64_t sum, uint64_t value) {
  sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
  return sum ^ sum >> 31;
}

// What the optimiser must not know.
static inline uint64_t opaque(uint64_t value) {
  __asm__ volatile("" : "+r"(value));
  return value;
}

#ifdef __riscv
#include <sandglass/guest.h>
SANDGLASS_EXPORT(answer)
#else
#include <stdio.h>
int main(void) {
  printf("%llu\n", (unsigned long long)answer());
  return 0;
}
#endif
