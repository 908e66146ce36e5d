// Dynamic paging: the pages of a worker's guest memory, decided by the host through its userfaultfd.
//
// The descriptor belongs to the worker's address space and is held by the host alone. A page that the host
// has not provided, or a write to one that it has provided read-only, raises SIGBUS in the worker
// (UFFD_FEATURE_SIGBUS), which reaches the host like any other trap: nobody reads events from the descriptor.
//
// Any number of pages costs one call to the kernel, and a page in a batch of 16 about half of what a single
// one costs. Errors: kWorkerDied when the worker's address space is gone, kProtocolViolation when it is not
// what the host has made it, kExhausted without memory, kOs for anything else.
#pragma once

#include <cstdint>
#include <span>

#include "sandbox/base/result.h"
#include "sandbox/base/unique_fd.h"
#include "sandbox/program/memory_map.h"

namespace sandglass {

// Agrees with the kernel on the features that are needed (Linux 6.8); once per descriptor.
Status negotiate_userfaultfd(int userfaultfd);

enum class PageFaults : uint8_t {
  kMissingAndWrites,  // pages are missing until they are provided
  kWrites,            // only writes to protected pages
};

// Which faults the pages of the range have from now on. The range must be mapped from the guest-memory file.
// (This is the one call for which the kernel does not tell a worker that is gone from a lack of memory.)
Status register_pages(int userfaultfd, const GuestRange& range, PageFaults faults);

// Where pages are made.
struct PageTarget {
  int userfaultfd = -1;
  const UniqueFd& file;  // that the pages belong to
};

// New pages, whole ones, that hold `content` and zeroes behind it. Pages that are there already, which need
// not be known, are replaced; that costs a call more.
Status provide_pages(const PageTarget& target, const GuestRange& pages, std::span<const uint8_t> content,
                     bool is_read_only);

// Of pages that are there.
Status protect_pages(int userfaultfd, const GuestRange& pages, bool is_read_only);

}  // namespace sandglass
