// Question: how much memory does a process cost, besides what it maps for its own purposes?
// Unit:     KiB per process, from what /proc/meminfo says before and after many were started: the median over
//           all iterations. Of the whole machine: whatever else starts or ends meanwhile is in it.
//             kernel_KiB   slab_KiB + stacks_KiB + page_tables_KiB + percpu_KiB
//             user_KiB     anonymous pages
//             shared_KiB   pages of memory files, which host and worker share
// Timed:    starting the processes (ns_per_process).
//           raw: processes that sleep. fork_this_process: copies of the suite; fork_small_process: copies of
//           a static program without a C library; program: that program executed; program_net, program_all:
//           the same, each with a network namespace of its own, or with all seven namespaces.
//           linux: workers of one jail, with what the host holds for each. worker: nothing is loaded; loaded:
//           a sandbox whose guest has run, and runs once more when all are there; loaded_1000: that many.
// Not timed: starting others before the first reading (kProcessesBefore says why), ending them, and waiting
// until the kernel has cleaned up.
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "bench/crowds.h"
#include "bench/families.h"
#include "bench/text_file.h"

namespace sandglass::bench {
namespace {

struct Part {
  const char* counter;
  const char* labels[2];  // of lines of /proc/meminfo
  bool is_kernel;
};

constexpr Part kParts[] = {
    {"slab_KiB", {"\nSlab:", nullptr}, true},
    {"stacks_KiB", {"\nKernelStack:", nullptr}, true},
    {"page_tables_KiB", {"\nPageTables:", "\nSecPageTables:"}, true},
    {"percpu_KiB", {"\nPercpu:", nullptr}, true},
    {"user_KiB", {"\nAnonPages:", nullptr}, false},
    {"shared_KiB", {"\nShmem:", nullptr}, false},
};

constexpr size_t kStacks = 1;  // in this table

// KiB by part.
using Footprint = std::array<double, std::size(kParts)>;

double kib_behind(const std::string& text, const char* label) {
  const char* at = label == nullptr ? nullptr : std::strstr(text.c_str(), label);
  return at == nullptr ? 0 : std::strtod(at + std::strlen(label), nullptr);
}

Footprint read_footprint() {
  const std::string text = read_text_file("/proc/meminfo");
  Footprint footprint{};
  for (size_t i = 0; i < footprint.size(); ++i) {
    for (const char* label : kParts[i].labels) footprint[i] += kib_behind(text, label);
  }
  return footprint;
}

double kernel_kib(const Footprint& footprint) {
  double sum = 0;
  for (size_t i = 0; i < footprint.size(); ++i) sum += kParts[i].is_kernel ? footprint[i] : 0;
  return sum;
}

// The kernel takes namespaces down in the background: reads until nothing more is given back, for a second at
// most.
void wait_for_cleanup() {
  Footprint before = read_footprint();
  for (int i = 0; i < 50; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const Footprint after = read_footprint();
    if (kernel_kib(before) - kernel_kib(after) < 64) return;
    before = after;
  }
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class CrowdFootprint {
 public:
  static Result<std::unique_ptr<CrowdFootprint>> create(const CrowdCase& crowd_case) {
    std::unique_ptr<Crowd> crowd = SG_TRY(crowd_case.gather());
    std::unique_ptr<CrowdFootprint> footprint(new CrowdFootprint(std::move(crowd), crowd_case.processes));
    SG_TRY(footprint->crowd_->add_one());  // may it?
    SG_TRY(footprint->crowd_->disperse());
    return footprint;
  }

  bool run(Nanoseconds& spent) {
    wait_for_cleanup();
    if (!add(kProcessesBefore)) return false;
    const Footprint before = read_footprint();
    const auto start = Clock::now();
    if (!add(processes_)) return false;
    spent = Clock::now() - start;
    const Footprint after = read_footprint();
    if (!crowd_->is_well() || !crowd_->disperse()) return false;
    return note(before, after);
  }

  void report(benchmark::State& state) const {
    for (size_t i = 0; i < std::size(kParts); ++i)
      state.counters[kParts[i].counter] = median(per_process_[i]);
    state.counters["kernel_KiB"] = median(kernel_per_process_);
    state.counters["processes"] = static_cast<double>(processes_);
    state.counters["ns_per_process"] = ns_per(static_cast<double>(processes_));
  }

 private:
  CrowdFootprint(std::unique_ptr<Crowd> crowd, size_t processes)
      : crowd_(std::move(crowd)), processes_(processes) {}

  bool add(size_t processes) {
    for (size_t i = 0; i < processes; ++i) {
      if (!crowd_->add_one()) return false;
    }
    return true;
  }

  // The rest of the machine may give back more than the processes take, but hardly kernel stacks.
  bool note(const Footprint& before, const Footprint& after) {
    Footprint each{};
    for (size_t i = 0; i < each.size(); ++i) {
      each[i] = (after[i] - before[i]) / static_cast<double>(processes_);
      per_process_[i].push_back(each[i]);
    }
    kernel_per_process_.push_back(kernel_kib(each));
    return each[kStacks] > 0;
  }

  std::unique_ptr<Crowd> crowd_;
  size_t processes_;
  std::vector<double> per_process_[std::size(kParts)];
  std::vector<double> kernel_per_process_;
};

}  // namespace

void add_footprint(Suite& suite) {
  const auto add = [&suite](std::string_view backend, std::span<const CrowdCase> crowds) {
    for (const CrowdCase& crowd : crowds) {
      suite.add(
          fmt::format("footprint/{}/{}", backend, crowd.name),
          [&crowd] { return CrowdFootprint::create(crowd); }, benchmark::kMillisecond);
    }
  };
  add("raw", raw_crowds());
  add("linux", jailed_crowds());
}

}  // namespace sandglass::bench
