#include "sandbox/program/disassembler.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>

#include "sandbox/program/assembly_syntax.h"
#include "sandbox/program/code_outline.h"
#include "sandbox/program/instruction_text.h"

namespace sandglass {
namespace {

constexpr size_t kDataBytesPerLine = 32;
constexpr size_t kTableEntriesPerLine = 8;
constexpr size_t kCommentColumn = 48;

// Such a name can be a label. Labels that we invent begin with a dot, which no such name does.
bool is_plain_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_plain = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '$';
  };
  return !name.empty() && is_letter(name[0]) && std::all_of(name.begin(), name.end(), is_plain);
}

void append_hex(std::string& out, std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const uint8_t byte : bytes) {
    out += ' ';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

class Disassembler {
 public:
  Disassembler(const Program& program, const DisassemblerOptions& options)
      : program_(program), parts_(program.parts()), options_(options), outline_(program) {}

  std::string run() {
    choose_pub_labels();
    name_imports();
    header();
    exports();
    jump_table();
    code();
    debug_sections();
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  void choose_pub_labels();
  void name_imports();
  void header();
  void size(std::string_view name, uint32_t bytes);
  void data(std::string_view name, std::span<const uint8_t> bytes);
  void data_lines(std::string_view name, std::span<const uint8_t> bytes);
  void exports();
  void jump_table();
  void code();
  void label(uint32_t pc);
  void instruction(const Instruction& in);
  void raw(const Instruction& in, std::string_view meaning);
  void comment(size_t line_begin, const Instruction& in, std::string_view meaning);
  void gap(uint32_t begin, uint32_t end);
  void debug_sections();
  std::string label_name(uint32_t pc) const;
  std::string_view import_text(const Instruction& in) const;
  std::span<const uint8_t> code_between(uint32_t begin, uint32_t end) const {
    return {program_.code() + begin, end - begin};
  }

  const Program& program_;
  const ProgramParts& parts_;
  const DisassemblerOptions& options_;
  CodeOutline outline_;
  size_t pub_count_ = 0;  // so many exports, from the first on, are pub labels
  std::multimap<uint32_t, std::string_view> pub_labels_;  // code offset → names
  std::vector<std::string> import_texts_;  // quoted; empty where only the number is unambiguous
  std::string out_;
};

// The assembler writes pub labels first and in the order of their names. Exports that come in another order,
// or that no label can name, need a directive.
void Disassembler::choose_pub_labels() {
  std::string_view previous;
  for (const Export& entry : parts_.exports) {
    const bool can_be_label = is_plain_name(entry.name) && entry.name > previous;
    if (!can_be_label || !program_.is_instruction_start(entry.pc)) return;
    pub_labels_.emplace(entry.pc, entry.name);
    previous = entry.name;
    ++pub_count_;
  }
}

void Disassembler::name_imports() {
  std::unordered_map<std::string_view, size_t> first;
  for (size_t i = 0; i < parts_.imports.size(); ++i) {
    const std::optional<std::string>& name = parts_.imports[i];
    const bool is_first = name && first.emplace(*name, i).second;
    import_texts_.push_back(is_first ? quote(*name) : std::string());
  }
}

std::string_view Disassembler::import_text(const Instruction& in) const {
  const uint64_t number = in.imm & UINT32_MAX;
  if (in.opcode != Opcode::kEcalli || number >= import_texts_.size()) return {};
  return import_texts_[number];
}

void Disassembler::header() {
  put("%isa = {}\n", name_of(program_.instruction_set()));
  size("ro_data_size", parts_.ro_data_bytes);
  data("ro_data", parts_.ro_data);
  size("rw_data_size", parts_.rw_data_bytes);
  data("rw_data", parts_.rw_data);
  size("stack_size", parts_.stack_bytes);
  for (const std::optional<std::string>& name : parts_.imports) {
    put("%import {}\n", name ? quote(*name) : "none");
  }
}

void Disassembler::size(std::string_view name, uint32_t bytes) {
  if (bytes != 0) put("%{} = {}\n", name, bytes);
}

void Disassembler::data(std::string_view name, std::span<const uint8_t> bytes) {
  if (!bytes.empty()) data_lines(name, bytes);
}

void Disassembler::data_lines(std::string_view name, std::span<const uint8_t> bytes) {
  for (size_t begin = 0; begin == 0 || begin < bytes.size(); begin += kDataBytesPerLine) {
    put("%{} {}", name, begin == 0 ? "=" : "+=");
    append_hex(out_, bytes.subspan(begin, std::min(kDataBytesPerLine, bytes.size() - begin)));
    put("\n");
  }
}

std::string Disassembler::label_name(uint32_t pc) const {
  const auto it = pub_labels_.lower_bound(pc);
  const bool has_name = it != pub_labels_.end() && it->first == pc;
  return has_name ? fmt::format("@{}", it->second) : fmt::format("@.{:x}", pc);
}

void Disassembler::exports() {
  for (size_t i = pub_count_; i < parts_.exports.size(); ++i) {
    const Export& entry = parts_.exports[i];
    const bool has_label = program_.is_instruction_start(entry.pc);
    put("%export {} {}\n", has_label ? label_name(entry.pc) : fmt::format("{:#x}", entry.pc),
        quote(entry.name));
  }
}

void Disassembler::jump_table() {
  for (size_t i = 0; i < parts_.jump_table.size(); ++i) {
    const uint32_t pc = parts_.jump_table[i];
    if (i % kTableEntriesPerLine == 0) put("%jump_table");
    put(" {}", program_.is_jump_target(pc) ? label_name(pc) : fmt::format("{:#x}", pc));
    if ((i + 1) % kTableEntriesPerLine == 0 || i + 1 == parts_.jump_table.size()) put("\n");
  }
}

void Disassembler::code() {
  uint32_t pc = next_start(program_, 0);
  gap(0, pc);
  while (pc < program_.code_bytes()) {
    const Instruction in = program_.decode(pc);
    if (outline_.has_label(pc)) label(pc);
    instruction(in);
    pc = next_start(program_, in.next_pc);
    gap(in.next_pc, pc);
  }
}

// Where no jump can land, the instruction before does not end its block; it must not get a fallthrough.
void Disassembler::label(uint32_t pc) {
  const std::string_view suffix = program_.is_jump_target(pc) ? "" : " %no_fallthrough";
  const auto [begin, end] = pub_labels_.equal_range(pc);
  for (auto it = begin; it != end; ++it) put("pub @{}:{}\n", it->second, suffix);
  if (begin == end) put("{}:{}\n", label_name(pc), suffix);
}

void Disassembler::instruction(const Instruction& in) {
  const bool by_label = outline_.uses_label(in);
  const std::string target = by_label ? label_name(in.target) : std::string();
  const InstructionContext context{program_.instruction_set(), target, import_text(in)};
  std::string text;
  const bool has_text = append_instruction_text(text, in, context);
  if (!has_text || !outline_.is_assemblable(in)) return raw(in, text);
  const size_t line_begin = out_.size();
  put("    {}", text);
  comment(line_begin, in, {});
}

void Disassembler::raw(const Instruction& in, std::string_view meaning) {
  const size_t line_begin = out_.size();
  put("    %raw");
  append_hex(out_, code_between(in.pc, in.next_pc));
  comment(line_begin, in, meaning);
}

// Ends the line.
void Disassembler::comment(size_t line_begin, const Instruction& in, std::string_view meaning) {
  std::string text;
  if (options_.show_offsets) text += fmt::format(" {:x}:", in.pc);
  if (options_.show_raw_bytes) append_hex(text, code_between(in.pc, in.next_pc));
  if (!meaning.empty()) text += fmt::format(" {}", meaning);
  if (!text.empty()) {
    const size_t width = out_.size() - line_begin;
    out_.append(width < kCommentColumn ? kCommentColumn - width : 1, ' ');
    put("//{}", text);
  }
  put("\n");
}

void Disassembler::gap(uint32_t begin, uint32_t end) {
  for (; begin < end; begin += kDataBytesPerLine) {
    put("    %gap");
    append_hex(out_, code_between(begin, std::min<uint32_t>(end, begin + kDataBytesPerLine)));
    put("\n");
  }
}

void Disassembler::debug_sections() {
  for (const DebugSection& section : parts_.debug_sections) {
    data_lines(fmt::format("debug_section {}", section.id), section.payload);
  }
}

}  // namespace

std::string disassemble(const Program& program, const DisassemblerOptions& options) {
  return Disassembler(program, options).run();
}

}  // namespace sandglass
