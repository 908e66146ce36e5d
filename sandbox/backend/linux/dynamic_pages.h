// Dynamic paging: the pages of a worker's guest memory, decided by the host through its userfaultfd.
//
// The descriptor belongs to the worker's address space and is held by the host alone. A page that the host
// has not provided, or a write to one that it has provided read-only, raises SIGBUS in the worker
// (UFFD_FEATURE_SIGBUS), which reaches the host like any other trap: nobody reads events from the descriptor.
#pragma once

#include "sandbox/base/result.h"
#include "sandbox/program/memory_map.h"

namespace sandglass {

// Agrees with the kernel on the features that are needed (Linux 6.8); once per descriptor.
Status negotiate_userfaultfd(int userfaultfd);

// From now on the pages of the range are missing until they are provided. The range must be mapped from the
// guest-memory file.
Status register_pages(int userfaultfd, const GuestRange& range);

// New pages of zeroes, which must be missing: one call to the kernel for the whole range, and one more when
// they are read-only.
Status provide_zeroes(int userfaultfd, const GuestRange& pages, bool is_read_only);

// Of pages that are there.
Status protect_pages(int userfaultfd, const GuestRange& pages, bool is_read_only);

}  // namespace sandglass
