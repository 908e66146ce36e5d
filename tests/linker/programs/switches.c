// Jump tables of switch statements, computed gotos, a table of labels that is shared.
#include "tests/linker/programs/answer.h"

__attribute__((noinline)) static uint64_t dense(uint64_t x) {
  switch (x) {
    case 0: return 11;
    case 1: return opaque(x) * 3;
    case 2: return 77;
    case 3: return opaque(x) + 1234567;
    case 4: return ~x;
    case 5: return x << 40;
    case 6: return dense(x - 3) ^ 0x55;
    case 9: return dense(2) - x;
    default: return 5;
  }
}

__attribute__((noinline)) static uint64_t signed_range(int x) {
  switch (x) {
    case -4: return 1;
    case -3: return opaque(7);
    case -2: return 19;
    case -1: return opaque(2) << 9;
    case 0: return 3;
    case 1: return 111;
    case 2: return opaque(99) / 7;
  }
  return 0;
}

// A small machine: 0 stop, 1 add, 2 multiply, 3 exclusive or, 4 repeat from the start.
static uint64_t interpret(const uint8_t* code, uint64_t sum) {
  static const void* const kOps[] = {&&stop, &&add, &&multiply, &&xor, &&repeat};
  static int rounds;
  const uint8_t* at = code;
#define NEXT goto* kOps[*at++]
  rounds = 0;
  NEXT;
add:
  sum += *at++;
  NEXT;
multiply:
  sum *= *at++;
  NEXT;
  xor : sum ^= sum >> 7;
  NEXT;
repeat:
  if (++rounds < 20) at = code;
  NEXT;
stop:
  return sum;
}

uint64_t answer(void) {
  uint64_t sum = 1;
  for (uint64_t i = 0; i < 12; ++i) sum = mix(sum, dense(i));
  for (int i = -6; i < 5; ++i) sum = mix(sum, signed_range((int)opaque((uint64_t)i)));
  static const uint8_t kCode[] = {1, 200, 2, 31, 3, 1, 7, 4, 3, 0};
  return mix(sum, interpret(kCode, sum));
}
