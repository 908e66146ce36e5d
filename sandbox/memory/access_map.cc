#include "sandbox/memory/access_map.h"

#include <algorithm>

namespace sandglass {
namespace {

constexpr uint8_t kMissingPage = 0, kReadOnlyPage = 1, kWritablePage = 2;

Error out_of_range(uint32_t address) {
  return Error::make(ErrorKind::kOutOfRange, "the guest memory range is not accessible", address);
}

}  // namespace

AccessMap::AccessMap(const MemoryMap& map, InstructionSet set, bool dynamic_paging)
    : map_(map),
      has_sbrk_(sandglass::has_sbrk(set)),
      dynamic_(dynamic_paging),
      aux_bytes_(static_cast<uint32_t>(map.aux().size())),
      pages_(dynamic_paging ? kGuestSpaceBytes / map.page_bytes() : 0, kMissingPage) {}

GuestRange AccessMap::data_and_heap() const {
  const uint64_t top = round_up(uint64_t{map_.heap_base()} + heap_bytes_, map_.page_bytes());
  return {map_.rw_data().begin, std::max(map_.rw_data().end, heap_bytes_ == 0 ? 0 : top)};
}

AccessMap::Check AccessMap::check_guest(uint32_t address, uint64_t size_bytes, Access access) const {
  if (size_bytes == 0) return {};
  if (size_bytes > kGuestSpaceBytes) return {.verdict = Verdict::kForbidden};  // the sum below would wrap
  if (dynamic_) return check_guest_dynamic(address, uint64_t{address} + size_bytes, access);
  const GuestRange aux = {map_.aux().begin, map_.aux().begin + aux_bytes_};
  if (data_and_heap().contains(address, size_bytes) || map_.stack().contains(address, size_bytes)) return {};
  const bool readable = map_.ro_data().contains(address, size_bytes) || aux.contains(address, size_bytes);
  if (readable && access == Access::kRead) return {};
  return {.verdict = Verdict::kForbidden};
}

bool AccessMap::is_closed_heap(uint64_t address) const {
  return has_sbrk_ && address >= data_and_heap().end && address >= map_.rw_data().end &&
         address < round_up(map_.max_heap_end(), map_.page_bytes());
}

AccessMap::Check AccessMap::check_guest_dynamic(uint64_t begin, uint64_t end, Access access) const {
  if (begin < kFirstGuestAddress || end > kGuestAddressEnd) return {.verdict = Verdict::kForbidden};
  for (uint64_t page = round_down(begin, map_.page_bytes()); page < end; page += map_.page_bytes()) {
    const uint8_t state = page_state(page);
    const auto address = static_cast<uint32_t>(page);
    if (state == kMissingPage) {
      return {is_closed_heap(page) ? Verdict::kForbidden : Verdict::kMissing, address};
    }
    if (state == kReadOnlyPage && access == Access::kWrite) return {Verdict::kWriteProtected, address};
  }
  return {};
}

Status AccessMap::check_host(uint32_t address, uint64_t size_bytes, Access access) const {
  if (size_bytes == 0) return {};
  constexpr GuestRange kSpace = {kFirstGuestAddress, kGuestAddressEnd};
  if (!kSpace.contains(address, size_bytes)) return out_of_range(address);
  const uint64_t end = address + size_bytes;
  if (dynamic_) {
    return check_guest_dynamic(address, end, Access::kRead).verdict == Verdict::kAllowed
               ? Status()
               : Status(out_of_range(address));
  }
  const GuestRange aux = {map_.aux().begin, map_.aux().begin + aux_bytes_};
  if (check_guest(address, size_bytes, access).verdict == Verdict::kAllowed ||
      aux.contains(address, size_bytes)) {
    return {};
  }
  return out_of_range(address);
}

std::optional<uint32_t> AccessMap::grow_heap(uint32_t size_bytes) {
  if (size_bytes > map_.max_heap_bytes() - heap_bytes_) return std::nullopt;
  heap_bytes_ += size_bytes;
  return heap_top();
}

Status AccessMap::set_accessible_aux(uint32_t size_bytes) {
  if (dynamic_)
    return Error::make(ErrorKind::kUnsupported, "the aux limit has no meaning with dynamic paging");
  const uint64_t rounded = round_up(size_bytes, map_.page_bytes());
  if (rounded > map_.aux().size()) {
    return Error::make(ErrorKind::kInvalidArgument, "larger than the module's aux region", size_bytes);
  }
  aux_bytes_ = static_cast<uint32_t>(rounded);
  return {};
}

Result<GuestRange> AccessMap::check_pages(uint32_t address, uint64_t size_bytes) const {
  if (!dynamic_) {
    return Error::make(ErrorKind::kUnsupported,
                       "pages can only be managed when the module has dynamic_paging");
  }
  if (address % map_.page_bytes() != 0) {
    return Error::make(ErrorKind::kInvalidArgument, "the address is not a multiple of the page size",
                       address);
  }
  if (size_bytes > kGuestSpaceBytes) return out_of_range(address);
  const GuestRange range = {address, address + round_up(size_bytes, map_.page_bytes())};
  if (!range.empty() && (range.begin < kFirstGuestAddress || range.end > kGuestAddressEnd)) {
    return out_of_range(address);
  }
  return range;
}

bool AccessMap::all_present(const GuestRange& range) const {
  for (uint64_t page = range.begin; page < range.end; page += map_.page_bytes()) {
    if (page_state(page) == kMissingPage) return false;
  }
  return true;
}

void AccessMap::set_pages(const GuestRange& range, std::optional<Protection> protection) {
  const uint8_t state = !protection                        ? kMissingPage
                        : *protection == Protection::kRead ? kReadOnlyPage
                                                           : kWritablePage;
  for (uint64_t page = range.begin; page < range.end; page += map_.page_bytes()) page_state(page) = state;
}

void AccessMap::reset() {
  std::fill(pages_.begin(), pages_.end(), kMissingPage);
  heap_bytes_ = 0;
  aux_bytes_ = static_cast<uint32_t>(map_.aux().size());
}

}  // namespace sandglass
