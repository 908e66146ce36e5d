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

#include "sandbox/backend/compiled_sandbox.h"
#include "sandbox/backend/generic/address_space.h"
#include "sandbox/backend/generic/signals.h"

namespace sandglass {

class GenericSandbox final : public CompiledSandbox {
 public:
  // Fails with kUnsupported where GS cannot be set from user space.
  static Result<std::unique_ptr<Sandbox>> create(std::shared_ptr<const Module> module,
                                                 const SandboxOptions& options);
  ~GenericSandbox() override;

 protected:
  const Error* resume(const RunLimits& limits, Interrupt& stop) override;
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

  CompiledSandbox::Signal signal() const;
  template <typename Copy>
  Status with_writable_pages(uint32_t address, uint64_t size_bytes, Copy copy);

  std::unique_ptr<AddressSpace> space_;
  RunningGuest guest_;
  std::atomic<pid_t> thread_id_{0};  // of the thread that is inside resume()
};

}  // namespace sandglass
