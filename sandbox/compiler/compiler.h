// The recompiler: one pass over the guest code, instruction by instruction, into x86-64 machine code. Most
// instructions are copies of a template with the operands filled in (templates.h), the others have functions
// (translate_instruction.cc).
//
// Every block starts with its charge, whose amount is filled in when the block has been seen whole. Forward
// jumps are patched at the end; those whose target turned out not to be a jump target become calls to the
// trap routine, so no jump can land where no block starts. Time and space are linear in the size of the code.
#pragma once

#include <memory>

#include "sandbox/compiler/native_code.h"

namespace sandglass {

// Fails with kUnsupported on a CPU without BMI1, BMI2, LZCNT, POPCNT and SSSE3, with kExhausted when the
// machine code would be larger than options.max_native_bytes.
Result<std::unique_ptr<NativeCode>> compile(const Program& program, const ModuleOptions& options);

}  // namespace sandglass
