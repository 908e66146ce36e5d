// The assembler: text → program. It reads PolkaVM's assembly syntax and more; disassembler.h writes it.
//
// Lines. One statement per line; `//` begins a comment at the start of a line or after a complete piece.
// Blanks separate words and are free between other pieces. A name after `@` ends at a blank (after `=` and in
// `REG = n, jump @NAME`: at the end of the line).
//
//   line      = [ label | directive | statement ] [ "//" anything ]
//   label     = ["pub"] "@" NAME ":" ["%no_fallthrough"]
//   place     = "@" NAME | offset                        a code offset in bytes
//   bytes     = pairs of hexadecimal digits
//   string    = "'" bytes as they are, \' \\ \xHH "'"
//   number    = [+|-] decimal | 0x hexadecimal | 0b binary
//   reg       = ra sp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5   or r0 … r12
//
// Labels. A label begins a basic block: when the instruction before it does not end one, a `fallthrough` is
// put between, unless %no_fallthrough is said. A label in the middle of a block exports exactly its place,
// but jumping to it, or taking its address, means the start of that block, for that is where a jump can land.
// `pub` exports the label under its name; these exports come first, sorted by name.
//
// Directives, anywhere in the text. `=` replaces what was said before, `+=` and those without `=` add to it.
//   %isa = revive_v1 | latest32 | latest64 | jam_v1
//   %ro_data = bytes      %ro_data += bytes      likewise %rw_data
//   %ro_data_size = n     likewise %rw_data_size (when not said: the length of the data), %stack_size (0)
//   %import string        the next entry of the import table
//   %import none          an entry that names nothing
//   %export place string  any name, any offset, even twice
//   %jump_table place …   appends to the jump table; see `reg = @NAME`
//   %debug_section id = [bytes]     begins an optional section, id 128 … 255
//   %debug_section id += bytes      continues it
//   %raw bytes            one instruction, as it stands, 1 to 25 bytes
//   %gap bytes            bytes at which no instruction starts; they belong to the instruction before
//
// Statements. d, a, b, c: registers; n: number; m: [a], [a + n], [a - n] or the absolute address [n];
// t: @NAME, a code offset, or `pc + n`, `pc - n`, `pc`, relative to the jump itself.
//   trap   fallthrough   unlikely   memset   ret = jump [ra]   nop = move ra to ra
//   ecalli n   ecalli string        by number, or the first import of that name, which need not be declared
//   jump t   jump [a + n]   jump t if a ? b   jump t if a ? n           ?: == != and <u <=u >u >=u, also with
//   s d = n, jump t   d = n, jump [a + n]   tmp = a, d = n, jump [tmp + n]      the last one also when d is a
//   d = n   d = i64 n (the long form, whatever n is)   d = @NAME   d = a
//     (d = @NAME appends NAME to the jump table and loads the address of the new entry)
//   d = u8 m   also i8 u16 i16 u32 i32 u64              u8 m = a   u8 m = n   also u16 u32 u64
//   d = a + b   - * /u /s %u %s << >> >>a <<r >>r & | ^ <u <s >u >s mulh mulhu mulhsu   & ~ and | ~
//   d = a + n   - * << >> >>a >>r & | ^ <u <s >u >s, also with the number first
//   d = -a   d = ~(a ^ b)   d = maxs(a, b)   also maxu mins minu
//   d = cpop a   also clz ctz sext8 sext16 zext16 reverse sbrk
//   d = a if c == 0   d = n if c == 0   also !=
// `i32` in front selects the 32-bit twin of + - * / % << >> cpop clz ctz; in latest32 it is implied.
//
// Numbers. Offsets, addresses and what is compared or moved conditionally have 32 bits: 0xffffffff is -1
// there. Elsewhere a constant is a signed 32-bit number, and 0xffffffffffffffff is -1; where only 32 bits
// count (i32, latest32) 0xffffffff is -1, too. d = n chooses the short or the long form by itself.
//
// Lengths. Every instruction gets its shortest encoding. Exceptions: `jump OFFSET`, which may get a longer
// one than it needs when the code before it changes its length; and text made to be slow (code_layout.h).
#pragma once

#include <string_view>

#include "sandbox/program/program.h"

namespace sandglass {

struct AssemblerOptions {
  InstructionSet default_set = InstructionSet::kLatest64;  // when the text has no %isa directive
};

// On failure: kBadProgram, `what` = the broken rule, `where` = line number (from 1), `detail` = the offending
// piece of text. The first bad line is reported; %isa and %import lines are looked at before all others.
// Program::from_parts() has the last word about the parts: it refuses a program without code, an import
// without a name where no import table can have one, and all that exceeds 1 GiB. Cost: about a microsecond
// per line.
Result<ProgramParts> assemble(std::string_view text, const AssemblerOptions& options = {});

}  // namespace sandglass
