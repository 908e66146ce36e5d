// TestVector: one public PVM test vector, as its JSON file has it. Everything is read strictly: a file that
// lacks a field, has one too many or a number that does not fit is refused, so that no check is skipped
// silently.
//
//   { "name": text, "initial-pc": u32, "initial-gas": i64, "program": [bytes of the bare code format],
//     "steps": [ step, … ], "block-gas-costs": [ {"pc": u32, "cost": u32}, … ] }
//   step = {"map": {"address": u32, "length": u32, "is-writable": bool}}       pages appear, zeroed
//        | {"write": {"address": u32, "contents": [bytes]}}
//        | {"set-reg": {"reg": 0…12, "value": u64}}
//        | {"run": {}}
//        | {"assert": {any of "status", "regs": [13 × u64], "pc": u32, "gas": i64, "hostcall": u32,
//                      "page-fault-address": u32, "memory": [{"address": u32, "contents": [bytes]}, …]}}
//   status = "panic" | "halt" | "page-fault" | "out-of-gas" | "ecalli"
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sandbox/program/isa.h"

namespace sandglass::cli {

struct MemoryChunk {
  uint32_t address = 0;
  std::vector<uint8_t> contents;
};

struct MapStep {
  uint32_t address = 0;
  uint32_t length_bytes = 0;
  bool is_writable = false;
};
struct WriteStep {
  MemoryChunk chunk;
};
struct SetRegStep {
  Reg reg{};
  uint64_t value = 0;
};
struct RunStep {};
struct AssertStep {
  std::optional<std::string> status;
  std::optional<std::array<uint64_t, kRegCount>> regs;
  std::optional<uint32_t> pc;
  std::optional<int64_t> gas;
  std::optional<uint32_t> host_call;
  std::optional<uint32_t> page_fault_address;
  // All of memory: what is mapped and not listed is zero.
  std::optional<std::vector<MemoryChunk>> memory;
};
using VectorStep = std::variant<MapStep, WriteStep, SetRegStep, RunStep, AssertStep>;

struct BlockCost {
  uint32_t pc = 0;
  uint32_t cost = 0;
};

struct TestVector {
  std::string name;
  uint32_t initial_pc = 0;
  int64_t initial_gas = 0;
  std::vector<uint8_t> program;
  std::vector<VectorStep> steps;
  std::vector<BlockCost> block_costs;
};

// Text instead of an Error: what is wrong can be anywhere in a tree, and both file and place are named.
struct VectorError {
  std::string text;
};

// `origin` names the source in errors.
std::variant<TestVector, VectorError> parse_test_vector(std::string_view json, std::string_view origin);

// Every *.json of a folder, sorted by file name. Fails when there is none, or one is bad.
std::variant<std::vector<TestVector>, VectorError> read_test_vectors(const std::filesystem::path& folder);

}  // namespace sandglass::cli
