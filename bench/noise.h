// The noise ledger: what else happened on this machine and to this thread while a benchmark ran. It goes into
// the results as counters, so that a suspicious sample can be explained, or dropped by a rule made
// beforehand.
//
//   noise_voluntary_switches     this thread gave up its CPU: it blocked, which our benchmarks hardly do
//   noise_involuntary_switches   it was made to
//   noise_migrations             it moved to another CPU
//   noise_run_delay_us           it was ready and waited for a CPU
//   noise_steal_ms               the hypervisor ran somebody else, summed over all CPUs
//   noise_cpu_pressure_us, noise_io_pressure_us, noise_memory_pressure_us
//                                somebody on this machine waited for CPU, disk or memory (PSI)
//
// And one that is no noise but should be the same every time: faults_per_iteration, page faults of this
// thread without disk access. A value that this kernel does not tell is missing.
#pragma once

#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>

namespace sandglass::bench {

inline constexpr size_t kNoiseSources = 9;

// Readings that only grow; -1 where the kernel says nothing. Costs about 0.1 ms.
using NoiseReading = std::array<double, kNoiseSources>;
NoiseReading read_noise();

// Adds what happened between `before` and `after` as counters.
void report_noise(const NoiseReading& before, const NoiseReading& after, benchmark::State& state);

}  // namespace sandglass::bench
