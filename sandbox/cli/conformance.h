// Conformance: runs public PVM test vectors on the backends through nothing but the Sandbox interface and
// names every difference.
//
// Vectors are JamV1 code with dynamic paging, strict, exact gas and the pipeline model with L2 hits. Each one
// runs twice per backend, as it is and step by step; the results must be the same. Where the guest finished,
// the vectors' pc is the last instruction it executed, which only the second run knows.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sandbox/cli/test_vector.h"
#include "sandbox/compiler/module.h"

namespace sandglass::cli {

struct Difference {
  std::string vector;
  Backend backend{};
  bool stepwise = false;
  std::string field;  // "gas", "a0", "memory at 0x20000", "step 3: map" …
  std::string expected;
  std::string got;
};
// "inst_add [generic, stepwise] gas: expected 1, got 2"
std::string to_string(const Difference& difference);

// No differences: passed.
std::vector<Difference> run_vector(const TestVector& vector, Backend backend);

struct ConformanceResult {
  size_t passed = 0;  // pairs of vector and backend
  size_t failed = 0;
};
using ConformanceLog = std::function<void(const std::string& line)>;

// Says one line for each difference and one for each backend.
ConformanceResult run_conformance(std::span<const TestVector> vectors, std::span<const Backend> backends,
                                  const ConformanceLog& log);

}  // namespace sandglass::cli
