#include "sandbox/backend/linux/guest_file.h"

#include <fcntl.h>
#include <sys/stat.h>
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

// What the file takes, in memory or swapped out.
Result<uint64_t> allocated_bytes(const UniqueFd& file) {
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return Error::os("ask how many pages guest memory has");
  return static_cast<uint64_t>(status.st_blocks) * 512;
}

// Appends the pages to a list of runs, which they follow.
void keep(const GuestRange& pages, std::vector<GuestRange>* runs) {
  if (runs == nullptr || pages.empty()) return;
  if (!runs->empty() && runs->back().end == pages.begin) {
    runs->back().end = pages.end;
  } else {
    runs->push_back(pages);
  }
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
  if (known_ == nullptr) {
    Sweep sweep = {.kept = kept, .left = nullptr};
    return reset_outside(except, sweep);
  }
  // Asked first: a page that comes after this makes the number wrong, and the next reset look.
  const uint64_t file_bytes = SG_TRY(allocated_bytes(file_));
  const bool is_known = known_->file_bytes == file_bytes && known_->except == except;
  known_->forget();
  known_->scratch.clear();
  Sweep sweep = {.kept = kept, .left = &known_->scratch};
  if (is_known) {
    for (const GuestRange& pages : known_->ranges) SG_TRY(reset_run(pages, sweep));
  } else {
    SG_TRY(reset_outside(except, sweep));
  }
  known_->ranges.swap(known_->scratch);
  known_->except = except;
  known_->file_bytes = file_bytes - sweep.discarded_bytes;
  return {};
}

Status GuestFile::reset_outside(const GuestRange& except, Sweep& sweep) const {
  SG_TRY(reset_between(0, except.begin, sweep));
  // Behind guest memory lies the page that host and worker share.
  return reset_between(except.end, kGuestSpaceBytes, sweep);
}

Status GuestFile::reset_between(uint64_t begin, uint64_t end, Sweep& sweep) const {
  while (begin < end) {
    const std::optional<GuestRange> data = SG_TRY(next_data(file_, begin, end));
    if (!data) break;
    SG_TRY(reset_run(*data, sweep));
    begin = data->end;
  }
  return {};
}

// Pages with initial content stay whole; the others are nothing but zeroes.
Status GuestFile::reset_run(const GuestRange& pages, Sweep& sweep) const {
  const GuestRange initial = intersection(pages, content_);
  if (initial.empty()) return empty(pages, sweep);
  const GuestRange whole = {initial.begin, std::min(pages.end, round_up(initial.end, kMinPageBytes))};
  SG_TRY(empty({pages.begin, whole.begin}, sweep));
  overwrite(whole);
  keep(whole, sweep.left);
  return empty({whole.end, pages.end}, sweep);
}

// Zeroes pages, or takes them away: see the header.
Status GuestFile::empty(const GuestRange& pages, Sweep& sweep) const {
  GuestRange clean = {pages.begin, pages.begin};
  for (uint64_t at = pages.begin; at < pages.end; at += kMinPageBytes) {
    if (is_zero(memory_ + at)) {
      clean.end = at + kMinPageBytes;
      continue;
    }
    SG_TRY(settle(clean, sweep));
    clean = {at + kMinPageBytes, at + kMinPageBytes};
    if (sweep.zeroed_bytes == kMaxZeroedBytes) return discard({at, pages.end}, sweep);
    std::memset(memory_ + at, 0, kMinPageBytes);
    sweep.zeroed_bytes += kMinPageBytes;
    keep({at, at + kMinPageBytes}, sweep.left);
  }
  return settle(clean, sweep);
}

// What becomes of pages that were zero already.
Status GuestFile::settle(const GuestRange& clean, Sweep& sweep) const {
  if (clean.size() >= kMinGivenBackBytes && !sweep.kept.contains(clean.begin, clean.size()))
    return discard(clean, sweep);
  keep(clean, sweep.left);
  return {};
}

Status GuestFile::discard(const GuestRange& pages, Sweep& sweep) const {
  sweep.discarded_bytes += pages.size();
  return discard_guest_file(file_, pages);
}

void GuestFile::overwrite(const GuestRange& range) const {
  const GuestRange whole = {content_.address, content_.address + content_.bytes.size()};
  if (whole.contains(range.begin, range.size())) {
    std::memcpy(memory_ + range.begin, content_.bytes.data() + (range.begin - whole.begin), range.size());
    return;
  }
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
