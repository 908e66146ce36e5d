// Programs and blobs that several tests of this folder start from.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "sandbox/program/program.h"

namespace sandglass::test {

using Blob = std::vector<uint8_t>;

// "trap" as a bare code blob: no jump table, one code byte, its bit.
inline const Blob kTrapCode = {0x00, 0x00, 0x01, 0x00, 0x01};

// A section whose payload is shorter than 128 bytes.
inline Blob section(uint8_t id, const Blob& payload) {
  Blob out = {id, static_cast<uint8_t>(payload.size())};
  std::copy(payload.begin(), payload.end(), std::back_inserter(out));
  return out;
}

// Makes the header state the length that the blob has.
inline Blob with_stated_length(Blob blob) {
  for (size_t i = 0; i < 8 && 5 + i < blob.size(); ++i) {
    blob[5 + i] = static_cast<uint8_t>(uint64_t{blob.size()} >> (8 * i));
  }
  return blob;
}

// A header, the pieces one behind the other, and no end marker.
inline Blob open_container(std::initializer_list<Blob> pieces, uint8_t version = 2) {
  Blob blob = {'P', 'V', 'M', 0, version, 0, 0, 0, 0, 0, 0, 0, 0};
  for (const Blob& piece : pieces) blob.insert(blob.end(), piece.begin(), piece.end());
  return with_stated_length(std::move(blob));
}

inline Blob container(std::initializer_list<Blob> pieces, uint8_t version = 2) {
  Blob blob = open_container(pieces, version);
  blob.push_back(0);
  return with_stated_length(std::move(blob));
}

// The bitmask for instructions that start at `starts`.
inline std::vector<uint8_t> bitmask_of(size_t code_bytes, const std::vector<uint32_t>& starts) {
  std::vector<uint8_t> bitmask((code_bytes + 7) / 8);
  for (uint32_t start : starts) bitmask[start / 8] |= static_cast<uint8_t>(1u << (start % 8));
  return bitmask;
}

inline ProgramParts code_parts(std::vector<uint8_t> code, const std::vector<uint32_t>& starts,
                               InstructionSet set = InstructionSet::kLatest64) {
  ProgramParts parts{.instruction_set = set};
  parts.bitmask = bitmask_of(code.size(), starts);
  parts.code = std::move(code);
  return parts;
}

inline std::shared_ptr<const Program> must_make(ProgramParts parts) {
  return Program::from_parts(std::move(parts)).value();
}

inline std::shared_ptr<const Program> make_program(std::vector<uint8_t> code,
                                                   const std::vector<uint32_t>& starts,
                                                   InstructionSet set = InstructionSet::kLatest64) {
  return must_make(code_parts(std::move(code), starts, set));
}

// Uses everything the container can say, with the awkward values: an empty name, names that are no text,
// imports without a name, an entry point beyond the code, entries of the jump table whose low byte is 0,
// optional sections that are empty, unknown, repeated or out of order.
inline ProgramParts rich_parts() {
  // 0: fallthrough · 1: load_imm a0, 300 · 5: jump +2 (to 7) · 7: jump_indirect ra, 0
  ProgramParts parts =
      code_parts({1, 51, 7, 0x2c, 0x01, 40, 2, 50, 0}, {0, 1, 5, 7}, InstructionSet::kLatest64);
  parts.ro_data_bytes = 200;
  parts.rw_data_bytes = 0x12345;
  parts.stack_bytes = 0xffffffff;
  parts.ro_data = {1, 2, 3, 0, 255};
  parts.rw_data = {9, 8, 7};
  parts.imports = {std::nullopt, "get_third_number", "",
                   std::nullopt, std::nullopt,       std::string("\0\xff", 2)};
  parts.exports = {
      {0, "main"}, {7, ""}, {0xfffffffe, "beyond"}, {1, "main"}, {200, std::string("\xc3\0x", 3)}};
  parts.jump_table = {256, 0, 7, 0x10000};
  parts.debug_sections = {{128, {0, 4, 'm', 'a', 'i', 'n'}},
                          {129, {1, 0}},
                          {130, std::vector<uint8_t>(12)},
                          {200, {}},
                          {128, {42}},
                          {255, {0, 0, 0}}};
  return parts;
}

}  // namespace sandglass::test
