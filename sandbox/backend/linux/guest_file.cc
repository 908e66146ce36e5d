#include "sandbox/backend/linux/guest_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace sandglass {
namespace {

// The pages of the file that follow `from` without a gap; nothing when there are none.
Result<std::optional<GuestRange>> next_data(const UniqueFd& file, uint64_t from) {
  const off_t begin = ::lseek(file.get(), static_cast<off_t>(from), SEEK_DATA);
  if (begin < 0 && errno == ENXIO) return std::optional<GuestRange>();
  if (begin < 0) return Error::os("look for the pages of guest memory");
  // Behind guest memory lies the page that host and worker share.
  if (static_cast<uint64_t>(begin) >= kGuestSpaceBytes) return std::optional<GuestRange>();
  const off_t end = ::lseek(file.get(), begin, SEEK_HOLE);
  if (end < 0) return Error::os("look for the end of the pages of guest memory");
  return std::optional(GuestRange{static_cast<uint64_t>(begin), std::min<uint64_t>(end, kGuestSpaceBytes)});
}

// Puts the initial contents into `range`.
void overwrite(uint8_t* memory, const GuestRange& range, std::span<const InitialContent> contents) {
  uint64_t at = range.begin;
  for (const InitialContent& content : contents) {
    const uint64_t begin = std::max<uint64_t>(content.address, at);
    const uint64_t end = std::min<uint64_t>(content.address + content.bytes.size(), range.end);
    if (begin >= end) continue;
    std::memset(memory + at, 0, begin - at);
    std::memcpy(memory + begin, content.bytes.data() + (begin - content.address), end - begin);
    at = end;
  }
  std::memset(memory + at, 0, range.end - at);
}

}  // namespace

Status reset_guest_file(const UniqueFd& file, uint8_t* memory, std::span<const InitialContent> contents) {
  uint64_t at = 0;
  while (const std::optional<GuestRange> data = SG_TRY(next_data(file, at))) {
    overwrite(memory, *data, contents);
    at = data->end;
  }
  return {};
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
