// Twins: the workloads in plain scalar C++. Each computes what its guest computes, the way a person would
// write it; `memory` plays the guest's RW data and its layout is the guest's (see the .s file).
//
// They are compiled at -O2 without vectorisation and without recognising loops as memset or memcpy (see
// CMakeLists.txt): what a one-pass recompiler is compared with is scalar code that does the same work. Where
// the optimiser would still skip the work (a sum in closed form, a call to nothing) there is a barrier.
#pragma once

#include <cstdint>

namespace sandglass::twins {

uint64_t noop(uint64_t a0, uint64_t a1, uint8_t* memory);
uint64_t loop_add(uint64_t n, uint64_t a1, uint8_t* memory);
uint64_t loop_arith(uint64_t n, uint64_t a1, uint8_t* memory);
uint64_t divloop(uint64_t n, uint64_t a1, uint8_t* memory);
uint64_t jumptable(uint64_t n, uint64_t a1, uint8_t* memory);
uint64_t fib(uint64_t n, uint64_t a1, uint8_t* memory);
uint64_t sieve(uint64_t n, uint64_t repetitions, uint8_t* memory);
uint64_t memset(uint64_t size_bytes, uint64_t repetitions, uint8_t* memory);
uint64_t memcpy(uint64_t size_bytes, uint64_t repetitions, uint8_t* memory);
uint64_t sort(uint64_t n, uint64_t seed, uint8_t* memory);
uint64_t sha256(uint64_t size_bytes, uint64_t repetitions, uint8_t* memory);
uint64_t state_machine(uint64_t n, uint64_t repetitions, uint8_t* memory);
uint64_t host_call_loop(uint64_t n, uint64_t a1, uint8_t* memory);
uint64_t trap_loop(uint64_t n, uint64_t a1, uint8_t* memory);
uint64_t touch_pages(uint64_t n, uint64_t a1, uint8_t* memory);

}  // namespace sandglass::twins
