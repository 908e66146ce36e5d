// The disassembler: program → text, in the syntax of assembler.h.
//
// Text that assemble() turns back into the same parts, byte for byte of code, bitmask, jump table, data,
// imports, exports and debug sections, for every valid Program. Where a jump can land there is a label: the
// exported name, or `.` and the code offset in hexadecimal. Other targets are written as distances (`jump pc
// + 6`). An instruction whose bytes are not the ones assemble() would choose appears as `%raw`, followed by
// its meaning as a comment; bytes at which no instruction starts and that belong to none appear as `%gap`.
#pragma once

#include <string>

#include "sandbox/program/program.h"

namespace sandglass {

struct DisassemblerOptions {
  bool show_offsets = false;    // behind every instruction, as a comment
  bool show_raw_bytes = false;  // likewise
};

// Cost: O(n log n), about a tenth of a microsecond per byte of code.
std::string disassemble(const Program& program, const DisassemblerOptions& options = {});

}  // namespace sandglass
