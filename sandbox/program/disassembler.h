#pragma once

#include <string>

#include "sandbox/program/program.h"

namespace sandglass {

struct DisassemblerOptions {
  bool show_offsets = false;    // as trailing comments
  bool show_raw_bytes = false;
};

// Text that assemble() turns back into the same program, byte for byte of code, bitmask, jump table and data.
std::string disassemble(const Program& program, const DisassemblerOptions& options = {});

}  // namespace sandglass
