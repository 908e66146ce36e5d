// Question: is there an ELF file that makes the linker crash, read out of bounds, or make a program that does
// not survive being written and read?
//
// Seeds: an executable made by hand (elf_image.h) and, where clang-19 is installed, one that was linked; the
// build writes them to build/asan/tests/fuzz/link_seeds.
#include <cstddef>
#include <cstdint>

#include "sandbox/program/function_names.h"
#include "workloads/linker/linker.h"

using namespace sandglass;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const linker::LinkResult result = linker::link({data, size});
  SG_CHECK((result.program == nullptr) == !result.problems.empty());
  if (result.program == nullptr) return 0;
  const auto again = Program::parse(serialize(*result.program));
  SG_CHECK(again.has_value());
  SG_CHECK((*again)->parts() == result.program->parts());
  for (const Export& entry : result.program->parts().exports) SG_CHECK((*again)->is_jump_target(entry.pc));
  const FunctionNames names = FunctionNames::of(**again);
  (void)names.find((*again)->code_bytes());
  return 0;
}
