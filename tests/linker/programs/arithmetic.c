// What the compiler makes one instruction of: multiplication, division, bits, minimum and maximum,
// conditions.
#include "tests/linker/programs/answer.h"

#define EACH_PAIR(type, sum, expression)                                     \
  for (size_t i = 0; i < 12; ++i) {                                          \
    for (size_t k = 0; k < 12; ++k) {                                        \
      const type a = (type)opaque(kValues[i]), b = (type)opaque(kValues[k]); \
      (void)b;                                                               \
      sum = mix(sum, (uint64_t)(expression));                                \
    }                                                                        \
  }
static const uint64_t kValues[] = {0,
                                   1,
                                   2,
                                   7,
                                   63,
                                   0x7fffffff,
                                   0x80000000,
                                   0xffffffff,
                                   0x123456789abcdef,
                                   0x7fffffffffffffff,
                                   0x8000000000000000,
                                   0xffffffffffffffff};
typedef unsigned __int128 u128;
typedef __int128 s128;

uint64_t answer(void) {
  uint64_t sum = 4;
  EACH_PAIR(uint64_t, sum, a * b);
  EACH_PAIR(uint64_t, sum, ((u128)a * b) >> 64);
  EACH_PAIR(int64_t, sum, ((s128)a * b) >> 64);
  EACH_PAIR(uint64_t, sum, b ? a / b : 1);
  EACH_PAIR(uint64_t, sum, b ? a % b : 2);
  EACH_PAIR(int64_t, sum, b && !(a == INT64_MIN && b == -1) ? a / b : 3);
  EACH_PAIR(int32_t, sum, b && !(a == INT32_MIN && b == -1) ? a % b : 4);
  EACH_PAIR(uint32_t, sum, b ? a / b + a % b : 5);
  EACH_PAIR(int32_t, sum, (int32_t)((uint32_t)a * (uint32_t)b));
  EACH_PAIR(uint64_t, sum, (a << (b & 63)) + (a >> (b & 63)));
  EACH_PAIR(uint32_t, sum, (a << (b & 31)) + (a >> (b & 31)));
  EACH_PAIR(int64_t, sum, a >> (b & 63));
  EACH_PAIR(int32_t, sum, a >> (b & 31));
  EACH_PAIR(uint64_t, sum, __builtin_rotateleft64(a, b) ^ __builtin_rotateright64(a, 11));
  EACH_PAIR(uint32_t, sum, __builtin_rotateleft32(a, b) ^ __builtin_rotateright32(a, 11));
  EACH_PAIR(uint64_t, sum, (a & ~b) + (a | ~b) + ~(a ^ b));
  EACH_PAIR(uint64_t, sum, a ? __builtin_clzll(a) * 64 + __builtin_ctzll(a) : 6);
  EACH_PAIR(uint32_t, sum, a ? __builtin_clz(a) * 32 + __builtin_ctz(a) : 7);
  EACH_PAIR(uint64_t, sum, __builtin_popcountll(a) + 100 * __builtin_popcount((uint32_t)b));
  EACH_PAIR(uint64_t, sum,
            __builtin_bswap64(a) ^ __builtin_bswap32((uint32_t)b) ^ __builtin_bswap16((uint16_t)a));
  EACH_PAIR(int64_t, sum, (a < b ? a : b) * 3 + (a > b ? a : b));
  EACH_PAIR(uint64_t, sum, (a < b ? a : b) * 3 + (a > b ? a : b));
  EACH_PAIR(int64_t, sum, (a < 0 ? 0 : a) + (b > 0 ? 0 : b));
  EACH_PAIR(int64_t, sum, (int8_t)a + (int16_t)b + (int64_t)(uint16_t)a + (int32_t)b);
  EACH_PAIR(int64_t, sum,
            (a < b) + 2 * (a <= b) + 4 * (a == b) + 8 * (a != 0) + 16 * (a > 0) + 32 * (a < -5));
  EACH_PAIR(uint64_t, sum, (a < b) + 2 * (a <= b) + 4 * (a < 1000) + 8 * (b == 0));
  EACH_PAIR(uint64_t, sum, (a ? b : 0) + (b ? 0 : a) + (a == b ? a : 17));
  EACH_PAIR(uint64_t, sum,
            __builtin_add_overflow(a, b, &(uint64_t){0}) + 2 * __builtin_mul_overflow(a, b, &(uint64_t){0}));
  return sum;
}
