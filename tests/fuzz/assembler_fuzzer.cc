// Any text may be assembled. What assembles is a program whose disassembly assembles to the same program.
//
// The first byte chooses the instruction set of a text without %isa.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sandbox/program/assembler.h"
#include "sandbox/program/disassembler.h"

using namespace sandglass;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const AssemblerOptions options{.default_set = static_cast<InstructionSet>(data[0] % kInstructionSetCount)};
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  Result<ProgramParts> parts = assemble(text, options);
  if (!parts) return 0;
  const auto program = Program::from_parts(*std::move(parts));
  if (!program) return 0;
  for (const bool comments : {false, true}) {
    const Result<ProgramParts> again =
        assemble(disassemble(**program, {.show_offsets = comments, .show_raw_bytes = comments}), options);
    SG_CHECK(again.has_value());
    SG_CHECK(*again == (*program)->parts());
  }
  return 0;
}
