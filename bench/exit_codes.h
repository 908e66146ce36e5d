// What bench_sandbox says when it ends. The same numbers mean the same in every script of the project.
#pragma once

namespace sandglass::bench {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,  // also a wrong answer of a benchmark
  kNothingMatched = 4,
  kUsage = 64,
};

}  // namespace sandglass::bench
