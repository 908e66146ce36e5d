// sandglass disassemble: program → text that `sandglass assemble` turns back into the same program.
#include "sandbox/program/disassembler.h"

#include "sandbox/cli/command.h"
#include "sandbox/cli/files.h"
#include "sandbox/cli/terminal.h"

namespace sandglass::cli {
namespace {

struct DisassembleArguments {
  std::string file;
  DisassemblerOptions options;
};

int disassemble_file(const DisassembleArguments& args) {
  const LoadedProgram loaded = load_program(args.file);
  if (!loaded) {
    print_error(loaded.error);
    return kFailure;
  }
  print("{}", printable(disassemble(*loaded.program, args.options)));
  return kSuccess;
}

}  // namespace

void add_disassemble(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<DisassembleArguments>();
  CLI::App* command = app.add_subcommand("disassemble", "Print a program as assembly text");
  command->add_option("FILE", args->file, "A .polkavm container or assembly text")->required();
  command->add_flag("--offsets", args->options.show_offsets,
                    "Print the code offset behind every instruction");
  command->add_flag("--raw-bytes", args->options.show_raw_bytes, "Print the bytes behind every instruction");
  command->callback([args, &exit_code] { exit_code = disassemble_file(*args); });
}

}  // namespace sandglass::cli
