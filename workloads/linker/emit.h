// The last step: lines → code, bitmask, jump table, and where each address of the ELF file went.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sandbox/program/program.h"
#include "workloads/linker/tracer.h"

namespace sandglass::linker {

struct EmittedCode {
  std::vector<uint8_t> bytes, bitmask;
  std::vector<uint32_t> jump_table;       // parallel to Code::pointed
  std::vector<uint32_t> places;           // parallel to the places that were asked for: code offsets
  std::vector<std::string_view> imports;  // sorted; ecalli's number is the index
};

// `places` are addresses (ascending) whose code offsets are wanted and where blocks begin: exports and
// functions. One that was left out gets the offset of what comes next. Fails when the code is too long.
Result<EmittedCode> emit(const Code& code, const std::vector<uint32_t>& places);

}  // namespace sandglass::linker
