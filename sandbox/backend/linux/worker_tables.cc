#include "sandbox/backend/linux/worker_tables.h"

#include <sys/mman.h>

#include <algorithm>

#include "sandbox/abi/protocol.h"
#include "sandbox/base/units.h"

namespace sandglass {
namespace {

using namespace worker_space;

constexpr uint64_t kSlotsPerPage = kPageBytes / sizeof(uint64_t);

MemoryChange mapping_of(uint64_t address, uint64_t size_bytes, uint64_t file_offset, uint32_t protection) {
  return {.address = address,
          .size_bytes = size_bytes,
          .file_offset = file_offset,
          .kind = MemoryChange::Kind::kMapHostFile,
          .protection = protection};
}

// A line that is not written stays in the worker's cache.
void write_slot(uint64_t& slot, uint64_t target) {
  if (slot != target) slot = target;
}

}  // namespace

void WorkerTables::load(uint8_t* host_file, const ModuleImage& image, ChangeList& changes) {
  auto* const table = reinterpret_cast<uint64_t*>(host_file + host_file::kJumpTable);
  auto* const returns = reinterpret_cast<uint64_t*>(host_file + host_file::kReturnSlots);
  const std::span<const uint64_t> slots = image.first_slots();
  const uint64_t needed = slots.size_bytes() / kPageBytes;
  if (!is_mapped_) {
    std::fill_n(returns, kSlotsPerPage, ModuleImage::kNoTarget);
    changes.add(mapping_of(kReturnSlots, kPageBytes, host_file::kReturnSlots, PROT_READ));
    changes.add(mapping_of(kJumpTable, kHostTablePages * kPageBytes, host_file::kJumpTable, PROT_NONE));
    is_mapped_ = true;
  }
  write_slot(returns[0], image.return_slot());
  for (size_t i = 0; i < slots.size(); ++i) write_slot(table[i], slots[i]);
  for (size_t i = slots.size(); i < pages_ * kSlotsPerPage; ++i) write_slot(table[i], ModuleImage::kNoTarget);
  if (needed <= pages_) return;
  changes.add({.address = kJumpTable + pages_ * kPageBytes,
               .size_bytes = (needed - pages_) * kPageBytes,
               .kind = MemoryChange::Kind::kProtect,
               .protection = PROT_READ});
  pages_ = needed;
}

}  // namespace sandglass
