// Every program that parses has a text, and that text assembles to the same program.
//
// The first byte chooses the format: the container, or the bare code of one of the four instruction sets.
#include <cstddef>
#include <cstdint>
#include <span>

#include "sandbox/program/assembler.h"
#include "sandbox/program/disassembler.h"

using namespace sandglass;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::span<const uint8_t> blob(data + 1, size - 1);
  const auto set = static_cast<InstructionSet>(data[0] % kInstructionSetCount);
  const bool is_bare = data[0] < 128;
  const auto program = is_bare ? Program::parse_bare_code(blob, set) : Program::parse(blob);
  if (!program) return 0;
  const Result<ProgramParts> again = assemble(disassemble(**program));
  SG_CHECK(again.has_value());
  SG_CHECK(*again == (*program)->parts());
  return 0;
}
