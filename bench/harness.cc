#include "bench/harness.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <regex>

#include "bench/fingerprint.h"
#include "bench/random.h"
#include "bench/reporters.h"

namespace sandglass::bench {
namespace {

void shuffle(auto& entries, uint64_t seed) {
  Random random(seed);
  for (size_t i = entries.size(); i > 1; --i) {
    std::swap(entries[i - 1], entries[random.below(static_cast<uint32_t>(i))]);
  }
}

// Google Benchmark gets every setting in so many words: its flags can also come from the environment. Whether
// it knows them all.
bool hand_flags_over(const Options& options, const std::string& out) {
  static char program[] = "bench_sandbox";  // goes into the results: Google Benchmark keeps the pointer
  std::vector<std::string> flags = options.passed_on;
  flags.push_back("--benchmark_list_tests=false");
  flags.push_back("--benchmark_out=" + out);
  if (!options.min_seconds.empty()) flags.push_back("--benchmark_min_time=" + options.min_seconds);
  std::vector<char*> pointers = {program};
  for (std::string& flag : flags) pointers.push_back(flag.data());
  int count = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  benchmark::Initialize(&count, pointers.data());
  for (int i = 1; i < count; ++i)
    fmt::print(stderr, "bench_sandbox: not understood: {}\n", pointers[static_cast<size_t>(i)]);
  return count == 1;
}

// A result file appears under its name only when it is complete.
ExitCode publish(const std::string& partial, const std::string& out) {
  if (out.empty() || std::rename(partial.c_str(), out.c_str()) == 0) return kOk;
  fmt::print(stderr, "bench_sandbox: cannot rename {} to {}: {}\n", partial, out, std::strerror(errno));
  return kFailed;
}

}  // namespace

Result<std::vector<const Suite::Entry*>> Suite::selected() const {
  const bool inverted = options_.filter.starts_with('-');
  std::vector<const Entry*> chosen;
  try {
    const std::regex filter(options_.filter.substr(inverted), std::regex::extended);
    for (const Entry& entry : entries_) {
      if (std::regex_search(entry.name, filter) != inverted) chosen.push_back(&entry);
    }
  } catch (const std::regex_error&) {
    return Error::make(ErrorKind::kInvalidArgument, "not a regular expression", Error::kNowhere,
                       options_.filter);
  }
  if (options_.shuffle) shuffle(chosen, options_.seed);
  return chosen;
}

ExitCode Suite::run() {
  const Result<std::vector<const Entry*>> chosen = selected();
  if (!chosen) {
    fmt::print(stderr, "bench_sandbox: {}\n", to_string(chosen.error()));
    return kUsage;
  }
  if (chosen->empty()) {
    fmt::print(stderr, "bench_sandbox: no benchmark matches {} (--list shows them all)\n", options_.filter);
    return kNothingMatched;
  }
  if (!options_.list) return measure_all(*chosen);
  for (const Entry* entry : *chosen) fmt::print("{}\n", entry->name);
  return kOk;
}

bool Suite::needs_more_time(const Entry& entry) const {
  if (options_.iterations > 0 || !entry.name.ends_with("/hogs")) return false;
  return !options_.min_seconds.empty() && std::stod(options_.min_seconds) < kMinSecondsBesideHogs;
}

void Suite::register_entry(const Entry& entry) {
  auto body = [this, &entry](benchmark::State& state) {
    progress_.show(entry.name);
    entry.body(state);
    progress_.hide();
  };
  benchmark::internal::Benchmark* benchmark = benchmark::RegisterBenchmark(entry.name.c_str(), body);
  benchmark->Unit(entry.unit);
  entry.times_itself ? benchmark->UseManualTime() : benchmark->UseRealTime();
  if (options_.iterations > 0) benchmark->Iterations(options_.iterations);
  if (needs_more_time(entry)) benchmark->MinTime(kMinSecondsBesideHogs);
}

ExitCode Suite::measure_all(const std::vector<const Entry*>& entries) {
  const std::string partial = options_.out.empty() ? "" : options_.out + ".partial";
  if (!hand_flags_over(options_, partial)) return kUsage;
  for (const Fact& fact : fingerprint(options_)) benchmark::AddCustomContext(fact.key, fact.value);
  if (options_.format == "console") fmt::print(stderr, "{}\n", headline());
  benchmark::ClearRegisteredBenchmarks();  // of an earlier suite in this process
  for (const Entry* entry : entries) register_entry(*entry);
  progress_.start(entries.size());

  const auto screen = make_reporter(options_.format);
  const auto file = options_.out.empty() ? nullptr : make_reporter(options_.out_format);
  benchmark::RunSpecifiedBenchmarks(screen.get(), file.get(), ".");
  fixture_.reset();
  if (publish(partial, options_.out) != kOk) return kFailed;
  if (failures_ == 0) return kOk;
  fmt::print(stderr, "bench_sandbox: {} failed\n", failures_ == 1 ? "a benchmark has" : "benchmarks have");
  return kFailed;
}

void Suite::fail(benchmark::State& state, const std::string& message) {
  ++failures_;
  state.SkipWithError(message.c_str());
}

// Google Benchmark 1.7.1 knows one way to skip. What reads its results tells
// the two apart by how the message begins.
void Suite::fail_or_skip(benchmark::State& state, const Error& error) {
  if (error.kind != ErrorKind::kUnsupported) return fail(state, to_string(error));
  state.SkipWithError(to_string(error).c_str());
}

}  // namespace sandglass::bench
