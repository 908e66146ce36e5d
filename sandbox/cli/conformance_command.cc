// sandglass conformance: the public PVM test vectors against the backends.
#include "sandbox/cli/command.h"
#include "sandbox/cli/conformance.h"
#include "sandbox/cli/terminal.h"

namespace sandglass::cli {
namespace {

struct ConformanceArguments {
  std::string folder;
  std::vector<std::string> backends;  // none named: all
};

std::vector<Backend> chosen_backends(const ConformanceArguments& args) {
  std::vector<Backend> backends;
  for (const std::string& name : args.backends) backends.push_back(*backend_named(name));
  if (backends.empty()) backends.assign(std::begin(kAllBackends), std::end(kAllBackends));
  return backends;
}

void print_line(const std::string& line) {
  print("{}\n", printable(line));
  std::fflush(stdout);
}

int run_folder(const ConformanceArguments& args) {
  const auto vectors = read_test_vectors(args.folder);
  if (const auto* error = std::get_if<VectorError>(&vectors)) {
    print_error(error->text);
    return kFailure;
  }
  const ConformanceResult result =
      run_conformance(std::get<std::vector<TestVector>>(vectors), chosen_backends(args), print_line);
  print("{} passed, {} failed\n", result.passed, result.failed);
  return result.failed == 0 ? kSuccess : kFailure;
}

}  // namespace

void add_conformance(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<ConformanceArguments>();
  CLI::App* command =
      app.add_subcommand("conformance", "Run the public PVM test vectors (a folder of JSON files)");
  command->add_option("DIR", args->folder, "The folder")->required();
  command->add_option("--backend", args->backends, "Only this backend; may be repeated")
      ->check(CLI::Validator(
          [](const std::string& name) { return backend_named(name) ? "" : "'" + name + "' is no backend"; },
          "NAME"))
      ->allow_extra_args(false);
  command->callback([args, &exit_code] { exit_code = run_folder(*args); });
}

}  // namespace sandglass::cli
