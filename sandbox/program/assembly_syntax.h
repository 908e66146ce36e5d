// The words and operators of the assembly language, as tables that the parser and the disassembler share.
// assembler.h describes the language.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sandbox/program/isa.h"

namespace sandglass {

// The 64-bit instruction and its 32-bit twin; a lone `wide` works on whole registers in every set.
struct OpcodePair {
  Opcode wide = Opcode::kInvalid;
  Opcode narrow = Opcode::kInvalid;
};

// dst = left op right. An operator has up to three instructions, one for each kind of operands.
struct BinaryOperator {
  enum class Twist : uint8_t {
    kNone,
    kSwapRegs,         // the instruction for two registers wants them the other way round
    kNegateImmediate,  // the instruction for a constant on the right wants its negative
  };
  std::string_view text;  // a blank in it stands for any number of blanks
  OpcodePair reg_reg, reg_imm, imm_reg;
  Twist twist = Twist::kNone;
};
// In the order in which a parser must try them: an operator comes before its own prefixes.
std::span<const BinaryOperator> binary_operators();

// What stands between two values after `if`. The constant may stand on either side.
struct Comparison {
  std::string_view text;
  Opcode reg_reg;
  bool swap_regs;
  Opcode reg_imm, imm_reg;
};
std::span<const Comparison> comparisons();

// dst = name src
struct UnaryOperator {
  std::string_view text;
  OpcodePair opcode;
};
std::span<const UnaryOperator> unary_operators();

// dst = name(src1, src2)
struct Function {
  std::string_view text;
  Opcode opcode;
};
std::span<const Function> functions();

// A width word in front of a memory operand, and the instructions it selects; kInvalid where there is none.
struct MemoryWidth {
  std::string_view text;
  Opcode load_absolute, load_indirect;
  Opcode store_absolute, store_indirect;
  Opcode store_imm_absolute, store_imm_indirect;
  int64_t min_constant, max_constant;  // what may be stored as a constant
};
std::span<const MemoryWidth> memory_widths();

// Statements of one word. Operands that are not said are ra and 0.
std::span<const Function> plain_words();

// How the disassembler writes an opcode: the same tables, read backwards.
struct OpcodeSyntax {
  enum class Shape : uint8_t {
    kByForm,    // the operand form alone says how
    kRegOpReg,  // dst = src1 token src2
    kRegOpImm,  // dst = src1 token imm
    kImmOpReg,  // dst = imm token src1
    kFunction,  // dst = token(src1, src2)
    kXnor,      // dst = ~(src1 ^ src2)
    kCmov,      // dst = src1 or imm if condition token 0
  };
  Shape shape = Shape::kByForm;
  std::string_view token = {};  // operator, width, unary name or comparison
  bool narrow = false;          // takes the i32 marker in a 64-bit set
};
const OpcodeSyntax& syntax_of(Opcode opcode);

// The constants that a store instruction with an immediate can name; see MemoryWidth.
bool is_storable(Opcode store, int64_t constant);

// 'bytes', with \' \\ and \xHH for everything that is not plain ASCII.
std::string quote(std::string_view bytes);

}  // namespace sandglass
