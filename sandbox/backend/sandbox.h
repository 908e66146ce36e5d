// Sandbox: one guest instance, behind one interface for every backend.
//
//   std::shared_ptr<const Module> module = SG_TRY(Module::create(program, {.backend = Backend::kGeneric}));
//   std::unique_ptr<Sandbox> sandbox = SG_TRY(Sandbox::create(module));
//   SG_TRY(sandbox->prepare_call("main", {42}));
//   for (;;) {
//     Interrupt stop = SG_TRY(sandbox->run());
//     switch (stop.kind) { case InterruptKind::kHostCall: ...; continue;  case InterruptKind::kFinished: ...
//     }
//   }
//
// A Sandbox is used by one thread at a time and may move between threads while it is not running; only
// interrupt() may be called by any thread at any time. Registers, gas and pcs are kept by the host between
// runs. A fresh sandbox has all registers 0, gas = SandboxOptions::gas, no pc, and its initial data in memory
// (with dynamic paging: no memory at all).
//
// Memory functions check the whole range first and change nothing when they fail (kOutOfRange, `where` = the
// address). Size 0 always succeeds. A range must lie inside one region of the memory map: stack; RW data and
// heap; aux up to its accessible size; RO data for reads. With dynamic paging, every page of it must have
// been provided, whatever its protection for the guest.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "sandbox/abi/vm_context.h"
#include "sandbox/interrupt.h"
#include "sandbox/compiler/module.h"

namespace sandglass {

struct SandboxOptions {
  // Gas a new sandbox starts with. The default lets a metered guest run for about a second of naive
  // instructions and then stops it: nobody gets an endless guest by forgetting a limit. Modules without
  // metering ignore it, so bound those with a deadline.
  int64_t gas = 1'000'000'000;
};

struct RunLimits {
  // Wall time after which run() returns kDeadlineExceeded; zero: none. Costs two timer system calls per run.
  std::chrono::nanoseconds deadline{0};
};

class Sandbox {
 public:
  static Result<std::unique_ptr<Sandbox>> create(std::shared_ptr<const Module> module,
                                                 const SandboxOptions& options = {});
  virtual ~Sandbox() = default;
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  const Module& module() const { return *module_; }

  // Registers. 32-bit sets keep 32 bits: writes are cut, reads are zero-extended.
  uint64_t reg(Reg reg) const { return context_->regs[static_cast<size_t>(reg)]; }
  void set_reg(Reg reg, uint64_t value) { context_->regs[static_cast<size_t>(reg)] = value & register_mask_; }
  void clear_regs();
  int64_t gas() const { return context_->gas; }
  void set_gas(int64_t gas) { context_->gas = gas; }

  // See interrupt.h for what they are after each stop. Finding the pc may cost a search in the module's
  // tables.
  std::optional<uint32_t> program_counter() const;
  std::optional<uint32_t> next_program_counter() const;
  // Where run() starts. Charges the whole block that contains pc when it runs, even if pc lies in its middle.
  // Any value is taken: a pc where nothing can be executed traps there.
  void set_next_program_counter(uint32_t pc);

  // Clears the registers, then sets sp to the top of the stack, ra to the return-to-host address, the
  // arguments in order of kArgumentRegs and the next pc. Fails with kInvalidArgument for more than nine
  // arguments.
  Status prepare_call(uint32_t pc, std::span<const uint64_t> arguments = {});
  // The same for an export; fails with kInvalidArgument when there is none of that name.
  Status prepare_call(std::string_view name, std::span<const uint64_t> arguments = {});
  Status prepare_call(std::string_view name, std::initializer_list<uint64_t> arguments) {
    return prepare_call(name, std::span(arguments.begin(), arguments.size()));
  }

  // Runs the guest until it stops. Fails with kNoProgramCounter when there is nowhere to start. With gas < 0
  // it returns kOutOfGas at once.
  Result<Interrupt> run(const RunLimits& limits = {});

  // Asks the guest to stop; safe from any thread and in a signal handler's thread context. A running guest
  // returns kInterrupted at its next instruction boundary; otherwise the next run() returns it at once.
  void interrupt();

  // Memory, as seen by the host.
  Status read(uint32_t address, std::span<uint8_t> out) const;
  Status write(uint32_t address, std::span<const uint8_t> bytes);
  Status zero(uint32_t address, uint64_t size_bytes);
  // Whether the *guest* could access every byte of the range right now.
  bool is_accessible(uint32_t address, uint64_t size_bytes, Access access) const;

  // Dynamic paging only (kUnsupported otherwise). The address must be a multiple of the page size, the length
  // is rounded up to pages, the range must lie in 0x1'0000 … 0xffff'0000.
  Status provide(uint32_t address, uint64_t size_bytes, Protection protection);  // new or again: zeroed
  Status protect(uint32_t address, uint64_t size_bytes, Protection protection);  // every page must be there
  Status free_pages(uint32_t address, uint64_t size_bytes);                      // missing pages are fine

  // Heap. sbrk() behaves as the guest instruction: the new top, or nothing when it does not fit.
  uint64_t heap_bytes() const;
  std::optional<uint32_t> sbrk(uint32_t size_bytes);

  // How much of the aux region guest and host can access, rounded up to pages; fails when larger than the
  // region or with dynamic paging.
  Status set_accessible_aux(uint32_t size_bytes);

  // Memory, heap and aux as in a fresh sandbox, nothing left behind in any region. Registers, gas and pcs
  // stay.
  Status reset_memory();

 protected:
  Sandbox() = default;

  std::shared_ptr<const Module> module_;
  VmContext* context_ = nullptr;
  uint64_t register_mask_ = ~uint64_t{0};
  // (details follow with the implementation)
};

}  // namespace sandglass
