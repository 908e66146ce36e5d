#include "sandbox/program/assembly_syntax.h"

#include <fmt/format.h>

namespace sandglass {
namespace {

using enum Opcode;
using Twist = BinaryOperator::Twist;
using Shape = OpcodeSyntax::Shape;

constexpr BinaryOperator kBinaryOperators[] = {
    {"+", {kAdd64, kAdd32}, {kAddImm64, kAddImm32}, {kAddImm64, kAddImm32}},
    {"-",
     {kSub64, kSub32},
     {kAddImm64, kAddImm32},
     {kNegateAndAddImm64, kNegateAndAddImm32},
     Twist::kNegateImmediate},
    {"*", {kMul64, kMul32}, {kMulImm64, kMulImm32}, {kMulImm64, kMulImm32}},
    {"& ~", {kAndInverted}, {}, {}},
    {"&", {kAnd}, {kAndImm}, {kAndImm}},
    {"| ~", {kOrInverted}, {}, {}},
    {"|", {kOr}, {kOrImm}, {kOrImm}},
    {"^", {kXor}, {kXorImm}, {kXorImm}},
    {"/u", {kDivUnsigned64, kDivUnsigned32}, {}, {}},
    {"/s", {kDivSigned64, kDivSigned32}, {}, {}},
    {"%u", {kRemUnsigned64, kRemUnsigned32}, {}, {}},
    {"%s", {kRemSigned64, kRemSigned32}, {}, {}},
    {">>a",
     {kShiftArithmeticRight64, kShiftArithmeticRight32},
     {kShiftArithmeticRightImm64, kShiftArithmeticRightImm32},
     {kShiftArithmeticRightImmAlt64, kShiftArithmeticRightImmAlt32}},
    {">>r",
     {kRotateRight64, kRotateRight32},
     {kRotateRightImm64, kRotateRightImm32},
     {kRotateRightImmAlt64, kRotateRightImmAlt32}},
    {">>",
     {kShiftLogicalRight64, kShiftLogicalRight32},
     {kShiftLogicalRightImm64, kShiftLogicalRightImm32},
     {kShiftLogicalRightImmAlt64, kShiftLogicalRightImmAlt32}},
    {"<<r", {kRotateLeft64, kRotateLeft32}, {}, {}},
    {"<<",
     {kShiftLogicalLeft64, kShiftLogicalLeft32},
     {kShiftLogicalLeftImm64, kShiftLogicalLeftImm32},
     {kShiftLogicalLeftImmAlt64, kShiftLogicalLeftImmAlt32}},
    {"<u", {kSetLessThanUnsigned}, {kSetLessThanUnsignedImm}, {kSetGreaterThanUnsignedImm}},
    {"<s", {kSetLessThanSigned}, {kSetLessThanSignedImm}, {kSetGreaterThanSignedImm}},
    {">u", {kSetLessThanUnsigned}, {kSetGreaterThanUnsignedImm}, {kSetLessThanUnsignedImm}, Twist::kSwapRegs},
    {">s", {kSetLessThanSigned}, {kSetGreaterThanSignedImm}, {kSetLessThanSignedImm}, Twist::kSwapRegs},
    {"mulhsu", {kMulUpperSignedUnsigned}, {}, {}},
    {"mulhu", {kMulUpperUnsignedUnsigned}, {}, {}},
    {"mulh", {kMulUpperSignedSigned}, {}, {}},
};

constexpr Comparison kComparisons[] = {
    {"==", kBranchEq, false, kBranchEqImm, kBranchEqImm},
    {"!=", kBranchNotEq, false, kBranchNotEqImm, kBranchNotEqImm},
    {"<u", kBranchLessUnsigned, false, kBranchLessUnsignedImm, kBranchGreaterUnsignedImm},
    {"<s", kBranchLessSigned, false, kBranchLessSignedImm, kBranchGreaterSignedImm},
    {">=u", kBranchGreaterOrEqualUnsigned, false, kBranchGreaterOrEqualUnsignedImm,
     kBranchLessOrEqualUnsignedImm},
    {">=s", kBranchGreaterOrEqualSigned, false, kBranchGreaterOrEqualSignedImm, kBranchLessOrEqualSignedImm},
    {">u", kBranchLessUnsigned, true, kBranchGreaterUnsignedImm, kBranchLessUnsignedImm},
    {">s", kBranchLessSigned, true, kBranchGreaterSignedImm, kBranchLessSignedImm},
    {"<=u", kBranchGreaterOrEqualUnsigned, true, kBranchLessOrEqualUnsignedImm,
     kBranchGreaterOrEqualUnsignedImm},
    {"<=s", kBranchGreaterOrEqualSigned, true, kBranchLessOrEqualSignedImm, kBranchGreaterOrEqualSignedImm},
};

constexpr UnaryOperator kUnaryOperators[] = {
    {"cpop", {kCountSetBits64, kCountSetBits32}},
    {"clz", {kCountLeadingZeroBits64, kCountLeadingZeroBits32}},
    {"ctz", {kCountTrailingZeroBits64, kCountTrailingZeroBits32}},
    {"sext8", {kSignExtend8}},
    {"sext16", {kSignExtend16}},
    {"zext16", {kZeroExtend16}},
    {"reverse", {kReverseByte}},
    {"sbrk", {kSbrk}},
};

constexpr Function kFunctions[] = {
    {"maxs", kMaximum},
    {"maxu", kMaximumUnsigned},
    {"mins", kMinimum},
    {"minu", kMinimumUnsigned},
};

// u32 takes constants of either sign, since only the low 32 bits are stored. u64 stores the sign extension.
constexpr MemoryWidth kMemoryWidths[] = {
    {"u8", kLoadU8, kLoadIndirectU8, kStoreU8, kStoreIndirectU8, kStoreImmU8, kStoreImmIndirectU8, -128, 255},
    {"u16", kLoadU16, kLoadIndirectU16, kStoreU16, kStoreIndirectU16, kStoreImmU16, kStoreImmIndirectU16,
     -32768, 65535},
    {"u32", kLoadU32, kLoadIndirectU32, kStoreU32, kStoreIndirectU32, kStoreImmU32, kStoreImmIndirectU32,
     INT32_MIN, UINT32_MAX},
    {"u64", kLoadU64, kLoadIndirectU64, kStoreU64, kStoreIndirectU64, kStoreImmU64, kStoreImmIndirectU64,
     INT32_MIN, INT32_MAX},
    {"i8", kLoadI8, kLoadIndirectI8, kInvalid, kInvalid, kInvalid, kInvalid, 0, 0},
    {"i16", kLoadI16, kLoadIndirectI16, kInvalid, kInvalid, kInvalid, kInvalid, 0, 0},
    {"i32", kLoadI32, kLoadIndirectI32, kInvalid, kInvalid, kInvalid, kInvalid, 0, 0},
};

constexpr Function kPlainWords[] = {
    {"trap", kTrap},     {"fallthrough", kFallthrough}, {"unlikely", kUnlikely},
    {"memset", kMemset}, {"ret", kJumpIndirect},        {"nop", kMoveReg},
};

using SyntaxTable = std::array<OpcodeSyntax, kOpcodeCount + 1>;

// Keeps the first way to write an opcode; the tables are walked from the preferred ways to the others.
constexpr void set_first(SyntaxTable& table, Opcode opcode, OpcodeSyntax syntax) {
  OpcodeSyntax& entry = table[static_cast<size_t>(opcode)];
  if (entry.token.empty()) entry = syntax;
}

constexpr void set_pair(SyntaxTable& table, OpcodePair pair, Shape shape, std::string_view token) {
  set_first(table, pair.wide, {shape, token, false});
  set_first(table, pair.narrow, {shape, token, true});
}

constexpr SyntaxTable make_syntax() {
  SyntaxTable table{};
  for (const BinaryOperator& op : kBinaryOperators) set_pair(table, op.reg_reg, Shape::kRegOpReg, op.text);
  for (const BinaryOperator& op : kBinaryOperators) set_pair(table, op.reg_imm, Shape::kRegOpImm, op.text);
  for (const BinaryOperator& op : kBinaryOperators) set_pair(table, op.imm_reg, Shape::kImmOpReg, op.text);
  for (const UnaryOperator& op : kUnaryOperators) set_pair(table, op.opcode, Shape::kByForm, op.text);
  for (const Function& function : kFunctions) {
    set_first(table, function.opcode, {Shape::kFunction, function.text});
  }
  for (const MemoryWidth& width : kMemoryWidths) {
    for (Opcode opcode : {width.load_absolute, width.load_indirect, width.store_absolute,
                          width.store_indirect, width.store_imm_absolute, width.store_imm_indirect}) {
      set_first(table, opcode, {Shape::kByForm, width.text});
    }
  }
  for (const Comparison& comparison : kComparisons) {
    if (!comparison.swap_regs) set_first(table, comparison.reg_reg, {Shape::kByForm, comparison.text});
    set_first(table, comparison.reg_imm, {Shape::kByForm, comparison.text});
  }
  set_first(table, kXnor, {Shape::kXnor, "^"});
  for (Opcode opcode : {kCmovIfZero, kCmovIfZeroImm}) set_first(table, opcode, {Shape::kCmov, "=="});
  for (Opcode opcode : {kCmovIfNotZero, kCmovIfNotZeroImm}) set_first(table, opcode, {Shape::kCmov, "!="});
  table[static_cast<size_t>(kInvalid)] = {};
  return table;
}

constexpr SyntaxTable kSyntax = make_syntax();

}  // namespace

std::span<const BinaryOperator> binary_operators() { return kBinaryOperators; }
std::span<const Comparison> comparisons() { return kComparisons; }
std::span<const UnaryOperator> unary_operators() { return kUnaryOperators; }
std::span<const Function> functions() { return kFunctions; }
std::span<const MemoryWidth> memory_widths() { return kMemoryWidths; }
std::span<const Function> plain_words() { return kPlainWords; }

const OpcodeSyntax& syntax_of(Opcode opcode) { return kSyntax[static_cast<size_t>(opcode)]; }

bool is_storable(Opcode store, int64_t constant) {
  for (const MemoryWidth& width : kMemoryWidths) {
    if (store == width.store_imm_absolute || store == width.store_imm_indirect) {
      return constant >= width.min_constant && constant <= width.max_constant;
    }
  }
  return false;
}

std::string quote(std::string_view bytes) {
  std::string text = "'";
  for (const char c : bytes) {
    if (c == '\'' || c == '\\') {
      text += '\\';
      text += c;
    } else if (c >= ' ' && c <= '~') {
      text += c;
    } else {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return text += '\'';
}

}  // namespace sandglass
