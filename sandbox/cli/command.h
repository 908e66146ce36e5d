// The commands of the `sandglass` program, one file each. main.cc lists them.
#pragma once

#include <CLI/CLI.hpp>

namespace sandglass::cli {

// Exit statuses; `sandglass --help` prints them.
enum ExitCode : int {
  kSuccess = 0,  // for `run`: the guest finished
  kFailure = 1,  // a file, a program or a test vector is bad, or the system refused something (for `doctor`:
                 // a required feature)
  kGuestTrapped = 2,
  kGuestOutOfGas = 3,
  kGuestDeadline = 4,
  kGuestRefused = 5,  // it made a host call that nobody serves, or with arguments nobody accepts
  kUsageError = 64,
};

// Each adds its subcommand to `app`. When the user chose it, parsing ends by running it, which leaves the
// exit status in `exit_code`. Both must outlive the parsing.
void add_run(CLI::App& app, int& exit_code);
void add_assemble(CLI::App& app, int& exit_code);
void add_disassemble(CLI::App& app, int& exit_code);
void add_inspect(CLI::App& app, int& exit_code);
void add_link(CLI::App& app, int& exit_code);
void add_conformance(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);

}  // namespace sandglass::cli
