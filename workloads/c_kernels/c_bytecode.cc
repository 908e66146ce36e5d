// An interpreter of a small register machine and a program for it: workloads/c_kernels/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>

using sandglass::workload::Checksum;

namespace {

// An instruction is 32 bits: the operation, then a, b and c of eight bits each. Registers hold 64 bits.
enum Operation : uint8_t {
  kMove,           // a = b
  kConstant,       // a = the number c
  kAdd,            // a = b + c
  kAddConstant,    // a = b + the number c
  kSubtract,       // a = b - c
  kMultiply,       // a = b * c
  kShiftRight,     // a = b >> the number c
  kLoad,           // a = memory[b]
  kStore,          // memory[b] = a
  kJump,           // to the instruction c
  kJumpIfLess,     // to c if a < b, both unsigned
  kJumpIfNotLess,  // to c if a >= b
  kJumpIfZero,     // to c if a == 0
  kHalt,
};

constexpr uint32_t encode(Operation operation, uint32_t a = 0, uint32_t b = 0, uint32_t c = 0) {
  return operation | a << 8 | b << 16 | c << 24;
}

constexpr uint64_t kMemoryWords = 2048;
uint64_t memory[kMemoryWords];

// The program's registers and places. It fills memory[0 .. size) with what a linear congruential generator
// makes of `seed`, then sorts it by Shell's method, with gaps halved down to 1.
enum : uint32_t { kSize, kGap, kIndex, kPlace, kMoved, kOther, kLower, kSeed, kFactor };
enum : uint32_t { kFill = 1, kNextGap = 8, kNextNumber = 11, kTest = 13, kPut = 20, kDone = 24 };

constexpr uint32_t kProgram[] = {
    encode(kConstant, kIndex, 0, 0),
    // kFill
    encode(kMultiply, kSeed, kSeed, kFactor),
    encode(kAddConstant, kSeed, kSeed, 11),
    encode(kShiftRight, kLower, kSeed, 33),
    encode(kStore, kLower, kIndex),
    encode(kAddConstant, kIndex, kIndex, 1),
    encode(kJumpIfLess, kIndex, kSize, kFill),
    encode(kMove, kGap, kSize),
    // kNextGap
    encode(kShiftRight, kGap, kGap, 1),
    encode(kJumpIfZero, kGap, 0, kDone),
    encode(kMove, kIndex, kGap),
    // kNextNumber
    encode(kLoad, kMoved, kIndex),
    encode(kMove, kPlace, kIndex),
    // kTest: one gap down while the number there is larger
    encode(kJumpIfLess, kPlace, kGap, kPut),
    encode(kSubtract, kLower, kPlace, kGap),
    encode(kLoad, kOther, kLower),
    encode(kJumpIfNotLess, kMoved, kOther, kPut),
    encode(kStore, kOther, kPlace),
    encode(kMove, kPlace, kLower),
    encode(kJump, 0, 0, kTest),
    // kPut
    encode(kStore, kMoved, kPlace),
    encode(kAddConstant, kIndex, kIndex, 1),
    encode(kJumpIfLess, kIndex, kSize, kNextNumber),
    encode(kJump, 0, 0, kNextGap),
    // kDone
    encode(kHalt),
};

// Returns the number of instructions executed.
uint64_t interpret(const uint32_t* program, uint64_t* registers) {
  uint64_t executed = 0;
  for (const uint32_t* at = program;; executed++) {
    const uint32_t instruction = *at++;
    uint64_t& a = registers[instruction >> 8 & 0xff];
    const uint64_t b = instruction >> 16 & 0xff;
    const uint64_t c = instruction >> 24;
    // clang-format off
    switch (static_cast<Operation>(instruction & 0xff)) {
      case kMove: a = registers[b]; break;
      case kConstant: a = c; break;
      case kAdd: a = registers[b] + registers[c]; break;
      case kAddConstant: a = registers[b] + c; break;
      case kSubtract: a = registers[b] - registers[c]; break;
      case kMultiply: a = registers[b] * registers[c]; break;
      case kShiftRight: a = registers[b] >> (c & 63); break;
      case kLoad: a = memory[registers[b] % kMemoryWords]; break;
      case kStore: memory[registers[b] % kMemoryWords] = a; break;
      case kJump: at = program + c; break;
      case kJumpIfLess: if (a < registers[b]) at = program + c; break;
      case kJumpIfNotLess: if (a >= registers[b]) at = program + c; break;
      case kJumpIfZero: if (a == 0) at = program + c; break;
      case kHalt: return executed;
    }
    // clang-format on
  }
}

}  // namespace

extern "C" uint64_t run(uint64_t rounds) {
  Checksum checksum;
  for (uint64_t round = 0; round < rounds; round++) {
    uint64_t registers[256] = {};
    registers[kSize] = kMemoryWords;
    registers[kSeed] = round;
    registers[kFactor] = 6364136223846793005u;
    checksum.add(interpret(kProgram, registers));
    for (uint64_t word : memory) checksum.add(word);
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
