// X64Encoder: writes x86-64 machine code through a cursor.
//
// Only the forms the compiler needs, chosen for encoding speed: every instruction is put together in a
// register and written with one or two unaligned stores, mostly without branches. A REX prefix is always
// written, so lengths hardly depend on operands. There is no bounds check: the caller makes sure that
// kMaxInstructionBytes are left, and that up to 8 bytes behind an instruction may be overwritten.
//
// Why an encoder of our own: encoder/ in the suite times it beside AsmJit and Xbyak.
//
// Source of the encodings: Intel SDM volume 2.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

namespace sandglass::x64 {

enum Register : uint8_t { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15 };

// Two-operand arithmetic: the number selects both the register form (8 * n + 3) and the immediate form (/n).
enum class Alu : uint8_t { kAdd = 0, kOr = 1, kAnd = 4, kSub = 5, kXor = 6, kCmp = 7 };
enum class Shift : uint8_t { kRol = 0, kRor = 1, kShl = 4, kShr = 5, kSar = 7 };
// The low nibble of jcc, setcc and cmovcc.
enum class Condition : uint8_t {
  kBelow = 2,
  kAboveEqual = 3,
  kEqual = 4,
  kNotEqual = 5,
  kBelowEqual = 6,
  kAbove = 7,
  kSign = 8,
  kLess = 12,
  kGreaterEqual = 13,
  kLessEqual = 14,
  kGreater = 15,
};

constexpr bool fits_int8(int64_t value) { return value == static_cast<int8_t>(value); }
constexpr bool fits_int32(int64_t value) { return value == static_cast<int32_t>(value); }

inline constexpr size_t kMaxInstructionBytes = 15;

class X64Encoder {
 public:
  explicit X64Encoder(uint8_t* cursor = nullptr) : p_(cursor) {}
  uint8_t* cursor() const { return p_; }
  void set_cursor(uint8_t* cursor) { p_ = cursor; }

  // Branches that depend on operands are what costs most here, so choices are made by arithmetic.
  // Byte `index` of `bytes`.
  static uint32_t pick(uint32_t bytes, uint32_t index) { return bytes >> (8 * index) & 0xff; }
  static uint32_t choose(bool condition, uint32_t yes, uint32_t no) {
    const uint32_t mask = 0 - uint32_t{condition};
    return (yes & mask) | (no & ~mask);
  }

  void bytes(uint64_t value, size_t count) {
    std::memcpy(p_, &value, 8);
    p_ += count;
  }
  void imm32(uint32_t value) { bytes(value, 4); }

  // Register to register. `wide`: 64-bit operands; else 32-bit ones, which clear the upper half.
  // ----------------

  // One-byte opcode with ModRM: `reg` is the destination of loads-like forms, `rm` the other operand.
  void op_rr(uint8_t opcode, bool wide, uint32_t reg, uint32_t rm) {
    bytes(rex(wide, reg, rm) | uint32_t{opcode} << 8 | modrm_rr(reg, rm) << 16, 3);
  }
  // 0F-prefixed opcode with ModRM.
  void op0f_rr(uint8_t opcode, bool wide, uint32_t reg, uint32_t rm) {
    bytes(rex(wide, reg, rm) | 0x0f00u | uint32_t{opcode} << 16 | modrm_rr(reg, rm) << 24, 4);
  }
  void mov(bool wide, uint32_t dst, uint32_t src) { op_rr(0x8b, wide, dst, src); }
  // Nothing when both are the same; without a branch.
  void mov_unless_same(bool wide, uint32_t dst, uint32_t src) {
    bytes(rex(wide, dst, src) | 0x8b00u | modrm_rr(dst, src) << 16, 3 * size_t{dst != src});
  }
  void movsxd(uint32_t dst, uint32_t src) { op_rr(0x63, true, dst, src); }
  void alu(Alu op, bool wide, uint32_t dst, uint32_t src) {
    op_rr(static_cast<uint8_t>(8 * static_cast<uint8_t>(op) + 3), wide, dst, src);
  }
  void test(bool wide, uint32_t a, uint32_t b) { op_rr(0x85, wide, a, b); }
  void imul(bool wide, uint32_t dst, uint32_t src) { op0f_rr(0xaf, wide, dst, src); }
  void cmov(Condition condition, bool wide, uint32_t dst, uint32_t src) {
    op0f_rr(static_cast<uint8_t>(0x40 + static_cast<uint8_t>(condition)), wide, dst, src);
  }
  void setcc(Condition condition, uint32_t dst) {
    op0f_rr(static_cast<uint8_t>(0x90 + static_cast<uint8_t>(condition)), false, 0, dst);
  }
  // F7 /n: 2 not, 3 neg, 4 mul, 5 imul, 6 div, 7 idiv.
  void unary(uint32_t n, bool wide, uint32_t rm) { op_rr(0xf7, wide, n, rm); }
  void shift_cl(Shift op, bool wide, uint32_t dst) { op_rr(0xd3, wide, static_cast<uint32_t>(op), dst); }

  // Three-operand BMI forms, VEX.map.pp: shlx 2.1, sarx 2.2, shrx 2.3 (f7); andn 2.0 (f2); mulx 2.3 (f6).
  void vex_rrr(uint32_t map, uint32_t pp, uint8_t opcode, bool wide, uint32_t reg, uint32_t vvvv,
               uint32_t rm) {
    const uint32_t byte1 = (~reg & 8) << 4 | 0x40 | (~rm & 8) << 2 | map;
    const uint32_t byte2 = uint32_t{wide} << 7 | (~vvvv & 15) << 3 | pp;
    bytes(0xc4 | uint64_t{byte1} << 8 | uint64_t{byte2} << 16 | uint64_t{opcode} << 24 |
              uint64_t{modrm_rr(reg, rm)} << 32,
          5);
  }
  // dst = src rotated right by count.
  void rorx(bool wide, uint32_t dst, uint32_t src, uint32_t count) {
    vex_rrr(3, 3, 0xf0, wide, dst, 0, src);
    bytes(count, 1);
  }

  // Immediates. --------------------------------------------------------------------------------------------

  void alu_imm(Alu op, bool wide, uint32_t dst, int32_t value) {
    const bool small = fits_int8(value);
    const uint32_t head =
        rex(wide, 0, dst) | (small ? 0x8300u : 0x8100u) | modrm_rr(static_cast<uint32_t>(op), dst) << 16;
    bytes(head | uint64_t{static_cast<uint32_t>(value)} << 24, small ? 4 : 7);
  }
  // Always the long form, for immediates that are patched later; they are the last four bytes.
  void alu_imm32(Alu op, bool wide, uint32_t dst, uint32_t value) {
    const uint32_t head = rex(wide, 0, dst) | 0x8100u | modrm_rr(static_cast<uint32_t>(op), dst) << 16;
    bytes(head | uint64_t{value} << 24, 7);
  }
  void shift_imm(Shift op, bool wide, uint32_t dst, uint32_t count) {
    bytes(rex(wide, 0, dst) | 0xc100u | modrm_rr(static_cast<uint32_t>(op), dst) << 16 | count << 24, 4);
  }
  // dst = value, sign-extended to 64 bits if `wide`. Keeps the flags.
  void load_imm32(bool wide, uint32_t dst, int32_t value) {
    const bool is_negative = wide & (value < 0);
    const uint32_t head = choose(is_negative, rex(true, 0, dst) | 0xc700u | modrm_rr(0, dst) << 16,
                                 rex(false, 0, dst) | (0xb8u + (dst & 7)) << 8);
    const size_t head_bytes = 2 + size_t{is_negative};
    bytes(head | uint64_t{static_cast<uint32_t>(value)} << (8 * head_bytes), head_bytes + 4);
  }
  // The same for any 64-bit value, in the shortest way.
  void load_constant(uint32_t dst, uint64_t value) {
    if (value <= UINT32_MAX) return load_imm32(false, dst, static_cast<int32_t>(value));
    if (fits_int32(static_cast<int64_t>(value))) return load_imm32(true, dst, static_cast<int32_t>(value));
    bytes(rex(true, 0, dst) | (0xb8u + (dst & 7)) << 8, 2);
    bytes(value, 8);
  }

  // dst = base + displacement; with 32-bit operands the sum is cut to 32 bits.
  void lea(bool wide, uint32_t dst, uint32_t base, int32_t displacement) {
    memory_operand(rex(wide, dst, base) | 0x8d00u, 2, dst, base, displacement);
  }
  // Guest memory: gs:[base32 + displacement], which wraps at 4 GiB whatever the upper half of base holds.
  // ------

  // `opcode` has 1 or 2 bytes (0F first); `prefix16` adds the operand-size prefix.
  void guest_op(uint32_t opcode, size_t opcode_bytes, bool wide, bool prefix16, uint32_t reg, uint32_t base,
                int32_t displacement) {
    const uint64_t prefixes = prefix16 ? 0x676566 : 0x6765;
    const size_t prefix_bytes = prefix16 ? 3 : 2;
    const uint64_t rest = rex(wide, reg, base) | opcode << 8;
    memory_operand(prefixes | rest << (8 * prefix_bytes), prefix_bytes + 1 + opcode_bytes, reg, base,
                   displacement);
  }
  // The same for an absolute guest address.
  void guest_op_absolute(uint32_t opcode, size_t opcode_bytes, bool wide, bool prefix16, uint32_t reg,
                         uint32_t address) {
    guest_prefixes(prefix16);
    bytes(rex(wide, reg, 0) | opcode << 8, 1 + opcode_bytes);
    absolute_operand(reg, address);
  }

  // The context: gs:[displacement] with 64-bit addressing, so the displacement may be negative.
  void context_op(uint32_t opcode, size_t opcode_bytes, bool wide, uint32_t reg, int32_t displacement) {
    bytes(0x65 | rex(wide, reg, 0) << 8 | opcode << 16, 2 + opcode_bytes);
    absolute_operand(reg, static_cast<uint32_t>(displacement));
  }
  void load_context(bool wide, uint32_t dst, int32_t displacement) {
    context_op(0x8b, 1, wide, dst, displacement);
  }
  void store_context(bool wide, uint32_t src, int32_t displacement) {
    context_op(0x89, 1, wide, src, displacement);
  }
  void store_context_imm(bool wide, int32_t displacement, uint32_t value) {
    context_op(0xc7, 1, wide, 0, displacement);
    imm32(value);
  }

  // Control flow. ------------------------------------------------------------------------------------------

  void push(uint32_t reg) { bytes((0x40u | reg >> 3) | (0x50u + (reg & 7)) << 8, 2); }
  void pop(uint32_t reg) { bytes((0x40u | reg >> 3) | (0x58u + (reg & 7)) << 8, 2); }
  // `count` bytes of the longest no-operations there are. Writes nothing behind them.
  void nops(size_t count) {
    constexpr uint8_t kNops[9][9] = {{0x90},
                                     {0x66, 0x90},
                                     {0x0f, 0x1f, 0x00},
                                     {0x0f, 0x1f, 0x40},
                                     {0x0f, 0x1f, 0x44},
                                     {0x66, 0x0f, 0x1f, 0x44},
                                     {0x0f, 0x1f, 0x80},
                                     {0x0f, 0x1f, 0x84},
                                     {0x66, 0x0f, 0x1f, 0x84}};
    while (count > 0) {
      const size_t bytes = count < 9 ? count : 9;
      std::memcpy(p_, kNops[bytes - 1], bytes);
      p_ += bytes;
      count -= bytes;
    }
  }
  void push_imm32(uint32_t value) { bytes(0x68 | uint64_t{value} << 8, 5); }
  // dst = the address of `target`, relative to this instruction.
  void lea_relative(uint32_t dst, const uint8_t* target) {
    const auto displacement = static_cast<uint32_t>(static_cast<int32_t>(target - (p_ + 7)));
    bytes(rex(true, dst, 0) | 0x8d00u | (0x05u | (dst & 7) << 3) << 16 | uint64_t{displacement} << 24, 7);
  }
  // The rel32 forms; the displacement is the last four bytes.
  void call_rel32(int32_t displacement) {
    bytes(0xe8 | uint64_t{static_cast<uint32_t>(displacement)} << 8, 5);
  }
  void jmp_rel32(int32_t displacement) {
    bytes(0xe9 | uint64_t{static_cast<uint32_t>(displacement)} << 8, 5);
  }
  void jcc_rel32(Condition condition, int32_t displacement) {
    const uint32_t head = 0x0fu | (0x80u + static_cast<uint32_t>(condition)) << 8;
    bytes(head | uint64_t{static_cast<uint32_t>(displacement)} << 16, 6);
  }
  void jcc_rel8(Condition condition, int32_t displacement) {
    bytes((0x70u + static_cast<uint32_t>(condition)) | static_cast<uint32_t>(displacement & 0xff) << 8, 2);
  }
  void call(const uint8_t* target) { call_rel32(static_cast<int32_t>(target - (p_ + 5))); }
  void jmp(const uint8_t* target) { jmp_rel32(static_cast<int32_t>(target - (p_ + 5))); }

 private:
  static uint32_t rex(bool wide, uint32_t reg, uint32_t rm) {
    return 0x40 | uint32_t{wide} << 3 | (reg & 8) >> 1 | (rm & 8) >> 3;
  }
  static uint32_t modrm_rr(uint32_t reg, uint32_t rm) { return 0xc0 | (reg & 7) << 3 | (rm & 7); }

  void guest_prefixes(bool prefix16) { bytes(prefix16 ? 0x676566u : 0x6765u, prefix16 ? 3 : 2); }
  // ModRM, SIB and the shortest displacement behind `head`, which has `head_bytes` (at most 6) bytes.
  void memory_operand(uint64_t head, size_t head_bytes, uint32_t reg, uint32_t base, int32_t displacement) {
    const uint32_t none = uint32_t{displacement == 0} & uint32_t{(base & 7) != 5};
    const uint32_t size =
        none << 1 | uint32_t{fits_int8(displacement)};  // 0: 4 bytes, 1: 1 byte, 2 and 3: none
    const uint64_t modrm = pick(0x00004080, size) | (reg & 7) << 3 | (base & 7);
    // rsp and r12 as a base need a SIB byte; it is written always and covered by the displacement when
    // unneeded.
    const size_t sib_bytes = (base & 7) == 4;
    const uint64_t word = head | (modrm | 0x2400) << (8 * head_bytes);
    std::memcpy(p_, &word, 8);
    p_ += head_bytes + 1 + sib_bytes;
    std::memcpy(p_, &displacement, 4);
    p_ += pick(0x00000104, size);
  }
  void absolute_operand(uint32_t reg, uint32_t address) {
    bytes((0x04u | (reg & 7) << 3) | 0x2500u | uint64_t{address} << 16, 6);
  }

  uint8_t* p_;
};

}  // namespace sandglass::x64
