// Instruction: one decoded instruction, its operands by role.
//
// Layouts. b0, b1, … are the bytes after the opcode; lo and hi are the nibbles of a byte; `skip` is the
// number of bytes after the opcode. An immediate has 0 to 4 bytes, little-endian, sign-extended from its own
// length; the length of the last one is what remains of skip, at most 4.
//
//   None            —
//   Imm             imm = rest
//   DstImm64        dst = lo(b0), imm = 8 bytes at b1 (always 8, whatever skip says)
//   AddrImm         offset = first(b0), imm = rest                          first(b): min(4, b & 7) bytes
//   Target          target = pc + rest
//   BaseOff         base = lo(b0), offset = rest
//   DstImm          dst = lo(b0), imm = rest
//   DstAddr SrcAddr dst or src1 = lo(b0), offset = rest (an absolute address)
//   BaseOffImm      base = lo(b0), offset = first(b0 >> 4), imm = rest
//   DstImmTarget    dst = lo(b0), imm = first(b0 >> 4), target = pc + rest
//   SrcImmTarget    src1 = lo(b0), imm = first(b0 >> 4), target = pc + rest
//   DstSrc          dst = lo(b0), src1 = hi(b0)
//   SrcBaseOff      src1 = lo(b0), base = hi(b0), offset = rest
//   DstBaseOff      dst = lo(b0), base = hi(b0), offset = rest
//   DstSrcImm       dst = lo(b0), src1 = hi(b0), imm = rest
//   SrcSrcTarget    src1 = lo(b0), src2 = hi(b0), target = pc + rest
//   DstBaseImmOff   dst = lo(b0), base = hi(b0), imm = first(b1), offset = rest
//   DstSrcSrc       src1 = lo(b0), src2 = hi(b0), dst = lo(b1)
//
// Conditional moves use dst, src1 (value) and src2 (condition); with an immediate, src1 is the condition.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "sandbox/program/isa.h"

namespace sandglass {

struct Instruction {
  uint32_t pc = 0;
  uint32_t next_pc = 0;  // pc + 1 + skip
  Opcode opcode = Opcode::kInvalid;
  Reg dst{}, src1{}, src2{}, base{};
  uint32_t offset = 0;  // added to base, or an absolute guest address
  uint32_t target = 0;  // code offset
  uint64_t imm = 0;     // sign-extended to 64 bits; 32-bit sets use the low half
};

inline constexpr uint32_t kMaxSkip = 24;
inline constexpr size_t kMaxInstructionBytes = 1 + kMaxSkip;

namespace internal {

inline Reg reg_from(uint32_t nibble) { return static_cast<Reg>(std::min<uint32_t>(nibble & 15, 12)); }

// Reads `length` (0…4) bytes. Reads 4 bytes at p whatever the length: the caller guarantees they are there.
inline uint32_t read_imm(const uint8_t* p, uint32_t length) {
  uint32_t raw;
  std::memcpy(&raw, p, 4);
  const uint32_t unused_bits = 32 - 8 * length;
  // For length 0 all bits are shifted out; in 64 bits, since a 32-bit shift by 32 is undefined.
  const auto top = static_cast<uint32_t>(static_cast<uint64_t>(raw) << unused_bits);
  return static_cast<uint32_t>(static_cast<int32_t>(top) >> (unused_bits & 31));
}

inline uint64_t sign_extend(uint32_t value) {
  return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(value)));
}

constexpr uint32_t rest_length(uint32_t skip, uint32_t used) {
  return skip > used ? std::min(4u, skip - used) : 0;
}
inline uint32_t first_length(uint32_t bits) { return std::min(4u, bits & 7); }

}  // namespace internal

// Fills in the operands of `in` (whose pc is set) from the bytes after the opcode. At least 16 readable bytes
// must follow the opcode (Program pads its code).
template <Form form>
inline void decode_operands(const uint8_t* b, uint32_t skip, Instruction& in) {
  using namespace internal;
  if constexpr (form == Form::Imm) {
    in.imm = sign_extend(read_imm(b, rest_length(skip, 0)));
  } else if constexpr (form == Form::DstImm64) {
    in.dst = reg_from(b[0]);
    std::memcpy(&in.imm, b + 1, 8);
  } else if constexpr (form == Form::AddrImm) {
    const uint32_t first = first_length(b[0]);
    in.offset = read_imm(b + 1, first);
    in.imm = sign_extend(read_imm(b + 1 + first, rest_length(skip, first + 1)));
  } else if constexpr (form == Form::Target) {
    in.target = in.pc + read_imm(b, rest_length(skip, 0));
  } else if constexpr (form == Form::BaseOff) {
    in.base = reg_from(b[0]);
    in.offset = read_imm(b + 1, rest_length(skip, 1));
  } else if constexpr (form == Form::DstImm) {
    in.dst = reg_from(b[0]);
    in.imm = sign_extend(read_imm(b + 1, rest_length(skip, 1)));
  } else if constexpr (form == Form::DstAddr) {
    in.dst = reg_from(b[0]);
    in.offset = read_imm(b + 1, rest_length(skip, 1));
  } else if constexpr (form == Form::SrcAddr) {
    in.src1 = reg_from(b[0]);
    in.offset = read_imm(b + 1, rest_length(skip, 1));
  } else if constexpr (form == Form::BaseOffImm) {
    const uint32_t first = first_length(b[0] >> 4u);
    in.base = reg_from(b[0]);
    in.offset = read_imm(b + 1, first);
    in.imm = sign_extend(read_imm(b + 1 + first, rest_length(skip, first + 1)));
  } else if constexpr (form == Form::DstImmTarget || form == Form::SrcImmTarget) {
    const uint32_t first = first_length(b[0] >> 4u);
    (form == Form::DstImmTarget ? in.dst : in.src1) = reg_from(b[0]);
    in.imm = sign_extend(read_imm(b + 1, first));
    in.target = in.pc + read_imm(b + 1 + first, rest_length(skip, first + 1));
  } else if constexpr (form == Form::DstSrc) {
    in.dst = reg_from(b[0]);
    in.src1 = reg_from(b[0] >> 4u);
  } else if constexpr (form == Form::SrcBaseOff) {
    in.src1 = reg_from(b[0]);
    in.base = reg_from(b[0] >> 4u);
    in.offset = read_imm(b + 1, rest_length(skip, 1));
  } else if constexpr (form == Form::DstBaseOff) {
    in.dst = reg_from(b[0]);
    in.base = reg_from(b[0] >> 4u);
    in.offset = read_imm(b + 1, rest_length(skip, 1));
  } else if constexpr (form == Form::DstSrcImm) {
    in.dst = reg_from(b[0]);
    in.src1 = reg_from(b[0] >> 4u);
    in.imm = sign_extend(read_imm(b + 1, rest_length(skip, 1)));
  } else if constexpr (form == Form::SrcSrcTarget) {
    in.src1 = reg_from(b[0]);
    in.src2 = reg_from(b[0] >> 4u);
    in.target = in.pc + read_imm(b + 1, rest_length(skip, 1));
  } else if constexpr (form == Form::DstBaseImmOff) {
    const uint32_t first = first_length(b[1]);
    in.dst = reg_from(b[0]);
    in.base = reg_from(b[0] >> 4u);
    in.imm = sign_extend(read_imm(b + 2, first));
    in.offset = read_imm(b + 2 + first, rest_length(skip, first + 2));
  } else if constexpr (form == Form::DstSrcSrc) {
    in.src1 = reg_from(b[0]);
    in.src2 = reg_from(b[0] >> 4u);
    in.dst = reg_from(b[1]);
  }
}

// The same when the form is only known at run time.
void decode_operands(Form form, const uint8_t* b, uint32_t skip, Instruction& in);

// Encodes `in` (opcode and operands; pc counts for targets) in the shortest way and returns the length, or 0
// when the instruction set lacks the opcode. Unused fields are ignored.
size_t encode_instruction(const Instruction& in, InstructionSet set, uint8_t out[kMaxInstructionBytes]);

}  // namespace sandglass
