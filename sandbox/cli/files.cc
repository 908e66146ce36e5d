#include "sandbox/cli/files.h"

#include <fmt/format.h>

#include <cstdio>

#include "sandbox/program/assembler.h"

namespace sandglass::cli {
namespace {

constexpr std::string_view kMagic("PVM\0", 4);

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

std::string describe_text_error(const std::string& path, const Error& error) {
  std::string text = path;
  if (error.where != Error::kNowhere) text += fmt::format(":{}", error.where);
  text += fmt::format(": {}", error.what);
  if (error.detail[0] != '\0') text += fmt::format(": {}", error.detail);
  return text;
}

LoadedProgram from_text(const std::string& path, std::string_view text, InstructionSet default_set) {
  Result<ProgramParts> parts = assemble(text, {.default_set = default_set});
  if (!parts) return {.error = describe_text_error(path, parts.error())};
  auto program = Program::from_parts(std::move(*parts));
  if (!program) return {.error = fmt::format("{}: {}", path, to_string(program.error()))};
  return {.program = *program};
}

LoadedProgram from_container(const std::string& path, std::string_view bytes) {
  auto program = Program::parse({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  if (!program) return {.error = fmt::format("{}: {}", path, to_string(program.error()))};
  return {.program = *program};
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) return Error::os("open the file");
  std::string bytes;
  char chunk[1 << 16];
  while (const size_t count = std::fread(chunk, 1, sizeof chunk, file.get())) {
    bytes.append(chunk, count);
    if (bytes.size() > kMaxBlobBytes)
      return Error::make(ErrorKind::kExhausted, "the file is larger than 1 GiB");
  }
  if (std::ferror(file.get()) != 0) return Error::os("read the file");
  return bytes;
}

Status write_file(const std::string& path, std::span<const uint8_t> bytes) {
  File file(std::fopen(path.c_str(), "wb"));
  if (!file) return Error::os("create the file");
  if (std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size())
    return Error::os("write the file");
  if (std::fclose(file.release()) != 0) return Error::os("write the file");
  return {};
}

LoadedProgram load_program(const std::string& path, InstructionSet default_set) {
  const Result<std::string> bytes = read_file(path);
  if (!bytes) return {.error = fmt::format("{}: {}", path, to_string(bytes.error()))};
  if (bytes->starts_with(kMagic) || path.ends_with(".polkavm")) return from_container(path, *bytes);
  return from_text(path, *bytes, default_set);
}

}  // namespace sandglass::cli
