// Seeded generator of valid guest programs that look like compiled C.
//
// The benchmarks compile its programs and the tests compare backends on them, so a program
//   - is the same on every machine for the same options: it draws from its own random numbers;
//   - has exactly the number of instructions asked for, in blocks of about six;
//   - always terminates, after about 1.3 times as many instructions as it has, and touches only its own
//     stack and RW data. Run "main": the final registers depend on most of the code that was run.
//
// What it is made of, in per cent of the instructions (kBodyMix and kTerminatorMix in the .cc are the truth,
// tests/bench holds them to it):
//   37  register or immediate arithmetic, two thirds of it 64 bits wide
//   25  loads and stores, nearly all through a register
//   17  block ends: conditional branches to blocks nearby, jumps, calls, returns, fallthrough
//    8  moves          6  constants        5  comparisons, conditional moves, extensions, bit counts
//    2  multiplications and divisions
//
// Layout: functions, one after the other, then main. Even functions are leaves, odd ones call leaves before
// them; main calls every function once. Branches go forward, except for the ends of counted loops. Calls
// return through the jump table.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sandbox/program/program.h"

namespace sandglass::bench {

struct GeneratorOptions {
  uint64_t seed = 1;
  size_t instructions = 10'000;  // at least kMinGeneratedInstructions
};
inline constexpr size_t kMinGeneratedInstructions = 64;

// A latest64 program that exports "main", and "nop", which returns at once. Costs about 0.2 µs per
// instruction.
ProgramParts generate_program(const GeneratorOptions& options);

}  // namespace sandglass::bench
