// What the kernel offers and the headers of Debian 12 (Linux 6.1) do not name yet. Each entry says where it
// is defined and which kernel brought it.
#pragma once

#include <linux/ioctl.h>

#include <cstdint>

namespace sandglass::bench {

// include/uapi/linux/userfaultfd.h, Linux 6.7: a write to a write-protected page is let through by the kernel
// itself and only leaves its mark for PAGEMAP_SCAN. Brings UFFD_FEATURE_WP_UNPOPULATED with it.
inline constexpr uint64_t kUffdFeatureWpAsync = 1u << 15;

// include/uapi/linux/fs.h, Linux 6.7: finds pages by what happened to them.
struct PageRegion {  // struct page_region
  uint64_t start;
  uint64_t end;
  uint64_t categories;
};
struct PagemapScanArguments {  // struct pm_scan_arg
  uint64_t size;
  uint64_t flags;
  uint64_t start;
  uint64_t end;
  uint64_t walk_end;
  uint64_t regions;  // address of PageRegion[region_count]
  uint64_t region_count;
  uint64_t max_pages;
  uint64_t category_inverted;
  uint64_t category_mask;
  uint64_t category_any_of;
  uint64_t return_mask;
};
inline constexpr unsigned long kPagemapScan = _IOWR('f', 16, PagemapScanArguments);
inline constexpr uint64_t kScanWriteProtectMatching = 1 << 0;  // PM_SCAN_WP_MATCHING
inline constexpr uint64_t kScanCheckAsync = 1 << 1;            // PM_SCAN_CHECK_WPASYNC
inline constexpr uint64_t kPageIsWritten = 1 << 1;             // PAGE_IS_WRITTEN

}  // namespace sandglass::bench
