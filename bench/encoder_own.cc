#include <vector>

#include "bench/encoders.h"

namespace sandglass::bench {
namespace {

// The calls of SG_ENCODER_FORMS in terms of the compiler's encoder.
class OwnForms {
 public:
  using Reg = uint32_t;
  explicit OwnForms(uint8_t* cursor) : out_(cursor) {}
  uint8_t* cursor() const { return out_.cursor(); }

  template <bool kWide>
  void mov(Reg a, Reg b) {
    out_.mov(kWide, a, b);
  }
  void movsxd(Reg a, Reg b) { out_.movsxd(a, b); }
  template <Alu kOp, bool kWide>
  void alu(Reg a, Reg b) {
    out_.alu(kOp, kWide, a, b);
  }
  template <Alu kOp, bool kWide>
  void alu_imm(Reg a, int32_t value) {
    out_.alu_imm(kOp, kWide, a, value);
  }
  void lea(Reg a, Reg base, int32_t displacement) { out_.lea(true, a, base, displacement); }
  void shift_left_by(Reg a, Reg b, Reg c) { out_.vex_rrr(2, 1, 0xf7, true, a, c, b); }
  void load64(Reg a, Reg base, int32_t at) { out_.guest_op(0x8b, 1, true, false, a, base, at); }
  void load_signed32(Reg a, Reg base, int32_t at) { out_.guest_op(0x63, 1, true, false, a, base, at); }
  void load_byte(Reg a, Reg base, int32_t at) { out_.guest_op(0xb60f, 2, false, false, a, base, at); }
  void store64(Reg a, Reg base, int32_t at) { out_.guest_op(0x89, 1, true, false, a, base, at); }
  void store32(Reg a, Reg base, int32_t at) { out_.guest_op(0x89, 1, false, false, a, base, at); }
  template <Shift kOp, bool kWide>
  void shift(Reg a, int32_t count) {
    out_.shift_imm(kOp, kWide, a, static_cast<uint32_t>(count));
  }
  void imul(Reg a, Reg b) { out_.imul(true, a, b); }
  void set_below(Reg a) { out_.setcc(Condition::kBelow, a); }
  void cmov_not_equal(Reg a, Reg b) { out_.cmov(Condition::kNotEqual, true, a, b); }
  void constant(Reg a, int32_t value) { out_.load_constant(a, static_cast<uint64_t>(int64_t{value})); }
  template <Condition kCondition>
  void jump_forward() {
    out_.jcc_rel32(kCondition, 0);
    open_jump_ = out_.cursor();
  }
  void bind() {
    const auto distance = static_cast<uint32_t>(out_.cursor() - open_jump_);
    std::memcpy(open_jump_ - 4, &distance, 4);
  }
  void ret() { out_.bytes(0xc3, 1); }

 private:
  x64::X64Encoder out_;
  uint8_t* open_jump_ = nullptr;
};

class OwnEncoder : public EncoderUnderTest {
 public:
  OwnEncoder() : buffer_(kEncoderBufferBytes) {}
  std::span<const uint8_t> encode(std::span<const EncoderOp> ops) override {
    OwnForms forms(buffer_.data());
    encode_sequence(forms, ops);
    return {buffer_.data(), forms.cursor()};
  }

 private:
  std::vector<uint8_t> buffer_;
};

// Adds up what it is called with.
class Sum {
 public:
  uint64_t sum = 0;
  template <bool kWide>
  void mov(uint32_t a, uint32_t b) {
    add(1, a, b);
  }
  void movsxd(uint32_t a, uint32_t b) { add(2, a, b); }
  template <Alu kOp, bool kWide>
  void alu(uint32_t a, uint32_t b) {
    add(3 + 2 * uint64_t(kOp) + kWide, a, b);
  }
  template <Alu kOp, bool kWide>
  void alu_imm(uint32_t a, int32_t value) {
    add(20 + 2 * uint64_t(kOp) + kWide, a, value);
  }
  void lea(uint32_t a, uint32_t b, int32_t value) { add(40 + b, a, value); }
  void shift_left_by(uint32_t a, uint32_t b, uint32_t c) { add(41 + b, a, c); }
  void load64(uint32_t a, uint32_t b, int32_t at) { add(42 + b, a, at); }
  void load_signed32(uint32_t a, uint32_t b, int32_t at) { add(43 + b, a, at); }
  void load_byte(uint32_t a, uint32_t b, int32_t at) { add(44 + b, a, at); }
  void store64(uint32_t a, uint32_t b, int32_t at) { add(45 + b, a, at); }
  void store32(uint32_t a, uint32_t b, int32_t at) { add(46 + b, a, at); }
  template <Shift kOp, bool kWide>
  void shift(uint32_t a, int32_t count) {
    add(47 + kWide, a, count);
  }
  void imul(uint32_t a, uint32_t b) { add(49, a, b); }
  void set_below(uint32_t a) { add(50, a, 0); }
  void cmov_not_equal(uint32_t a, uint32_t b) { add(51, a, b); }
  void constant(uint32_t a, int32_t value) { add(52, a, value); }
  template <Condition kCondition>
  void jump_forward() {
    add(53, static_cast<uint32_t>(kCondition), 0);
  }
  void bind() { add(54, 0, 0); }
  void ret() {}

 private:
  void add(uint64_t form, uint32_t a, int64_t b) {
    sum += form * 0x10001 + a * 31 + static_cast<uint64_t>(b);
  }
};

}  // namespace

std::unique_ptr<EncoderUnderTest> make_own_encoder() { return std::make_unique<OwnEncoder>(); }

uint64_t dispatch_only(std::span<const EncoderOp> ops) {
  Sum sum;
  encode_sequence(sum, ops);
  return sum.sum;
}

}  // namespace sandglass::bench
