// MemoryMap: where the regions of a guest's 32-bit address space lie.
//
//   0xffff_0000 … 2^32          never accessible (0xffff_0000 is also the address that returns to the host)
//   aux          ends at 0xffff_0000; read-only for the guest
//   64 KiB guard
//   stack        grows down from initial_sp()
//   64 KiB guard at least
//   heap         from heap_base() up to heap_base() + max_heap_bytes(), moved by sbrk
//   RW data      right below the heap, in the same run of pages
//   64 KiB guard
//   RO data      starts at 0x1_0000
//   0 … 0x1_0000                never accessible
//
// Placement is in steps of 64 KiB whatever the page size, so a linker can fix addresses without knowing it;
// what is accessible is rounded up to pages.
#pragma once

#include <cstdint>

#include "sandbox/base/result.h"
#include "sandbox/base/units.h"

namespace sandglass {

inline constexpr uint32_t kMinPageBytes = KiB(4);
inline constexpr uint32_t kMaxPageBytes = KiB(64);
inline constexpr uint32_t kRegionGranule = KiB(64);
inline constexpr uint32_t kFirstGuestAddress = 0x10000;
inline constexpr uint32_t kGuestAddressEnd = 0xffff0000;  // one past the last address a guest can ever access
inline constexpr uint32_t kReturnToHost = 0xffff0000;     // a dynamic jump there finishes the program
inline constexpr uint64_t kGuestSpaceBytes = uint64_t{1} << 32;

// [begin, end) in guest addresses.
struct GuestRange {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t size() const { return end - begin; }
  bool empty() const { return begin == end; }
  bool operator==(const GuestRange&) const = default;
  // Also right for sizes so large that address + size_bytes wraps around.
  bool contains(uint64_t address, uint64_t size_bytes) const {
    return address >= begin && address <= end && size_bytes <= end - address;
  }
};

class MemoryMap {
 public:
  struct Sizes {
    uint64_t ro_data_bytes = 0;
    uint64_t rw_data_bytes = 0;
    uint64_t stack_bytes = 0;
    uint64_t aux_bytes = 0;
  };

  MemoryMap() = default;
  // Fails with kInvalidArgument for a page size that is no power of two in 4 KiB … 64 KiB, and with
  // kBadProgram when the regions do not fit.
  static Result<MemoryMap> create(uint32_t page_bytes, const Sizes& sizes);

  uint32_t page_bytes() const { return page_bytes_; }
  GuestRange ro_data() const { return ro_data_; }  // every range is rounded up to whole pages
  GuestRange rw_data() const { return rw_data_; }
  GuestRange stack() const { return stack_; }
  GuestRange aux() const { return aux_; }
  uint32_t initial_sp() const { return static_cast<uint32_t>(stack_.end); }
  uint32_t heap_base() const { return heap_base_; }  // right after the RW data, not rounded
  uint32_t max_heap_bytes() const { return max_heap_bytes_; }
  uint64_t max_heap_end() const { return uint64_t{heap_base_} + max_heap_bytes_; }

 private:
  uint32_t page_bytes_ = kMinPageBytes;
  GuestRange ro_data_, rw_data_, stack_, aux_;
  uint32_t heap_base_ = 0;
  uint32_t max_heap_bytes_ = 0;
};

}  // namespace sandglass
