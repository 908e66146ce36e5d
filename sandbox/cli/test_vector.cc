#include "sandbox/cli/test_vector.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>

#include "sandbox/cli/files.h"

namespace sandglass::cli {
namespace {

using Json = nlohmann::json;

// All of what is mapped is compared, so there must be room for it twice.
constexpr uint32_t kMaxMapBytes = 64u << 20;

// Reads a tree and remembers the first thing that is wrong with it. Every function may be called after that;
// what it returns then means nothing.
class Reader {
 public:
  bool ok() const { return error_.empty(); }
  const std::string& error() const { return error_; }

  template <typename T>
  void number(const Json& object, const char* key, T& out) {
    if (const Json* value = member(object, key)) out = to_number<T>(*value, key);
  }
  void text(const Json& object, const char* key, std::string& out) {
    const Json* value = member(object, key);
    if (value == nullptr) return;
    if (!value->is_string()) return fail(key, "is no text");
    out = value->get<std::string>();
  }
  void boolean(const Json& object, const char* key, bool& out) {
    const Json* value = member(object, key);
    if (value == nullptr) return;
    if (!value->is_boolean()) return fail(key, "is neither true nor false");
    out = value->get<bool>();
  }
  // Calls read(element) for every element.
  template <typename Read>
  void array(const Json& object, const char* key, Read read) {
    const Json* value = member(object, key);
    if (value == nullptr) return;
    if (!value->is_array()) return fail(key, "is no array");
    for (const Json& element : *value) read(element);
  }
  void bytes(const Json& object, const char* key, std::vector<uint8_t>& out) {
    array(object, key, [&](const Json& element) { out.push_back(to_number<uint8_t>(element, key)); });
  }
  // Calls read() when there is such a member.
  template <typename Read>
  void optional(const Json& object, const char* key, Read read) {
    if (object.is_object() && object.contains(key)) read();
  }

  void only(const Json& object, const char* what, std::initializer_list<std::string_view> keys) {
    if (!object.is_object()) return fail(what, "is no object");
    for (const auto& item : object.items()) {
      if (std::find(keys.begin(), keys.end(), item.key()) == keys.end())
        fail(item.key(), "is not known here");
    }
  }
  void fail(std::string_view what, std::string_view problem) {
    if (ok()) error_ = fmt::format("\"{}\" {}", what, problem);
  }

 private:
  const Json* member(const Json& object, const char* key) {
    if (object.is_object() && object.contains(key)) return &object.at(key);
    fail(key, "is missing");
    return nullptr;
  }

  template <typename T>
  T to_number(const Json& value, const char* key) {
    using Limits = std::numeric_limits<T>;
    if (value.is_number_unsigned()) {
      const auto number = value.get<uint64_t>();
      if (number <= static_cast<uint64_t>(Limits::max())) return static_cast<T>(number);
    } else if (value.is_number_integer()) {  // negative
      const auto number = value.get<int64_t>();
      if (std::is_signed_v<T> && number >= static_cast<int64_t>(Limits::min())) return static_cast<T>(number);
    }
    fail(key, fmt::format("is no integer in {} … {}", +Limits::min(), +Limits::max()));
    return {};
  }

  std::string error_;
};

MemoryChunk read_chunk(Reader& reader, const Json& json) {
  MemoryChunk chunk;
  reader.only(json, "write", {"address", "contents"});
  reader.number(json, "address", chunk.address);
  reader.bytes(json, "contents", chunk.contents);
  return chunk;
}

MapStep read_map(Reader& reader, const Json& json) {
  MapStep step;
  reader.only(json, "map", {"address", "length", "is-writable"});
  reader.number(json, "address", step.address);
  reader.number(json, "length", step.length_bytes);
  reader.boolean(json, "is-writable", step.is_writable);
  if (step.length_bytes > kMaxMapBytes) reader.fail("length", "is larger than 64 MiB");
  return step;
}

SetRegStep read_set_reg(Reader& reader, const Json& json) {
  uint8_t reg = 0;
  SetRegStep step;
  reader.only(json, "set-reg", {"reg", "value"});
  reader.number(json, "reg", reg);
  reader.number(json, "value", step.value);
  if (reg >= kRegCount) reader.fail("reg", "is no register");
  step.reg = static_cast<Reg>(reg);
  return step;
}

void read_registers(Reader& reader, const Json& json, AssertStep& step) {
  std::vector<uint64_t> values;
  reader.array(json, "regs", [&](const Json& element) {
    reader.number(Json{{"regs", element}}, "regs", values.emplace_back());
  });
  if (values.size() != kRegCount) return reader.fail("regs", "does not have 13 elements");
  std::copy(values.begin(), values.end(), step.regs.emplace().begin());
}

AssertStep read_assert(Reader& reader, const Json& json) {
  AssertStep step;
  reader.only(json, "assert", {"status", "regs", "pc", "gas", "hostcall", "page-fault-address", "memory"});
  reader.optional(json, "status", [&] {
    constexpr std::string_view kKnown[] = {"panic", "halt", "page-fault", "out-of-gas", "ecalli"};
    reader.text(json, "status", step.status.emplace());
    if (std::find(std::begin(kKnown), std::end(kKnown), *step.status) == std::end(kKnown)) {
      reader.fail("status", "is none of panic, halt, page-fault, out-of-gas, ecalli");
    }
  });
  reader.optional(json, "regs", [&] { read_registers(reader, json, step); });
  reader.optional(json, "pc", [&] { reader.number(json, "pc", step.pc.emplace()); });
  reader.optional(json, "gas", [&] { reader.number(json, "gas", step.gas.emplace()); });
  reader.optional(json, "hostcall", [&] { reader.number(json, "hostcall", step.host_call.emplace()); });
  reader.optional(json, "page-fault-address",
                  [&] { reader.number(json, "page-fault-address", step.page_fault_address.emplace()); });
  reader.optional(json, "memory", [&] {
    auto& memory = step.memory.emplace();
    reader.array(json, "memory", [&](const Json& chunk) { memory.push_back(read_chunk(reader, chunk)); });
  });
  return step;
}

void read_step(Reader& reader, const Json& json, std::vector<VectorStep>& steps) {
  if (!json.is_object() || json.size() != 1)
    return reader.fail("steps", "has an element that is not one step");
  const std::string& kind = json.begin().key();
  const Json& body = json.begin().value();
  if (kind == "map") return steps.emplace_back(read_map(reader, body)), void();
  if (kind == "write") return steps.emplace_back(WriteStep{read_chunk(reader, body)}), void();
  if (kind == "set-reg") return steps.emplace_back(read_set_reg(reader, body)), void();
  if (kind == "assert") return steps.emplace_back(read_assert(reader, body)), void();
  if (kind != "run") return reader.fail(kind, "is no kind of step");
  reader.only(body, "run", {});
  steps.emplace_back(RunStep{});
}

TestVector read_vector(Reader& reader, const Json& json) {
  TestVector vector;
  reader.only(json, "vector", {"name", "initial-pc", "initial-gas", "program", "steps", "block-gas-costs"});
  reader.text(json, "name", vector.name);
  reader.number(json, "initial-pc", vector.initial_pc);
  reader.number(json, "initial-gas", vector.initial_gas);
  reader.bytes(json, "program", vector.program);
  reader.array(json, "steps", [&](const Json& step) { read_step(reader, step, vector.steps); });
  reader.array(json, "block-gas-costs", [&](const Json& cost) {
    BlockCost& block = vector.block_costs.emplace_back();
    reader.only(cost, "block-gas-costs", {"pc", "cost"});
    reader.number(cost, "pc", block.pc);
    reader.number(cost, "cost", block.cost);
  });
  return vector;
}

}  // namespace

std::variant<TestVector, VectorError> parse_test_vector(std::string_view text, std::string_view origin) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return VectorError{fmt::format("{}: not JSON", origin)};
  Reader reader;
  TestVector vector = read_vector(reader, json);
  if (!reader.ok()) return VectorError{fmt::format("{}: {}", origin, reader.error())};
  return vector;
}

std::variant<std::vector<TestVector>, VectorError> read_test_vectors(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  if (error) return VectorError{fmt::format("{}: {}", folder.string(), error.message())};
  if (files.empty()) return VectorError{fmt::format("{}: no *.json files", folder.string())};
  std::sort(files.begin(), files.end());

  std::vector<TestVector> vectors;
  for (const auto& file : files) {
    const Result<std::string> text = read_file(file.string());
    if (!text) return VectorError{fmt::format("{}: {}", file.string(), to_string(text.error()))};
    auto vector = parse_test_vector(*text, file.string());
    if (auto* bad = std::get_if<VectorError>(&vector)) return *bad;
    vectors.push_back(std::move(std::get<TestVector>(vector)));
  }
  return vectors;
}

}  // namespace sandglass::cli
