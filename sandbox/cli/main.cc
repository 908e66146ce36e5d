// sandglass: runs untrusted programs, and looks at them.
#include <cstdio>

#include "sandbox/cli/command.h"

namespace sandglass::cli {
namespace {

constexpr void (*kCommands[])(CLI::App&, int&) = {
    add_run, add_assemble, add_disassemble, add_link, add_inspect, add_conformance, add_doctor,
};

constexpr const char* kFooter =
    "Exit status: 0 success; 1 bad input or a refused system call; 64 wrong usage.\n"
    "run also: 2 the guest trapped; 3 out of gas; 4 deadline exceeded; 5 a host call was refused.\n"
    "doctor also: 1 when a required feature is missing.\n"
    "A FILE is a .polkavm container or assembly text; `sandglass COMMAND --help` says more.";

int run_command_line(int argc, char** argv) {
  CLI::App app("Runs untrusted PVM programs in a sandbox.", "sandglass");
  app.footer(kFooter);
  int exit_code = kSuccess;
  for (const auto add : kCommands) add(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kSuccess : kUsageError;
  }
  if (app.get_subcommands().empty()) {
    std::fprintf(stderr, "%s", app.help().c_str());
    return kUsageError;
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::perror("sandglass: write to standard output");
    return kFailure;
  }
  return exit_code;
}

}  // namespace
}  // namespace sandglass::cli

int main(int argc, char** argv) { return sandglass::cli::run_command_line(argc, argv); }
