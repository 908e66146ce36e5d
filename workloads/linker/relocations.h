// The relocations of what is loaded, sorted by address: what each place in code or data refers to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/linker/layout.h"

namespace sandglass::linker {

// Those of the psABI that get a treatment of their own; riscv_relocation_name() knows the others too.
enum RelocationType : uint32_t {
  kReloc32 = 1,
  kReloc64 = 2,
  kRelocBranch = 16,
  kRelocJal = 17,
  kRelocCall = 18,
  kRelocCallPlt = 19,
  kRelocGotHi20 = 20,
  kRelocPcrelHi20 = 23,
  kRelocPcrelLo12I = 24,
  kRelocPcrelLo12S = 25,
  kRelocHi20 = 26,
  kRelocLo12I = 27,
  kRelocLo12S = 28,
  kRelocAdd8 = 33,
  kRelocAdd32 = 35,
  kRelocSub32 = 39,
  kRelocSub64 = 40,
  kRelocAlign = 43,
  kRelocRvcBranch = 44,
  kRelocRvcJump = 45,
  kRelocRelax = 51,
  kRelocSub6 = 52,
  kRelocSet32 = 56,
  kReloc32Pcrel = 57,
  kRelocPlt32 = 59,
  kRelocSetUleb128 = 60,
  kRelocSubUleb128 = 61,
};

std::string_view relocation_name(uint32_t type);  // "R_RISCV_HI20"
bool is_thread_local_relocation(uint32_t type);

struct Relocation {
  uint32_t address = 0;
  uint32_t type = 0;
  uint32_t symbol = 0;
  uint64_t target = 0;  // the symbol's value plus the addend
};

class Relocations {
 public:
  static Relocations collect(const Layout& layout, Problems& problems);

  // In code: the one that matters there, if there is one. (RELAX and ALIGN are left out when collecting.)
  const Relocation* in_code(uint32_t address) const;
  // Those of loaded data and of records, ascending by address; in one place in the order of the file.
  const std::vector<Relocation>& in_data() const { return data_; }
  const std::vector<Relocation>& in_records() const { return records_; }

  // "R_RISCV_HI20 against 'name'+0x8", for messages.
  static std::string describe(const Layout& layout, const Relocation& relocation);

 private:
  std::vector<Relocation> code_, data_, records_;
};

}  // namespace sandglass::linker
