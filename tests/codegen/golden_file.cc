#include "tests/codegen/golden_file.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "sandbox/compiler/module.h"
#include "sandbox/program/assembler.h"
#include "tests/codegen/native_text.h"

namespace sandglass::codegen {
namespace {

std::string header_of(size_t i) { return "---- " + std::string(kMeterings[i].name) + "\n"; }

std::string without_blank_end(std::string text) {
  text.erase(text.find_last_not_of('\n') + 1);
  return text + "\n";
}

}  // namespace

std::vector<std::filesystem::path> find_golden_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".pvm") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

GoldenFile read_golden_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  GoldenFile file;
  std::string* part = &file.program;
  std::istringstream lines(text.str());
  for (std::string line; std::getline(lines, line);) {
    line += '\n';
    const auto begins = [&](size_t i) { return line == header_of(i); };
    size_t metering = 0;
    while (metering < kMeterings.size() && !begins(metering)) ++metering;
    if (metering < kMeterings.size()) {
      part = &file.expected[metering];
    } else {
      *part += line;
    }
  }
  file.program = without_blank_end(file.program);
  return file;
}

void write_golden_file(const std::filesystem::path& path, const GoldenFile& file) {
  std::ofstream out(path);
  out << file.program << '\n';
  for (size_t i = 0; i < kMeterings.size(); ++i) out << header_of(i) << file.expected[i];
}

GoldenFile translate(const std::string& program) {
  GoldenFile file = {.program = program};
  const auto parsed = Program::from_parts(assemble(program).value()).value();
  for (size_t i = 0; i < kMeterings.size(); ++i) {
    file.expected[i] = native_text(*Module::create(parsed, {.gas = kMeterings[i].gas}).value());
  }
  return file;
}

}  // namespace sandglass::codegen
