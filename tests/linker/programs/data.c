// Data: pointers into data, strings, zeroed data, far fields of large objects, constants of all sizes.
#include "tests/linker/programs/answer.h"

struct Node {
  struct Node* next;
  const char* text;
  int32_t numbers[3];
};
extern struct Node first;
static struct Node third = {&first, "third", {7, -8, 9}};
static struct Node second = {&third, "second", {4, 5, -6}};
struct Node first = {&second, "first", {-1, 2, 3}};
static struct {
  char head[5000];
  uint64_t middle;
  char tail[5000];
  uint16_t end;
} large, *pointer_to_large = &large;
static uint64_t* const kMiddle = &large.middle;
static const int64_t kConstants[] = {
    0, -1, INT64_MIN, INT64_MAX, 0x12345678, -0x12345678, 0x123456789abcdef0, 2048, -2049};
static uint8_t zeroed[300];
const volatile uint16_t halves[4] = {1, 0x8000, 0xffff, 77};
const volatile int8_t bytes[4] = {1, -128, -1, 77};

__attribute__((noinline)) static uint64_t constants(int i) {
  switch (i) {
    case 0: return 0x7fffffff;
    case 1: return 0x80000000;
    case 2: return 0xffffffff;
    case 3: return 0x100000000;
    case 4: return 0xfffffffffffff800;
    case 5: return 0x0123456789abcdef;
    case 6: return 0xdeadbeef00000000;
    default: return 0x800;
  }
}

uint64_t answer(void) {
  uint64_t sum = 3;
  const struct Node* node = &first;
  for (int i = 0; i < 7; ++i, node = node->next) {
    for (const char* c = node->text; *c; ++c) sum = mix(sum, (uint64_t)*c);
    for (int k = 0; k < 3; ++k) sum = mix(sum, (uint64_t)node->numbers[k]);
  }
  large.middle = sum;
  large.end = 0xabcd;
  large.tail[4999] = 'x';
  *kMiddle += 5;
  sum = mix(sum, pointer_to_large->middle + pointer_to_large->end + (uint64_t)pointer_to_large->tail[4999]);
  for (size_t i = 0; i < 9; ++i) sum = mix(sum, (uint64_t)((const volatile int64_t*)kConstants)[i]);
  for (int i = 0; i < 8; ++i) sum = mix(sum, constants((int)opaque((uint64_t)i)));
  for (size_t i = 0; i < sizeof zeroed; ++i) zeroed[i] = (uint8_t)(zeroed[(i * 7) % sizeof zeroed] + i);
  for (size_t i = 0; i < sizeof zeroed; ++i) sum = mix(sum, zeroed[i]);
  for (int i = 0; i < 4; ++i) sum = mix(sum, halves[i] + (uint64_t)bytes[i]);
  (void)*(volatile uint64_t*)&large.middle;  // a load whose result nobody wants
  return sum;
}
