// Atomic operations, which are plain ones in a guest.
#include "tests/linker/programs/answer.h"

#define ALL(type, sum)                                                                                       \
  do {                                                                                                       \
    static type cell = 100;                                                                                  \
    for (uint64_t i = 0; i < 6; ++i) {                                                                       \
      const type v = (type)opaque(kValues[i]);                                                               \
      sum = mix(sum, (uint64_t)__atomic_fetch_add(&cell, v, __ATOMIC_SEQ_CST));                              \
      sum = mix(sum, (uint64_t)__atomic_fetch_sub(&cell, (type)(v / 3), __ATOMIC_RELAXED));                  \
      sum = mix(sum, (uint64_t)__atomic_fetch_xor(&cell, v, __ATOMIC_ACQUIRE));                              \
      sum = mix(sum, (uint64_t)__atomic_fetch_or(&cell, (type)(v >> 2), __ATOMIC_RELEASE));                  \
      sum = mix(sum, (uint64_t)__atomic_fetch_and(&cell, (type)(v | 0x7f), __ATOMIC_ACQ_REL));               \
      sum = mix(sum, (uint64_t)__atomic_fetch_min(&cell, (type)(v ^ 0x55), __ATOMIC_SEQ_CST));               \
      sum = mix(sum, (uint64_t)__atomic_fetch_max(&cell, (type)(v ^ 0xaa), __ATOMIC_SEQ_CST));               \
      sum = mix(sum, (uint64_t)__atomic_add_fetch(&cell, 1, __ATOMIC_SEQ_CST));                              \
      sum = mix(sum, (uint64_t)__atomic_exchange_n(&cell, (type)(v + 1), __ATOMIC_SEQ_CST));                 \
      type expected = i % 2 ? cell : (type)~cell;                                                            \
      sum =                                                                                                  \
          mix(sum, __atomic_compare_exchange_n(&cell, &expected, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)); \
      sum = mix(sum, (uint64_t)expected + (uint64_t)cell);                                                   \
      __atomic_store_n(&cell, 0, __ATOMIC_SEQ_CST);                                                          \
      __atomic_fetch_or(&cell, v, __ATOMIC_SEQ_CST); /* nobody wants the result */                           \
      sum = mix(sum, (uint64_t)__atomic_load_n(&cell, __ATOMIC_SEQ_CST));                                    \
    }                                                                                                        \
  } while (0)
static const uint64_t kValues[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffffffffffff, 0x123456789abcdef0};

uint64_t answer(void) {
  uint64_t sum = 5;
  ALL(int32_t, sum);
  ALL(uint32_t, sum);
  ALL(int64_t, sum);
  ALL(uint64_t, sum);
  ALL(int8_t, sum);
  ALL(uint16_t, sum);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return sum;
}
