#include "tests/spec/spec_file.h"

#include <algorithm>
#include <fstream>
#include <utility>

namespace sandglass::spec {
namespace {

// "a2 = t0 = 12" gives two items.
bool add_items(std::string_view text, Items& items) {
  for (const std::string& piece : split(text, ",")) {
    const std::vector<std::string> parts = split(piece, "=");
    if (parts.size() < 2) return false;
    for (size_t i = 0; i + 1 < parts.size(); ++i) items.push_back({parts[i], parts.back()});
  }
  return true;
}

// "set => expect => set => expect": either side may be empty.
bool add_runs(std::string_view text, std::vector<Run>& runs) {
  for (;;) {
    const size_t arrow = text.find("=>");
    if (arrow == std::string_view::npos) return false;
    const size_t end = std::min(text.find("=>", arrow + 2), text.size());
    Run& run = runs.emplace_back();
    if (!add_items(text.substr(0, arrow), run.set)) return false;
    if (!add_items(text.substr(arrow + 2, end - arrow - 2), run.expect)) return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 2);
  }
}

class Reader {
 public:
  explicit Reader(SpecFile& file) : file_(file) {}

  // False when the line looks like a header line and is none.
  bool read_line(std::string_view line, int number) {
    if (const auto text = after("pre:", line)) return add_items(*text, file_.pre);
    if (const auto text = after("post:", line)) return add_items(*text, file_.post);
    if (const auto text = after("case:", line)) return add_case(*text, number, std::nullopt);
    if (const auto text = after("case 64:", line)) return add_case(*text, number, true);
    if (const auto text = after("case 32:", line)) return add_case(*text, number, false);
    if (const auto text = after("then:", line)) {
      return !file_.cases.empty() && add_runs(*text, file_.cases.back().runs);
    }
    if (const auto text = after("and:", line)) {
      return !file_.cases.empty() && add_items(*text, file_.cases.back().runs.back().expect);
    }
    if (const auto text = after("code:", line)) return file_.code += " " + std::string(*text), true;
    if (const auto text = after("jump_table:", line)) return file_.jump_table += *text, true;
    file_.assembly += line;
    return true;
  }

  void finish() {
    if (file_.cases.empty()) file_.cases.push_back({.runs = {Run{}}});
    for (Case& one : file_.cases) {
      Items& first = one.runs.front().set;
      Items& last = one.runs.back().expect;
      first.insert(first.begin(), file_.pre.begin(), file_.pre.end());
      last.insert(last.begin(), file_.post.begin(), file_.post.end());
    }
  }

 private:
  static std::optional<std::string_view> after(std::string_view prefix, std::string_view line) {
    if (!line.starts_with(prefix)) return std::nullopt;
    return trim(line.substr(prefix.size()));
  }

  bool add_case(std::string_view text, int line, std::optional<bool> only_64_bit) {
    Case& one = file_.cases.emplace_back();
    one.line = line;
    one.only_64_bit = only_64_bit;
    return add_runs(text, one.runs);
  }

  SpecFile& file_;
};

}  // namespace

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (const std::string_view part = trim(text.substr(0, end)); !part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(end + separator.size(), text.size()));
  }
  return parts;
}

std::vector<std::filesystem::path> find_spec_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  if (!std::filesystem::is_directory(folder)) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".pvm") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

SpecFile read_spec_file(const std::filesystem::path& path, std::string& error) {
  SpecFile file;
  file.path = path;
  Reader reader(file);
  std::ifstream input(path);
  int number = 0;
  for (std::string line; std::getline(input, line); file.assembly += "\n") {
    if (!reader.read_line(line, ++number)) {
      error = path.string() + ":" + std::to_string(number) + ": not a header line: " + line;
      return file;
    }
  }
  if (number == 0) error = path.string() + ": cannot be read, or is empty";
  reader.finish();
  return file;
}

}  // namespace sandglass::spec
