#include "tests/spec/spec_program.h"

#include <gtest/gtest.h>

#include <charconv>

#include "sandbox/program/assembler.h"

namespace sandglass::spec {
namespace {

std::optional<uint64_t> parse_number(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const bool is_hex = text.starts_with("0x");
  if (is_hex) text.remove_prefix(2);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, is_hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return is_negative ? 0 - value : value;
}

std::optional<uint64_t> parse_label(std::string_view text, const Program& program) {
  const size_t bracket = std::min(text.find('['), text.size());
  std::optional<uint32_t> pc = program.find_export(text.substr(0, bracket));
  if (!pc || bracket == text.size()) return pc;
  const std::optional<uint64_t> steps = parse_number(text.substr(bracket + 1, text.size() - bracket - 2));
  if (!steps || !text.ends_with(']')) return std::nullopt;
  for (uint64_t i = 0; i < *steps; ++i) pc = program.decode(*pc).next_pc;
  return pc;
}

// "33.07.05", "_00*25": appends the bytes and their bits.
bool add_code(std::string_view token, std::vector<bool>& starts, std::vector<uint8_t>& code) {
  const bool is_gap = token.starts_with('_');
  if (is_gap) token.remove_prefix(1);
  std::string hex;
  for (const char c : token) {
    if (c != '.') hex += c;
  }
  const std::optional<std::vector<uint8_t>> bytes = parse_bytes(hex);
  if (!bytes || bytes->empty()) return false;
  for (size_t i = 0; i < bytes->size(); ++i) starts.push_back(i == 0 && !is_gap);
  code.insert(code.end(), bytes->begin(), bytes->end());
  return true;
}

std::optional<ProgramParts> parts_of_code(const SpecFile& file, InstructionSet set) {
  ProgramParts parts{.instruction_set = set};
  std::vector<bool> starts;
  for (const std::string& token : split(file.code, " ")) {
    if (!add_code(token, starts, parts.code)) return std::nullopt;
  }
  parts.bitmask.resize((starts.size() + 7) / 8);
  for (size_t i = 0; i < starts.size(); ++i) {
    if (starts[i]) parts.bitmask[i / 8] |= static_cast<uint8_t>(1u << (i % 8));
  }
  for (const std::string& entry : split(file.jump_table, " ")) {
    const std::optional<uint64_t> offset = parse_number(entry);
    if (!offset) return std::nullopt;
    parts.jump_table.push_back(static_cast<uint32_t>(*offset));
  }
  return parts;
}

std::optional<Opcode> opcode_named(std::string_view name) {
  for (size_t i = 0; i <= kOpcodeCount; ++i) {
    if (kOpcodeInfo[i].mnemonic == name) return static_cast<Opcode>(i);
  }
  return std::nullopt;
}

std::optional<CostModel> parse_cost(const std::string& text) {
  const std::vector<std::string> words = split(text, " ");
  if (text == "naive") return CostModel::naive();
  if (words.size() == 2 && words[0] == "pipeline") {
    const Result<CostModel> model = CostModel::pipeline(static_cast<uint32_t>(std::stoul(words[1])));
    return model ? std::optional(*model) : std::nullopt;
  }
  if (words.empty() || words[0] != "table") return std::nullopt;
  CostModel::Table table;
  table.fill(1);
  for (size_t i = 1; i < words.size(); ++i) {
    const std::vector<std::string> row = split(words[i], ":");
    const std::optional<Opcode> opcode = opcode_named(row.front());
    if (!opcode || row.size() != 2) return std::nullopt;
    table[static_cast<size_t>(*opcode)] = static_cast<uint32_t>(std::stoul(row[1]));
  }
  return CostModel::table(table);
}

std::optional<GasMetering> parse_metering(std::string_view text) {
  if (text == "none") return GasMetering::kNone;
  if (text == "sync") return GasMetering::kSync;
  if (text == "async") return GasMetering::kAsync;
  return std::nullopt;
}

template <typename T>
bool assign(T& target, const std::optional<T>& value) {
  if (value) target = *value;
  return value.has_value();
}

bool assign_number(uint32_t& target, std::string_view text) {
  const std::optional<uint64_t> value = parse_number(text);
  if (value) target = static_cast<uint32_t>(*value);
  return value.has_value();
}

bool assign_switch(bool& target, std::string_view text) {
  target = text == "on" || text == "dynamic";
  return target || text == "off" || text == "static";
}

bool set_sets(Setup& setup, const std::string& value) {
  setup.sets.clear();
  for (const std::string& name : split(value, " ")) {
    const std::optional<InstructionSet> set = instruction_set_named(name);
    if (!set) return false;
    setup.sets.push_back(*set);
  }
  return !setup.sets.empty();
}

struct SetupKey {
  std::string_view key;
  bool (*apply)(Setup&, const std::string& value);
};
constexpr SetupKey kSetupKeys[] = {
    {"isa", set_sets},
    {"metering", [](Setup& s, const std::string& v) { return assign(s.options.gas, parse_metering(v)); }},
    {"cost", [](Setup& s, const std::string& v) { return assign(s.options.cost_model, parse_cost(v)); }},
    {"paging", [](Setup& s, const std::string& v) { return assign_switch(s.options.dynamic_paging, v); }},
    {"page_bytes", [](Setup& s, const std::string& v) { return assign_number(s.options.page_bytes, v); }},
    {"aux_bytes", [](Setup& s, const std::string& v) { return assign_number(s.options.aux_bytes, v); }},
    {"strict", [](Setup& s, const std::string& v) { return assign_switch(s.options.strict, v); }},
    {"steps",
     [](Setup& s, const std::string& v) {
       s.uses_steps = true;
       return assign_switch(s.options.step_tracing, v);
     }},
};

const SetupKey* setup_key(std::string_view key) {
  for (const SetupKey& candidate : kSetupKeys) {
    if (candidate.key == key) return &candidate;
  }
  return nullptr;
}

}  // namespace

std::optional<Setup> take_setup(Items& items) {
  Setup setup;
  Items others;
  for (const Item& item : items) {
    const SetupKey* key = setup_key(item.key);
    if (key == nullptr) {
      others.push_back(item);
    } else if (!key->apply(setup, item.value)) {
      ADD_FAILURE() << "makes no sense: " << item.key << " = " << item.value;
      return std::nullopt;
    }
  }
  items = others;
  return setup;
}

std::shared_ptr<const Program> build_program(const SpecFile& file, InstructionSet set) {
  std::optional<ProgramParts> parts;
  if (!file.code.empty()) {
    parts = parts_of_code(file, set);
    if (!parts) ADD_FAILURE() << "code: or jump_table: makes no sense";
  } else {
    Result<ProgramParts> assembled = assemble(file.assembly, {.default_set = set});
    if (!assembled) {
      ADD_FAILURE() << to_string(assembled.error());
      return nullptr;
    }
    parts = std::move(assembled).value();
  }
  if (!parts) return nullptr;
  Result<std::shared_ptr<const Program>> program = Program::from_parts(std::move(*parts));
  if (program) return *program;
  ADD_FAILURE() << to_string(program.error());
  return nullptr;
}

std::optional<uint64_t> parse_value(std::string_view text, const Program* program) {
  if (program != nullptr && text == "end") return program->code_bytes();
  if (program != nullptr && text.starts_with('@')) return parse_label(text.substr(1), *program);
  return parse_number(text);
}

std::optional<std::vector<uint8_t>> parse_bytes(std::string_view text) {
  std::vector<uint8_t> bytes;
  for (const std::string& token : split(text, " ")) {
    const std::vector<std::string> parts = split(token, "*");
    const std::optional<uint64_t> count = parts.size() == 2 ? parse_number(parts[1]) : 1;
    if (parts.size() > 2 || !count || parts[0].size() % 2 != 0) return std::nullopt;
    for (uint64_t i = 0; i < *count; ++i) {
      for (size_t at = 0; at < parts[0].size(); at += 2) {
        const std::optional<uint64_t> byte = parse_number("0x" + parts[0].substr(at, 2));
        if (!byte) return std::nullopt;
        bytes.push_back(static_cast<uint8_t>(*byte));
      }
    }
  }
  return bytes;
}

}  // namespace sandglass::spec
