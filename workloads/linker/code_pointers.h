// Code pointers in data: function tables, virtual tables, the tables of switch statements and computed gotos.
//
// A guest's code pointer is an index into its jump table, and each place in code has one, so pointers are
// equal exactly when the places are. How each relocation is patched:
//
//   64, 32            s                            the pointer
//   ADD32 with SUB32  s - base                     the pointer minus the address of the table, which is data
//   32_PCREL, PLT32   s - place                    the same, relative to itself
//
// Anything else is fine as long as it is about data: what ld.lld wrote is final.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/linker/relocations.h"
#include "workloads/linker/tracer.h"

namespace sandglass::linker {

struct DataPointer {
  uint32_t address = 0;  // of the data
  uint32_t target = 0;   // of the code
  uint32_t minus = 0;
  uint8_t size_bytes = 0;  // 4 or 8
};

std::vector<DataPointer> find_code_pointers(const Layout& layout, const Relocations& relocations,
                                            Problems& problems);

// The places they point to, as roots of what can run.
void add_roots(const Layout& layout, const std::vector<DataPointer>& pointers, std::vector<Root>& roots);

// Writes them into the layout's data. `pointed` is the jump table, by address.
void patch_code_pointers(Layout& layout, const std::vector<DataPointer>& pointers,
                         const std::vector<uint32_t>& pointed);

// The pointer to entry `index` of the jump table.
constexpr uint32_t code_pointer(size_t index) { return static_cast<uint32_t>(2 * (index + 1)); }
// To the code at `address`, which is among `pointed`.
uint32_t code_pointer_to(const std::vector<uint32_t>& pointed, uint32_t address);

}  // namespace sandglass::linker
