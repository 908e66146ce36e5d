// A golden file: a small program and the machine code it becomes.
//
//   // what this file claims
//   program text, as the assembler reads it
//
//   ---- none
//   machine code without gas metering, as native_text() writes it
//   ---- sync
//   …
//   ---- async
//   …
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/gas/cost_model.h"

namespace sandglass::codegen {

struct MeteringName {
  GasMetering gas;
  std::string_view name;
};
inline constexpr std::array<MeteringName, 3> kMeterings = {
    {{GasMetering::kNone, "none"}, {GasMetering::kSync, "sync"}, {GasMetering::kAsync, "async"}}};

struct GoldenFile {
  std::string program;
  std::array<std::string, kMeterings.size()> expected;  // in the order of kMeterings
};

// All golden files below `folder`, sorted by name.
std::vector<std::filesystem::path> find_golden_files(const std::filesystem::path& folder);

// A file without expectations gets empty ones, so that --update can fill a new file in.
GoldenFile read_golden_file(const std::filesystem::path& path);
void write_golden_file(const std::filesystem::path& path, const GoldenFile& file);

// What the program becomes now.
GoldenFile translate(const std::string& program);

}  // namespace sandglass::codegen
