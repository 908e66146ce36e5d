#include "sandbox/backend/linux/dynamic_pages.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#include "sandbox/abi/address_space.h"

namespace sandglass {
namespace {

uffdio_range worker_range(const GuestRange& range) {
  return {.start = worker_space::kGuestMemory + range.begin, .len = range.size()};
}

template <typename Argument>
Status call(int userfaultfd, unsigned long request, Argument& argument, const char* what) {
  while (::ioctl(userfaultfd, request, &argument) != 0) {
    // The worker's address space is changing, or the kernel had to wait: it says how far it has come, and
    // asks for another try.
    if (errno != EAGAIN) return Error::os(what);
  }
  return {};
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

Status register_pages(int userfaultfd, const GuestRange& range) {
  uffdio_register argument = {.range = worker_range(range),
                              .mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP};
  return call(userfaultfd, UFFDIO_REGISTER, argument, "register guest memory for dynamic paging");
}

Status provide_zeroes(int userfaultfd, const GuestRange& pages, bool is_read_only) {
  uffdio_range left = worker_range(pages);
  while (left.len > 0) {
    uffdio_zeropage argument = {.range = left, .mode = UFFDIO_ZEROPAGE_MODE_DONTWAKE};
    if (::ioctl(userfaultfd, UFFDIO_ZEROPAGE, &argument) == 0) break;
    if (errno != EAGAIN) return Error::os("provide pages of guest memory");
    if (argument.zeropage <= 0) continue;
    left.start += static_cast<uint64_t>(argument.zeropage);
    left.len -= static_cast<uint64_t>(argument.zeropage);
  }
  return is_read_only ? protect_pages(userfaultfd, pages, true) : Status();
}

Status protect_pages(int userfaultfd, const GuestRange& pages, bool is_read_only) {
  uffdio_writeprotect argument = {.range = worker_range(pages),
                                  .mode = is_read_only ? uint64_t{UFFDIO_WRITEPROTECT_MODE_WP}
                                                       : uint64_t{UFFDIO_WRITEPROTECT_MODE_DONTWAKE}};
  return call(userfaultfd, UFFDIO_WRITEPROTECT, argument, "protect pages of guest memory");
}

}  // namespace sandglass
