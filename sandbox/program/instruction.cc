#include "sandbox/program/instruction.h"

namespace sandglass {
namespace {

// Appends bytes to an instruction that is being encoded.
class Writer {
 public:
  explicit Writer(uint8_t* out) : out_(out) {}
  void byte(uint32_t value) { out_[size_++] = static_cast<uint8_t>(value); }
  void imm(uint32_t value, uint32_t length) {
    for (uint32_t i = 0; i < length; ++i) byte(value >> (8 * i));
  }
  void imm64(uint64_t value) {
    for (uint32_t i = 0; i < 8; ++i) byte(static_cast<uint32_t>(value >> (8 * i)));
  }
  size_t size() const { return size_; }

 private:
  uint8_t* out_;
  size_t size_ = 0;
};

uint32_t shortest(uint32_t value) {
  for (uint32_t length = 0; length < 4; ++length) {
    if (internal::read_imm(reinterpret_cast<const uint8_t*>(&value), length) == value) return length;
  }
  return 4;
}

uint32_t nibbles(Reg low, Reg high) { return static_cast<uint32_t>(low) | static_cast<uint32_t>(high) << 4; }
uint32_t reg_and_length(Reg low, uint32_t length) { return static_cast<uint32_t>(low) | length << 4; }

}  // namespace

void decode_operands(Form form, const uint8_t* b, uint32_t skip, Instruction& in) {
  switch (form) {
#define SG_FORM(name) \
  case Form::name: return decode_operands<Form::name>(b, skip, in)
    SG_FORM(None);
    SG_FORM(Imm);
    SG_FORM(DstImm64);
    SG_FORM(AddrImm);
    SG_FORM(Target);
    SG_FORM(BaseOff);
    SG_FORM(DstImm);
    SG_FORM(DstAddr);
    SG_FORM(SrcAddr);
    SG_FORM(BaseOffImm);
    SG_FORM(DstImmTarget);
    SG_FORM(SrcImmTarget);
    SG_FORM(DstSrc);
    SG_FORM(SrcBaseOff);
    SG_FORM(DstBaseOff);
    SG_FORM(DstSrcImm);
    SG_FORM(SrcSrcTarget);
    SG_FORM(DstBaseImmOff);
    SG_FORM(DstSrcSrc);
#undef SG_FORM
  }
}

size_t encode_instruction(const Instruction& in, InstructionSet set, uint8_t out[kMaxInstructionBytes]) {
  const OpcodeInfo& info = info_of(in.opcode);
  const int opcode_byte = info.byte[static_cast<size_t>(set)];
  if (opcode_byte < 0) return 0;
  Writer w(out);
  w.byte(static_cast<uint32_t>(opcode_byte));
  const auto rest = [&w](uint32_t value) { w.imm(value, shortest(value)); };
  const uint32_t imm = static_cast<uint32_t>(in.imm);
  const uint32_t distance = in.target - in.pc;
  switch (info.form) {
    case Form::None: break;
    case Form::Imm: rest(imm); break;
    case Form::DstImm64:
      w.byte(static_cast<uint32_t>(in.dst));
      w.imm64(in.imm);
      break;
    case Form::AddrImm:
      w.byte(shortest(in.offset));
      rest(in.offset);
      rest(imm);
      break;
    case Form::Target: rest(distance); break;
    case Form::BaseOff:
      w.byte(static_cast<uint32_t>(in.base));
      rest(in.offset);
      break;
    case Form::DstImm:
      w.byte(static_cast<uint32_t>(in.dst));
      rest(imm);
      break;
    case Form::DstAddr:
      w.byte(static_cast<uint32_t>(in.dst));
      rest(in.offset);
      break;
    case Form::SrcAddr:
      w.byte(static_cast<uint32_t>(in.src1));
      rest(in.offset);
      break;
    case Form::BaseOffImm:
      w.byte(reg_and_length(in.base, shortest(in.offset)));
      rest(in.offset);
      rest(imm);
      break;
    case Form::DstImmTarget:
      w.byte(reg_and_length(in.dst, shortest(imm)));
      rest(imm);
      rest(distance);
      break;
    case Form::SrcImmTarget:
      w.byte(reg_and_length(in.src1, shortest(imm)));
      rest(imm);
      rest(distance);
      break;
    case Form::DstSrc: w.byte(nibbles(in.dst, in.src1)); break;
    case Form::SrcBaseOff:
      w.byte(nibbles(in.src1, in.base));
      rest(in.offset);
      break;
    case Form::DstBaseOff:
      w.byte(nibbles(in.dst, in.base));
      rest(in.offset);
      break;
    case Form::DstSrcImm:
      w.byte(nibbles(in.dst, in.src1));
      rest(imm);
      break;
    case Form::SrcSrcTarget:
      w.byte(nibbles(in.src1, in.src2));
      rest(distance);
      break;
    case Form::DstBaseImmOff:
      w.byte(nibbles(in.dst, in.base));
      w.byte(shortest(imm));
      rest(imm);
      rest(in.offset);
      break;
    case Form::DstSrcSrc:
      w.byte(nibbles(in.src1, in.src2));
      w.byte(static_cast<uint32_t>(in.dst));
      break;
  }
  return w.size();
}

}  // namespace sandglass
