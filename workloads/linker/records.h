// What guest.h writes for the linker: exports, imports, the size of the stack.
//
// All records are little-endian. A name is any bytes; zeroes, one of them at least, fill a record up to its
// alignment.
//
//   .sandglass.exports     u64 function      a code address, with an R_RISCV_64
//     aligned to 8         u8  version       1
//                          u8  zero
//                          u16 name_bytes
//                          name
//
//   .sandglass.imports     u8  version       1; found through the host call's R_RISCV_HI20
//     aligned to 4         u8  zero
//                          u16 name_bytes
//                          name
//
//   .sandglass.stack       u32 bytes         the largest one counts
//     aligned to 4
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "workloads/linker/relocations.h"

namespace sandglass::linker {

struct ExportRecord {
  uint32_t function = 0;
  std::string_view name;
};

// In the order of the file. Damaged records are problems, and so is having none.
std::vector<ExportRecord> read_exports(const Layout& layout, const Relocations& relocations,
                                       Problems& problems);

// Of the import record at `address`; nothing when there is none or it is damaged.
std::optional<std::string_view> import_name(const Layout& layout, uint64_t address);

// 0 when no record asks for anything.
uint32_t largest_stack_bytes(const Layout& layout, Problems& problems);

}  // namespace sandglass::linker
