#include "sandbox/backend/linux/worker_map.h"

#include <sys/mman.h>

#include <algorithm>

#include "sandbox/abi/address_space.h"
#include "sandbox/base/check.h"

namespace sandglass {
namespace {

using namespace worker_space;
using From = WorkerRegion::From;
using Kind = MemoryChange::Kind;

// Every module may leave some pieces of guest memory behind that no other one has. Where so many have come
// together, the next module begins anew. A region that goes takes a change, and one more for each of the next
// module's that lies inside of it.
constexpr size_t kMaxRegions = 24;
static_assert(kMaxRegions + 2 * WorkerMap::kMaxWanted + 6 < HostPage::kMaxChanges);

MemoryChange mapping_of(const WorkerRegion& region) {
  MemoryChange change = {
      .address = region.begin, .size_bytes = region.end - region.begin, .protection = region.protection};
  switch (region.from) {
    case From::kGuestFile:
    case From::kTrackedFile:
      change.kind = Kind::kMapMemory;
      change.file_offset = region.begin - kGuestMemory;
      break;
    case From::kImage:
      change.kind = Kind::kMapImage;
      change.file_offset = region.file_offset;
      break;
    case From::kZeroes: change.kind = Kind::kMapAnonymous; break;
  }
  return change;
}

MemoryChange unmapping_of(uint64_t begin, uint64_t end) {
  return {.address = begin, .size_bytes = end - begin, .kind = Kind::kUnmap};
}

MemoryChange protection_of(uint64_t begin, uint64_t end, uint32_t protection) {
  return {.address = begin, .size_bytes = end - begin, .kind = Kind::kProtect, .protection = protection};
}

// Calls piece(begin, end) for what of `region` none of `others` covers; they follow each other.
template <typename Piece>
void for_each_uncovered(const WorkerRegion& region, std::span<const WorkerRegion> others, Piece piece) {
  uint64_t begin = region.begin;
  for (const WorkerRegion& other : others) {
    if (other.end <= begin) continue;
    if (other.begin >= region.end) break;
    if (begin < other.begin) piece(begin, other.begin);
    begin = std::min(other.end, region.end);
  }
  if (begin < region.end) piece(begin, region.end);
}

}  // namespace

ChangeList WorkerMap::become(std::span<const WorkerRegion> wanted) {
  SG_CHECK(wanted.size() <= kMaxWanted);
  if (regions_.size() > kMaxRegions) return everything(wanted);
  const ChangeList changes = differences(wanted);
  regions_.swap(next_);
  return changes;
}

ChangeList WorkerMap::differences(std::span<const WorkerRegion> wanted) {
  ChangeList changes;
  next_.assign(wanted.begin(), wanted.end());
  for (const WorkerRegion& old : regions_) {
    for_each_uncovered(old, wanted, [&](uint64_t begin, uint64_t end) { leave(old, begin, end, changes); });
  }
  for (const WorkerRegion& region : wanted) {
    if (region.from != From::kGuestFile || !is_mapped_from_guest_file(region.begin, region.end)) {
      changes.add(mapping_of(region));
    } else if (!has_protection(region)) {
      changes.add(protection_of(region.begin, region.end, region.protection));
    }
  }
  std::sort(next_.begin(), next_.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  return changes;
}

ChangeList WorkerMap::everything(std::span<const WorkerRegion> wanted) {
  ChangeList changes;
  changes.add(unmapping_of(kGuestMemory, kGuestMemory + kGuestBytes));
  changes.add(unmapping_of(kImagedJumpTable, kReturnSlots));
  changes.add(unmapping_of(kCode, kCode + kCodeBytes));
  for (const WorkerRegion& region : wanted) changes.add(mapping_of(region));
  regions_.assign(wanted.begin(), wanted.end());
  return changes;
}

// What the next module does not have.
void WorkerMap::leave(const WorkerRegion& old, uint64_t begin, uint64_t end, ChangeList& changes) {
  if (old.from != From::kGuestFile) return changes.add(unmapping_of(begin, end));
  if (old.protection != PROT_NONE) changes.add(protection_of(begin, end, PROT_NONE));
  next_.push_back({.from = From::kGuestFile, .begin = begin, .end = end, .protection = PROT_NONE});
}

bool WorkerMap::is_mapped_from_guest_file(uint64_t begin, uint64_t end) const {
  for (const WorkerRegion& region : regions_) {
    if (region.begin > begin || region.from != From::kGuestFile) continue;
    begin = std::max(begin, region.end);
    if (begin >= end) return true;
  }
  return false;
}

// All that there is of a region that is there.
bool WorkerMap::has_protection(const WorkerRegion& wanted) const {
  return std::all_of(regions_.begin(), regions_.end(), [&](const WorkerRegion& region) {
    return region.end <= wanted.begin || region.begin >= wanted.end || region.protection == wanted.protection;
  });
}

}  // namespace sandglass
