// Random basic blocks that stress the pipeline model in different ways.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "sandbox/program/program.h"

namespace sandglass::test {

struct BlockShape {
  InstructionSet set = InstructionSet::kLatest64;
  uint32_t max_instructions = 12;
  uint32_t registers = 13;         // fewer: more dependencies
  std::vector<Opcode> favourites;  // some of the instructions are one of these; empty: all alike
  uint32_t favourite_percent = 50;
};

// One block and its terminator (or none: then a missing instruction ends it), behind it a few bytes that
// branches can look at. Branches point anywhere near.
std::shared_ptr<const Program> random_block(std::mt19937_64& random, const BlockShape& shape);

// A shape of any sort: lengths from 1 to 1000, few or many registers, few or all kinds of instructions.
BlockShape random_shape(std::mt19937_64& random);

}  // namespace sandglass::test
