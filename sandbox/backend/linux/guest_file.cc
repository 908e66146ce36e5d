#include "sandbox/backend/linux/guest_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace sandglass {
namespace {

// The pages of the file in [begin, end) that come first and follow each other without a gap.
Result<std::optional<GuestRange>> next_data(const UniqueFd& file, uint64_t begin, uint64_t end) {
  const off_t data = ::lseek(file.get(), static_cast<off_t>(begin), SEEK_DATA);
  if (data < 0 && errno == ENXIO) return std::optional<GuestRange>();
  if (data < 0) return Error::os("look for the pages of guest memory");
  if (static_cast<uint64_t>(data) >= end) return std::optional<GuestRange>();
  const off_t hole = ::lseek(file.get(), data, SEEK_HOLE);
  if (hole < 0) return Error::os("look for the end of the pages of guest memory");
  return std::optional(GuestRange{static_cast<uint64_t>(data), std::min<uint64_t>(hole, end)});
}

GuestRange intersection(const GuestRange& range, const InitialContent& content) {
  const uint64_t begin = std::clamp<uint64_t>(content.address, range.begin, range.end);
  return {begin, std::clamp<uint64_t>(content.address + content.bytes.size(), begin, range.end)};
}

// Compares the page with itself, a byte further on: that is as fast as the C library can compare.
bool is_zero(const uint8_t* page) {
  return page[0] == 0 && std::memcmp(page, page + 1, kMinPageBytes - 1) == 0;
}

}  // namespace

// Not through the mapping: that would cost a fault per page.
Status GuestFile::write_content() const {
  for (std::span<const uint8_t> left = content_.bytes; !left.empty();) {
    const auto at = static_cast<off_t>(content_.address + (content_.bytes.size() - left.size()));
    const ssize_t written = ::pwrite(file_.get(), left.data(), left.size(), at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Error::os("write the initial data of guest memory");
    left = left.subspan(static_cast<size_t>(written));
  }
  return {};
}

Status GuestFile::reset(const GuestRange& except, const GuestRange& kept) const {
  Sweep sweep = {.kept = kept};
  SG_TRY(reset_between(0, except.begin, sweep));
  // Behind guest memory lies the page that host and worker share.
  return reset_between(except.end, kGuestSpaceBytes, sweep);
}

Status GuestFile::reset_between(uint64_t begin, uint64_t end, Sweep& sweep) const {
  while (begin < end) {
    const std::optional<GuestRange> data = SG_TRY(next_data(file_, begin, end));
    if (!data) break;
    // Pages with initial content stay whole; the others are nothing but zeroes.
    const GuestRange initial = intersection(*data, content_);
    const uint64_t initial_end = std::min(data->end, round_up(initial.end, kMinPageBytes));
    SG_TRY(empty({data->begin, initial.begin}, sweep));
    if (!initial.empty()) overwrite({initial.begin, initial_end});
    SG_TRY(empty({initial.empty() ? initial.end : initial_end, data->end}, sweep));
    begin = data->end;
  }
  return {};
}

// Zeroes pages, or takes them away: see the header.
Status GuestFile::empty(const GuestRange& pages, Sweep& sweep) const {
  GuestRange clean = {pages.begin, pages.begin};
  for (uint64_t at = pages.begin; at < pages.end; at += kMinPageBytes) {
    if (is_zero(memory_ + at)) {
      clean.end = at + kMinPageBytes;
      continue;
    }
    SG_TRY(give_back(clean, sweep));
    clean = {at + kMinPageBytes, at + kMinPageBytes};
    if (sweep.zeroed_bytes == kMaxZeroedBytes) return discard_guest_file(file_, {at, pages.end});
    std::memset(memory_ + at, 0, kMinPageBytes);
    sweep.zeroed_bytes += kMinPageBytes;
  }
  return give_back(clean, sweep);
}

Status GuestFile::give_back(const GuestRange& clean, const Sweep& sweep) const {
  if (clean.size() < kMinGivenBackBytes || sweep.kept.contains(clean.begin, clean.size())) return {};
  return discard_guest_file(file_, clean);
}

void GuestFile::overwrite(const GuestRange& range) const {
  const GuestRange initial = intersection(range, content_);
  std::memset(memory_ + range.begin, 0, initial.begin - range.begin);
  if (!initial.empty()) {
    const uint8_t* const from = content_.bytes.data() + (initial.begin - content_.address);
    std::memcpy(memory_ + initial.begin, from, initial.size());
  }
  std::memset(memory_ + initial.end, 0, range.end - initial.end);
}

Status discard_guest_file(const UniqueFd& file, const GuestRange& range) {
  if (range.empty()) return {};
  if (::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(range.begin),
                  static_cast<off_t>(range.size())) != 0) {
    return Error::os("discard pages of guest memory");
  }
  return {};
}

}  // namespace sandglass
