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

#include <atomic>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sandbox/abi/vm_context.h"
#include "sandbox/compiler/module.h"
#include "sandbox/interrupt.h"
#include "sandbox/memory/access_map.h"

namespace sandglass {

class WorkerSource;

struct SandboxOptions {
  // Gas a new sandbox starts with. The default lets a metered guest run for about a second of naive
  // instructions and then stops it: nobody gets an endless guest by forgetting a limit. Modules without
  // metering ignore it, so bound those with a deadline.
  int64_t gas = 1'000'000'000;
  // Linux backend: where workers come from; nothing: the process's default. And whose guest this is, for
  // sources that keep the workers of one tenant from another.
  std::shared_ptr<WorkerSource> workers;
  std::string tenant;
};

struct RunLimits {
  // Wall time after which run() returns kDeadlineExceeded; zero: none. Costs two timer system calls per run.
  std::chrono::nanoseconds deadline{0};
  // The same for the CPU time of the thread or the worker process that runs the guest. The Linux backend
  // measures it from outside, so it holds even if the guest has taken its worker over.
  std::chrono::nanoseconds cpu_time{0};
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
  uint64_t reg(Reg reg) const {
    if ((missing_regs_ & bit_of(reg)) != 0) fetch_regs(reg);
    return context_->regs[static_cast<size_t>(reg)];
  }
  void set_reg(Reg reg, uint64_t value) {
    if ((missing_regs_ & bit_of(reg)) != 0) missing_regs_ &= ~bit_of(reg);
    context_->regs[static_cast<size_t>(reg)] = value & register_mask_;
  }
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

  // CPU time of what runs the guest, the calling thread or the worker process, so far: for differences around
  // a run(). Zero once the worker is gone.
  virtual std::chrono::nanoseconds cpu_time() const;

  // Memory, as seen by the host.
  Status read(uint32_t address, std::span<uint8_t> out) const;
  Status write(uint32_t address, std::span<const uint8_t> bytes);
  Status zero(uint32_t address, uint64_t size_bytes);
  // Whether the *guest* could access every byte of the range right now.
  bool is_accessible(uint32_t address, uint64_t size_bytes, Access access) const;

  // Dynamic paging only (kUnsupported otherwise). The address must be a multiple of the page size, the length
  // is rounded up to pages, the range must lie in 0x1'0000 … 0xffff'0000.
  Status provide(uint32_t address, uint64_t size_bytes, Protection protection);  // new or again: zeroed
  // The same with `content` at the start. On the Linux backend it costs a third of providing and writing.
  Status provide(uint32_t address, std::span<const uint8_t> content, Protection protection);
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
  // `context` belongs to the backend and lives as long as the sandbox; so does the memory at `memory`, the
  // host address of guest address 0.
  Sandbox(std::shared_ptr<const Module> module, const SandboxOptions& options, VmContext* context,
          uint8_t* memory);

  // The hooks of a backend. --------------------------------------------------------------------------------

  // The next resume() starts at pc, where execution is possible. Entering a block at its start is charged by
  // the guest itself; the charge for entering one elsewhere has been made.
  virtual void enter(uint32_t pc, bool is_block_start) = 0;
  // Runs until the guest stops, from enter() or from where it stopped, and says why in `stop`, which is
  // fresh. Honours stop_requested and the deadline. Returns null, or why the backend has failed: then the
  // sandbox is dead, and every later call gives the same error. (Written in place: copying an Interrupt right
  // after its fields were written one by one stalls the processor for longer than a host call takes.)
  virtual const Error* resume(const RunLimits& limits, Interrupt& stop) = 0;
  // pc of the stop that resume() reported last, as the table in interrupt.h has it.
  virtual uint32_t stopped_pc() const = 0;
  // Makes a running guest look at stop_requested. Called by any thread.
  virtual void kick() = 0;

  // Memory. Ranges have been checked against access_ before; access_ is updated after a hook succeeded,
  // except in heap_opened and aux_changed, which find the new state there.
  virtual Status fetch(uint32_t address, std::span<uint8_t> out) const;
  virtual Status store(uint32_t address, std::span<const uint8_t> bytes) = 0;
  virtual Status store_zeroes(uint32_t address, uint64_t size_bytes) = 0;
  // Pages of static mode that sbrk has just opened; they must read as zero.
  virtual Status heap_opened(const GuestRange& pages) = 0;
  virtual Status aux_changed() = 0;
  // Dynamic paging: `zeroed` pages are new and read as zero; without protection the pages go away.
  virtual Status set_pages(const GuestRange& pages, std::optional<Protection> protection, bool zeroed) = 0;
  // New pages that start with `content`. Unlike the others, this hook updates access_ itself.
  virtual Status fill_pages(const GuestRange& pages, std::span<const uint8_t> content, Protection protection);
  virtual Status reset_storage() = 0;

  std::atomic_ref<uint32_t> stop_requested() const { return std::atomic_ref(context_->stop_requested); }
  // Takes back a request to stop and says as what run() shall report it.
  InterruptKind take_stop_request() const;

  static constexpr uint32_t kStopForInterrupt = 1, kStopForDeadline = 2;

  static constexpr uint32_t bit_of(Reg reg) { return 1u << static_cast<uint32_t>(reg); }
  // Puts that register, which is missing, into the context, and maybe others that are.
  virtual void fetch_regs(Reg /*wanted*/) const {}

  std::shared_ptr<const Module> module_;
  VmContext* context_;
  uint8_t* memory_;
  AccessMap access_;
  const uint64_t register_mask_;
  // One bit for each register that the context does not have: it is where the guest has left it.
  mutable uint32_t missing_regs_ = 0;

 private:
  bool begin_at(uint32_t pc, Interrupt& stop);
  void settle(Interrupt& stop);

  // What the pcs are; see the table in interrupt.h.
  std::optional<uint32_t> host_pc_;     // set by the host and not yet run
  std::optional<uint32_t> refused_pc_;  // trapped before it was entered
  InterruptKind last_stop_ = InterruptKind::kFinished;
  bool has_pc_ = false;
  bool can_resume_ = false;
};

}  // namespace sandglass
