#include "sandbox/backend/linux/written_pages.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>

#include "sandbox/abi/address_space.h"
#include "sandbox/abi/kernel_constants.h"
#include "sandbox/backend/linux/dynamic_pages.h"

namespace sandglass {
namespace {

using worker_space::kGuestMemory;
using worker_space::kPageBytes;

constexpr uint64_t kFeatures =
    UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM | kUffdWpUnpopulated | kUffdWpAsync;
constexpr size_t kRegionsPerScan = 128;

// Asking for exactly this takes the kernel 1 ns per page that is in the page table; any other question takes
// several. It also counts pages without an entry as written, which is right: see the header.
PagemapScan scan_of(const GuestRange& range, PageRegion* regions) {
  return {.size = sizeof(PagemapScan),
          .flags = kScanWriteProtects | kScanNeedsWpAsync,
          .begin = kGuestMemory + range.begin,
          .end = kGuestMemory + range.end,
          .walk_end = 0,
          .regions = reinterpret_cast<uint64_t>(regions),
          .region_count = kRegionsPerScan,
          .max_pages = 0,
          .inverted = 0,
          .all = kPageIsWritten,
          .any = 0,
          .reported = kPageIsWritten};
}

bool probe() {
  const UniqueFd fd(
      static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY)));
  return fd && negotiate_write_tracking(fd.get()) && ::access("/proc/self/pagemap", R_OK) == 0;
}

}  // namespace

bool can_track_writes() {
  static const bool result = probe();
  return result;
}

Status negotiate_write_tracking(int userfaultfd) {
  uffdio_api api = {.api = UFFD_API, .features = kFeatures};
  if (::ioctl(userfaultfd, UFFDIO_API, &api) == 0) return {};
  Error error = Error::os("agree on the features of userfaultfd; tracking writes needs Linux 6.7");
  error.kind = ErrorKind::kUnsupported;
  return error;
}

WrittenPages::WrittenPages(UniqueFd pagemap, const GuestRange& range)
    : pagemap_(std::move(pagemap)), range_(range), by_host_((range.size() / kPageBytes + 63) / 64) {}

Result<std::unique_ptr<WrittenPages>> WrittenPages::track(int userfaultfd, UniqueFd pagemap,
                                                          const GuestRange& range) {
  SG_TRY(register_pages(userfaultfd, range, PageFaults::kWrites));
  SG_TRY(protect_pages(userfaultfd, range, true));
  return std::unique_ptr<WrittenPages>(new WrittenPages(std::move(pagemap), range));
}

void WrittenPages::add(const GuestRange& written) {
  const uint64_t begin = std::max(written.begin, range_.begin);
  const uint64_t end = std::min(written.end, range_.end);
  for (uint64_t at = round_down(begin, kPageBytes); at < end; at += kPageBytes) {
    const uint64_t page = (at - range_.begin) / kPageBytes;
    by_host_[page / 64] |= uint64_t{1} << page % 64;
  }
}

Status WrittenPages::take(const std::function<void(const GuestRange&)>& visit) {
  SG_TRY(take_workers(visit));
  for (size_t word = 0; word < by_host_.size(); ++word) {
    for (; by_host_[word] != 0; by_host_[word] &= by_host_[word] - 1) {
      const uint64_t page = word * 64 + static_cast<uint64_t>(std::countr_zero(by_host_[word]));
      visit({range_.begin + page * kPageBytes, range_.begin + (page + 1) * kPageBytes});
    }
  }
  return {};
}

Status WrittenPages::take_workers(const std::function<void(const GuestRange&)>& visit) {
  PageRegion regions[kRegionsPerScan];
  PagemapScan scan = scan_of(range_, regions);
  // A call ends early when its regions are used up, and says how far it has come.
  while (scan.begin < scan.end) {
    const int count = ::ioctl(pagemap_.get(), kPagemapScan, &scan);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EPERM) {
      return Error::make(ErrorKind::kProtocolViolation,
                         "the worker has changed the mapping whose writes are tracked");
    }
    if (count < 0) return Error::os("look for pages that were written to");
    for (const PageRegion& region : std::span(regions, static_cast<size_t>(count))) {
      visit({region.begin - kGuestMemory, region.end - kGuestMemory});
    }
    scan.begin = scan.walk_end;
  }
  return {};
}

}  // namespace sandglass
