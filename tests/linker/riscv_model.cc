#include "tests/linker/riscv_model.h"

#include <algorithm>
#include <bit>

namespace sandglass::linker {
namespace {

using s128 = __int128;
using u128 = unsigned __int128;

int64_t s(uint64_t value) { return static_cast<int64_t>(value); }
uint64_t u(int64_t value) { return static_cast<uint64_t>(value); }
uint32_t low(uint64_t value) { return static_cast<uint32_t>(value); }
uint64_t word(uint64_t value) { return u(static_cast<int32_t>(low(value))); }

template <typename Signed>
uint64_t divide(Signed a, Signed b) {
  if (b == 0) return ~uint64_t{0};
  if (b == -1)
    return u(static_cast<int64_t>(static_cast<Signed>(0 - static_cast<std::make_unsigned_t<Signed>>(a))));
  return u(static_cast<int64_t>(a / b));
}
template <typename Signed>
uint64_t remainder(Signed a, Signed b) {
  if (b == 0) return u(static_cast<int64_t>(a));
  return b == -1 ? 0 : u(static_cast<int64_t>(a % b));
}

uint64_t or_combine(uint64_t value) {
  uint64_t result = 0;
  for (int shift = 0; shift < 64; shift += 8) {
    if ((value >> shift & 0xff) != 0) result |= uint64_t{0xff} << shift;
  }
  return result;
}

uint64_t swap_bytes(uint64_t value) {
  uint64_t result = 0;
  for (int i = 0; i < 8; ++i) result = result << 8 | (value >> 8 * i & 0xff);
  return result;
}

}  // namespace

uint64_t riscv_result(const RiscvInstruction& in, uint64_t a, uint64_t b, uint64_t rd) {
  const auto imm = static_cast<int64_t>(in.imm);
  const int32_t aw = static_cast<int32_t>(low(a)), bw = static_cast<int32_t>(low(b));
  switch (in.op) {
    case RiscvOp::kAddi: return a + u(imm);
    case RiscvOp::kSlti: return s(a) < imm;
    case RiscvOp::kSltiu: return a < u(imm);
    case RiscvOp::kXori: return a ^ u(imm);
    case RiscvOp::kOri: return a | u(imm);
    case RiscvOp::kAndi: return a & u(imm);
    case RiscvOp::kSlli: return a << imm;
    case RiscvOp::kSrli: return a >> imm;
    case RiscvOp::kSrai: return u(s(a) >> imm);
    case RiscvOp::kAddiw: return word(a + u(imm));
    case RiscvOp::kSlliw: return word(a << imm);
    case RiscvOp::kSrliw: return word(low(a) >> imm);
    case RiscvOp::kSraiw: return u(aw >> imm);
    case RiscvOp::kAdd: return a + b;
    case RiscvOp::kSub: return a - b;
    case RiscvOp::kSll: return a << (b & 63);
    case RiscvOp::kSlt: return s(a) < s(b);
    case RiscvOp::kSltu: return a < b;
    case RiscvOp::kXor: return a ^ b;
    case RiscvOp::kSrl: return a >> (b & 63);
    case RiscvOp::kSra: return u(s(a) >> (b & 63));
    case RiscvOp::kOr: return a | b;
    case RiscvOp::kAnd: return a & b;
    case RiscvOp::kAddw: return word(a + b);
    case RiscvOp::kSubw: return word(a - b);
    case RiscvOp::kSllw: return word(uint64_t{low(a)} << (b & 31));
    case RiscvOp::kSrlw: return word(low(a) >> (b & 31));
    case RiscvOp::kSraw: return u(aw >> (b & 31));
    case RiscvOp::kMul: return a * b;
    case RiscvOp::kMulh: return static_cast<uint64_t>(static_cast<u128>(s128{s(a)} * s128{s(b)}) >> 64);
    case RiscvOp::kMulhsu:
      return static_cast<uint64_t>(static_cast<u128>(s128{s(a)} * static_cast<s128>(u128{b})) >> 64);
    case RiscvOp::kMulhu: return static_cast<uint64_t>(u128{a} * b >> 64);
    case RiscvOp::kDiv: return divide(s(a), s(b));
    case RiscvOp::kDivu: return b == 0 ? ~uint64_t{0} : a / b;
    case RiscvOp::kRem: return remainder(s(a), s(b));
    case RiscvOp::kRemu: return b == 0 ? a : a % b;
    case RiscvOp::kMulw: return word(a * b);
    case RiscvOp::kDivw: return divide(aw, bw);
    case RiscvOp::kDivuw: return low(b) == 0 ? ~uint64_t{0} : word(low(a) / low(b));
    case RiscvOp::kRemw: return remainder(aw, bw);
    case RiscvOp::kRemuw: return low(b) == 0 ? word(a) : word(low(a) % low(b));
    case RiscvOp::kAndn: return a & ~b;
    case RiscvOp::kOrn: return a | ~b;
    case RiscvOp::kXnor: return ~(a ^ b);
    case RiscvOp::kMin: return u(std::min(s(a), s(b)));
    case RiscvOp::kMinu: return std::min(a, b);
    case RiscvOp::kMax: return u(std::max(s(a), s(b)));
    case RiscvOp::kMaxu: return std::max(a, b);
    case RiscvOp::kRol: return std::rotl(a, static_cast<int>(b & 63));
    case RiscvOp::kRor: return std::rotr(a, static_cast<int>(b & 63));
    case RiscvOp::kRolw: return word(std::rotl(low(a), static_cast<int>(b & 31)));
    case RiscvOp::kRorw: return word(std::rotr(low(a), static_cast<int>(b & 31)));
    case RiscvOp::kRori: return std::rotr(a, in.imm);
    case RiscvOp::kRoriw: return word(std::rotr(low(a), in.imm));
    case RiscvOp::kClz: return static_cast<uint64_t>(std::countl_zero(a));
    case RiscvOp::kCtz: return static_cast<uint64_t>(std::countr_zero(a));
    case RiscvOp::kCpop: return static_cast<uint64_t>(std::popcount(a));
    case RiscvOp::kClzw: return static_cast<uint64_t>(std::countl_zero(low(a)));
    case RiscvOp::kCtzw: return static_cast<uint64_t>(std::countr_zero(low(a)));
    case RiscvOp::kCpopw: return static_cast<uint64_t>(std::popcount(low(a)));
    case RiscvOp::kSextB: return u(static_cast<int8_t>(a));
    case RiscvOp::kSextH: return u(static_cast<int16_t>(a));
    case RiscvOp::kZextH: return a & 0xffff;
    case RiscvOp::kRev8: return swap_bytes(a);
    case RiscvOp::kOrcB: return or_combine(a);
    case RiscvOp::kThMveqz: return b == 0 ? a : rd;
    case RiscvOp::kThMvnez: return b != 0 ? a : rd;
    default: return 0xdead;  // not in the domain
  }
}

uint64_t riscv_amo_result(RiscvOp op, uint64_t old, uint64_t b) {
  const int32_t oldw = static_cast<int32_t>(low(old)), bw = static_cast<int32_t>(low(b));
  switch (op) {
    case RiscvOp::kAmoswapW:
    case RiscvOp::kAmoswapD: return b;
    case RiscvOp::kAmoaddW:
    case RiscvOp::kAmoaddD: return old + b;
    case RiscvOp::kAmoxorW:
    case RiscvOp::kAmoxorD: return old ^ b;
    case RiscvOp::kAmoandW:
    case RiscvOp::kAmoandD: return old & b;
    case RiscvOp::kAmoorW:
    case RiscvOp::kAmoorD: return old | b;
    case RiscvOp::kAmominW: return u(std::min(oldw, bw));
    case RiscvOp::kAmomaxW: return u(std::max(oldw, bw));
    case RiscvOp::kAmominuW: return std::min(low(old), low(b));
    case RiscvOp::kAmomaxuW: return std::max(low(old), low(b));
    case RiscvOp::kAmominD: return u(std::min(s(old), s(b)));
    case RiscvOp::kAmomaxD: return u(std::max(s(old), s(b)));
    case RiscvOp::kAmominuD: return std::min(old, b);
    case RiscvOp::kAmomaxuD: return std::max(old, b);
    default: return 0xdead;
  }
}

}  // namespace sandglass::linker
