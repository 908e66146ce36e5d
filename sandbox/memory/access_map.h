// AccessMap: which bytes of a guest's memory its guest and its host may touch right now.
//
// The rules of static and of dynamic paging, the heap limit and the aux limit, kept apart from how a backend
// enforces them: the interpreter asks for every access, the generic backend keeps page protections in step.
//
//   static   the regions of the MemoryMap, the heap up to its page-rounded top, aux up to its accessible size
//   dynamic  the pages the host has provided. A page that is not there is kMissing, and the host is asked for
//            it, with two exceptions that are kForbidden: the first and the last 64 KiB of the address space,
//            and, in sets with sbrk, the part of the heap's range that sbrk has not opened yet.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sandbox/program/memory_map.h"
#include "sandbox/program/program.h"

namespace sandglass {

enum class Access : uint8_t { kRead, kWrite };
enum class Protection : uint8_t { kRead, kReadWrite };

class AccessMap {
 public:
  enum class Verdict : uint8_t { kAllowed, kMissing, kWriteProtected, kForbidden };
  struct Check {
    Verdict verdict = Verdict::kAllowed;
    uint32_t page_address = 0;  // kMissing, kWriteProtected: the first page that stands in the way
  };

  AccessMap(const MemoryMap& map, InstructionSet set, bool dynamic_paging);

  // What happens when the guest accesses [address, address + size_bytes). O(1) in static mode, O(pages) else.
  Check check_guest(uint32_t address, uint64_t size_bytes, Access access) const;
  // What the host may do. kOutOfRange with the address otherwise.
  Status check_host(uint32_t address, uint64_t size_bytes, Access access) const;

  uint32_t page_bytes() const { return map_.page_bytes(); }

  // Heap. `grow_heap` is sbrk: the new top, or nothing when it does not fit; it opens memory, it never closes
  // any.
  uint32_t heap_bytes() const { return heap_bytes_; }
  uint32_t heap_top() const { return map_.heap_base() + heap_bytes_; }
  std::optional<uint32_t> grow_heap(uint32_t size_bytes);
  void set_heap_bytes(uint32_t heap_bytes) { heap_bytes_ = heap_bytes; }  // takes back a grow_heap
  // RW data and heap in one piece, rounded up to pages: what static mode makes writable.
  GuestRange data_and_heap() const;

  uint32_t accessible_aux_bytes() const { return aux_bytes_; }
  Status set_accessible_aux(uint32_t size_bytes);

  // Dynamic paging. `check_pages` validates a request (alignment, range; kUnsupported in static mode) and
  // returns the range rounded up to pages; the setters below take such a range.
  bool is_dynamic() const { return dynamic_; }
  Result<GuestRange> check_pages(uint32_t address, uint64_t size_bytes) const;
  bool all_present(const GuestRange& range) const;
  void set_pages(const GuestRange& range, std::optional<Protection> protection);  // nothing: not there

  // As at the start: no pages, empty heap, all of aux accessible.
  void reset();

 private:
  Check check_guest_dynamic(uint64_t begin, uint64_t end, Access access) const;
  bool is_closed_heap(uint64_t address) const;
  uint8_t& page_state(uint64_t address) { return pages_[address / map_.page_bytes()]; }
  uint8_t page_state(uint64_t address) const { return pages_[address / map_.page_bytes()]; }

  MemoryMap map_;
  bool has_sbrk_;
  bool dynamic_;
  uint32_t heap_bytes_ = 0;
  uint32_t aux_bytes_ = 0;
  std::vector<uint8_t> pages_;  // dynamic only, one entry per page: 0 missing, 1 read-only, 2 read-write
};

}  // namespace sandglass
