// The command line of bench_sandbox: our short names, and those flags of Google Benchmark whose meaning or
// manners had to be mended. All other --benchmark_* flags pass through unchanged.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sandbox/base/result.h"

namespace sandglass::bench {

struct Options {
  std::string filter;  // POSIX extended expression, searched in the names; a leading '-' inverts; empty: all
  bool list = false;
  std::string out;                  // result file; empty: none
  std::string out_format = "json";  // json, csv or console
  std::string format = "console";   // of standard output: the same three
  std::string min_seconds;          // how long a benchmark runs at least, as Google Benchmark wants it
  int64_t iterations = 0;           // exactly so many instead; 0: as many as min_seconds needs
  uint64_t seed = 1;                // of the programs that are generated, and of the order
  bool shuffle = false;             // run in an order drawn from the seed
  bool help = false;
  std::vector<std::string> passed_on;  // flags for Google Benchmark
};

// Fails with kInvalidArgument; `what` and `detail` make the message.
Result<Options> parse_options(std::span<const char* const> arguments);

std::string help_text();

}  // namespace sandglass::bench
