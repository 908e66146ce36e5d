// InterpretedSandbox: the interpreter behind the Sandbox interface. Portable, exact and slow; nothing the
// guest does reaches the host but through checked accesses.
//
// Guest memory is one anonymous 4 GiB mapping, all of it writable for the host: what the guest may touch is
// only written in access_. Memory is committed as it is used.
#pragma once

#include <memory>

#include "sandbox/backend/sandbox.h"
#include "sandbox/base/mapping.h"
#include "sandbox/interpreter/interpreter.h"

namespace sandglass {

class InterpretedSandbox final : public Sandbox {
 public:
  static Result<std::unique_ptr<Sandbox>> create(std::shared_ptr<const Module> module,
                                                 const SandboxOptions& options);

 private:
  InterpretedSandbox(std::shared_ptr<const Module> module, const SandboxOptions& options,
                     std::unique_ptr<VmContext> context, Mapping memory);

  void enter(uint32_t pc, bool) override { interpreter_.enter(pc); }
  const Error* resume(const RunLimits& limits, Interrupt& stop) override;
  uint32_t stopped_pc() const override { return *interpreter_.program_counter(); }
  void kick() override {}  // the interpreter polls

  Status store(uint32_t address, std::span<const uint8_t> bytes) override;
  Status store_zeroes(uint32_t address, uint64_t size_bytes) override;
  Status heap_opened(const GuestRange&) override { return {}; }  // never written since the last reset
  Status aux_changed() override { return {}; }
  Status set_pages(const GuestRange& pages, std::optional<Protection> protection, bool zeroed) override;
  Status reset_storage() override;

  Status discard(const GuestRange& range);
  void copy_initial_data();

  std::unique_ptr<VmContext> own_context_;
  Mapping own_memory_;
  Interpreter interpreter_;
};

}  // namespace sandglass
