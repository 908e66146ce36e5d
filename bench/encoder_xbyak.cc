#include <xbyak/xbyak.h>

#include <optional>
#include <type_traits>
#include <vector>

#include "bench/encoders.h"

namespace sandglass::bench {
namespace {

// The calls of SG_ENCODER_FORMS in terms of Xbyak.
class XbyakForms {
 public:
  using Reg = uint8_t;
  template <bool kWide>
  using Gp = std::conditional_t<kWide, Xbyak::Reg64, Xbyak::Reg32>;
  explicit XbyakForms(Xbyak::CodeGenerator& out) : out_(out) {}

  template <bool kWide>
  void mov(Reg a, Reg b) {
    out_.mov(Gp<kWide>(a), Gp<kWide>(b));
  }
  void movsxd(Reg a, Reg b) { out_.movsxd(Gp<true>(a), Gp<false>(b)); }
  template <Alu kOp, bool kWide>
  void alu(Reg a, Reg b) {
    arithmetic<kOp>(Gp<kWide>(a), Gp<kWide>(b));
  }
  template <Alu kOp, bool kWide>
  void alu_imm(Reg a, int32_t value) {
    arithmetic<kOp>(Gp<kWide>(a), static_cast<uint32_t>(value));
  }
  void lea(Reg a, Reg base, int32_t displacement) {
    out_.lea(Gp<true>(a), out_.ptr[Gp<true>(base) + displacement]);
  }
  void shift_left_by(Reg a, Reg b, Reg c) { out_.shlx(Gp<true>(a), Gp<true>(b), Gp<true>(c)); }
  void load64(Reg a, Reg base, int32_t at) {
    guest();
    out_.mov(Gp<true>(a), out_.ptr[Gp<false>(base) + at]);
  }
  void load_signed32(Reg a, Reg base, int32_t at) {
    guest();
    out_.movsxd(Gp<true>(a), out_.dword[Gp<false>(base) + at]);
  }
  void load_byte(Reg a, Reg base, int32_t at) {
    guest();
    out_.movzx(Gp<false>(a), out_.byte[Gp<false>(base) + at]);
  }
  void store64(Reg a, Reg base, int32_t at) {
    guest();
    out_.mov(out_.ptr[Gp<false>(base) + at], Gp<true>(a));
  }
  void store32(Reg a, Reg base, int32_t at) {
    guest();
    out_.mov(out_.ptr[Gp<false>(base) + at], Gp<false>(a));
  }
  template <Shift kOp, bool kWide>
  void shift(Reg a, int32_t count) {
    if constexpr (kOp == Shift::kShl)
      out_.shl(Gp<kWide>(a), count);
    else
      out_.shr(Gp<kWide>(a), count);
  }
  void imul(Reg a, Reg b) { out_.imul(Gp<true>(a), Gp<true>(b)); }
  void set_below(Reg a) { out_.setb(Xbyak::Reg8(a, a >= 4 && a < 8)); }
  void cmov_not_equal(Reg a, Reg b) { out_.cmovne(Gp<true>(a), Gp<true>(b)); }
  void constant(Reg a, int32_t value) { out_.mov(Gp<true>(a), static_cast<uint64_t>(int64_t{value})); }
  template <Condition kCondition>
  void jump_forward() {
    open_jump_.emplace();  // a label cannot be assigned to
    if constexpr (kCondition == Condition::kBelow)
      out_.jb(*open_jump_, Xbyak::CodeGenerator::T_NEAR);
    else
      out_.jne(*open_jump_, Xbyak::CodeGenerator::T_NEAR);
  }
  void bind() { out_.L(*open_jump_); }
  void ret() { out_.ret(); }

 private:
  template <Alu kOp>
  void arithmetic(const Xbyak::Operand& a, const auto& b) {
    if constexpr (kOp == Alu::kAdd)
      out_.add(a, b);
    else if constexpr (kOp == Alu::kAnd)
      out_.and_(a, b);
    else if constexpr (kOp == Alu::kSub)
      out_.sub(a, b);
    else if constexpr (kOp == Alu::kXor)
      out_.xor_(a, b);
    else
      out_.cmp(a, b);
  }
  void guest() { out_.putSeg(out_.gs); }

  Xbyak::CodeGenerator& out_;
  std::optional<Xbyak::Label> open_jump_;
};

class XbyakEncoder : public EncoderUnderTest {
 public:
  XbyakEncoder() : buffer_(kEncoderBufferBytes), out_(buffer_.size(), buffer_.data()) {}
  std::span<const uint8_t> encode(std::span<const EncoderOp> ops) override {
    out_.reset();
    XbyakForms forms(out_);
    encode_sequence(forms, ops);
    return {out_.getCode(), out_.getSize()};
  }

 private:
  std::vector<uint8_t> buffer_;
  Xbyak::CodeGenerator out_;
};

}  // namespace

std::unique_ptr<EncoderUnderTest> make_xbyak_encoder() { return std::make_unique<XbyakEncoder>(); }

}  // namespace sandglass::bench
