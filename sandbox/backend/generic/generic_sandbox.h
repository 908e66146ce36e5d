// GenericSandbox: the guest runs in this process, on the calling thread.
//
// Guest memory is guarded address space, faults are signals, entering and leaving is a function call. It
// isolates by construction of the emitted code, not by the kernel: see the threat model in the README.
//
// What it asks of the process: a thread that runs guests must not block SIGSEGV (a guest's fault would kill
// the process) or SIGURG (interrupt() and deadlines would have to wait until it is unblocked); handlers for
// the signals in signals.h that are installed later must pass on what they do not know; and the thread's GS
// base is overwritten and not restored, since 64-bit Linux programs have no other use for it.
#pragma once

#include <atomic>
#include <memory>

#include "sandbox/backend/generic/address_space.h"
#include "sandbox/backend/generic/signals.h"
#include "sandbox/backend/sandbox.h"

namespace sandglass {

class GenericSandbox final : public Sandbox {
 public:
  // Fails with kUnsupported where GS cannot be set from user space.
  static Result<std::unique_ptr<Sandbox>> create(std::shared_ptr<const Module> module,
                                                 const SandboxOptions& options);
  ~GenericSandbox() override;

 protected:
  void enter(uint32_t pc, bool is_block_start) override;
  void resume(const RunLimits& limits, Interrupt& stop) override;
  uint32_t stopped_pc() const override;
  void kick() override;
  Status store(uint32_t address, std::span<const uint8_t> bytes) override;
  Status store_zeroes(uint32_t address, uint64_t size_bytes) override;
  Status heap_opened(const GuestRange& pages) override;
  Status aux_changed() override;
  Status set_pages(const GuestRange& pages, std::optional<Protection> protection, bool zeroed) override;
  Status reset_storage() override;

 private:
  GenericSandbox(std::shared_ptr<const Module> module, const SandboxOptions& options,
                 std::unique_ptr<AddressSpace> space);

  void stop_after_exit(Interrupt& stop);
  void stop_after_signal(Interrupt& stop);
  void fault_of(const Instruction& in, Interrupt& stop);
  void fault_at(uint32_t address, uint32_t size_bytes, Access access, Interrupt& stop);
  bool stopped_in_memset(Interrupt& stop);
  void run_sbrk();
  uint32_t resume_offset() const {
    return static_cast<uint32_t>(context_->resume_address - reinterpret_cast<uint64_t>(code_.code()));
  }
  void set_resume_offset(uint32_t native_offset) {
    context_->resume_address = reinterpret_cast<uint64_t>(code_.code() + native_offset);
  }
  NativeCode::Place place_of(uint32_t native_offset) const;
  template <typename Copy>
  Status with_writable_pages(uint32_t address, uint64_t size_bytes, Copy copy);

  const NativeCode& code_;
  std::unique_ptr<AddressSpace> space_;
  RunningGuest guest_;
  std::atomic<pid_t> thread_id_{0};  // of the thread that is inside resume()
  // The last stop: the pc itself, or a native offset inside the instruction it belongs to.
  std::optional<uint32_t> stop_pc_;
  uint32_t stop_offset_ = 0;
  // A branch on this register being zero may rely on flags that an earlier instruction of its block left.
  // Looked at when the guest is entered: the host may change the register until then.
  Reg zero_flag_reg_ = Reg::ra;
  // Where execution at a block starts, remembered for hosts that call the same function again and again.
  uint32_t entered_pc_ = UINT32_MAX;
  uint32_t entered_offset_ = 0;
};

}  // namespace sandglass
