#include "bench/options.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace sandglass::bench {
namespace {

Error refuse(const char* what, std::string_view text) {
  return Error::make(ErrorKind::kInvalidArgument, what, Error::kNowhere, text);
}

template <typename Number>
Result<Number> parse_number(std::string_view text, const char* what) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return refuse(what, text);
  return number;
}

Result<bool> parse_switch(std::string_view text) {
  if (text.empty() || text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return refuse("a switch is true or false", text);
}

Result<std::string> parse_format(std::string_view text) {
  if (text == "console" || text == "json" || text == "csv") return std::string(text);
  return refuse("a format is console, json or csv", text);
}

// Google Benchmark 1.7.1 knows plain seconds only: "0.01s" and "10x" are what its later versions accept.
Status set_min_time(Options& options, std::string_view text) {
  constexpr const char* kWanted = "--min-time wants seconds (0.5, 0.5s) or a count (10x)";
  if (text.ends_with('x')) {
    options.iterations = SG_TRY(parse_number<int64_t>(text.substr(0, text.size() - 1), kWanted));
    options.min_seconds.clear();
    return options.iterations > 0 ? Status() : refuse(kWanted, text);
  }
  const std::string_view number = text.ends_with('s') ? text.substr(0, text.size() - 1) : text;
  const double seconds = SG_TRY(parse_number<double>(number, kWanted));
  if (!std::isfinite(seconds) || seconds < 0) return refuse(kWanted, text);
  options.min_seconds = number;
  options.iterations = 0;
  return {};
}

Status set_repetitions(Options& options, std::string_view text) {
  constexpr const char* kWanted = "--repetitions wants a count from 1";
  if (SG_TRY(parse_number<int32_t>(text, kWanted)) < 1) return refuse(kWanted, text);
  options.passed_on.push_back(fmt::format("--benchmark_repetitions={}", text));
  return {};
}

Status set_dry_run(Options& options, std::string_view text) {
  if (SG_TRY(parse_switch(text))) options.iterations = 1;
  return {};
}

Status set_seed(Options& options, std::string_view text) {
  options.seed = SG_TRY(parse_number<uint64_t>(text, "--sandglass_seed wants a number from 0"));
  return {};
}

struct Flag {
  std::string_view name;
  std::string_view long_name;  // Google Benchmark's spelling
  std::string_view value;      // empty: a switch
  std::string_view help;
  Status (*set)(Options&, std::string_view);
};

constexpr Flag kFlags[] = {
    {"--filter", "--benchmark_filter", "EXPRESSION",
     "run what matches this extended regular expression; -EXPRESSION: what does not",
     [](Options& options, std::string_view text) {
       options.filter = text;
       return Status();
     }},
    {"--list", "--benchmark_list_tests", "", "print the names and exit",
     [](Options& options, std::string_view text) -> Status {
       options.list = SG_TRY(parse_switch(text));
       return {};
     }},
    {"--out", "--benchmark_out", "FILE", "write the results there, once they are complete",
     [](Options& options, std::string_view text) {
       options.out = text;
       return Status();
     }},
    {"--out-format", "--benchmark_out_format", "FORMAT", "of --out: json (default), csv or console",
     [](Options& options, std::string_view text) -> Status {
       options.out_format = SG_TRY(parse_format(text));
       return {};
     }},
    {"--format", "--benchmark_format", "FORMAT", "of standard output: console (default), json or csv",
     [](Options& options, std::string_view text) -> Status {
       options.format = SG_TRY(parse_format(text));
       return {};
     }},
    {"--repetitions", "--benchmark_repetitions", "N", "run every benchmark N times in this process",
     set_repetitions},
    {"--min-time", "--benchmark_min_time", "TIME",
     "run for at least 0.5s (seconds), or exactly 10x (iterations); default 0.5s", set_min_time},
    {"--dry-run", "--benchmark_dry_run", "", "one iteration of everything: does it run, and rightly?",
     set_dry_run},
    {"--sandglass_seed", "", "N", "seed of generated programs and of the order; default 1", set_seed},
    {"--sandglass_shuffle", "", "", "run in an order drawn from the seed",
     [](Options& options, std::string_view text) -> Status {
       options.shuffle = SG_TRY(parse_switch(text));
       return {};
     }},
    {"--help", "-h", "", "print this and exit",
     [](Options& options, std::string_view) {
       options.help = true;
       return Status();
     }},
};

const Flag* find_flag(std::string_view name) {
  for (const Flag& flag : kFlags) {
    if (name == flag.name || (name == flag.long_name && !name.empty())) return &flag;
  }
  return nullptr;
}

}  // namespace

Result<Options> parse_options(std::span<const char* const> arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const Flag* flag = find_flag(name);
    if (flag == nullptr) {
      if (!name.starts_with("--benchmark_")) return refuse("unknown argument", argument);
      options.passed_on.emplace_back(argument);
      continue;
    }
    const bool has_value = equals != std::string_view::npos;
    const bool takes_next = !has_value && !flag->value.empty();
    if (takes_next && i + 1 == arguments.size()) return refuse("a value is missing behind", argument);
    SG_TRY(flag->set(options, has_value    ? argument.substr(equals + 1)
                              : takes_next ? std::string_view(arguments[++i])
                                           : std::string_view()));
  }
  return options;
}

std::string help_text() {
  std::string text =
      "bench_sandbox: the benchmarks of Sandglass. Names are paths: question/backend/variant[/size].\n\n";
  for (const Flag& flag : kFlags) {
    const std::string spelling =
        flag.value.empty() ? std::string(flag.name) : fmt::format("{}={}", flag.name, flag.value);
    text += fmt::format("  {:<24} {}\n", spelling, flag.help);
  }
  return text +
         "\nEvery answer is verified before it is timed. Other --benchmark_* flags go to Google Benchmark.\n"
         "Exit status: 0 ok, 1 failed (also a wrong answer), 4 nothing matched, 64 usage.\n";
}

}  // namespace sandglass::bench
