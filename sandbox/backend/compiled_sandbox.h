// CompiledSandbox: what the backends that run emitted code have in common, wherever they run it.
//
// It knows where execution starts and what it means that emitted code has left: by its exit, with a reason in
// the context, or by a signal, at some native address. What a worker process reports is a claim and may be
// made up, so every function here accepts any value and says when one makes no sense; in-process, that is a
// bug of ours.
#pragma once

#include <optional>

#include "sandbox/backend/sandbox.h"
#include "sandbox/compiler/native_code.h"

namespace sandglass {

class CompiledSandbox : public Sandbox {
 protected:
  // `code_address`: where the guest finds the module's code, when that is not where the host has it.
  CompiledSandbox(std::shared_ptr<const Module> module, const SandboxOptions& options, VmContext* context,
                  uint8_t* memory, std::optional<uint64_t> code_address = std::nullopt);

  void enter(uint32_t pc, bool is_block_start) override;
  uint32_t stopped_pc() const override;

  // The register whose value an entry needs as VmContext::zero_flag_value. Looked at right before: the host
  // may change it until then.
  Reg zero_flag_reg() const { return zero_flag_reg_; }

  // Explains the stop that the context describes; not for kSbrk and kSignal. False: it makes no sense.
  [[nodiscard]] bool explain_exit(Interrupt& stop);
  // The guest was taken out by a signal; the context holds its registers and its gas.
  struct Signal {
    bool is_stop_request = false;
    uint32_t native_offset = 0;  // where the guest was
    // Only in the middle of a memset.
    uint64_t temporary = 0;   // rcx
    uint64_t stack_word = 0;  // at the top of the guest's stack
  };
  [[nodiscard]] bool explain_signal(const Signal& signal, Interrupt& stop);
  // kSbrk: grows the heap and puts the answer into the register.
  [[nodiscard]] bool run_sbrk();
  // Looks up and checks where the guest has stopped, which explain_exit() leaves for stopped_pc() to do: the
  // instruction must be one that can stop in that way.
  [[nodiscard]] bool check_stop(const Interrupt& stop);
  // Whether a guest can be taken out there and go on later: between two instructions, or in the middle of a
  // memset, whose progress is in the registers.
  bool is_boundary(uint32_t native_offset) const { return code_.is_boundary(native_offset); }
  // Whether somebody had asked for the stop that was explained last, which is one by request. When nobody
  // had, it says nothing, and no later request has been taken back for it.
  bool has_taken_request() const { return has_taken_request_; }

  const NativeCode& code_;

 private:
  bool explain_out_of_gas(Interrupt& stop);
  bool explain_memset(const Signal& signal, Interrupt& stop);
  bool is_instruction(uint32_t pc, Opcode opcode) const;
  bool is_possible(const Interrupt& stop, const NativeCode::Place& place) const;
  void take_request(Interrupt& stop);
  bool explain_fault_of(const Instruction& in, Interrupt& stop);
  bool explain_fault_at(uint32_t address, uint32_t size_bytes, Access access, Interrupt& stop);
  void add_gas(int64_t amount) {
    context_->gas =
        static_cast<int64_t>(static_cast<uint64_t>(context_->gas) + static_cast<uint64_t>(amount));
  }
  // The place `back` bytes in front of the resume address; nothing when that is not in the code.
  std::optional<NativeCode::Place> place_before_resume(uint32_t back) const;
  void set_resume_offset(uint32_t native_offset) { context_->resume_address = code_address_ + native_offset; }

  const uint64_t code_address_;
  // The last stop: the pc itself, or a native address inside the instruction it belongs to.
  std::optional<uint32_t> stop_pc_;
  uint64_t stop_address_ = 0;
  // A branch on this register being zero may rely on flags that an earlier instruction of its block left.
  Reg zero_flag_reg_ = Reg::ra;
  // Where execution at a block starts, remembered for hosts that call the same function again and again.
  uint32_t entered_pc_ = UINT32_MAX;
  uint32_t entered_offset_ = 0;
  bool has_taken_request_ = false;
  // What check_stop() has looked at last and where.
  uint64_t checked_address_ = 0;
  Interrupt checked_stop_;
  uint32_t checked_pc_ = 0;
};

}  // namespace sandglass
