#include "sandbox/program/assembler.h"

#include <algorithm>
#include <unordered_map>

#include "sandbox/program/assembly_scanner.h"
#include "sandbox/program/assembly_statement.h"
#include "sandbox/program/blob_format.h"
#include "sandbox/program/code_builder.h"

namespace sandglass {
namespace {

struct Label {
  std::string_view name;
  uint64_t definition_line = 0;  // 0: only used so far
  uint64_t first_use_line = 0;   // 0: not used
  CodePosition exact, block;
  bool is_exported = false;
};

struct PlaceUse {
  CodeTarget::Kind kind;
  uint32_t number;  // the index of a label, or a code offset
};

struct NamedPlace {
  std::string name;
  PlaceUse place;
};

class Assembler {
 public:
  Assembler(std::string_view text, InstructionSet set) : text_(text) { parts_.instruction_set = set; }

  Result<ProgramParts> run() {
    SG_TRY(for_each_line(&Assembler::declaration));
    code_.emplace(parts_.instruction_set);
    SG_TRY(for_each_line(&Assembler::line));
    SG_TRY(check_labels());
    SG_TRY(check_data());
    SG_TRY(finish());
    return std::move(parts_);
  }

 private:
  using LineHandler = Status (Assembler::*)(std::string_view);
  using DirectiveHandler = Status (Assembler::*)(AssemblyScanner&);
  struct Directive {
    std::string_view name;
    DirectiveHandler handle;
    bool is_declaration;  // must be known before the first statement is read
  };
  static const Directive kDirectives[];

  Status for_each_line(LineHandler handle);
  Status declaration(std::string_view line);
  Status line(std::string_view line);
  Status label(std::string_view after_at, bool is_exported);
  Status directive(std::string_view line, bool declarations);
  Status statement(std::string_view line);
  Status emit(const Statement& statement);

  Status isa(AssemblyScanner& scanner);
  Status import(AssemblyScanner& scanner);
  Status ro_data(AssemblyScanner& scanner) { return data(scanner, parts_.ro_data); }
  Status rw_data(AssemblyScanner& scanner) { return data(scanner, parts_.rw_data); }
  Status ro_data_size(AssemblyScanner& scanner) { return size(scanner, ro_data_size_); }
  Status rw_data_size(AssemblyScanner& scanner) { return size(scanner, rw_data_size_); }
  Status stack_size(AssemblyScanner& scanner) { return size(scanner, stack_size_); }
  Status export_(AssemblyScanner& scanner);
  Status jump_table(AssemblyScanner& scanner);
  Status debug_section(AssemblyScanner& scanner);
  Status raw(AssemblyScanner& scanner);
  Status gap(AssemblyScanner& scanner);

  Status data(AssemblyScanner& scanner, std::vector<uint8_t>& bytes);
  Status size(AssemblyScanner& scanner, std::optional<uint32_t>& size);
  Status add_to_jump_table(PlaceUse place);
  Status add_import(std::optional<std::string> name);
  Result<uint32_t> import_number(const std::string& name);
  uint32_t label_index(std::string_view name);
  PlaceUse use(const CodeTarget& target);

  Status check_labels();
  Status check_data();
  Status finish();

  std::string_view text_;
  uint64_t line_number_ = 0;
  ProgramParts parts_;
  std::optional<uint32_t> ro_data_size_, rw_data_size_, stack_size_;
  std::optional<CodeBuilder> code_;
  std::vector<Label> labels_;
  std::unordered_map<std::string_view, uint32_t> label_indices_;  // keys are views of text_
  std::unordered_map<std::string, uint32_t> import_numbers_;      // the first import of each name
  std::vector<PlaceUse> jump_table_;
  std::vector<NamedPlace> exports_;
};

constexpr Assembler::Directive Assembler::kDirectives[] = {
    {"isa", &Assembler::isa, true},
    {"import", &Assembler::import, true},
    {"ro_data", &Assembler::ro_data, false},
    {"rw_data", &Assembler::rw_data, false},
    {"ro_data_size", &Assembler::ro_data_size, false},
    {"rw_data_size", &Assembler::rw_data_size, false},
    {"stack_size", &Assembler::stack_size, false},
    {"export", &Assembler::export_, false},
    {"jump_table", &Assembler::jump_table, false},
    {"debug_section", &Assembler::debug_section, false},
    {"raw", &Assembler::raw, false},
    {"gap", &Assembler::gap, false},
};

Status Assembler::for_each_line(LineHandler handle) {
  line_number_ = 0;
  for (size_t begin = 0; begin < text_.size();) {
    const size_t end = std::min(text_.find('\n', begin), text_.size());
    ++line_number_;
    const Status status = (this->*handle)(trim_blanks(text_.substr(begin, end - begin)));
    if (!status) {
      Error error = status.error();
      error.where = line_number_;
      return error;
    }
    begin = end + 1;
  }
  return {};
}

Status Assembler::declaration(std::string_view line) {
  return line.starts_with('%') ? directive(line.substr(1), /*declarations=*/true) : Status();
}

Status Assembler::line(std::string_view line) {
  if (line.empty() || line.starts_with("//")) return {};
  if (line.starts_with('%')) return directive(line.substr(1), /*declarations=*/false);
  if (line.starts_with('@')) return label(line.substr(1), /*is_exported=*/false);
  AssemblyScanner scanner(line);
  if (scanner.accept_word("pub")) {
    const std::string_view rest = scanner.rest();
    if (rest.starts_with('@')) return label(rest.substr(1), /*is_exported=*/true);
  }
  return statement(line);
}

// A name may contain anything, even colons. It ends at the first colon behind which a label may end.
Status Assembler::label(std::string_view after_at, bool is_exported) {
  for (size_t colon = after_at.find(':'); colon < after_at.size(); colon = after_at.find(':', colon + 1)) {
    AssemblyScanner tail(after_at.substr(colon + 1));
    const bool may_insert = !tail.accept("%no_fallthrough");
    if (!tail.at_end()) continue;
    if (may_insert && !code_->at_block_start()) code_->add(Instruction{.opcode = Opcode::kFallthrough});
    Label& label = labels_[label_index(after_at.substr(0, colon))];
    if (label.definition_line != 0) return assembly_error("the label exists already", label.name);
    label.definition_line = line_number_;
    label.exact = code_->here();
    label.block = code_->block();
    label.is_exported = is_exported;
    return {};
  }
  return assembly_error("a label ends with a colon", after_at);
}

Status Assembler::directive(std::string_view line, bool declarations) {
  AssemblyScanner scanner(line);
  const std::string_view name = scanner.peek_word();
  for (const Directive& row : kDirectives) {
    if (row.name != name) continue;
    if (row.is_declaration != declarations) return {};
    scanner.accept_word(name);
    SG_TRY((this->*row.handle)(scanner));
    return scanner.expect_end();
  }
  return declarations ? Status() : assembly_error("unknown directive", line);
}

Status Assembler::statement(std::string_view line) {
  Statement statement = SG_TRY(parse_statement(line, parts_.instruction_set));
  if (statement.import) statement.in.imm = SG_TRY(import_number(*statement.import));
  if (statement.in.opcode == Opcode::kLoadImm && statement.target.kind == CodeTarget::Kind::kLabel) {
    SG_TRY(add_to_jump_table(use(statement.target)));
    statement.in.imm = 2 * jump_table_.size();
    statement.target = {};
  }
  return emit(statement);
}

Status Assembler::emit(const Statement& statement) {
  if (code_->min_bytes() >= kMaxCodeBytes) return assembly_error("the code is longer than 32 MiB", {});
  Instruction in = statement.in;
  switch (statement.target.kind) {
    case CodeTarget::Kind::kLabel: code_->add_jump(in, use(statement.target).number); return {};
    case CodeTarget::Kind::kAbsolute: code_->add_jump_to_offset(in, statement.target.number); return {};
    case CodeTarget::Kind::kDistance: in.target = in.pc + statement.target.number; break;
    case CodeTarget::Kind::kNone: break;
  }
  code_->add(in);
  return {};
}

Status Assembler::isa(AssemblyScanner& scanner) {
  SG_TRY(scanner.expect("="));
  const std::string_view name = scanner.peek_word();
  const std::optional<InstructionSet> set = instruction_set_named(name);
  if (!set) return assembly_error("unknown instruction set", scanner.rest());
  scanner.accept_word(name);
  parts_.instruction_set = *set;
  return {};
}

Status Assembler::import(AssemblyScanner& scanner) {
  if (scanner.accept_word("none")) return add_import(std::nullopt);
  return add_import(SG_TRY(scanner.quoted()));
}

Status Assembler::add_import(std::optional<std::string> name) {
  const size_t number = parts_.imports.size();
  if (number == kMaxImports) return assembly_error("more than 1024 imports", name ? *name : "none");
  if (name) import_numbers_.emplace(*name, static_cast<uint32_t>(number));
  parts_.imports.push_back(std::move(name));
  return {};
}

Result<uint32_t> Assembler::import_number(const std::string& name) {
  const auto it = import_numbers_.find(name);
  if (it != import_numbers_.end()) return it->second;
  SG_TRY(add_import(name));
  return static_cast<uint32_t>(parts_.imports.size() - 1);
}

Status Assembler::data(AssemblyScanner& scanner, std::vector<uint8_t>& bytes) {
  const bool appends = scanner.accept("+=");
  if (!appends) SG_TRY(scanner.expect("="));
  const std::vector<uint8_t> added = SG_TRY(scanner.hex_bytes());
  if (added.empty()) return assembly_error("expected pairs of hexadecimal digits", {});
  if (!appends) bytes.clear();
  bytes.insert(bytes.end(), added.begin(), added.end());
  return {};
}

Status Assembler::size(AssemblyScanner& scanner, std::optional<uint32_t>& size) {
  SG_TRY(scanner.expect("="));
  const std::string_view text = scanner.rest();
  const Number number = SG_TRY(scanner.number());
  if (!number.fits_u32()) return assembly_error("not a size", text);
  size = static_cast<uint32_t>(number.bits);
  return {};
}

Status Assembler::export_(AssemblyScanner& scanner) {
  const std::string_view text = scanner.rest();
  if (exports_.size() >= blob_format::kMaxExports) return assembly_error("more than 1 Mi exports", text);
  const CodeTarget target = SG_TRY(parse_place(scanner));
  std::string name = SG_TRY(scanner.quoted());
  exports_.push_back({std::move(name), use(target)});
  return {};
}

Status Assembler::jump_table(AssemblyScanner& scanner) {
  while (!scanner.at_end()) {
    SG_TRY(add_to_jump_table(use(SG_TRY(parse_place(scanner)))));
  }
  return {};
}

Status Assembler::add_to_jump_table(PlaceUse place) {
  if (jump_table_.size() == kMaxJumpTableEntries) {
    return assembly_error("the jump table has more than 16 Mi entries", {});
  }
  jump_table_.push_back(place);
  return {};
}

Status Assembler::debug_section(AssemblyScanner& scanner) {
  const std::string_view text = scanner.rest();
  const Number id = SG_TRY(scanner.number());
  if (id.negative || id.bits < 128 || id.bits > 255) {
    return assembly_error("the id of an optional section is 128 to 255", text);
  }
  if (!scanner.accept("+=")) {
    SG_TRY(scanner.expect("="));
    if (parts_.debug_sections.size() >= blob_format::kMaxOptionalSections) {
      return assembly_error("more than 1024 optional sections", text);
    }
    parts_.debug_sections.push_back({.id = static_cast<uint8_t>(id.bits)});
  } else if (parts_.debug_sections.empty() || parts_.debug_sections.back().id != id.bits) {
    return assembly_error("only the section before can be continued", text);
  }
  const std::vector<uint8_t> bytes = SG_TRY(scanner.hex_bytes());
  std::vector<uint8_t>& payload = parts_.debug_sections.back().payload;
  payload.insert(payload.end(), bytes.begin(), bytes.end());
  return {};
}

Status Assembler::raw(AssemblyScanner& scanner) {
  const std::string_view text = scanner.rest();
  const std::vector<uint8_t> bytes = SG_TRY(scanner.hex_bytes());
  if (bytes.empty() || bytes.size() > kMaxInstructionBytes) {
    return assembly_error("an instruction has 1 to 25 bytes", text);
  }
  if (code_->min_bytes() >= kMaxCodeBytes) return assembly_error("the code is longer than 32 MiB", {});
  code_->add_raw(bytes);
  return {};
}

Status Assembler::gap(AssemblyScanner& scanner) {
  const std::vector<uint8_t> bytes = SG_TRY(scanner.hex_bytes());
  if (bytes.size() + code_->min_bytes() > kMaxCodeBytes) {
    return assembly_error("the code is longer than 32 MiB", {});
  }
  code_->add_gap(bytes);
  return {};
}

uint32_t Assembler::label_index(std::string_view name) {
  const auto [it, is_new] = label_indices_.emplace(name, static_cast<uint32_t>(labels_.size()));
  if (is_new) labels_.push_back({.name = name});
  return it->second;
}

PlaceUse Assembler::use(const CodeTarget& target) {
  if (target.kind != CodeTarget::Kind::kLabel) return {target.kind, target.number};
  const uint32_t index = label_index(target.label);
  if (labels_[index].first_use_line == 0) labels_[index].first_use_line = line_number_;
  return {target.kind, index};
}

Status Assembler::check_labels() {
  const auto fail = [](const char* what, uint64_t line, std::string_view name) {
    return Error::make(ErrorKind::kBadProgram, what, line, name);
  };
  const CodePosition end = code_->here();
  for (const Label& label : labels_) {
    if (label.definition_line == 0) return fail("the label does not exist", label.first_use_line, label.name);
    const bool matters = label.is_exported || label.first_use_line != 0;
    const bool is_at_end = label.exact.fixed_bytes == end.fixed_bytes && label.exact.jumps == end.jumps;
    if (matters && is_at_end) {
      return fail("no instruction follows this label", label.definition_line, label.name);
    }
  }
  return {};
}

Status Assembler::check_data() {
  parts_.ro_data_bytes = ro_data_size_.value_or(static_cast<uint32_t>(parts_.ro_data.size()));
  parts_.rw_data_bytes = rw_data_size_.value_or(static_cast<uint32_t>(parts_.rw_data.size()));
  parts_.stack_bytes = stack_size_.value_or(0);
  const auto fail = [&](const char* what) { return Error::make(ErrorKind::kBadProgram, what, line_number_); };
  if (parts_.ro_data.size() > parts_.ro_data_bytes) return fail("%ro_data is longer than %ro_data_size");
  if (parts_.rw_data.size() > parts_.rw_data_bytes) return fail("%rw_data is longer than %rw_data_size");
  return {};
}

Status Assembler::finish() {
  std::vector<CodePosition> blocks;
  for (const Label& label : labels_) blocks.push_back(label.block);
  Result<CodeBuilder::Code> code = code_->finish(blocks);
  if (!code) return Error::make(ErrorKind::kBadProgram, code.error().what, line_number_);
  const CodeLayout& layout = code->layout;
  parts_.code = std::move(code->bytes);
  parts_.bitmask = std::move(code->bitmask);
  for (const PlaceUse& use : jump_table_) {
    const bool is_label = use.kind == CodeTarget::Kind::kLabel;
    parts_.jump_table.push_back(is_label ? layout.offset_of(blocks[use.number]) : use.number);
  }
  for (const Label& label : labels_) {
    if (label.is_exported) parts_.exports.push_back({layout.offset_of(label.exact), std::string(label.name)});
  }
  std::sort(parts_.exports.begin(), parts_.exports.end(),
            [](const Export& a, const Export& b) { return a.name < b.name; });
  for (NamedPlace& entry : exports_) {
    const bool is_label = entry.place.kind == CodeTarget::Kind::kLabel;
    const uint32_t number = entry.place.number;
    parts_.exports.push_back(
        {is_label ? layout.offset_of(labels_[number].exact) : number, std::move(entry.name)});
  }
  return {};
}

}  // namespace

Result<ProgramParts> assemble(std::string_view text, const AssemblerOptions& options) {
  return Assembler(text, options.default_set).run();
}

}  // namespace sandglass
