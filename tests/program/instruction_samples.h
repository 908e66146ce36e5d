// Comparing and generating instructions.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <tuple>

#include "sandbox/program/instruction.h"

namespace sandglass {

inline bool operator==(const Instruction& a, const Instruction& b) {
  return std::tie(a.pc, a.next_pc, a.opcode, a.dst, a.src1, a.src2, a.base, a.offset, a.target, a.imm) ==
         std::tie(b.pc, b.next_pc, b.opcode, b.dst, b.src1, b.src2, b.base, b.offset, b.target, b.imm);
}

inline std::ostream& operator<<(std::ostream& out, const Instruction& in) {
  return out << name_of(in.opcode) << " pc=" << in.pc << " next_pc=" << in.next_pc
             << " dst=" << name_of(in.dst) << " src1=" << name_of(in.src1) << " src2=" << name_of(in.src2)
             << " base=" << name_of(in.base) << " offset=" << in.offset << " target=" << in.target
             << " imm=" << static_cast<int64_t>(in.imm);
}

namespace test {

// Which fields an instruction of a form has; decoding leaves the others at zero.
struct Operands {
  bool dst = false, src1 = false, src2 = false, base = false, offset = false, target = false, imm = false;
};

inline Operands operands_of(Form form) {
  switch (form) {
    case Form::None: return {};
    case Form::Imm: return {.imm = true};
    case Form::DstImm64: return {.dst = true, .imm = true};
    case Form::AddrImm: return {.offset = true, .imm = true};
    case Form::Target: return {.target = true};
    case Form::BaseOff: return {.base = true, .offset = true};
    case Form::DstImm: return {.dst = true, .imm = true};
    case Form::DstAddr: return {.dst = true, .offset = true};
    case Form::SrcAddr: return {.src1 = true, .offset = true};
    case Form::BaseOffImm: return {.base = true, .offset = true, .imm = true};
    case Form::DstImmTarget: return {.dst = true, .target = true, .imm = true};
    case Form::SrcImmTarget: return {.src1 = true, .target = true, .imm = true};
    case Form::DstSrc: return {.dst = true, .src1 = true};
    case Form::SrcBaseOff: return {.src1 = true, .base = true, .offset = true};
    case Form::DstBaseOff: return {.dst = true, .base = true, .offset = true};
    case Form::DstSrcImm: return {.dst = true, .src1 = true, .imm = true};
    case Form::SrcSrcTarget: return {.src1 = true, .src2 = true, .target = true};
    case Form::DstBaseImmOff: return {.dst = true, .base = true, .offset = true, .imm = true};
    case Form::DstSrcSrc: return {.dst = true, .src1 = true, .src2 = true};
  }
  return {};
}

}  // namespace test
}  // namespace sandglass
