// sandglass inspect: what is in a program, in numbers and names.
#include "sandbox/cli/command.h"
#include "sandbox/cli/files.h"
#include "sandbox/cli/terminal.h"
#include "sandbox/program/blob_format.h"
#include "sandbox/program/function_names.h"
#include "sandbox/program/memory_map.h"

namespace sandglass::cli {
namespace {

size_t count_instructions(const Program& program) {
  size_t count = 0;
  for (const uint8_t byte : program.parts().bitmask) count += static_cast<size_t>(std::popcount(byte));
  return count;
}

void print_sizes(const Program& program) {
  const ProgramParts& parts = program.parts();
  print("instruction set   {}\n", name_of(parts.instruction_set));
  print("code              {} bytes, {} instructions\n", parts.code.size(), count_instructions(program));
  print("jump table        {} entries\n", parts.jump_table.size());
  print("read-only data    {} bytes, {} of them given\n", parts.ro_data_bytes, parts.ro_data.size());
  print("read-write data   {} bytes, {} of them given\n", parts.rw_data_bytes, parts.rw_data.size());
  print("stack             {} bytes\n", parts.stack_bytes);
}

void print_range(const char* name, const GuestRange& range) {
  if (range.empty()) return;
  print("  {:<16}{:#010x} … {:#010x}\n", name, range.begin, range.end);
}

void print_memory_map(const Program& program) {
  const ProgramParts& parts = program.parts();
  const auto map = MemoryMap::create(kMinPageBytes, {.ro_data_bytes = parts.ro_data_bytes,
                                                     .rw_data_bytes = parts.rw_data_bytes,
                                                     .stack_bytes = parts.stack_bytes});
  if (!map) return print("memory            {}\n", to_string(map.error()));
  print("memory\n");
  print_range("read-only data", map->ro_data());
  print_range("read-write data", map->rw_data());
  print("  {:<16}{:#010x}, grows to {:#010x} at most\n", "heap", map->heap_base(), map->max_heap_end());
  print_range("stack", map->stack());
}

void print_names(const Program& program) {
  const ProgramParts& parts = program.parts();
  print("imports           {}\n", parts.imports.size());
  for (size_t i = 0; i < parts.imports.size(); ++i) {
    print("  {:<16}{}\n", i, parts.imports[i] ? printable_name(*parts.imports[i]) : "(names nothing)");
  }
  print("exports           {}\n", parts.exports.size());
  for (const Export& entry : parts.exports) print("  {:<#16x}{}\n", entry.pc, printable_name(entry.name));
  for (const DebugSection& section : parts.debug_sections) {
    if (section.id == blob_format::kFunctionNames) continue;
    print("section {}       {} bytes, not interpreted\n", section.id, section.payload.size());
  }
  if (const size_t count = FunctionNames::of(program).size(); count > 0)
    print("function names    {}\n", count);
}

int inspect(const std::string& file) {
  const LoadedProgram loaded = load_program(file);
  if (!loaded) {
    print_error(loaded.error);
    return kFailure;
  }
  print_sizes(*loaded.program);
  print_memory_map(*loaded.program);
  print_names(*loaded.program);
  const Status valid = loaded.program->validate_code();
  if (!valid) print("not runnable      {}\n", to_string(valid.error()));
  return kSuccess;
}

}  // namespace

void add_inspect(CLI::App& app, int& exit_code) {
  auto file = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("inspect", "Print sizes, memory layout, imports and exports of a program");
  command->add_option("FILE", *file, "A .polkavm container or assembly text")->required();
  command->callback([file, &exit_code] { exit_code = inspect(*file); });
}

}  // namespace sandglass::cli
