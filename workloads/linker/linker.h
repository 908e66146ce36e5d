// The linker's last half: from an ELF executable for RISC-V to a guest program.
//
//   clang-19 … -c  →  ld.lld-19 -T guest.ld --emit-relocs  →  link()  →  serialize()
//
// ld.lld lays out, collects garbage and resolves symbols; what is left is to translate the code and to
// replace its addresses. `scripts/guest-build` does all of it, and translator.h says how code changes.
// The facts about PVM programs are PolkaVM's design; its linker does the same work in another way.
//
// elf_file      sections, symbols, relocations, checked
// layout        which section is what; whether data lies where guests have it
// relocations   what each place refers to
// records       exports, imports, stack size, as guest.h writes them
// riscv         the decoder; riscv_ops.def has one line per operation
// lowering      one instruction → one or more of a guest's
// translator    the same with references and jumps
// tracer        from the exports through everything that can run
// code_pointers function pointers and switch tables in data
// optimizer     constants, liveness, shorter jumps
// emit          code, bitmask, jump table
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/base/units.h"
#include "sandbox/program/program.h"

namespace sandglass::linker {

struct LinkOptions {
  // The stack has at least this many bytes, and what SANDGLASS_STACK_BYTES asks for if that is more. Pages
  // that a guest never touches cost nothing.
  uint32_t min_stack_bytes = static_cast<uint32_t>(MiB(1));
  // Leave the names of functions out. They are an optional section that only helps to explain traps.
  bool strip = false;
  // Do what optimizer.h does. Without, every line of the result stands for one RISC-V instruction.
  bool optimize = true;
};

struct LinkedSection {
  std::string name;
  std::string_view place;  // "read-only data", …
  uint64_t address = 0;
  uint64_t size_bytes = 0;
};

struct LinkResult {
  std::shared_ptr<const Program> program;  // null when there are problems
  std::vector<std::string> problems;       // one sentence each
  std::vector<LinkedSection> sections;     // those of the ELF file that had a place
  explicit operator bool() const { return program != nullptr; }
};

// Any bytes may be given. Cost: O(n log n) in their number.
LinkResult link(std::span<const uint8_t> elf, const LinkOptions& options = {});

}  // namespace sandglass::linker
