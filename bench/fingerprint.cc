#include "bench/fingerprint.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "bench/commit.h"
#include "bench/text_file.h"
#include "sandbox/backend/linux/jail.h"

namespace sandglass::bench {
namespace {

// One line of printable ASCII: Google Benchmark escapes quotes but not every control character.
std::string cleaned(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
  return text.empty() ? "unknown" : text;
}

std::string kernel() {
  utsname name{};
  uname(&name);
  return fmt::format("{} {} {}", name.sysname, name.release, name.version);
}

// The value of the first line `key : value`, which is what /proc/cpuinfo and /proc/meminfo consist of.
std::string value_in(const char* path, std::string_view key) {
  const std::string text = "\n" + read_text_file(path);
  const size_t line = text.find(fmt::format("\n{}", key));
  if (line == std::string::npos) return "";
  const size_t colon = text.find(':', line);
  const size_t begin = text.find_first_not_of(" \t", colon + 1);
  if (colon == std::string::npos || begin == std::string::npos) return "";
  return text.substr(begin, text.find('\n', begin) - begin);
}

std::string hypervisor() {
  const std::string flags = " " + value_in("/proc/cpuinfo", "flags") + " ";
  if (flags.find(" hypervisor ") == std::string::npos) return "none";
  std::string product = read_text_file("/sys/class/dmi/id/product_name");
  return product.empty() ? "yes, without a name" : product;
}

// "meltdown: Not affected; spectre_v1: Mitigation: …"; those that do not affect this CPU are only counted.
std::string mitigations() {
  std::vector<std::string> lines;
  size_t unaffected = 0;
  std::error_code error;
  for (const auto& file :
       std::filesystem::directory_iterator("/sys/devices/system/cpu/vulnerabilities", error)) {
    const std::string state = cleaned(read_text_file(file.path().c_str()));
    if (state == "Not affected") {
      ++unaffected;
    } else {
      lines.push_back(file.path().filename().string() + ": " + state);
    }
  }
  if (error) return "";
  std::sort(lines.begin(), lines.end());
  lines.push_back(fmt::format("{} not affected", unaffected));
  return fmt::format("{}", fmt::join(lines, "; "));
}

// Version 2 first; the path of our group is where /proc/self/cgroup says, which a container may hide.
std::string cgroup_limit(const char* unified, const char* version_1) {
  std::string group = value_in("/proc/self/cgroup", "0:");
  if (!group.empty() && group[0] == ':') group.erase(0, 1);
  std::string text = read_text_file(fmt::format("/sys/fs/cgroup{}/{}", group, unified).c_str());
  if (text.empty()) text = read_text_file(fmt::format("/sys/fs/cgroup/{}", unified).c_str());
  if (text.empty()) text = read_text_file(fmt::format("/sys/fs/cgroup/{}", version_1).c_str());
  return text.empty() ? "none found" : text;
}

std::string binary_sha256() {
  // Through /proc there is no path to quote.
  FILE* pipe = popen(fmt::format("sha256sum 2>/dev/null </proc/{}/exe", getpid()).c_str(), "r");
  if (pipe == nullptr) return "";
  char digest[65] = {};
  const size_t count = fread(digest, 1, 64, pipe);
  return pclose(pipe) == 0 && count == 64 ? digest : "";
}

// Of the Linux backend; the others run in this process.
std::string isolation() {
  const Result<std::unique_ptr<Jail>> jail = Jail::launch({});
  if (!jail) return "none: " + to_string(jail.error());
  std::vector<std::string_view> missing;
  size_t steps = 0;
  for (const Jail::StepTime& step : (*jail)->step_times()) {
    steps += step.is_asked_for;
    if (step.is_left_out) missing.push_back(step.what);
  }
  if (missing.empty()) return fmt::format("linux: all {} steps of the jail", steps);
  return fmt::format("linux: all steps of the jail but: {}", fmt::join(missing, "; "));
}

std::string file_text(const char* path) { return read_text_file(path); }

struct Question {
  const char* key;
  std::string (*answer)();
};

constexpr Question kQuestions[] = {
    {"build_commit", [] { return std::string(kCommit); }},
    {"build_is_dirty", [] { return std::string(kIsDirty ? "yes" : "no"); }},
    {"build_type", [] { return std::string(SANDGLASS_BUILD_TYPE); }},
    {"build_compiler", [] { return std::string(SANDGLASS_COMPILER); }},
    {"build_flags", [] { return std::string(SANDGLASS_FLAGS); }},
    {"build_sha256", binary_sha256},
    {"host_kernel", kernel},
    {"host_kernel_command_line", [] { return file_text("/proc/cmdline"); }},
    {"host_cpu", [] { return value_in("/proc/cpuinfo", "model name"); }},
    {"host_cpu_microcode", [] { return value_in("/proc/cpuinfo", "microcode"); }},
    {"host_governor", [] { return file_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"); }},
    {"host_clocksource",
     [] { return file_text("/sys/devices/system/clocksource/clocksource0/current_clocksource"); }},
    {"host_huge_pages", [] { return file_text("/sys/kernel/mm/transparent_hugepage/enabled"); }},
    {"host_aslr", [] { return file_text("/proc/sys/kernel/randomize_va_space"); }},
    {"host_mitigations", mitigations},
    {"host_hypervisor", hypervisor},
    {"host_memory", [] { return value_in("/proc/meminfo", "MemTotal"); }},
    {"host_cgroup_cpu", [] { return cgroup_limit("cpu.max", "cpu/cpu.cfs_quota_us"); }},
    {"host_cgroup_memory", [] { return cgroup_limit("memory.max", "memory/memory.limit_in_bytes"); }},
    {"host_perf_event_paranoid", [] { return file_text("/proc/sys/kernel/perf_event_paranoid"); }},
    {"run_allowed_cpus", [] { return value_in("/proc/self/status", "Cpus_allowed_list"); }},
    {"run_seccomp_mode", [] { return value_in("/proc/self/status", "Seccomp"); }},
    {"run_load", [] { return file_text("/proc/loadavg"); }},
    {"run_isolation", isolation},
};

}  // namespace

std::vector<Fact> fingerprint(const Options& options) {
  std::vector<Fact> facts;
  for (const Question& question : kQuestions) facts.push_back({question.key, cleaned(question.answer())});
  facts.push_back({"run_seed", std::to_string(options.seed)});
  facts.push_back({"run_order", options.shuffle ? "shuffled by the seed" : "as listed"});
  return facts;
}

std::string headline() {
  return fmt::format("Sandglass {}{}, {}; {}; load {}", std::string_view(kCommit).substr(0, 12),
                     kIsDirty ? " with changes" : "", SANDGLASS_BUILD_TYPE,
                     cleaned(value_in("/proc/cpuinfo", "model name")), cleaned(file_text("/proc/loadavg")));
}

}  // namespace sandglass::bench
