// sandglass assemble: text → container.
#include "sandbox/cli/command.h"
#include "sandbox/cli/files.h"
#include "sandbox/cli/terminal.h"

namespace sandglass::cli {
namespace {

struct AssembleArguments {
  std::string input;
  std::string output;
  std::string set = std::string(name_of(InstructionSet::kLatest64));
};

std::vector<std::string> set_names() {
  std::vector<std::string> names;
  for (size_t i = 0; i < kInstructionSetCount; ++i)
    names.emplace_back(name_of(static_cast<InstructionSet>(i)));
  return names;
}

int assemble_to_file(const AssembleArguments& args) {
  const LoadedProgram loaded = load_program(args.input, *instruction_set_named(args.set));
  if (!loaded) {
    print_error(loaded.error);
    return kFailure;
  }
  if (const Status status = write_file(args.output, serialize(*loaded.program)); !status) {
    print_error(fmt::format("{}: {}", args.output, to_string(status.error())));
    return kFailure;
  }
  return kSuccess;
}

}  // namespace

void add_assemble(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<AssembleArguments>();
  CLI::App* command = app.add_subcommand("assemble", "Turn assembly text into a .polkavm container");
  command->add_option("FILE", args->input, "Assembly text")->required();
  command->add_option("-o,--output", args->output, "Where the container goes")->required();
  command->add_option("--isa", args->set, "The instruction set of text without an %isa line")
      ->check(CLI::IsMember(set_names()))
      ->capture_default_str();
  command->callback([args, &exit_code] { exit_code = assemble_to_file(*args); });
}

}  // namespace sandglass::cli
