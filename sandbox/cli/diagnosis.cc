#include "sandbox/cli/diagnosis.h"

#include <fmt/format.h>

#include "sandbox/cli/terminal.h"
#include "sandbox/program/function_names.h"
#include "sandbox/program/instruction_text.h"

namespace sandglass::cli {
namespace {

std::string headline(const Interrupt& stop, std::string_view reason) {
  switch (stop.kind) {
    case InterruptKind::kTrap: return fmt::format("the guest trapped: {}", name_of(stop.trap));
    case InterruptKind::kOutOfGas: return "the guest ran out of gas";
    case InterruptKind::kDeadlineExceeded:
      return reason.empty() ? "the guest ran longer than its deadline" : std::string(reason);
    case InterruptKind::kHostCall:
      if (!reason.empty()) return fmt::format("the guest's host call was refused: {}", reason);
      return fmt::format("the guest made host call {}, which it did not import", stop.host_call);
    case InterruptKind::kFinished:
    case InterruptKind::kPageFault:
    case InterruptKind::kStep:
    case InterruptKind::kInterrupted: break;
  }
  return fmt::format("the guest stopped: {}", name_of(stop.kind));
}

std::string describe_access(const MemoryFault& fault) {
  return fmt::format("  access       {} of {} bytes at {:#010x}\n",
                     fault.access == Access::kRead ? "read" : "write", fault.size_bytes, fault.address);
}

std::string describe_registers(const Sandbox& sandbox) {
  std::string text;
  for (size_t i = 0; i < kRegCount; ++i) {
    const auto reg = static_cast<Reg>(i);
    text += fmt::format("  {} {:#018x}", name_of(reg), sandbox.reg(reg));
    if (i % 4 == 3) text += '\n';
  }
  return text;
}

// A line of its own, or nothing when the program does not say.
std::string describe_function(const Program& program, uint32_t pc) {
  const FunctionNames names = FunctionNames::of(program);
  const auto place = names.find(pc);
  return place ? fmt::format("  function     {}+{:#x}\n", printable_name(place->name), place->offset) : "";
}

// 'log', as assembly text spells it; empty when there is none.
std::string import_name(const Program& program, const Instruction& in) {
  const auto& imports = program.parts().imports;
  if (in.opcode != Opcode::kEcalli || in.imm >= imports.size() || !imports[in.imm]) return {};
  return "'" + printable_name(*imports[in.imm]) + "'";
}

}  // namespace

std::string describe_instruction(const Program& program, uint32_t pc) {
  const Instruction in = program.decode(pc);
  const std::string import = import_name(program, in);
  std::string text;
  if (append_instruction_text(text, in, {.set = program.instruction_set(), .import = import})) return text;
  return in.opcode == Opcode::kInvalid ? "(no valid instruction)" : std::string(name_of(in.opcode));
}

std::string describe_stop(const Sandbox& sandbox, const Interrupt& stop, std::string_view reason) {
  std::string text = headline(stop, reason) + "\n";
  const std::optional<uint32_t> pc = sandbox.program_counter();
  if (pc) {
    text += fmt::format("  pc           {:#x}\n", *pc);
    text += describe_function(sandbox.module().program(), *pc);
    text += fmt::format("  instruction  {}\n", describe_instruction(sandbox.module().program(), *pc));
  }
  if (stop.kind == InterruptKind::kTrap && stop.trap == TrapKind::kMemoryAccess)
    text += describe_access(stop.fault);
  if (sandbox.module().options().gas != GasMetering::kNone)
    text += fmt::format("  gas left     {}\n", sandbox.gas());
  return text + describe_registers(sandbox);
}

}  // namespace sandglass::cli
