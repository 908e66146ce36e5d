// WorkerMap: what a worker has mapped for its modules, and how that becomes what another module needs.
//
// A system call that changes an address space takes half a microsecond, and what it unmaps is two more and a
// fault when it is touched again. So a module that comes after another one changes the difference only:
//
//   guest memory   all modules map the same pages of the same file at the same place: only protections
//                  change, and what a module does not have stays mapped without any
//   images         the next one replaces the last one; what sticks out is unmapped. Nothing of another
//                  module can be reached
//
// Pure bookkeeping: whoever carries out the changes is somebody else, and when they fail, this is void.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sandbox/abi/protocol.h"
#include "sandbox/base/check.h"

namespace sandglass {

struct WorkerRegion {
  enum class From : uint8_t {
    kGuestFile,    // at the offset that is its guest address
    kTrackedFile,  // the same, and the kernel records writes: never as it was before
    kImage,
    kZeroes,
  };
  From from = From::kGuestFile;
  uint64_t begin = 0, end = 0;  // in the worker's address space
  uint64_t file_offset = 0;     // kImage
  uint32_t protection = 0;      // PROT_…
};

// As many as fit into the page that the worker reads them from.
class ChangeList {
 public:
  // What does not change anything is left out.
  void add(const MemoryChange& change) {
    if (change.size_bytes == 0) return;
    SG_CHECK(count_ < HostPage::kMaxChanges);
    changes_[count_++] = change;
  }
  std::span<const MemoryChange> all() const { return {changes_, count_}; }

 private:
  MemoryChange changes_[HostPage::kMaxChanges];
  size_t count_ = 0;
};

class WorkerMap {
 public:
  static constexpr size_t kMaxWanted = 12;
  // The changes that make it `wanted`: regions that follow each other, none of them empty. There is room for
  // half a dozen more changes.
  ChangeList become(std::span<const WorkerRegion> wanted);

  std::span<const WorkerRegion> regions() const { return regions_; }

 private:
  ChangeList differences(std::span<const WorkerRegion> wanted);
  ChangeList everything(std::span<const WorkerRegion> wanted);
  bool is_mapped_from_guest_file(uint64_t begin, uint64_t end) const;
  bool has_protection(const WorkerRegion& wanted) const;
  void leave(const WorkerRegion& old, uint64_t begin, uint64_t end, ChangeList& changes);

  std::vector<WorkerRegion> regions_;  // in order
  std::vector<WorkerRegion> next_;     // while it becomes something else
};

}  // namespace sandglass
