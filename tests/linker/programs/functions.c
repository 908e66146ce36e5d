// Function pointers: in tables, in structs, on the stack, compared; tail calls, recursion, variable
// arguments.
#include <stdarg.h>

#include "tests/linker/programs/answer.h"

typedef uint64_t (*Op)(uint64_t, uint64_t);
__attribute__((noinline)) static uint64_t add(uint64_t a, uint64_t b) { return a + b; }
__attribute__((noinline)) static uint64_t sub(uint64_t a, uint64_t b) { return a - b; }
__attribute__((noinline)) static uint64_t mul(uint64_t a, uint64_t b) { return a * b; }
static const Op kOps[] = {add, sub, mul, 0, add};
struct Named {
  const char* name;
  Op op;
  int weight;
};
static const struct Named kNamed[] = {{"add", add, 3}, {"sub", sub, -5}, {"mul", mul, 7}};
static struct Named changing[3] = {{"x", mul, 1}, {"y", 0, 2}, {"z", sub, 3}};
extern uint64_t nobody(uint64_t) __attribute__((weak));

static uint64_t with_varargs(int count, ...) {
  va_list list;
  va_start(list, count);
  uint64_t sum = 0;
  for (int i = 0; i < count; ++i)
    sum = mix(sum, i % 2 ? (uint64_t)va_arg(list, int) : va_arg(list, uint64_t));
  va_end(list);
  return sum;
}

__attribute__((noinline)) static uint64_t even(uint64_t n);
__attribute__((noinline)) static uint64_t odd(uint64_t n) { return n == 0 ? 0 : even(n - 1); }
__attribute__((noinline)) static uint64_t even(uint64_t n) { return n == 0 ? 1 : odd(n - 1); }
__attribute__((noinline)) static uint64_t fib(uint64_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static int by_weight(const void* a, const void* b) {
  return ((const struct Named*)a)->weight - ((const struct Named*)b)->weight;
}
__attribute__((noinline)) static void sort(struct Named* items, size_t count,
                                           int (*compare)(const void*, const void*)) {
  for (size_t i = 1; i < count; ++i) {
    for (size_t k = i; k > 0 && compare(&items[k - 1], &items[k]) > 0; --k) {
      struct Named moved = items[k];
      items[k] = items[k - 1];
      items[k - 1] = moved;
    }
  }
}

struct Large {
  uint64_t words[5];
};
__attribute__((noinline)) static struct Large grow(struct Large in, int by) {
  for (int i = 0; i < 5; ++i) in.words[i] = in.words[i] * 3 + (uint64_t)by;
  return in;
}
__attribute__((noinline)) static uint64_t nine(uint64_t a, int b, char c, short d, uint64_t e, int f,
                                               uint64_t g, int h, uint64_t i) {
  return a + (uint64_t)b * 2 + (uint64_t)c * 3 + (uint64_t)d * 4 + e * 5 + (uint64_t)f * 6 + g * 7 +
         (uint64_t)h * 8 + i * 9;
}

uint64_t answer(void) {
  uint64_t sum = 2;
  for (size_t i = 0; i < 5; ++i) {
    const Op op = ((const volatile Op*)kOps)[i];
    if (op != 0) sum = mix(sum, op(sum, i));
    sum = mix(sum, (op == add) + 2 * (op == kNamed[0].op) + 4 * (op == (Op)opaque((uint64_t)mul)));
  }
  struct Named sorted[3];
  for (int i = 0; i < 3; ++i) sorted[i] = kNamed[i];
  sort(sorted, 3, by_weight);
  for (int i = 0; i < 3; ++i) sum = mix(sum, sorted[i].op(sum, 3) + (uint64_t)sorted[i].name[0]);
  changing[1].op = opaque(1) ? add : sub;
  for (int i = 0; i < 3; ++i) sum = mix(sum, changing[i].op(sum, (uint64_t)changing[i].weight));
  if (nobody) sum = nobody(sum);
  sum = mix(sum, with_varargs(9, sum, 2, 3ul, -4, 5ul, 6, 7ul, -8, 9ul));
  sum = mix(sum, even(1001) + fib(15));
  struct Large large = {{1, 2, 3, sum, 5}};
  for (int i = 0; i < 4; ++i) large = grow(large, i);
  sum = mix(sum, large.words[0] ^ large.words[3]);
  return mix(sum, nine(sum, -1, 'c', -3, 4, 5, 6, -7, 8));
}
