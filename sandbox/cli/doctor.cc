// sandglass doctor: what this kernel allows to this user, and how to get what is missing.
#include <sys/utsname.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "sandbox/backend/linux/doctor/features.h"
#include "sandbox/cli/command.h"
#include "sandbox/cli/terminal.h"
#include "sandbox/sandglass.h"

namespace sandglass::cli {
namespace {

using Reports = std::vector<FeatureReport>;

struct Counts {
  size_t required = 0, required_missing = 0, optional_missing = 0;
};

Counts count(const Reports& reports) {
  Counts counts;
  for (const FeatureReport& report : reports) {
    const bool is_missing = report.state == FeatureReport::kMissing;
    if (report.is_required) ++counts.required;
    if (is_missing) ++(report.is_required ? counts.required_missing : counts.optional_missing);
  }
  return counts;
}

std::string kernel() {
  struct utsname name;
  if (::uname(&name) != 0) return "unknown";
  return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
}

std::string join_missing(const Reports& reports) {
  std::vector<std::string_view> names;
  for (const FeatureReport& report : reports) {
    if (report.is_required && report.state == FeatureReport::kMissing) names.push_back(report.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string verdict(const Reports& reports) {
  const Counts counts = count(reports);
  if (counts.required_missing != 0) {
    return fmt::format("not ready: {} of {} required features missing: {}", counts.required_missing,
                       counts.required, join_missing(reports));
  }
  return fmt::format("ready: all {} required features work; optional ones missing: {}", counts.required,
                     counts.optional_missing);
}

struct Marks {
  std::string_view ok, missing_required, missing_optional;
};
constexpr Marks kPlainMarks = {"ok       ", "MISSING  ", "optional "};
constexpr Marks kTerminalMarks = {"\x1b[32m✓\x1b[0m ok       ", "\x1b[31m✗\x1b[0m MISSING  ",
                                  "\x1b[33m–\x1b[0m optional "};

bool wants_plain_text() {
  const char* no_color = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 0 || (no_color != nullptr && *no_color != '\0');
}

std::string_view mark_of(const FeatureReport& report, const Marks& marks) {
  if (report.state == FeatureReport::kOk) return marks.ok;
  return report.is_required ? marks.missing_required : marks.missing_optional;
}

void print_feature(const FeatureReport& report, const Marks& marks) {
  const bool is_missing = report.state == FeatureReport::kMissing;
  print("  {}{:<22} {}", mark_of(report, marks), report.name, report.purpose);
  if (!is_missing && !report.detail.empty()) print(" ({})", report.detail);
  print("\n");
  if (!is_missing) return;
  print("      refused: {}\n", printable_name(report.detail));
  print("      fix:     {}\n", report.fix);
}

void print_table(const Reports& reports) {
  const Marks& marks = wants_plain_text() ? kPlainMarks : kTerminalMarks;
  print("kernel  {}\nuser    {}, group {}\n", kernel(), ::geteuid(), ::getegid());
  std::string_view layer;
  for (const FeatureReport& report : reports) {
    if (report.layer != layer) print("\n{}\n", report.layer);
    layer = report.layer;
    print_feature(report, marks);
  }
  print("\n{}\n", verdict(reports));
}

void print_json(const Reports& reports) {
  nlohmann::ordered_json features = nlohmann::json::array();
  for (const FeatureReport& report : reports) {
    features.push_back({{"name", report.name},
                        {"layer", report.layer},
                        {"required", report.is_required},
                        {"ok", report.state == FeatureReport::kOk},
                        {"detail", printable_name(report.detail)},
                        {"purpose", report.purpose},
                        {"fix", printable_name(report.fix)}});
  }
  const nlohmann::ordered_json document = {
      {"kernel", kernel()},          {"uid", ::geteuid()},
      {"gid", ::getegid()},          {"ready", count(reports).required_missing == 0},
      {"verdict", verdict(reports)}, {"features", features}};
  print("{}\n", document.dump(2));
}

// One instruction in a jailed worker, to the end.
Result<Interrupt> run_a_guest() {
  const std::shared_ptr<const Program> program =
      SG_TRY(Program::from_parts(SG_TRY(assemble("pub @main:\n ret"))));
  const std::unique_ptr<Sandbox> guest =
      SG_TRY(Sandbox::create(SG_TRY(Module::create(program, {.backend = Backend::kLinux}))));
  SG_TRY(guest->prepare_call("main"));
  return guest->run({.deadline = std::chrono::seconds(10)});
}

// All parts being there, does the whole work?
FeatureReport try_everything() {
  FeatureReport report = {.name = "a guest in a worker",
                          .layer = "all of it",
                          .is_required = true,
                          .purpose = "the default configuration runs a guest from its start to its end"};
  const Result<Interrupt> stop = run_a_guest();
  if (stop && stop->kind == InterruptKind::kFinished) {
    report.state = FeatureReport::kOk;
    return report;
  }
  report.detail = stop ? std::string("the guest stopped: ") + name_of(stop->kind) : to_string(stop.error());
  report.fix = "every part works by itself: please report this line together with the kernel's version";
  return report;
}

int examine(bool as_json) {
  Reports reports = probe_features();
  if (count(reports).required_missing == 0) reports.push_back(try_everything());
  as_json ? print_json(reports) : print_table(reports);
  return count(reports).required_missing == 0 ? kSuccess : kFailure;
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand(
      "doctor", "Try what process isolation needs of this kernel; say what is missing and how to get it");
  command->add_flag("--json", *as_json, "Print the findings as JSON");
  command->callback([as_json, &exit_code] { exit_code = examine(*as_json); });
}

}  // namespace sandglass::cli
