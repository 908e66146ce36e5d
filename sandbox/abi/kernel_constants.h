// What the kernel offers and the headers of Debian 12 (Linux 6.1) do not name yet.
//
// Numbers and layouts are the kernel's user interface and never change; each says the header it comes from
// and the first release that has it. The names are ours, so newer headers do not collide with them.
// Freestanding: this header includes nothing of ours.
#pragma once

#include <asm/ioctl.h>
#include <stddef.h>
#include <stdint.h>

namespace sandglass {

// linux/memfd.h, 6.3: say whether the file may be executed, since vm.memfd_noexec decides for those that do
// not.
constexpr unsigned kMfdNoexecSeal = 0x0008;
constexpr unsigned kMfdExec = 0x0010;

// asm/unistd_64.h, 6.10: mseal(address, size, flags). No mapping in the range can be changed any more.
constexpr long kSysMseal = 462;

// linux/prctl.h, 6.3: memory that was writable never becomes executable.
constexpr int kPrSetMdwe = 65;
constexpr unsigned long kPrMdweRefuseExecGain = 1;

// linux/landlock.h, 6.12 (ABI 6): signals stay among the processes of one domain.
constexpr uint64_t kLandlockScopeSignal = uint64_t{1} << 1;
// The ruleset's attributes with their fields up to ABI 6; older kernels take the first ones alone.
struct LandlockRulesetAttributes {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};

// linux/userfaultfd.h: missing pages that are write-protected are remembered as such (6.4), and a write to a
// write-protected page makes it writable without asking anybody (6.7).
constexpr uint64_t kUffdWpUnpopulated = uint64_t{1} << 13;
constexpr uint64_t kUffdWpAsync = uint64_t{1} << 15;

// linux/fs.h, 6.7: find pages by what they are, and write-protect them in the same step.
struct PageRegion {
  uint64_t begin, end;
  uint64_t categories;
};
struct PagemapScan {
  uint64_t size;
  uint64_t flags;
  uint64_t begin, end;
  uint64_t walk_end;
  uint64_t regions, region_count;
  uint64_t max_pages;
  // A page matches when, with the inverted bits flipped, it has all of `all` and any of `any`.
  uint64_t inverted, all, any;
  uint64_t reported;
};
constexpr unsigned long kPagemapScan = _IOWR('f', 16, PagemapScan);
constexpr uint64_t kPageIsWritten = 1 << 1;
constexpr uint64_t kScanWriteProtects = 1 << 0, kScanNeedsWpAsync = 1 << 1;

// linux/pidfd.h, 6.13; the exit status 6.15. The mask asks for fields, and answers which of them are there.
constexpr uint64_t kPidfdInfoExit = uint64_t{1} << 3;
struct PidfdInfo {
  uint64_t mask;
  uint64_t cgroup_id;
  uint32_t pid, tgid, ppid;
  uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  int32_t exit_code;  // as wait(2) reports it
};
static_assert(sizeof(PidfdInfo) == 64, "the kernel's first size, which the number below carries");
constexpr unsigned long kPidfdGetInfo = _IOWR(0xff, 11, PidfdInfo);

}  // namespace sandglass
