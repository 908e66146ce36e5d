// What every opcode asks of the simulated core (pipeline_model.h): one table, walked by the model and printed
// in no other place.
//
// A load holds one ALU and one of 4 load units for the same time, a store one ALU and one of 4 store units.
// As there are only 4 ALUs, load and store units are never what an instruction waits for, so the table leaves
// them out (tests/gas counts them and gets the same costs).
#pragma once

#include <array>
#include <cstdint>

#include "sandbox/program/isa.h"

namespace sandglass {

enum class CoreUnit : uint8_t {
  kNone,        // needs a place in the reorder buffer only
  kAlu,         // one ALU
  kTwoAlus,     // two ALUs
  kMultiplier,  // one ALU and the multiplier
  kDivider,     // one ALU and the divider
  kRename,      // a register move: costs a decode slot and is gone
};

// When the destination has to be copied first, which takes one more decode slot.
enum class CopySlot : uint8_t {
  kNever,
  kUnlessSource,       // the destination is neither source
  kUnlessFirstSource,  // the destination is not the first source
};

struct PipelineCost {
  uint8_t latency;       // cycles; kLoadLatency and kBranchLatency are placeholders
  uint8_t decode_slots;  // 1 … 4, all adjustments included
  CoreUnit unit = CoreUnit::kAlu;
  CopySlot copy = CopySlot::kNever;
  uint8_t sign_extension = 0;  // added to latency and decode_slots on 64-bit sets
};

inline constexpr uint8_t kLoadLatency = 0;      // stands for the model's parameter
inline constexpr uint8_t kBranchLatency = 255;  // stands for one of the next two
inline constexpr uint8_t kColdBranchLatency = 1;
inline constexpr uint8_t kWarmBranchLatency = 20;
inline constexpr uint32_t kDecodeSlots = 4;

namespace internal {

// A switch without default: a new opcode does not compile until it has a price.
constexpr PipelineCost pipeline_cost_of(Opcode opcode) {
  using enum Opcode;
  using enum CoreUnit;
  using enum CopySlot;
  switch (opcode) {
    // clang-format off
    case kAnd: case kOr: case kXor: case kAdd64: case kSub64:
    case kAndImm: case kOrImm: case kXorImm: case kAddImm64: case kShiftLogicalLeftImm64:
    case kShiftLogicalRightImm64: case kShiftArithmeticRightImm64: case kRotateRightImm64: case kReverseByte:
      return {1, 1, kAlu, kUnlessSource};
    case kAdd32: case kSub32:
    case kAddImm32: case kShiftLogicalLeftImm32: case kShiftLogicalRightImm32:
    case kShiftArithmeticRightImm32: case kRotateRightImm32:
      return {1, 1, kAlu, kUnlessSource, 1};
    case kCountLeadingZeroBits32: case kCountLeadingZeroBits64: case kCountSetBits32: case kCountSetBits64:
    case kSignExtend8: case kSignExtend16: case kZeroExtend16:
      return {1, 1};
    case kCountTrailingZeroBits32: case kCountTrailingZeroBits64:
      return {2, 1, kTwoAlus};
    case kShiftLogicalLeft64: case kShiftLogicalRight64: case kShiftArithmeticRight64:
    case kRotateLeft64: case kRotateRight64:
      return {1, 2, kAlu, kUnlessFirstSource};
    case kShiftLogicalLeft32: case kShiftLogicalRight32: case kShiftArithmeticRight32:
    case kRotateLeft32: case kRotateRight32:
      return {1, 2, kAlu, kUnlessFirstSource, 1};
    case kShiftLogicalLeftImmAlt64: case kShiftLogicalRightImmAlt64: case kShiftArithmeticRightImmAlt64:
    case kRotateRightImmAlt64:
      return {1, 3};
    case kShiftLogicalLeftImmAlt32: case kShiftLogicalRightImmAlt32: case kShiftArithmeticRightImmAlt32:
    case kRotateRightImmAlt32:
      return {2, 4};
    case kSetLessThanUnsigned: case kSetLessThanSigned: case kSetLessThanUnsignedImm:
    case kSetLessThanSignedImm: case kSetGreaterThanUnsignedImm: case kSetGreaterThanSignedImm:
      return {3, 3};
    case kCmovIfZero: case kCmovIfNotZero:
      return {2, 2};
    case kCmovIfZeroImm: case kCmovIfNotZeroImm:
      return {2, 3};
    case kMaximum: case kMaximumUnsigned: case kMinimum: case kMinimumUnsigned:
      return {3, 2, kAlu, kUnlessSource};
    case kAndInverted: case kOrInverted: case kNegateAndAddImm64:
      return {2, 3};
    case kXnor:
      return {2, 2, kAlu, kUnlessSource};
    case kNegateAndAddImm32:
      return {3, 4};
    case kMul32: case kMulImm32:
      return {4, 2, kMultiplier, kUnlessSource};
    case kMul64: case kMulImm64:
      return {3, 1, kMultiplier, kUnlessSource};
    case kMulUpperSignedSigned: case kMulUpperUnsignedUnsigned:
      return {4, 4, kMultiplier};
    case kMulUpperSignedUnsigned:
      return {6, 4, kMultiplier};
    case kDivUnsigned32: case kDivSigned32: case kRemUnsigned32: case kRemSigned32:
    case kDivUnsigned64: case kDivSigned64: case kRemUnsigned64: case kRemSigned64:
      return {60, 4, kDivider};
    case kLoadU8: case kLoadI8: case kLoadU16: case kLoadI16: case kLoadU32: case kLoadI32: case kLoadU64:
    case kLoadIndirectU8: case kLoadIndirectI8: case kLoadIndirectU16: case kLoadIndirectI16:
    case kLoadIndirectU32: case kLoadIndirectI32: case kLoadIndirectU64:
      return {kLoadLatency, 1};
    case kStoreU8: case kStoreU16: case kStoreU32: case kStoreU64:
    case kStoreImmU8: case kStoreImmU16: case kStoreImmU32: case kStoreImmU64:
    case kStoreIndirectU8: case kStoreIndirectU16: case kStoreIndirectU32: case kStoreIndirectU64:
    case kStoreImmIndirectU8: case kStoreImmIndirectU16: case kStoreImmIndirectU32: case kStoreImmIndirectU64:
      return {25, 1};
    case kBranchEqImm: case kBranchNotEqImm: case kBranchLessUnsignedImm: case kBranchLessOrEqualUnsignedImm:
    case kBranchGreaterOrEqualUnsignedImm: case kBranchGreaterUnsignedImm: case kBranchLessSignedImm:
    case kBranchLessOrEqualSignedImm: case kBranchGreaterOrEqualSignedImm: case kBranchGreaterSignedImm:
    case kBranchEq: case kBranchNotEq: case kBranchLessUnsigned: case kBranchLessSigned:
    case kBranchGreaterOrEqualUnsigned: case kBranchGreaterOrEqualSigned:
      return {kBranchLatency, 1};
    case kEcalli: case kMemset: case kSbrk:
      return {100, 4};
    case kLoadImm:
      return {1, 1, kNone};
    case kLoadImm64:
      return {1, 2, kNone};
    case kTrap: case kFallthrough: case kInvalid:
      return {2, 1, kNone};
    case kUnlikely:
      return {40, 1, kNone};
    case kJump: case kLoadImmAndJump:
      return {15, 1, kNone};
    case kJumpIndirect: case kLoadImmAndJumpIndirect:
      return {22, 1, kNone};
    case kMoveReg:
      return {0, 1, kRename};
      // clang-format on
  }
  return {};
}

constexpr std::array<PipelineCost, kOpcodeCount + 1> make_pipeline_costs() {
  std::array<PipelineCost, kOpcodeCount + 1> table{};
  for (size_t i = 0; i < table.size(); ++i) table[i] = pipeline_cost_of(static_cast<Opcode>(i));
  return table;
}

}  // namespace internal

inline constexpr std::array<PipelineCost, kOpcodeCount + 1> kPipelineCosts = internal::make_pipeline_costs();

}  // namespace sandglass
