// Interpreter: the reference executor. It decodes one instruction, does it, and goes on; nothing is cached
// but the costs of blocks. What it does is right by definition: the tests compare every other backend with
// it.
//
//   run() ── at a block start ──► poll ─► kInterrupted, kDeadlineExceeded
//     │                            │
//     │   (step tracing only) ─────┴────► kStep, once per instruction
//     │                            │
//     │   the block's cost ────────┴────► kOutOfGas (kSync only); asked again on the next run()
//     ▼
//   decode and execute ────────────────► kTrap, kHostCall, kFinished, kPageFault, or the next instruction
//
// It knows nothing of hosts: whether a pc may be entered, and what entering in the middle of a block costs,
// is decided by its caller (Sandbox). One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>

#include "sandbox/abi/vm_context.h"
#include "sandbox/gas/cost_model.h"
#include "sandbox/interrupt.h"
#include "sandbox/memory/access_map.h"
#include "sandbox/program/program.h"

namespace sandglass {

class Interpreter {
 public:
  struct Options {
    GasMetering gas = GasMetering::kSync;
    CostModel cost_model;
    bool step_tracing = false;
  };
  // Says whether the guest has to stop, and as what (kInterrupted or kDeadlineExceeded) it is reported.
  // Called when run() begins, once per basic block and once per page that memset fills.
  using Poll = std::function<std::optional<InterruptKind>()>;

  // `memory` is the host address of guest address 0, with 4 GiB behind it; `access` says what of it may be
  // touched, and everything it allows must be mapped. `context` holds registers and gas. All of them and the
  // program must outlive the interpreter.
  Interpreter(const Program& program, const Options& options, VmContext& context, uint8_t* memory,
              AccessMap& access);

  // Where the next run() starts. A block is charged when it is entered at its start; for a pc in the middle
  // of one the caller has charged already.
  void enter(uint32_t pc);

  // Runs until the guest stops; next_program_counter() must not be empty. The stop is noted in both pcs as
  // interrupt.h tells. A stop that can go on costs nothing again and is not traced again.
  Interrupt run(const Poll& poll = {});

  std::optional<uint32_t> program_counter() const { return stopped_pc_; }
  std::optional<uint32_t> next_program_counter() const { return next_pc_; }

 private:
  // A step of execution: nothing when the guest goes on at pc_, which has then been moved.
  using Outcome = std::optional<Interrupt>;

  Outcome step();
  Outcome execute(const Instruction& in);
  Outcome compute(const Instruction& in);
  Outcome move_if(bool condition, Reg dst, uint64_t value, const Instruction& in);
  Outcome load(const Instruction& in, uint32_t address);
  Outcome store(const Instruction& in, uint32_t address, uint64_t value);
  Outcome memset(const Instruction& in);
  Outcome sbrk(const Instruction& in);
  Outcome branch(const Instruction& in, uint64_t right);
  Outcome jump(uint32_t target);
  Outcome jump_dynamic(uint32_t address);
  Outcome go_on(const Instruction& in);

  Outcome poll() const;
  bool charge_block();
  Outcome refuse(uint32_t address, uint32_t size_bytes, Access access) const;
  void move_to(uint32_t pc, bool at_block_start);

  uint64_t reg(Reg reg) const { return context_.regs[static_cast<size_t>(reg)]; }
  void set_reg(Reg reg, uint64_t value) { context_.regs[static_cast<size_t>(reg)] = value & register_mask_; }
  uint32_t address_of(const Instruction& in) const { return static_cast<uint32_t>(reg(in.base)) + in.offset; }

  const Program& program_;
  const Options options_;
  VmContext& context_;
  uint8_t* const memory_;
  AccessMap& access_;
  const uint64_t register_mask_;
  const Poll* poll_ = nullptr;  // of the run() in progress
  std::unordered_map<uint32_t, uint32_t> block_costs_;

  uint32_t pc_ = 0;              // the instruction to execute next
  bool at_block_start_ = false;  // pc_ starts a block that has not been charged
  bool is_traced_ = false;       // kStep has been reported for pc_
  std::optional<uint32_t> stopped_pc_, next_pc_;
};

}  // namespace sandglass
