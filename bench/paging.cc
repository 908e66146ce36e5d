// Question: what does a page cost that is touched for the first time, served by hand, given back, or made as
//           it was?
// Unit:     time of the operation on all of its pages, and ns_per_page; every one is measured by itself
//           (p50_ns, p99_ns).
// Timed:    raw: the kernel's part alone.
//           first_write, first_read: touching 64 pages: anonymous; of a memfd, shared, that has no page there
//           (memfd_fresh) or has it (memfd_cached); of a memfd, private, that has them. map_populate: mapping
//           64 pages that are all there at once. uffd_copy, uffd_zeropage, uffd_continue: the ioctl for 1 or
//           16 pages. uffd_sigbus: a write to a missing page, the signal, the ioctl in the handler, the write
//           again. dontneed, punch_hole: giving 1 or 64 pages back. reset: 16 MiB of a shared memfd of which
//           a guest has written to 4, 16, 64 or 256 pages, far apart: the reset and the guest's next write to
//           each of them. punch_hole: the file loses all pages; seek_data: what the file has is overwritten;
//           fstat: the pages of the last time, when the file has as many;
//           pagemap_scan: what the guest has written to is overwritten. memset: with zeroes; memcpy: with an
//           image.
//           linux: fault: with dynamic paging, the host provides the page, or the 16 pages, that the guest
//           has stopped at, and the guest goes on and stops at the next missing one. first_write, first_read:
//           a run that touches 64 pages of static memory, in a new worker. reset: Sandbox::reset_memory()
//           after the guest has written to 16, 64 or 256 pages of its 16 MiB, far apart, which were zeroes or
//           full of the module's data (image): all that is left in the worker's file is looked at.
//           hogs: the same while two other processes use all the CPU they can get.
// Not timed: bringing the pages into their state, looking at them afterwards.
#include <fmt/format.h>

#include "bench/families.h"
#include "bench/jailed_rows.h"
#include "bench/raw_faults.h"
#include "bench/raw_page_reset.h"

namespace sandglass::bench {
namespace {

constexpr size_t kDirtyPages[] = {4, 16, 64, 256};

}  // namespace

void add_paging(Suite& suite) {
  for (const RawFaultCase& raw : raw_fault_cases()) {
    suite.add(fmt::format("paging/raw/{}", raw.name), [&raw] { return RawFaults::create(raw); });
  }
  add_jailed_paging(suite);
  for (const ResetStrategy& strategy : reset_strategies()) {
    for (const size_t pages : kDirtyPages) {
      suite.add(fmt::format("paging/raw/reset/{}/{}", strategy.name, pages),
                [&strategy, pages] { return RawPageReset::create(strategy, pages); });
    }
  }
}

}  // namespace sandglass::bench
