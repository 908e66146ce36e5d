#include "sandbox/backend/linux/dynamic_pages.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>

#include "sandbox/abi/address_space.h"
#include "sandbox/backend/linux/guest_file.h"

namespace sandglass {
namespace {

using worker_space::kPageBytes;

// How often in a row the kernel may ask for another try without having got anywhere.
constexpr int kMaxTries = 1000;

// What read-only pages of zeroes are copied from: copying protects them in the same call, and costs no more
// than zeroing. Reading it makes no pages.
constexpr size_t kZeroesBytes = KiB(64);
const uint8_t kZeroes[kZeroesBytes] = {};

uffdio_range worker_range(const GuestRange& range) {
  return {.start = worker_space::kGuestMemory + range.begin, .len = range.size()};
}

Error error_of(int number, const char* what) {
  Error error{.kind = ErrorKind::kOs, .os_errno = number, .what = what};
  switch (number) {
    case ESRCH: error.kind = ErrorKind::kWorkerDied; break;
    // No such mapping; a page that comes back after it has been taken away; never ready.
    case ENOENT:
    case EEXIST:
    case EAGAIN: error.kind = ErrorKind::kProtocolViolation; break;
    case ENOMEM:
    case ENOSPC: error.kind = ErrorKind::kExhausted; break;
    default: break;
  }
  return error;
}

template <typename Argument>
Status call(int userfaultfd, unsigned long request, Argument& argument, const char* what) {
  for (int tries = 0; ::ioctl(userfaultfd, request, &argument) != 0; ++tries) {
    // The worker's address space is changing.
    if (errno != EAGAIN || tries == kMaxTries) return error_of(errno, what);
  }
  return {};
}

// How many bytes a call has filled, or -errno. The kernel says EAGAIN when it stops halfway, whatever the
// reason; the next call meets the reason.
int64_t progress(int result, int64_t filled, uint64_t wanted) {
  if (result == 0) return static_cast<int64_t>(wanted);
  return filled > 0 ? filled : -errno;
}

int64_t zero_pages(int userfaultfd, const GuestRange& pages) {
  uffdio_zeropage argument = {
      .range = worker_range(pages), .mode = UFFDIO_ZEROPAGE_MODE_DONTWAKE, .zeropage = 0};
  const int result = ::ioctl(userfaultfd, UFFDIO_ZEROPAGE, &argument);
  return progress(result, argument.zeropage, pages.size());
}

int64_t copy_pages(int userfaultfd, const GuestRange& pages, const uint8_t* from, bool is_read_only) {
  const uffdio_range range = worker_range(pages);
  uffdio_copy argument = {
      .dst = range.start,
      .src = reinterpret_cast<uint64_t>(from),
      .len = range.len,
      .mode = uint64_t{UFFDIO_COPY_MODE_DONTWAKE} | (is_read_only ? uint64_t{UFFDIO_COPY_MODE_WP} : 0),
      .copy = 0};
  const int result = ::ioctl(userfaultfd, UFFDIO_COPY, &argument);
  return progress(result, argument.copy, range.len);
}

// Fills the pages by steps: `step` takes what is left and does as much of it as it can.
template <typename Step>
Status fill(const PageTarget& target, GuestRange left, Step step) {
  bool is_emptied = false;
  for (int tries = 0; !left.empty();) {
    const int64_t done = step(left);
    if (done > 0) {
      left.begin += static_cast<uint64_t>(done);
      tries = 0;
    } else if (done == -EEXIST && !is_emptied) {
      SG_TRY(discard_guest_file(target.file, left));
      is_emptied = true;
    } else if (done != -EAGAIN || ++tries > kMaxTries) {
      return error_of(static_cast<int>(-done), "provide pages of guest memory");
    }
  }
  return {};
}

Status fill_with(const PageTarget& target, const GuestRange& pages, const uint8_t* bytes, bool is_read_only) {
  return fill(target, pages, [&](const GuestRange& left) {
    return copy_pages(target.userfaultfd, left, bytes + (left.begin - pages.begin), is_read_only);
  });
}

Status fill_with_zeroes(const PageTarget& target, const GuestRange& pages, bool is_read_only) {
  return fill(target, pages, [&](const GuestRange& left) {
    if (!is_read_only) return zero_pages(target.userfaultfd, left);
    const GuestRange piece = {left.begin, std::min(left.end, left.begin + kZeroesBytes)};
    return copy_pages(target.userfaultfd, piece, kZeroes, is_read_only);
  });
}

}  // namespace

Status negotiate_userfaultfd(int userfaultfd) {
  uffdio_api api = {.api = UFFD_API,
                    .features = UFFD_FEATURE_SIGBUS | UFFD_FEATURE_MISSING_SHMEM |
                                UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM};
  if (::ioctl(userfaultfd, UFFDIO_API, &api) != 0) {
    Error error = Error::os("agree on the features of userfaultfd; dynamic paging needs Linux 6.8");
    error.kind = ErrorKind::kUnsupported;
    return error;
  }
  return {};
}

Status register_pages(int userfaultfd, const GuestRange& range, PageFaults faults) {
  uint64_t mode = UFFDIO_REGISTER_MODE_WP;
  if (faults == PageFaults::kMissingAndWrites) mode |= UFFDIO_REGISTER_MODE_MISSING;
  uffdio_register argument = {.range = worker_range(range), .mode = mode};
  return call(userfaultfd, UFFDIO_REGISTER, argument, "register guest memory for its faults");
}

Status provide_pages(const PageTarget& target, const GuestRange& pages, std::span<const uint8_t> content,
                     bool is_read_only) {
  const uint64_t whole = round_down(content.size(), kPageBytes);
  uint64_t at = pages.begin + whole;
  SG_TRY(fill_with(target, {pages.begin, at}, content.data(), is_read_only));
  if (whole < content.size()) {
    uint8_t last[kPageBytes] = {};
    std::memcpy(last, content.data() + whole, content.size() - whole);
    SG_TRY(fill_with(target, {at, at + kPageBytes}, last, is_read_only));
    at += kPageBytes;
  }
  return fill_with_zeroes(target, {at, pages.end}, is_read_only);
}

Status protect_pages(int userfaultfd, const GuestRange& pages, bool is_read_only) {
  uffdio_writeprotect argument = {.range = worker_range(pages),
                                  .mode = is_read_only ? uint64_t{UFFDIO_WRITEPROTECT_MODE_WP}
                                                       : uint64_t{UFFDIO_WRITEPROTECT_MODE_DONTWAKE}};
  return call(userfaultfd, UFFDIO_WRITEPROTECT, argument, "protect pages of guest memory");
}

}  // namespace sandglass
