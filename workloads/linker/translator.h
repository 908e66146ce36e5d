// Translator: RISC-V instructions with what they refer to → lines.
//
// Data addresses are final, so whatever computes with them is kept as it is. Code addresses are not: where
// one is made, the code pointer takes its place.
//
//   auipc rd, %pcrel_hi(s)        rd = s, all of it        } whoever shares the upper half, and however far
//     … %pcrel_lo(…)(rd)          … 0(rd)                  } away, finds the address and adds nothing
//   auipc rd, %got_pcrel_hi(s)    rd = s
//     ld r, %pcrel_lo(…)(rd)      r = rd                   the GOT itself is never read
//   lui rd, %hi(data)             rd = the upper half      as in the file
//   lui rd, %hi(code)             rd = code pointer
//     addi r, rd, %lo(code)       r = rd
//   auipc t, jalr rd, %call(s)    one call or jump
#pragma once

#include "workloads/linker/lines.h"
#include "workloads/linker/relocations.h"
#include "workloads/linker/riscv.h"

namespace sandglass::linker {

class Translator {
 public:
  Translator(const Layout& layout, const Relocations& relocations, Problems& problems)
      : layout_(layout), relocations_(relocations), problems_(problems) {}

  // The instruction at `address`; kInvalid (of 2 bytes) when it is cut off by the end of its section. The
  // address must be even and lie in a section of code.
  RiscvInstruction fetch(uint32_t address) const;

  // Appends what the instruction at `address` does and returns how many bytes it has: 8 for a pair that is
  // only understood together. 0: it cannot be translated, which is among the problems.
  uint32_t translate(uint32_t address, std::vector<Line>& lines);

 private:
  struct Site;  // an instruction, where it is, what it refers to

  void problem(const Site& site, std::string_view what);
  void refused(const Site& site, std::string_view why);
  bool check_registers(const Site& site);
  uint32_t with_relocation(Site& site);
  uint32_t plain(const Site& site);
  uint32_t upper(const Site& site);
  uint32_t low_of_pair(Site& site);
  uint32_t low_of_absolute(Site& site);
  uint32_t call_pair(const Site& site);
  uint32_t unrelocated_pair(const Site& site);
  uint32_t host_call(const Site& site);
  uint32_t jump_to(const Site& site, uint8_t link, uint64_t target, uint32_t next);
  uint32_t jump_through_register(const Site& site);
  void load_address(const Site& site, uint64_t address);

  const Layout& layout_;
  const Relocations& relocations_;
  Problems& problems_;
};

}  // namespace sandglass::linker
