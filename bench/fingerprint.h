// The fingerprint: what was measured, on what, and how. It is the context of every result file; two results
// can only be compared when their fingerprints explain it.
//
//   build_*  the program that measured: commit, dirty or not, checksum, compiler, flags
//   host_*   the machine: kernel, CPU, clock, mitigations, limits, virtual or not
//   run_*    this run: seed, order, isolation layers, load at its start
#pragma once

#include <string>
#include <vector>

#include "bench/options.h"

namespace sandglass::bench {

struct Fact {
  std::string key;
  std::string value;  // printable; "unknown" when this machine does not tell
};

// Costs some 10 ms: the checksum runs sha256sum over this program.
std::vector<Fact> fingerprint(const Options& options);

// The three facts that a person at the terminal wants to see.
std::string headline();

}  // namespace sandglass::bench
