#include "bench/reporters.h"

#include <unistd.h>

#include <cmath>
#include <ostream>
#include <string>

namespace sandglass::bench {
namespace {

using benchmark::BenchmarkReporter;
using Run = BenchmarkReporter::Run;

void mend_time(double& seconds) {
  if (!std::isfinite(seconds)) seconds = 0;
}

// A counter that is no number says nothing: leaving it out is the honest way to write it. Google Benchmark
// makes such counters itself, as the coefficient of variation of a counter that is always 0.
void mend(Run& run, bool for_people) {
  run.run_name.iterations.clear();
  run.run_name.time_type.clear();
  mend_time(run.real_accumulated_time);
  mend_time(run.cpu_accumulated_time);
  std::erase_if(run.counters, [for_people](const auto& counter) {
    return !std::isfinite(counter.second.value) || (for_people && counter.first.starts_with("noise_"));
  });
  // An inverted rate counts seconds and would be printed so; these count nanoseconds already.
  for (auto& [name, counter] : run.counters) {
    if (name.starts_with("ns_per_")) counter.flags = benchmark::Counter::kDefaults;
  }
}

// Google Benchmark 1.7.1 knows only errors; a benchmark that this machine cannot do is none. Its message
// begins as that of an Error of kUnsupported.
bool was_skipped(const Run& run) {
  return run.error_occurred && run.error_message.starts_with("unsupported: ");
}

class MendingReporter : public BenchmarkReporter {
 public:
  MendingReporter(std::unique_ptr<BenchmarkReporter> inner, bool for_people)
      : inner_(std::move(inner)), for_people_(for_people) {}

  bool ReportContext(const Context& context) override {
    inner_->SetOutputStream(&GetOutputStream());
    // For people, the context is too long, and its warning about a debug library is wrong.
    std::ostream nowhere(nullptr);
    inner_->SetErrorStream(for_people_ ? &nowhere : &GetErrorStream());
    const bool goes_on = inner_->ReportContext(context);
    inner_->SetErrorStream(&GetErrorStream());
    return goes_on;
  }
  void ReportRuns(const std::vector<Run>& runs) override {
    std::vector<Run> mended = runs;
    for (Run& run : mended) mend(run, for_people_);
    if (for_people_) std::erase_if(mended, [this](const Run& run) { return show_skipped(run); });
    if (!mended.empty()) inner_->ReportRuns(mended);
  }
  void Finalize() override { inner_->Finalize(); }

 private:
  bool show_skipped(const Run& run) {
    if (was_skipped(run))
      GetOutputStream() << run.benchmark_name() << "  skipped: " << run.error_message << "\n";
    return was_skipped(run);
  }

  std::unique_ptr<BenchmarkReporter> inner_;
  bool for_people_;
};

std::unique_ptr<BenchmarkReporter> plain_reporter(std::string_view format) {
  if (format == "json") return std::make_unique<benchmark::JSONReporter>();
  if (format == "console")
    return std::make_unique<benchmark::ConsoleReporter>(isatty(STDOUT_FILENO) != 0
                                                            ? benchmark::ConsoleReporter::OO_Color
                                                            : benchmark::ConsoleReporter::OO_None);
    // What Google Benchmark deprecates is the use of CSV, not the class that writes it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  return std::make_unique<benchmark::CSVReporter>();
#pragma GCC diagnostic pop
}

}  // namespace

std::unique_ptr<BenchmarkReporter> make_reporter(std::string_view format) {
  return std::make_unique<MendingReporter>(plain_reporter(format), format == "console");
}

}  // namespace sandglass::bench
