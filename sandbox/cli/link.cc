// sandglass link: ELF executable for RISC-V → container.
#include "workloads/linker/linker.h"

#include "sandbox/cli/command.h"
#include "sandbox/cli/files.h"
#include "sandbox/cli/terminal.h"

namespace sandglass::cli {
namespace {

struct LinkArguments {
  std::string input;
  std::string output;
  linker::LinkOptions options;
  bool verbose = false;
};

void print_summary(const linker::LinkResult& result, size_t container_bytes) {
  const ProgramParts& parts = result.program->parts();
  for (const linker::LinkedSection& section : result.sections) {
    print("{:<20}{:<16} {:#010x}  {} bytes\n", printable_name(section.name), section.place, section.address,
          section.size_bytes);
  }
  print("code                {} bytes, {} instructions\n", parts.code.size(),
        result.program->count_instructions());
  print("jump table          {} entries\n", parts.jump_table.size());
  print("read-only data      {} bytes, {} of them given\n", parts.ro_data_bytes, parts.ro_data.size());
  print("read-write data     {} bytes, {} of them given\n", parts.rw_data_bytes, parts.rw_data.size());
  print("stack               {} bytes\n", parts.stack_bytes);
  print("imports, exports    {}, {}\n", parts.imports.size(), parts.exports.size());
  print("container           {} bytes\n", container_bytes);
}

int link_to_file(const LinkArguments& args) {
  const Result<std::string> bytes = read_file(args.input);
  if (!bytes) {
    print_error(fmt::format("{}: {}", args.input, to_string(bytes.error())));
    return kFailure;
  }
  const auto* data = reinterpret_cast<const uint8_t*>(bytes->data());
  const linker::LinkResult result = linker::link({data, bytes->size()}, args.options);
  for (const std::string& problem : result.problems) print_error(fmt::format("{}: {}", args.input, problem));
  if (!result) return kFailure;
  const std::vector<uint8_t> container = serialize(*result.program);
  if (const Status status = write_file(args.output, container); !status) {
    print_error(fmt::format("{}: {}", args.output, to_string(status.error())));
    return kFailure;
  }
  if (args.verbose) print_summary(result, container.size());
  return kSuccess;
}

}  // namespace

void add_link(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<LinkArguments>();
  CLI::App* command = app.add_subcommand("link", "Turn a RISC-V executable into a .polkavm container");
  command
      ->add_option(
          "FILE", args->input,
          "What ld.lld-19 --emit-relocs made with workloads/sdk/guest.ld; scripts/guest-build does it all")
      ->required();
  command->add_option("-o,--output", args->output, "Where the container goes")->required();
  command
      ->add_option("--min-stack-size", args->options.min_stack_bytes,
                   "Bytes of stack, unless the guest asks for more")
      ->capture_default_str();
  command->add_flag("--strip", args->options.strip, "Leave out the names of functions");
  command->add_flag("!--no-optimize", args->options.optimize, "Make one instruction of one, to read along");
  command->add_flag("--verbose", args->verbose, "Print sections and sizes");
  command->callback([args, &exit_code] { exit_code = link_to_file(*args); });
}

}  // namespace sandglass::cli
