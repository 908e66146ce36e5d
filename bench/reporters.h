// Reporters that mend what Google Benchmark 1.7.1 writes: NaN and infinite numbers, which are no JSON, and
// names with settings glued to their end.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <string_view>

namespace sandglass::bench {

// `format` is console, json or csv. For people (console) the noise counters are left out.
std::unique_ptr<benchmark::BenchmarkReporter> make_reporter(std::string_view format);

}  // namespace sandglass::bench
