// The machine code of a module as text, guest instruction by guest instruction.
//
//   @0 a0 = a0 + 1               the guest instruction at code offset 0 …
//     0 add rdi, 1               … and what it became; offsets count from the end of the fixed routines
//   @out of line                 code that belongs to no single instruction
//    1a padding to +20           bytes that are never executed
//
// Jumps and calls name the fixed routine or the offset they lead to, so the text does not change when those
// routines do.
#pragma once

#include <string>

#include "sandbox/compiler/module.h"

namespace sandglass::codegen {

// The module must have been compiled.
std::string native_text(const Module& module);

}  // namespace sandglass::codegen
