// Files of the command line: guest programs in, anything out.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "sandbox/program/program.h"

namespace sandglass::cli {

// A whole file, at most 1 GiB. Fails with kOs or kExhausted.
Result<std::string> read_file(const std::string& path);
// Replaces the file. Fails with kOs.
Status write_file(const std::string& path, std::span<const uint8_t> bytes);

// A program, or why there is none, as it goes to the terminal ("path:12: …").
struct LoadedProgram {
  std::shared_ptr<const Program> program;
  std::string error;
  explicit operator bool() const { return program != nullptr; }
};

// A container when the file begins with its magic number or is called *.polkavm, otherwise assembly text.
// Text without an %isa line is of `default_set`.
LoadedProgram load_program(const std::string& path, InstructionSet default_set = InstructionSet::kLatest64);

}  // namespace sandglass::cli
