#include "workloads/twins/barrier.h"
#include "workloads/twins/twins.h"

namespace sandglass::twins {
namespace {

// noinline keeps g++ from inlining the recursion into itself; it still turns the second call into a loop.
[[gnu::noinline]] uint64_t fibonacci(uint64_t n) {
  if (n <= 1) return n;
  return fibonacci(n - 1) + fibonacci(n - 2);
}

// What a host call, or a trap and the host's answer, comes to where there is no sandbox: a call that does
// nothing.
[[gnu::noinline]] void call_nothing() { asm volatile(""); }

}  // namespace

// hide() makes the jumps dynamic, as the guest's are: the optimiser would turn known targets into plain code.
uint64_t jumptable(uint64_t n, uint64_t, uint8_t*) {
  void* blocks[] = {&&block0, &&block1, &&block2, &&block3};
  for (void*& block : blocks) hide(block);
  uint64_t sum = 0;
  goto* blocks[0];
block0:
  sum += 1;
  if (--n == 0) return sum;
  goto* blocks[1];
block1:
  sum += 3;
  if (--n == 0) return sum;
  goto* blocks[2];
block2:
  sum ^= 5;
  if (--n == 0) return sum;
  goto* blocks[3];
block3:
  sum += 7;
  if (--n == 0) return sum;
  goto* blocks[0];
}

uint64_t fib(uint64_t n, uint64_t, uint8_t*) { return fibonacci(n); }

uint64_t host_call_loop(uint64_t n, uint64_t, uint8_t*) {
  uint64_t calls = 0;
  do {
    call_nothing();
    ++calls;
    hide(calls);
  } while (calls != n);
  return calls;
}

uint64_t trap_loop(uint64_t n, uint64_t, uint8_t*) {
  uint64_t traps = 0;
  while (traps != n) {
    ++traps;
    hide(traps);
    call_nothing();
  }
  return traps;
}

}  // namespace sandglass::twins
