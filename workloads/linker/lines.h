// Line: one instruction of the guest being made, before code has its final places.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sandbox/program/instruction.h"

namespace sandglass::linker {

inline constexpr uint32_t kNowhere = UINT32_MAX;

// A borrowed register (lower_memory.h) is saved and restored; where nobody wants it, neither is needed.
enum class LineRole : uint8_t { kPlain, kSave, kRestore };

// Addresses are those of the ELF file. A line that disappears must have done nothing but go on to the next.
struct Line {
  Instruction in;
  uint32_t address = 0;              // the RISC-V instruction it comes from
  uint32_t target = kNowhere;        // where a jump or branch goes
  uint32_t code_pointer = kNowhere;  // in.imm becomes what points to the code there
  std::string_view import{};         // kEcalli: in.imm becomes its number
  LineRole role = LineRole::kPlain;
};

// Lines in the making, all for one RISC-V instruction.
class LineWriter {
 public:
  LineWriter(std::vector<Line>& lines, uint32_t address) : lines_(lines), address_(address) {}

  void add(const Instruction& in, LineRole role = LineRole::kPlain) {
    lines_.push_back({.in = in, .address = address_, .role = role});
  }
  void jump(const Instruction& in, uint32_t target) {
    lines_.push_back({.in = in, .address = address_, .target = target});
  }
  // `target` may be kNowhere: then it is a jump through a register.
  void call(const Instruction& in, uint32_t target, uint32_t return_address) {
    lines_.push_back({.in = in, .address = address_, .target = target, .code_pointer = return_address});
  }
  void load_code_pointer(Reg dst, uint32_t address) {
    lines_.push_back(
        {.in = {.opcode = Opcode::kLoadImm, .dst = dst}, .address = address_, .code_pointer = address});
  }
  void host_call(std::string_view import) {
    lines_.push_back({.in = {.opcode = Opcode::kEcalli}, .address = address_, .import = import});
  }

  void move(Reg dst, Reg src) {
    if (dst != src) add({.opcode = Opcode::kMoveReg, .dst = dst, .src1 = src});
  }
  // `value` must fit into 32 bits, signed.
  void load_imm(Reg dst, int64_t value) {
    add({.opcode = Opcode::kLoadImm, .dst = dst, .imm = static_cast<uint64_t>(value)});
  }
  void with_imm(Opcode opcode, Reg dst, Reg src, int64_t imm) {
    add({.opcode = opcode, .dst = dst, .src1 = src, .imm = static_cast<uint64_t>(imm)});
  }
  void with_regs(Opcode opcode, Reg dst, Reg src1, Reg src2) {
    add({.opcode = opcode, .dst = dst, .src1 = src1, .src2 = src2});
  }

 private:
  std::vector<Line>& lines_;
  uint32_t address_;
};

}  // namespace sandglass::linker
