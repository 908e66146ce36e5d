#include "sandbox/compiler/trampolines.h"

#include <cstddef>

#include "sandbox/interrupt.h"

namespace sandglass {
namespace {

using x64::Alu;
using x64::Condition;

class TrampolineWriter {
 public:
  TrampolineWriter(Emitter& e, const uint8_t* base, bool is_64, GasMetering gas)
      : e_(e), base_(base), is_64_(is_64), gas_(gas) {}

  Trampolines write() {
    Trampolines t;
    exit_ = e_.cursor();
    exit();
    t.finished = here();
    leave(ExitReason::kFinished);
    t.invalid_instruction = trap(TrapKind::kInvalidInstruction);
    t.invalid_jump = trap(TrapKind::kInvalidJump);
    t.step = stop(ExitReason::kStep);
    t.out_of_gas = stop(ExitReason::kOutOfGas);
    t.trap_instruction = here();
    e_.store_context_imm(false, context_field(offsetof(VmContext, exit_argument)),
                         static_cast<uint32_t>(TrapKind::kInstruction));
    stop_behind_jump(ExitReason::kTrap);
    t.sbrk = stop_behind_jump(ExitReason::kSbrk);
    t.host_call = here();
    e_.store_context(false, kTemp, context_field(offsetof(VmContext, exit_argument)));
    stop_behind_jump(ExitReason::kHostCall);
    memset(t);
    t.end = here();
    return t;
  }

 private:
  uint32_t here() const { return static_cast<uint32_t>(e_.cursor() - base_); }

  void exit() {
    for (size_t i = 0; i < kRegCount; ++i) {
      e_.store_context(true, kNativeRegs[i], context_field(offsetof(VmContext, regs) + 8 * i));
    }
    if (gas_ != GasMetering::kNone) e_.store_context(true, kGas, context_field(offsetof(VmContext, gas)));
    e_.load_context(true, x64::rsp, context_field(offsetof(VmContext, host_stack)));
    e_.context_op(0xff, 1, false, 4, context_field(offsetof(VmContext, host_exit)));  // jmp
  }

  void leave(ExitReason reason) {
    e_.store_context_imm(false, context_field(offsetof(VmContext, exit_reason)),
                         static_cast<uint32_t>(reason));
    e_.jmp(exit_);
  }

  // A routine that is called: the return address becomes the resume address.
  uint32_t stop(ExitReason reason) {
    const uint32_t begin = here();
    e_.context_op(0x8f, 1, false, 0, context_field(offsetof(VmContext, resume_address)));  // pop
    leave(reason);
    return begin;
  }

  // A routine that is jumped to with a native offset on the stack: that place becomes the resume address.
  uint32_t stop_behind_jump(ExitReason reason) {
    constexpr int32_t kResume = context_field(offsetof(VmContext, resume_address));
    const uint32_t begin = here();
    e_.pop(kTemp);
    e_.store_context(true, kTemp, kResume);
    e_.lea_relative(kTemp, base_);
    e_.context_op(0x01, 1, true, kTemp, kResume);  // add
    leave(reason);
    return begin;
  }

  uint32_t trap(TrapKind kind) {
    const uint32_t begin = here();
    e_.store_context_imm(false, context_field(offsetof(VmContext, exit_argument)),
                         static_cast<uint32_t>(kind));
    stop(ExitReason::kTrap);
    return begin;
  }

  // Fills [a0, a0 + a2) with a1; a0 is rdi, a1 is rax, a2 is rdx. The original a0 and the number of bytes to
  // do now are kept in the context, from where a fault in the middle is made good.
  void memset(Trampolines& t) {
    constexpr int32_t kCount = context_field(offsetof(VmContext, memset_count));
    t.memset = here();
    e_.mov(false, kTemp, x64::rdx);
    uint8_t* too_little_gas = nullptr;
    if (gas_ == GasMetering::kSync) {
      e_.alu(Alu::kCmp, true, kGas, kTemp);
      e_.jcc_rel32(Condition::kLess, 0);
      too_little_gas = e_.cursor();
    }
    if (gas_ != GasMetering::kNone) e_.alu(Alu::kSub, true, kGas, kTemp);
    fill(t.memset_begin, t.memset_end);
    e_.alu(Alu::kXor, false, x64::rdx, x64::rdx);
    e_.bytes(0xc3, 1);  // ret
    if (too_little_gas == nullptr) return;

    patch_rel32(too_little_gas, e_.cursor());
    e_.mov(true, kTemp, kGas);
    e_.alu(Alu::kXor, false, kGas, kGas);
    fill(t.partial_memset_begin, t.partial_memset_end);
    e_.context_op(0x2b, 1, false, x64::rdx, kCount);  // sub edx
    stop(ExitReason::kMemset);
  }

  void fill(uint32_t& begin, uint32_t& end) {
    constexpr int32_t kStart = context_field(offsetof(VmContext, memset_start));
    constexpr int32_t kCount = context_field(offsetof(VmContext, memset_count));
    e_.store_context(true, x64::rdi, kStart);
    e_.store_context(true, kTemp, kCount);
    e_.mov(false, x64::rdi, x64::rdi);
    e_.context_op(0x03, 1, true, x64::rdi, context_field(offsetof(VmContext, memory_base)));  // add
    begin = here();
    e_.bytes(0xaaf3, 2);  // rep stosb
    end = here();
    e_.load_context(true, x64::rdi, kStart);
    e_.context_op(0x03, 1, is_64_, x64::rdi, kCount);
  }

  static void patch_rel32(uint8_t* end, const uint8_t* target) {
    const auto displacement = static_cast<int32_t>(target - end);
    std::memcpy(end - 4, &displacement, 4);
  }

  Emitter& e_;
  const uint8_t* base_;
  const uint8_t* exit_ = nullptr;
  bool is_64_;
  GasMetering gas_;
};

}  // namespace

Trampolines emit_trampolines(Emitter& e, const uint8_t* base, bool is_64, GasMetering gas) {
  return TrampolineWriter(e, base, is_64, gas).write();
}

}  // namespace sandglass
