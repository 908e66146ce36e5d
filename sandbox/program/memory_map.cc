#include "sandbox/program/memory_map.h"

#include <bit>

namespace sandglass {

Result<MemoryMap> MemoryMap::create(uint32_t page_bytes, const Sizes& sizes) {
  if (!std::has_single_bit(page_bytes) || page_bytes < kMinPageBytes || page_bytes > kMaxPageBytes) {
    return Error::make(ErrorKind::kInvalidArgument,
                       "the page size must be a power of two from 4 KiB to 64 KiB", page_bytes);
  }
  const auto too_big = [] {
    return Error::make(ErrorKind::kBadProgram, "the memory regions do not fit into 32 bits of address space");
  };
  for (uint64_t size : {sizes.ro_data_bytes, sizes.rw_data_bytes, sizes.stack_bytes, sizes.aux_bytes}) {
    if (size > UINT32_MAX) return too_big();
  }
  const auto pages = [page_bytes](uint64_t bytes) { return round_up(bytes, page_bytes); };
  const auto block = [](uint64_t bytes) { return round_up(bytes, kRegionGranule); };

  MemoryMap map;
  map.page_bytes_ = page_bytes;
  const uint64_t ro_begin = kFirstGuestAddress;
  const uint64_t rw_begin = ro_begin + block(sizes.ro_data_bytes) + kRegionGranule;
  const uint64_t low_end = rw_begin + block(sizes.rw_data_bytes) + kRegionGranule;
  const uint64_t high_bytes = block(sizes.aux_bytes) + kRegionGranule + block(sizes.stack_bytes);
  if (high_bytes > kGuestAddressEnd || low_end > kGuestAddressEnd - high_bytes) return too_big();

  const uint64_t aux_begin = kGuestAddressEnd - block(sizes.aux_bytes);
  const uint64_t stack_end = aux_begin - kRegionGranule;
  map.ro_data_ = {ro_begin, ro_begin + pages(sizes.ro_data_bytes)};
  map.rw_data_ = {rw_begin, rw_begin + pages(sizes.rw_data_bytes)};
  map.aux_ = {aux_begin, aux_begin + pages(sizes.aux_bytes)};
  map.stack_ = {stack_end - pages(sizes.stack_bytes), stack_end};
  map.heap_base_ = static_cast<uint32_t>(rw_begin + sizes.rw_data_bytes);
  const uint64_t heap_end_limit = stack_end - block(sizes.stack_bytes) - kRegionGranule;
  map.max_heap_bytes_ = static_cast<uint32_t>(heap_end_limit - map.heap_base_);
  return map;
}

}  // namespace sandglass
