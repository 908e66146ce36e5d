#include "sandbox/program/assembly_statement.h"

#include <algorithm>

#include "sandbox/program/assembly_operands.h"
#include "sandbox/program/assembly_syntax.h"

namespace sandglass {
namespace {

const MemoryWidth* width_named(std::string_view word) {
  const auto widths = memory_widths();
  const auto it =
      std::find_if(widths.begin(), widths.end(), [&](const auto& row) { return row.text == word; });
  return it != widths.end() ? &*it : nullptr;
}

class StatementParser {
 public:
  StatementParser(std::string_view line, InstructionSet set) : line_(line), scanner_(line), set_(set) {}

  Result<Statement> parse() {
    SG_TRY(statement());
    SG_TRY(scanner_.expect_end());
    if (info_of(statement_.in.opcode).byte[static_cast<size_t>(set_)] < 0) {
      return assembly_error("the instruction set lacks this instruction", name_of(statement_.in.opcode));
    }
    return std::move(statement_);
  }

 private:
  Instruction& in() { return statement_.in; }
  Error fail(const char* what) { return assembly_error(what, line_); }

  Status statement();
  Status memset();
  Status ecalli();
  Status jump();
  Status condition();
  Status jump_through_tmp();
  Status store(const MemoryWidth& width);
  Status store_constant(const MemoryWidth& width, const MemoryOperand& place);
  Status assignment();
  Status value();
  Status load(const MemoryWidth& width);
  Status load_address();
  Status xnor();
  Status call(const Function& function);
  Status unary(const UnaryOperator& op);
  Status forced_imm64();
  Status negation();
  Status expression(const Operand& left);
  Status constant(Number number);
  Status link_and_jump(Number number);
  Status conditional_move(const Operand& left);
  Status binary(const BinaryOperator& op, const Operand& left, const Operand& right);

  bool is_narrow(OpcodePair pair) const {
    return (has_marker_ || !is_64_bit(set_)) && pair.narrow != Opcode::kInvalid;
  }
  Opcode choose(OpcodePair pair) const { return is_narrow(pair) ? pair.narrow : pair.wide; }
  Status set_imm(Number number, bool only_low_half);

  std::string_view line_;
  AssemblyScanner scanner_;
  InstructionSet set_;
  bool has_marker_ = false;  // i32
  Statement statement_;
};

Status StatementParser::statement() {
  const std::string_view word = scanner_.peek_word();
  for (const Function& plain : plain_words()) {
    if (word != plain.text) continue;
    in().opcode = plain.opcode;
    scanner_.accept_word(word);
    return {};
  }
  if (scanner_.peek() == '[') return memset();
  if (scanner_.accept_word("ecalli")) return ecalli();
  if (scanner_.accept_word("jump")) return jump();
  if (scanner_.accept_word("tmp")) return jump_through_tmp();
  has_marker_ = scanner_.accept_word("i32");
  const MemoryWidth* width = width_named(scanner_.peek_word());
  if (width != nullptr) return store(*width);
  return assignment();
}

// The way PolkaVM prints it: [a0..a0 + a2] = u8 a1
Status StatementParser::memset() {
  for (const std::string_view piece : {"[", "a0", "..", "a0", "+", "a2", "]", "=", "u8", "a1"}) {
    if (!scanner_.accept(piece)) return fail("cannot parse the statement");
  }
  in().opcode = Opcode::kMemset;
  return {};
}

Status StatementParser::ecalli() {
  in().opcode = Opcode::kEcalli;
  if (scanner_.peek() == '\'') {
    statement_.import = SG_TRY(scanner_.quoted());
  } else {
    in().imm = internal::sign_extend(SG_TRY(parse_number_32(scanner_)));
  }
  return {};
}

Status StatementParser::jump() {
  if (scanner_.peek() == '[') {
    const MemoryOperand place = SG_TRY(parse_memory_operand(scanner_));
    if (!place.base) return fail("an indirect jump needs a register");
    in().opcode = Opcode::kJumpIndirect;
    in().base = *place.base;
    in().offset = place.offset;
    return {};
  }
  statement_.target = SG_TRY(parse_jump_target(scanner_, /*label_reaches_end=*/false));
  in().opcode = Opcode::kJump;
  return scanner_.accept_word("if") ? condition() : Status();
}

Status StatementParser::condition() {
  const Operand left = SG_TRY(parse_operand(scanner_));
  const auto rows = comparisons();
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const Comparison& candidate) { return scanner_.accept(candidate.text); });
  if (row == rows.end()) return fail("not a comparison");
  const Operand right = SG_TRY(parse_operand(scanner_));
  if (!left.reg && !right.reg) return fail("a comparison needs a register");
  if (left.reg && right.reg) {
    in().opcode = row->reg_reg;
    in().src1 = row->swap_regs ? *right.reg : *left.reg;
    in().src2 = row->swap_regs ? *left.reg : *right.reg;
    return {};
  }
  in().opcode = left.reg ? row->reg_imm : row->imm_reg;
  in().src1 = left.reg ? *left.reg : *right.reg;
  const Number number = left.reg ? right.number : left.number;
  in().imm = internal::sign_extend(SG_TRY(wrap_to_32_bits(number, line_)));
  return {};
}

// tmp = BASE, DST = n, jump [tmp + offset]: for a DST that is also BASE.
Status StatementParser::jump_through_tmp() {
  SG_TRY(scanner_.expect("="));
  in().base = SG_TRY(parse_reg(scanner_));
  SG_TRY(scanner_.expect(","));
  in().dst = SG_TRY(parse_reg(scanner_));
  SG_TRY(scanner_.expect("="));
  in().imm = internal::sign_extend(SG_TRY(parse_number_32(scanner_)));
  SG_TRY(scanner_.expect(","));
  const bool is_jump = scanner_.accept_word("jump") && scanner_.accept("[") && scanner_.accept_word("tmp");
  if (!is_jump) return fail("expected jump [tmp]");
  in().offset = SG_TRY(parse_offset_to_bracket(scanner_));
  in().opcode = Opcode::kLoadImmAndJumpIndirect;
  return {};
}

Status StatementParser::store(const MemoryWidth& width) {
  scanner_.accept_word(width.text);
  if (width.store_absolute == Opcode::kInvalid) return fail("only u8, u16, u32 and u64 can be stored");
  const MemoryOperand place = SG_TRY(parse_memory_operand(scanner_));
  SG_TRY(scanner_.expect("="));
  if (place.base) in().base = *place.base;
  in().offset = place.offset;
  const std::optional<Reg> source = scanner_.accept_reg();
  if (!source) return store_constant(width, place);
  in().opcode = place.base ? width.store_indirect : width.store_absolute;
  in().src1 = *source;
  return {};
}

Status StatementParser::store_constant(const MemoryWidth& width, const MemoryOperand& place) {
  const Number number = SG_TRY(scanner_.number());
  in().opcode = place.base ? width.store_imm_indirect : width.store_imm_absolute;
  if (!is_storable(in().opcode, static_cast<int64_t>(number.bits))) {
    return fail("the constant does not fit into what is stored");
  }
  in().imm = internal::sign_extend(static_cast<uint32_t>(number.bits));
  return {};
}

Status StatementParser::assignment() {
  const std::optional<Reg> dst = scanner_.accept_reg();
  if (!dst || !scanner_.accept("=")) return fail("cannot parse the statement");
  in().dst = *dst;
  return value();
}

Status StatementParser::value() {
  if (scanner_.accept("@")) return load_address();
  if (scanner_.accept("~")) return xnor();
  const std::string_view word = scanner_.peek_word();
  if (word == "i64") return forced_imm64();
  if (const MemoryWidth* width = width_named(word)) return load(*width);
  for (const Function& function : functions()) {
    if (word == function.text) return call(function);
  }
  for (const UnaryOperator& op : unary_operators()) {
    if (word == op.text) return unary(op);
  }
  AssemblyScanner ahead = scanner_;
  if (ahead.accept("-") && ahead.accept_reg()) return negation();
  return expression(SG_TRY(parse_operand(scanner_)));
}

Status StatementParser::load(const MemoryWidth& width) {
  scanner_.accept_word(width.text);
  const MemoryOperand place = SG_TRY(parse_memory_operand(scanner_));
  in().opcode = place.base ? width.load_indirect : width.load_absolute;
  if (place.base) in().base = *place.base;
  in().offset = place.offset;
  return {};
}

Status StatementParser::load_address() {
  in().opcode = Opcode::kLoadImm;
  statement_.target = {.kind = CodeTarget::Kind::kLabel, .label = scanner_.until_comment()};
  return {};
}

Status StatementParser::xnor() {
  SG_TRY(scanner_.expect("("));
  in().src1 = SG_TRY(parse_reg(scanner_));
  SG_TRY(scanner_.expect("^"));
  in().src2 = SG_TRY(parse_reg(scanner_));
  in().opcode = Opcode::kXnor;
  return scanner_.expect(")");
}

Status StatementParser::call(const Function& function) {
  scanner_.accept_word(function.text);
  SG_TRY(scanner_.expect("("));
  in().src1 = SG_TRY(parse_reg(scanner_));
  SG_TRY(scanner_.expect(","));
  in().src2 = SG_TRY(parse_reg(scanner_));
  in().opcode = function.opcode;
  return scanner_.expect(")");
}

Status StatementParser::unary(const UnaryOperator& op) {
  scanner_.accept_word(op.text);
  in().src1 = SG_TRY(parse_reg(scanner_));
  in().opcode = choose(op.opcode);
  return {};
}

Status StatementParser::forced_imm64() {
  scanner_.accept_word("i64");
  in().imm = SG_TRY(scanner_.number()).bits;
  in().opcode = Opcode::kLoadImm64;
  return {};
}

// -REG is 0 - REG.
Status StatementParser::negation() {
  scanner_.accept("-");
  in().src1 = SG_TRY(parse_reg(scanner_));
  in().opcode = choose({Opcode::kNegateAndAddImm64, Opcode::kNegateAndAddImm32});
  return {};
}

// What can follow the first register or constant of a value.
Status StatementParser::expression(const Operand& left) {
  if (scanner_.at_end()) {
    if (!left.reg) return constant(left.number);
    in().opcode = Opcode::kMoveReg;
    in().src1 = *left.reg;
    return {};
  }
  if (scanner_.accept_word("if")) return conditional_move(left);
  if (!left.reg && scanner_.accept(",")) return link_and_jump(left.number);
  for (const BinaryOperator& op : binary_operators()) {
    if (scanner_.accept_operator(op.text)) return binary(op, left, SG_TRY(parse_operand(scanner_)));
  }
  return fail("not an operator");
}

Status StatementParser::constant(Number number) {
  in().opcode = Opcode::kLoadImm;
  if (number.fits_i32() || !is_64_bit(set_)) return set_imm(number, /*only_low_half=*/false);
  in().opcode = Opcode::kLoadImm64;
  in().imm = number.bits;
  return {};
}

// DST = n, jump …
Status StatementParser::link_and_jump(Number number) {
  SG_TRY(set_imm(number, /*only_low_half=*/false));
  if (!scanner_.accept_word("jump")) return fail("expected a jump after the comma");
  if (scanner_.peek() != '[') {
    in().opcode = Opcode::kLoadImmAndJump;
    statement_.target = SG_TRY(parse_jump_target(scanner_, /*label_reaches_end=*/true));
    return {};
  }
  const MemoryOperand place = SG_TRY(parse_memory_operand(scanner_));
  if (!place.base) return fail("an indirect jump needs a register");
  // As written, the register would be overwritten before the jump reads it.
  if (*place.base == in().dst) return fail("write: tmp = REG, REG = n, jump [tmp]");
  in().opcode = Opcode::kLoadImmAndJumpIndirect;
  in().base = *place.base;
  in().offset = place.offset;
  return {};
}

Status StatementParser::conditional_move(const Operand& left) {
  const Reg tested = SG_TRY(parse_reg(scanner_));
  const bool if_zero = scanner_.accept("==");
  if (!if_zero && !scanner_.accept("!=")) return fail("a conditional move tests == 0 or != 0");
  if (SG_TRY(scanner_.number()).bits != 0) return fail("a conditional move tests == 0 or != 0");
  if (left.reg) {
    in().opcode = if_zero ? Opcode::kCmovIfZero : Opcode::kCmovIfNotZero;
    in().src1 = *left.reg;
    in().src2 = tested;
    return {};
  }
  in().opcode = if_zero ? Opcode::kCmovIfZeroImm : Opcode::kCmovIfNotZeroImm;
  in().src1 = tested;
  in().imm = internal::sign_extend(SG_TRY(wrap_to_32_bits(left.number, line_)));
  return {};
}

Status StatementParser::binary(const BinaryOperator& op, const Operand& left, const Operand& right) {
  using Twist = BinaryOperator::Twist;
  if (!left.reg && !right.reg) return fail("an operation needs a register");
  const OpcodePair pair = left.reg && right.reg ? op.reg_reg : left.reg ? op.reg_imm : op.imm_reg;
  if (pair.wide == Opcode::kInvalid) return fail("this operation takes no constant here");
  if (has_marker_ && pair.narrow == Opcode::kInvalid) return fail("this operation has no i32 form");
  in().opcode = choose(pair);
  if (left.reg && right.reg) {
    in().src1 = op.twist == Twist::kSwapRegs ? *right.reg : *left.reg;
    in().src2 = op.twist == Twist::kSwapRegs ? *left.reg : *right.reg;
    return {};
  }
  in().src1 = left.reg ? *left.reg : *right.reg;
  if (!left.reg) return set_imm(left.number, is_narrow(pair));
  const bool negate = op.twist == Twist::kNegateImmediate;
  return set_imm(negate ? right.number.negated() : right.number, is_narrow(pair));
}

// Where only the low half counts, 0xffffffff is -1; elsewhere it is a number that has no encoding.
Status StatementParser::set_imm(Number number, bool only_low_half) {
  const bool wraps = only_low_half || !is_64_bit(set_);
  if (!number.fits_i32() && !(wraps && number.fits_u32())) {
    return fail("the number does not fit into a signed 32-bit constant");
  }
  in().imm = internal::sign_extend(static_cast<uint32_t>(number.bits));
  return {};
}

}  // namespace

Result<Statement> parse_statement(std::string_view line, InstructionSet set) {
  return StatementParser(line, set).parse();
}

}  // namespace sandglass
