// Question: is there an input that makes the readers crash, read out of bounds, or accept a program that the
// writers do not bring back unchanged? Each input is tried three ways: as a whole container, as what follows
// a correct container header (which the fuzzer would hardly ever guess), and as bare code.
#include <algorithm>
#include <cstdlib>

#include "sandbox/program/blob_format.h"
#include "sandbox/program/program.h"

namespace sandglass {
namespace {

using Bytes = std::span<const uint8_t>;

// The container's `where` may point at the end: the byte that is missing.
void check_error(const Error& error, Bytes input) {
  SG_CHECK(error.kind == ErrorKind::kBadProgram);
  SG_CHECK(error.where <= input.size());
}

void check_instruction(const Program& program, uint32_t pc) {
  const Instruction in = program.decode(pc);
  SG_CHECK(in.opcode == program.opcode_at(pc));
  SG_CHECK(in.next_pc >= pc && in.next_pc <= std::max(pc, program.code_bytes()));
  SG_CHECK(in.next_pc - pc <= kMaxInstructionBytes);
  SG_CHECK(std::max({in.dst, in.src1, in.src2, in.base}) <= Reg::a5);
}

// Steps through the code the way a compiler does, and asks about places where no instruction starts as well.
void check_program(const Program& program) {
  for (uint32_t pc = 0; pc < program.code_bytes() + 2; ++pc) check_instruction(program, pc);
  const uint32_t some_end = std::min(program.code_bytes() + 2, 300u);
  for (uint32_t pc = 0; pc < some_end; ++pc) {
    const std::optional<uint32_t> block = program.block_start(pc);
    SG_CHECK((block == pc) == program.is_jump_target(pc));
    SG_CHECK(!block || (*block <= pc && program.is_jump_target(*block)));
  }
  const auto entries = static_cast<uint32_t>(program.parts().jump_table.size());
  for (uint32_t i = 0; i <= std::min(entries, 300u); ++i) {
    const std::optional<uint32_t> target = program.dynamic_jump_target(2 * i + 2);
    SG_CHECK(!target || (i < entries && *target == program.parts().jump_table[i]));
  }
  (void)program.validate_code();
}

void try_container(Bytes blob) {
  const auto program = Program::parse(blob);
  if (!program) return check_error(program.error(), blob);
  check_program(**program);
  const std::vector<uint8_t> written = serialize(**program);
  SG_CHECK(written.size() <= blob.size());
  const auto again = Program::parse(written);
  SG_CHECK(again && (*again)->parts() == (*program)->parts());
  SG_CHECK(serialize(**again) == written);
}

void try_bare_code(Bytes blob, InstructionSet set) {
  const auto program = Program::parse_bare_code(blob, set);
  if (!program) return check_error(program.error(), blob);
  check_program(**program);
  const std::vector<uint8_t> written = serialize_bare_code(**program);
  SG_CHECK(written.size() <= blob.size());
  const auto again = Program::parse_bare_code(written, set);
  SG_CHECK(again && (*again)->parts() == (*program)->parts());
}

std::vector<uint8_t> with_header(uint8_t version, Bytes sections) {
  using namespace blob_format;
  std::vector<uint8_t> blob(kMagic.begin(), kMagic.end());
  blob.push_back(version);
  const uint64_t blob_bytes = kHeaderBytes + sections.size();
  for (size_t i = 0; i < sizeof blob_bytes; ++i) blob.push_back(static_cast<uint8_t>(blob_bytes >> (8 * i)));
  blob.insert(blob.end(), sections.begin(), sections.end());
  return blob;
}

}  // namespace
}  // namespace sandglass

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace sandglass;
  const Bytes input(data, size_bytes);
  try_container(input);
  if (input.empty()) return 0;
  const uint8_t version = input[0] % kInstructionSetCount;
  try_container(with_header(version, input.subspan(1)));
  try_bare_code(input.subspan(1), static_cast<InstructionSet>(version));
  return 0;
}
