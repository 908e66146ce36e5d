// WrittenPages: which pages of a piece of guest memory have been written to since they were last asked for.
//
// For initial data so large that a reset must not overwrite all of it. The kernel keeps the record: pages are
// write-protected in the worker, the first write to one lifts that without asking anybody
// (UFFD_FEATURE_WP_ASYNC), and PAGEMAP_SCAN finds and protects again those that are not (Linux 6.7). The
// record is of the worker's mapping; the host says itself what it has written through its own.
// A worker that was taken over can write through another mapping and is not seen here, unlike in a sweep of
// the file; all it gains is that it finds its own writes again, which it could have kept in other ways.
//
// A page without an entry in the worker's page table counts as written: the kernel drops the entry of a
// written page when it swaps it out, but keeps that of a protected one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "sandbox/base/result.h"
#include "sandbox/base/unique_fd.h"
#include "sandbox/program/memory_map.h"

namespace sandglass {

// Whether this kernel has what is needed. Asked once, costs nothing after that.
bool can_track_writes();

// Agrees with the kernel on it; once per descriptor.
Status negotiate_write_tracking(int userfaultfd);

class WrittenPages {
 public:
  // From now on. `pagemap`: /proc/<pid>/pagemap of the worker, which has mapped the range from the
  // guest-memory file. The userfaultfd is to be kept open.
  static Result<std::unique_ptr<WrittenPages>> track(int userfaultfd, UniqueFd pagemap,
                                                     const GuestRange& range);

  const GuestRange& range() const { return range_; }
  // The host has written there; what lies outside of the range is ignored.
  void add(const GuestRange& written);
  // Calls `visit` for every range of written pages and forgets them. Some may come twice.
  Status take(const std::function<void(const GuestRange&)>& visit);

 private:
  WrittenPages(UniqueFd pagemap, const GuestRange& range);
  Status take_workers(const std::function<void(const GuestRange&)>& visit);

  const UniqueFd pagemap_;
  const GuestRange range_;
  std::vector<uint64_t> by_host_;  // a bit per page
};

}  // namespace sandglass
