#include "workloads/linker/translator.h"

#include <fmt/format.h>

#include "workloads/linker/lowering.h"
#include "workloads/linker/records.h"

namespace sandglass::linker {

struct Translator::Site {
  uint32_t address;
  RiscvInstruction in;
  const Relocation* relocation;
  LineWriter out;
  uint32_t next() const { return address + in.size_bytes; }
};

namespace {

constexpr std::string_view kRv64e = "compile with -march=rv64emac_zbb_xtheadcondmov -mabi=lp64e";

uint32_t bits_at(const CodeSection& section, uint32_t address) {
  uint32_t bits = 0;
  const auto here = section.bytes.subspan(address - section.begin);
  std::memcpy(&bits, here.data(), std::min<size_t>(here.size(), 4));
  return bits;
}

}  // namespace

RiscvInstruction Translator::fetch(uint32_t address) const {
  const CodeSection* section = layout_.code_at(address);
  const uint32_t bits = bits_at(*section, address);
  const uint32_t size = is_compressed(static_cast<uint16_t>(bits)) ? 2 : 4;
  return size > section->end() - address ? RiscvInstruction{.size_bytes = 2} : decode_riscv(bits);
}

void Translator::problem(const Site& site, std::string_view what) {
  std::string text = fmt::format("{}: {}", layout_.describe(site.address), what);
  if (site.relocation) text += fmt::format(" ({})", Relocations::describe(layout_, *site.relocation));
  problems_.add(std::move(text));
}

void Translator::refused(const Site& site, std::string_view why) {
  const auto what = site.in.op == RiscvOp::kInvalid ? "an unknown instruction" : info_of(site.in.op).mnemonic;
  problem(site, fmt::format("{}: {}", what, why));
}

bool Translator::check_registers(const Site& site) {
  for (const uint8_t x : {site.in.rd, site.in.rs1, site.in.rs2}) {
    if (is_guest_register(x)) continue;
    refused(site, x == 3   ? "uses gp (x3), which guests lack: link with --no-relax"
                  : x == 4 ? "uses tp (x4), which guests lack: compile with -femulated-tls"
                           : fmt::format("uses register x{}: {}", x, kRv64e));
    return false;
  }
  return true;
}

uint32_t Translator::translate(uint32_t address, std::vector<Line>& lines) {
  Site site{address, fetch(address), relocations_.in_code(address), LineWriter(lines, address)};
  if (site.in.op == RiscvOp::kInvalid) {
    const uint32_t bits = bits_at(*layout_.code_at(address), address);
    problem(site, fmt::format("{:#x} is {}", bits, explain_undecodable(bits)));
    return 0;
  }
  if (!check_registers(site)) return 0;
  const size_t first = lines.size();
  const uint32_t size = site.relocation ? with_relocation(site) : plain(site);
  // What borrows registers finds them through sp.
  if (site.in.rd == 2 && lines.size() - first > 2) {
    refused(site, "has sp as its destination, where this linker knows no way to do it");
    return 0;
  }
  return size;
}

uint32_t Translator::with_relocation(Site& site) {
  switch (site.relocation->type) {
    case kRelocBranch:
    case kRelocJal:
    case kRelocRvcBranch:
    case kRelocRvcJump: return plain(site);  // the distance is in the instruction
    case kRelocCall:
    case kRelocCallPlt: return call_pair(site);
    case kRelocGotHi20:
    case kRelocPcrelHi20:
    case kRelocHi20: return upper(site);
    case kRelocPcrelLo12I:
    case kRelocPcrelLo12S: return low_of_pair(site);
    case kRelocLo12I:
    case kRelocLo12S: return low_of_absolute(site);
    default: break;
  }
  if (is_thread_local_relocation(site.relocation->type)) {
    refused(site, "a thread-local variable, and guests have no thread pointer: compile with -femulated-tls");
  } else {
    refused(site, "a relocation that means nothing in a guest's code: compile with -fPIE -mcmodel=medany");
  }
  return 0;
}

uint32_t Translator::plain(const Site& site) {
  LineWriter out = site.out;
  const RiscvInstruction& in = site.in;
  switch (in.op) {
    case RiscvOp::kLui:
      if (in.rd != 0) out.load_imm(reg_of(in.rd), in.imm);
      return in.size_bytes;
    case RiscvOp::kAuipc: return unrelocated_pair(site);
    case RiscvOp::kJal:
      return jump_to(site, in.rd, site.address + static_cast<uint32_t>(in.imm), site.next());
    case RiscvOp::kJalr: return jump_through_register(site);
    case RiscvOp::kEbreak:
    case RiscvOp::kUnimp: out.add({.opcode = Opcode::kTrap}); return in.size_bytes;
    case RiscvOp::kEcall:
      refused(site,
              "guests have no operating system: call the host through SANDGLASS_IMPORT (sandglass/guest.h)");
      return 0;
    case RiscvOp::kHostCall:
      refused(site,
              "a host call without a relocation that says which: use SANDGLASS_IMPORT (sandglass/guest.h)");
      return 0;
    default: break;
  }
  if (info_of(in.op).form != RiscvForm::Branch) {
    lower(in, out);
    return in.size_bytes;
  }
  const uint32_t target = site.address + static_cast<uint32_t>(in.imm);
  if (layout_.code_at(target) == nullptr) {
    refused(site, fmt::format("goes to {:#x}, where no code is", target));
    return 0;
  }
  lower_branch(in, target, out);
  return in.size_bytes;
}

void Translator::load_address(const Site& site, uint64_t address) {
  LineWriter out = site.out;
  if (site.in.rd == 0) return;
  if (layout_.code_at(address) != nullptr) {
    out.load_code_pointer(reg_of(site.in.rd), static_cast<uint32_t>(address));
  } else {
    // Guests look at the low 32 bits of an address; all of them fit below 2 GiB unless somebody made them up.
    out.load_imm(reg_of(site.in.rd), static_cast<int32_t>(address));
  }
}

uint32_t Translator::upper(const Site& site) {
  const uint64_t target = site.relocation->target;
  const bool is_absolute = site.relocation->type == kRelocHi20;
  if (site.in.op == RiscvOp::kHostCall && is_absolute) return host_call(site);
  if (site.in.op != (is_absolute ? RiscvOp::kLui : RiscvOp::kAuipc)) {
    refused(site, "the relocation does not fit the instruction: link with --no-relax");
    return 0;
  }
  if (target > INT32_MAX && static_cast<int64_t>(target) != static_cast<int32_t>(target)) {
    refused(site, fmt::format("the address {:#x} does not fit into a guest", target));
    return 0;
  }
  if (is_absolute && layout_.code_at(target) == nullptr) return plain(site);
  load_address(site, target);
  return site.in.size_bytes;
}

uint32_t Translator::low_of_pair(Site& site) {
  const uint64_t label = layout_.file().symbols()[site.relocation->symbol].value;
  const Relocation* high = label <= UINT32_MAX ? relocations_.in_code(static_cast<uint32_t>(label)) : nullptr;
  if (high == nullptr || (high->type != kRelocPcrelHi20 && high->type != kRelocGotHi20)) {
    refused(site, fmt::format("its upper half is said to be at {:#x}, where none is", label));
    return 0;
  }
  site.in.imm = 0;
  if (high->type == kRelocGotHi20) {
    if (site.in.op != RiscvOp::kLd) {
      refused(site, "only ld may read from the global offset table");
      return 0;
    }
    site.in = {.op = RiscvOp::kAddi, .rd = site.in.rd, .rs1 = site.in.rs1, .size_bytes = site.in.size_bytes};
  } else if (layout_.code_at(high->target) != nullptr && site.in.op != RiscvOp::kAddi &&
             site.in.op != RiscvOp::kJalr) {
    refused(site, fmt::format("reads or writes code as data ({})", Relocations::describe(layout_, *high)));
    return 0;
  }
  return plain(site);
}

uint32_t Translator::low_of_absolute(Site& site) {
  if (layout_.code_at(site.relocation->target) == nullptr) return plain(site);
  if (site.in.op != RiscvOp::kAddi && site.in.op != RiscvOp::kAddiw && site.in.op != RiscvOp::kJalr) {
    refused(site, "reads or writes code as data");
    return 0;
  }
  site.in.imm = 0;
  return plain(site);
}

uint32_t Translator::call_pair(const Site& site) {
  const uint32_t second = site.next();
  const RiscvInstruction jalr = layout_.code_at(second) ? fetch(second) : RiscvInstruction{};
  if (site.in.op != RiscvOp::kAuipc || jalr.op != RiscvOp::kJalr || jalr.rs1 != site.in.rd ||
      !is_guest_register(jalr.rd)) {
    refused(site, "a call that is no auipc with its jalr: link with --no-relax");
    return 0;
  }
  const ElfSymbol& callee = layout_.file().symbols()[site.relocation->symbol];
  if (callee.section == kElfUndefined && site.relocation->target == 0) {
    // A weak function that nobody defines. The program asks before it calls.
    LineWriter(site.out).add({.opcode = Opcode::kTrap});
    return 8;
  }
  return jump_to(site, jalr.rd, site.relocation->target, site.address + 8) != 0 ? 8 : 0;
}

// The assembler resolves a pair that stays in its section when told not to leave work to the linker. Such a
// pair can only be about code, as data is elsewhere.
uint32_t Translator::unrelocated_pair(const Site& site) {
  const uint32_t second = site.next();
  const RiscvInstruction low = layout_.code_at(second) ? fetch(second) : RiscvInstruction{};
  const bool is_pair = (low.op == RiscvOp::kAddi || low.op == RiscvOp::kJalr) && low.rs1 == site.in.rd &&
                       low.rs1 != 0 && is_guest_register(low.rd) && relocations_.in_code(second) == nullptr;
  const bool leaves_nothing = low.op == RiscvOp::kJalr || low.rd == site.in.rd;
  if (!is_pair || !leaves_nothing) {
    refused(site, "the linker cannot tell what it refers to: compile without -mno-relax");
    return 0;
  }
  const uint32_t target = site.address + static_cast<uint32_t>(site.in.imm) + static_cast<uint32_t>(low.imm);
  const uint32_t size = 4u + low.size_bytes;
  if (low.op == RiscvOp::kJalr) return jump_to(site, low.rd, target, site.address + size) != 0 ? size : 0;
  load_address(site, target);
  return size;
}

uint32_t Translator::host_call(const Site& site) {
  const auto import = import_name(layout_, site.relocation->target);
  if (!import) {
    refused(site, "a host call whose record is damaged: use SANDGLASS_IMPORT (sandglass/guest.h)");
    return 0;
  }
  LineWriter(site.out).host_call(*import);
  return site.in.size_bytes;
}

uint32_t Translator::jump_to(const Site& site, uint8_t link, uint64_t target, uint32_t next) {
  LineWriter out = site.out;
  if (layout_.code_at(target) == nullptr) {
    refused(site, fmt::format("goes to {:#x}, where no code is", target));
    return 0;
  }
  if (link == 0) {
    out.jump({.opcode = Opcode::kJump}, static_cast<uint32_t>(target));
  } else {
    out.call({.opcode = Opcode::kLoadImmAndJump, .dst = reg_of(link)}, static_cast<uint32_t>(target), next);
  }
  return site.in.size_bytes;
}

uint32_t Translator::jump_through_register(const Site& site) {
  LineWriter out = site.out;
  const RiscvInstruction& in = site.in;
  if (in.imm != 0) {
    refused(site, "jumps to a distance from a function: code pointers of guests are no addresses");
    return 0;
  }
  if (in.rs1 == 0) {
    out.add({.opcode = Opcode::kTrap});  // through a null pointer
  } else if (in.rd == 0) {
    out.add({.opcode = Opcode::kJumpIndirect, .base = reg_of(in.rs1)});
  } else {
    out.call({.opcode = Opcode::kLoadImmAndJumpIndirect, .dst = reg_of(in.rd), .base = reg_of(in.rs1)},
             kNowhere, site.next());
  }
  return in.size_bytes;
}

}  // namespace sandglass::linker
