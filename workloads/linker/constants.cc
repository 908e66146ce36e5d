#include "workloads/linker/constants.h"

#include <algorithm>
#include <array>
#include <optional>

namespace sandglass::linker {
namespace {

using Known = std::optional<int64_t>;

bool fits(int64_t value) { return value == static_cast<int32_t>(value); }

// The forms of a three-operand instruction whose second, or first, source is a constant.
struct ImmRow {
  Opcode opcode, second, first;
};
constexpr Opcode kNo = Opcode::kInvalid;
constexpr ImmRow kImmRows[] = {
    {Opcode::kAdd32, Opcode::kAddImm32, Opcode::kAddImm32},
    {Opcode::kAdd64, Opcode::kAddImm64, Opcode::kAddImm64},
    {Opcode::kSub32, kNo, Opcode::kNegateAndAddImm32},
    {Opcode::kSub64, kNo, Opcode::kNegateAndAddImm64},
    {Opcode::kMul32, Opcode::kMulImm32, Opcode::kMulImm32},
    {Opcode::kMul64, Opcode::kMulImm64, Opcode::kMulImm64},
    {Opcode::kAnd, Opcode::kAndImm, Opcode::kAndImm},
    {Opcode::kOr, Opcode::kOrImm, Opcode::kOrImm},
    {Opcode::kXor, Opcode::kXorImm, Opcode::kXorImm},
    {Opcode::kSetLessThanSigned, Opcode::kSetLessThanSignedImm, Opcode::kSetGreaterThanSignedImm},
    {Opcode::kSetLessThanUnsigned, Opcode::kSetLessThanUnsignedImm, Opcode::kSetGreaterThanUnsignedImm},
    {Opcode::kShiftLogicalLeft32, Opcode::kShiftLogicalLeftImm32, Opcode::kShiftLogicalLeftImmAlt32},
    {Opcode::kShiftLogicalLeft64, Opcode::kShiftLogicalLeftImm64, Opcode::kShiftLogicalLeftImmAlt64},
    {Opcode::kShiftLogicalRight32, Opcode::kShiftLogicalRightImm32, Opcode::kShiftLogicalRightImmAlt32},
    {Opcode::kShiftLogicalRight64, Opcode::kShiftLogicalRightImm64, Opcode::kShiftLogicalRightImmAlt64},
    {Opcode::kShiftArithmeticRight32, Opcode::kShiftArithmeticRightImm32,
     Opcode::kShiftArithmeticRightImmAlt32},
    {Opcode::kShiftArithmeticRight64, Opcode::kShiftArithmeticRightImm64,
     Opcode::kShiftArithmeticRightImmAlt64},
    {Opcode::kCmovIfZero, kNo, Opcode::kCmovIfZeroImm},
    {Opcode::kCmovIfNotZero, kNo, Opcode::kCmovIfNotZeroImm},
    {Opcode::kBranchEq, Opcode::kBranchEqImm, Opcode::kBranchEqImm},
    {Opcode::kBranchNotEq, Opcode::kBranchNotEqImm, Opcode::kBranchNotEqImm},
    {Opcode::kBranchLessSigned, Opcode::kBranchLessSignedImm, Opcode::kBranchGreaterSignedImm},
    {Opcode::kBranchLessUnsigned, Opcode::kBranchLessUnsignedImm, Opcode::kBranchGreaterUnsignedImm},
    {Opcode::kBranchGreaterOrEqualSigned, Opcode::kBranchGreaterOrEqualSignedImm,
     Opcode::kBranchLessOrEqualSignedImm},
    {Opcode::kBranchGreaterOrEqualUnsigned, Opcode::kBranchGreaterOrEqualUnsignedImm,
     Opcode::kBranchLessOrEqualUnsignedImm},
};

// Memory instructions: without their base, and stores also with a constant as what is stored.
struct MemoryRow {
  Opcode indirect, absolute, imm_indirect = kNo, imm_absolute = kNo;
};
constexpr MemoryRow kMemoryRows[] = {
    {Opcode::kLoadIndirectU8, Opcode::kLoadU8},
    {Opcode::kLoadIndirectI8, Opcode::kLoadI8},
    {Opcode::kLoadIndirectU16, Opcode::kLoadU16},
    {Opcode::kLoadIndirectI16, Opcode::kLoadI16},
    {Opcode::kLoadIndirectU32, Opcode::kLoadU32},
    {Opcode::kLoadIndirectI32, Opcode::kLoadI32},
    {Opcode::kLoadIndirectU64, Opcode::kLoadU64},
    {Opcode::kStoreIndirectU8, Opcode::kStoreU8, Opcode::kStoreImmIndirectU8, Opcode::kStoreImmU8},
    {Opcode::kStoreIndirectU16, Opcode::kStoreU16, Opcode::kStoreImmIndirectU16, Opcode::kStoreImmU16},
    {Opcode::kStoreIndirectU32, Opcode::kStoreU32, Opcode::kStoreImmIndirectU32, Opcode::kStoreImmU32},
    {Opcode::kStoreIndirectU64, Opcode::kStoreU64, Opcode::kStoreImmIndirectU64, Opcode::kStoreImmU64},
};

// `source op imm`, for what addresses and large constants are made with.
Known evaluate(Opcode opcode, int64_t source, int64_t imm) {
  const auto a = static_cast<uint64_t>(source), b = static_cast<uint64_t>(imm);
  switch (opcode) {
    case Opcode::kAddImm32: return static_cast<int32_t>(static_cast<uint32_t>(a + b));
    case Opcode::kAddImm64: return static_cast<int64_t>(a + b);
    case Opcode::kAndImm: return source & imm;
    case Opcode::kOrImm: return source | imm;
    case Opcode::kXorImm: return source ^ imm;
    case Opcode::kShiftLogicalLeftImm64: return static_cast<int64_t>(a << (b & 63));
    case Opcode::kShiftLogicalRightImm64: return static_cast<int64_t>(a >> (b & 63));
    default: return std::nullopt;
  }
}

class Constants {
 public:
  void forget() { known_.fill(std::nullopt); }

  void rewrite(Line& line) {
    if (line.code_pointer == kNowhere) {
      use_in_arithmetic(line.in);
      use_in_memory(line.in);
      fold(line.in);
    }
    learn(line);
  }

 private:
  Known& of(Reg reg) { return known_[static_cast<size_t>(reg)]; }
  // A constant that fits into an instruction.
  Known short_of(Reg reg) { return of(reg) && fits(*of(reg)) ? of(reg) : std::nullopt; }

  void use_in_arithmetic(Instruction& in) {
    const auto* row = std::find_if(std::begin(kImmRows), std::end(kImmRows),
                                   [&](const auto& r) { return r.opcode == in.opcode; });
    if (row == std::end(kImmRows)) {
      if (in.opcode == Opcode::kMoveReg && of(in.src1)) set_constant(in, *of(in.src1));
      return;
    }
    const bool is_sub = in.opcode == Opcode::kSub32 || in.opcode == Opcode::kSub64;
    if (const Known second = short_of(in.src2); second && is_sub && fits(-*second)) {
      in.opcode = in.opcode == Opcode::kSub32 ? Opcode::kAddImm32 : Opcode::kAddImm64;
      in.imm = static_cast<uint64_t>(-*second);
    } else if (second && row->second != kNo) {
      in.opcode = row->second;
      in.imm = static_cast<uint64_t>(*second);
    } else if (const Known first = short_of(in.src1); first && row->first != kNo) {
      in.opcode = row->first;
      in.imm = static_cast<uint64_t>(*first);
      in.src1 = in.src2;
    }
  }

  void use_in_memory(Instruction& in) {
    const auto* row = std::find_if(std::begin(kMemoryRows), std::end(kMemoryRows),
                                   [&](const auto& r) { return r.indirect == in.opcode; });
    if (row == std::end(kMemoryRows)) return;
    const Known base = of(in.base), value = row->imm_indirect != kNo ? short_of(in.src1) : std::nullopt;
    if (base) in.offset += static_cast<uint32_t>(*base);
    if (value) in.imm = static_cast<uint64_t>(*value);
    in.opcode =
        base ? (value ? row->imm_absolute : row->absolute) : (value ? row->imm_indirect : row->indirect);
  }

  void fold(Instruction& in) {
    if (info_of(in.opcode).form != Form::DstSrcImm || !of(in.src1)) return;
    if (const Known value = evaluate(in.opcode, *of(in.src1), static_cast<int64_t>(in.imm)))
      set_constant(in, *value);
  }

  static void set_constant(Instruction& in, int64_t value) {
    in = {.opcode = fits(value) ? Opcode::kLoadImm : Opcode::kLoadImm64,
          .dst = in.dst,
          .imm = static_cast<uint64_t>(value)};
  }

  void learn(const Line& line) {
    // The host may have written any register.
    const RegSet writes = line.in.opcode == Opcode::kEcalli ? kAllRegs : effect_of(line.in).writes;
    for (size_t i = 0; i < kRegCount; ++i) {
      if ((writes >> i & 1) != 0) known_[i] = std::nullopt;
    }
    const bool is_constant = line.in.opcode == Opcode::kLoadImm || line.in.opcode == Opcode::kLoadImm64;
    if (is_constant && line.code_pointer == kNowhere) of(line.in.dst) = static_cast<int64_t>(line.in.imm);
  }

  std::array<Known, kRegCount> known_;
};

}  // namespace

void use_constants(Code& code, const FlowGraph& graph) {
  Constants constants;
  for (size_t i = 0; i < code.lines.size(); ++i) {
    if (graph.is_label(i)) constants.forget();
    constants.rewrite(code.lines[i]);
  }
}

}  // namespace sandglass::linker
