// Random valid programs, from tidy ones to noise. The same seed gives the same program.
#pragma once

#include <memory>
#include <random>

#include "sandbox/program/program.h"

namespace sandglass::test {

enum class Disorder {
  kNone,     // instructions as encode_instruction() writes them, jumps to each other
  kMutated,  // the same, then some bytes and bits changed
  kNoise,    // random bytes and a random bitmask
};

std::shared_ptr<const Program> random_program(std::mt19937_64& random, InstructionSet set, Disorder disorder);

}  // namespace sandglass::test
