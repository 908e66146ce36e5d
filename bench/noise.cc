#include "bench/noise.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bench/text_file.h"

namespace sandglass::bench {
namespace {

constexpr double kUnknown = -1;

rusage thread_usage() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage;
}

// The number behind `label` in the file; `skip` numbers are passed over first.
double number_behind(const char* path, const char* label, int skip = 0) {
  const std::string text = read_text_file(path);
  const char* at = std::strstr(text.c_str(), label);
  if (at == nullptr) return kUnknown;
  at += std::strlen(label);
  at += std::strspn(at, " \t:=");
  char* end = nullptr;
  double number = std::strtod(at, &end);
  for (int i = 0; i < skip && end != at; ++i) {
    at = end;
    number = std::strtod(at, &end);
  }
  return end == at ? kUnknown : number;
}

double scaled(double value, double factor) { return value < 0 ? kUnknown : value * factor; }

double steal_ms() {
  return scaled(number_behind("/proc/stat", "cpu", 7), 1000.0 / static_cast<double>(sysconf(_SC_CLK_TCK)));
}

struct Source {
  const char* counter;
  double (*read)();
  bool per_iteration;
};

constexpr Source kSources[kNoiseSources] = {
    {"noise_voluntary_switches", [] { return static_cast<double>(thread_usage().ru_nvcsw); }, false},
    {"noise_involuntary_switches", [] { return static_cast<double>(thread_usage().ru_nivcsw); }, false},
    {"noise_migrations", [] { return number_behind("/proc/thread-self/sched", "se.nr_migrations"); }, false},
    {"noise_run_delay_us", [] { return scaled(number_behind("/proc/thread-self/schedstat", "", 1), 1e-3); },
     false},
    {"noise_steal_ms", steal_ms, false},
    {"noise_cpu_pressure_us", [] { return number_behind("/proc/pressure/cpu", "total="); }, false},
    {"noise_io_pressure_us", [] { return number_behind("/proc/pressure/io", "total="); }, false},
    {"noise_memory_pressure_us", [] { return number_behind("/proc/pressure/memory", "total="); }, false},
    {"faults_per_iteration", [] { return static_cast<double>(thread_usage().ru_minflt); }, true},
};

}  // namespace

NoiseReading read_noise() {
  NoiseReading reading;
  for (size_t i = 0; i < kNoiseSources; ++i) reading[i] = kSources[i].read();
  return reading;
}

void report_noise(const NoiseReading& before, const NoiseReading& after, benchmark::State& state) {
  for (size_t i = 0; i < kNoiseSources; ++i) {
    if (before[i] < 0 || after[i] < 0) continue;
    const auto flags =
        kSources[i].per_iteration ? benchmark::Counter::kAvgIterations : benchmark::Counter::kDefaults;
    state.counters[kSources[i].counter] = benchmark::Counter(after[i] - before[i], flags);
  }
}

}  // namespace sandglass::bench
