#include <asmjit/x86.h>

#include "bench/encoders.h"
#include "sandbox/base/check.h"

namespace sandglass::bench {
namespace {

namespace Inst = asmjit::x86::Inst;

Inst::Id instruction_of(Alu op) {
  switch (op) {
    case Alu::kAdd: return Inst::kIdAdd;
    case Alu::kOr: return Inst::kIdOr;
    case Alu::kAnd: return Inst::kIdAnd;
    case Alu::kSub: return Inst::kIdSub;
    case Alu::kXor: return Inst::kIdXor;
    case Alu::kCmp: return Inst::kIdCmp;
  }
  return Inst::kIdNone;
}

// The calls of SG_ENCODER_FORMS in terms of AsmJit's Assembler.
class AsmJitForms {
 public:
  using Reg = uint32_t;
  explicit AsmJitForms(asmjit::x86::Assembler& out) : out_(out) {}

  template <bool kWide>
  void mov(Reg a, Reg b) {
    out_.mov(gp<kWide>(a), gp<kWide>(b));
  }
  void movsxd(Reg a, Reg b) { out_.movsxd(gp<true>(a), gp<false>(b)); }
  template <Alu kOp, bool kWide>
  void alu(Reg a, Reg b) {
    out_.emit(instruction_of(kOp), gp<kWide>(a), gp<kWide>(b));
  }
  template <Alu kOp, bool kWide>
  void alu_imm(Reg a, int32_t value) {
    out_.emit(instruction_of(kOp), gp<kWide>(a), value);
  }
  void lea(Reg a, Reg base, int32_t displacement) {
    out_.lea(gp<true>(a), asmjit::x86::ptr(gp<true>(base), displacement));
  }
  void shift_left_by(Reg a, Reg b, Reg c) { out_.shlx(gp<true>(a), gp<true>(b), gp<true>(c)); }
  void load64(Reg a, Reg base, int32_t at) { out_.mov(gp<true>(a), guest(base, at, 8)); }
  void load_signed32(Reg a, Reg base, int32_t at) { out_.movsxd(gp<true>(a), guest(base, at, 4)); }
  void load_byte(Reg a, Reg base, int32_t at) { out_.movzx(gp<false>(a), guest(base, at, 1)); }
  void store64(Reg a, Reg base, int32_t at) { out_.mov(guest(base, at, 8), gp<true>(a)); }
  void store32(Reg a, Reg base, int32_t at) { out_.mov(guest(base, at, 4), gp<false>(a)); }
  template <Shift kOp, bool kWide>
  void shift(Reg a, int32_t count) {
    out_.emit(kOp == Shift::kShl ? Inst::kIdShl : Inst::kIdShr, gp<kWide>(a), count);
  }
  void imul(Reg a, Reg b) { out_.imul(gp<true>(a), gp<true>(b)); }
  void set_below(Reg a) { out_.setb(asmjit::x86::gpb(a)); }
  void cmov_not_equal(Reg a, Reg b) { out_.cmovne(gp<true>(a), gp<true>(b)); }
  void constant(Reg a, int32_t value) { out_.mov(gp<true>(a), int64_t{value}); }
  template <Condition kCondition>
  void jump_forward() {
    open_jump_ = out_.newLabel();
    // The long form, as the compiler cannot know how far it is.
    out_.long_().emit(kCondition == Condition::kBelow ? Inst::kIdJb : Inst::kIdJne, open_jump_);
  }
  void bind() { out_.bind(open_jump_); }
  void ret() { out_.ret(); }

 private:
  template <bool kWide>
  static asmjit::x86::Gp gp(Reg reg) {
    if constexpr (kWide)
      return asmjit::x86::gpq(reg);
    else
      return asmjit::x86::gpd(reg);
  }
  static asmjit::x86::Mem guest(Reg base, int32_t displacement, uint32_t bytes) {
    asmjit::x86::Mem operand(gp<false>(base), displacement, bytes);
    operand.setSegment(asmjit::x86::gs);
    return operand;
  }

  asmjit::x86::Assembler& out_;
  asmjit::Label open_jump_;
};

class AsmJitEncoder : public EncoderUnderTest {
 public:
  std::span<const uint8_t> encode(std::span<const EncoderOp> ops) override {
    holder_.reset(asmjit::ResetPolicy::kSoft);  // keeps its memory
    SG_CHECK(holder_.init(asmjit::Environment::host()) == asmjit::kErrorOk);
    asmjit::x86::Assembler assembler(&holder_);
    AsmJitForms forms(assembler);
    encode_sequence(forms, ops);
    const asmjit::CodeBuffer& buffer = holder_.textSection()->buffer();
    return {buffer.data(), buffer.size()};
  }

 private:
  asmjit::CodeHolder holder_;
};

}  // namespace

std::unique_ptr<EncoderUnderTest> make_asmjit_encoder() { return std::make_unique<AsmJitEncoder>(); }

}  // namespace sandglass::bench
