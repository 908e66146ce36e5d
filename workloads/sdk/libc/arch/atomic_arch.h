/* musl's atomic operations for a machine with one thread: plain ones. */
#pragma once

#define a_barrier a_barrier
static inline void a_barrier(void) { __asm__ __volatile__("" : : : "memory"); }

#define a_cas a_cas
static inline int a_cas(volatile int* p, int expected, int wanted) {
  int found = *p;
  if (found == expected) *p = wanted;
  return found;
}

#define a_cas_p a_cas_p
static inline void* a_cas_p(volatile void* p, void* expected, void* wanted) {
  void* found = *(void* volatile*)p;
  if (found == expected) *(void* volatile*)p = wanted;
  return found;
}
