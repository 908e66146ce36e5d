// Lockstep: the same program on two backends, compared after every stop.
#pragma once

#include <optional>
#include <string>

#include "sandbox/backend/sandbox.h"
#include "tests/differential/random_program.h"

namespace sandglass::fuzz {

struct LockstepCounts {
  uint64_t programs = 0, stops = 0, skipped = 0;
};

// Makes a random program and random options from the seed and runs it on the interpreter and on `backend`.
// Returns what differs, with everything needed to look into it; nothing when all is equal.
std::optional<std::string> run_lockstep(uint64_t seed, Backend backend, LockstepCounts& counts);

}  // namespace sandglass::fuzz
