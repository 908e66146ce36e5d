// NativeCode: the machine code of a module, executable and never writable again, and the tables that lead
// from native addresses to guest code offsets and back.
//
//   trampolines │ guest code, in guest order │ what was folded or paired, by itself │ rare divisions │
//   out-of-gas exits, 5 bytes per block
//
// The way back costs one byte per instruction (its native length) and one Checkpoint per 64 bytes of guest
// code; looking something up is a binary search and a short walk. What breaks the straight order is listed
// apart.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sandbox/base/mapping.h"
#include "sandbox/compiler/module.h"

namespace sandglass {

inline constexpr uint32_t kCheckpointBytes = 64;

// The first instruction at or behind some place of the guest code.
struct Checkpoint {
  uint32_t native = 0;       // offset
  uint32_t instruction = 0;  // number
};

// A stretch of native code that belongs to guest pc although it does not lie where the tables would put it.
struct Detour {
  uint32_t native_begin = 0, native_end = 0;
  uint32_t pc = 0;
};

// Offsets of the fixed routines at the start of the code; all of them end in the one exit.
struct Trampolines {
  uint32_t trap_instruction = 0, invalid_instruction = 0, invalid_jump = 0;
  uint32_t host_call = 0, out_of_gas = 0, step = 0, sbrk = 0, memset = 0, finished = 0;
  // memset writes between these; a fault or a stop there has made progress, and rcx says how many are left.
  // The second pair is the one for as many bytes as the gas allows.
  uint32_t memset_begin = 0, memset_end = 0, partial_memset_begin = 0, partial_memset_end = 0;
  uint32_t end = 0;
};

// Raw results of a compilation, before the code is made executable.
struct CompiledCode {
  Trampolines trampolines;
  uint32_t guest_code_end = 0;    // native offset behind the guest code proper
  uint32_t out_of_gas_begin = 0;  // native offset of the first out-of-gas exit
  // Native bytes per guest instruction, in the order of the set bits of the bitmask.
  std::vector<uint8_t> lengths;
  std::vector<Checkpoint> checkpoints;  // per kCheckpointBytes guest code bytes
  std::vector<uint32_t> block_pcs;      // sync: guest pc of every block, in the order of the exits
  std::vector<Detour> detours;          // sorted by native_begin
  std::vector<Detour> entries;          // sorted by pc: where execution at pc starts instead
  // Sorted by pc: the exact copies of instructions whose block has asked for more gas than its own (pairs,
  // see translation.h). Whoever comes from the host into the middle of such a block has not asked.
  std::vector<Detour> copies;
  std::vector<uint32_t> jump_table;  // native offset per entry; 0 where the target is invalid
};

class NativeCode {
 public:
  // With step tracing: of the call in front of every instruction.
  static constexpr uint32_t kStepCallBytes = 5;

  struct Place {
    uint32_t pc = 0;
    uint32_t native_begin = 0;  // including the step call and what charges the block, if any
    uint32_t native_body = 0;   // of the instruction itself
  };

  // Takes over `code`, whose first `used_bytes` bytes are machine code, and makes it executable.
  static Result<std::unique_ptr<NativeCode>> create(const Program& program, bool step_tracing, Mapping code,
                                                    size_t used_bytes, CompiledCode tables);

  const uint8_t* code() const { return code_.data(); }
  size_t size_bytes() const { return used_bytes_; }
  bool contains(const void* address) const {
    return static_cast<size_t>(static_cast<const uint8_t*>(address) - code_.data()) < used_bytes_;
  }
  const CompiledCode& tables() const { return tables_; }

  // Native offset where execution at pc starts. At the start of a block that includes its charge. pc must be
  // reachable (Program::block_start).
  uint32_t entry_of(uint32_t pc) const;
  // Native offset where a guest that was stopped at `place`, with its block charged, goes on.
  uint32_t resume_at(const Place& place) const;
  // The instruction that the byte at `native_offset` belongs to; nothing for code that belongs to none.
  std::optional<Place> find(uint32_t native_offset) const;
  // The same for an offset that may be anything.
  std::optional<Place> find_at(uint64_t native_offset) const {
    return native_offset < used_bytes_ ? find(static_cast<uint32_t>(native_offset)) : std::nullopt;
  }
  // Whether the native instruction there is the one that fills memory. Without a second copy of it the place
  // of that one is 0, where the exit begins.
  bool is_filling(uint32_t native_offset) const {
    const Trampolines& t = tables_.trampolines;
    return native_offset == t.memset_begin || (native_offset == t.partial_memset_begin && native_offset != 0);
  }
  // Whether a guest can be taken out there and go on later: between two instructions, or in the middle of a
  // memset, whose progress is in the registers.
  bool is_boundary(uint32_t native_offset) const {
    if (is_filling(native_offset)) return true;
    const std::optional<Place> place = find(native_offset);
    return place && (native_offset == place->native_begin || native_offset == place->native_body);
  }
  struct Charge {
    uint32_t native_begin = 0;
    uint32_t cost = 0;
  };
  // Metered code: what charges the block that starts at pc.
  Charge charge_of(uint32_t pc) const;
  // For an offset right behind an out-of-gas exit's call: the block it stands for.
  std::optional<uint32_t> block_of_exit(uint64_t native_offset) const;

 private:
  NativeCode(const Program& program, bool step_tracing, Mapping code, size_t used_bytes, CompiledCode tables);
  uint32_t prelude_bytes_at(uint32_t native_offset) const;
  const Detour* detour_at(uint32_t native_offset) const;

  const Program& program_;
  bool step_tracing_;
  Mapping code_;
  size_t used_bytes_;
  CompiledCode tables_;
};

}  // namespace sandglass
