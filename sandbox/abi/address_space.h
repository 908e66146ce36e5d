// The address space of a worker process, drawn. Nothing else is mapped in it: no libraries, no heap, no vdso.
//
//   0x0f'fff0'0000  zygote image   text, constants, data and its stack
//   0x0f'ffff'0000  signal stack   32 KiB, with gaps around it
//   0x0f'ffff'e000  host page      commands of the host; read-only here
//   0x0f'ffff'f000  worker page    VmContext and what the worker reports; shared, the host distrusts it
//   0x10'0000'0000  guest memory   4 GiB; gs points here. Only the guest's regions are mapped
//   0x1f'ffff'e000  guest stack    8 KiB, below the jump table, which rsp points to
//   0x20'0000'0000  jump table     a slot of 8 bytes per guest code address; only real ones are mapped
//   0x30'0000'0000  machine code   at most 2 GiB, read and execute
//
// The small pages lie together, so that they share page tables: a worker that waits costs few of them.
#pragma once

#include <stdint.h>

namespace sandglass::worker_space {

inline constexpr uint64_t kPageBytes = 4096;
inline constexpr uint64_t kGuestBytes = uint64_t{1} << 32;

inline constexpr uint64_t kGuestMemory = 0x10'0000'0000;
inline constexpr uint64_t kWorkerPage = kGuestMemory - kPageBytes;
inline constexpr uint64_t kHostPage = kWorkerPage - kPageBytes;
inline constexpr uint64_t kSignalStack = kGuestMemory - 0x1'0000;
inline constexpr uint64_t kSignalStackBytes = 0x8000;
inline constexpr uint64_t kZygoteImage = kGuestMemory - 0x10'0000;  // as zygote/zygote.ld has it

inline constexpr uint64_t kJumpTable = 0x20'0000'0000;
inline constexpr uint64_t kJumpTableBytes = uint64_t{8} << 32;
inline constexpr uint64_t kGuestStackBytes = 0x2000;
inline constexpr uint64_t kGuestStack = kJumpTable - kGuestStackBytes;

inline constexpr uint64_t kCode = 0x30'0000'0000;
inline constexpr uint64_t kCodeBytes = uint64_t{1} << 31;

static_assert(kSignalStack + kSignalStackBytes + kPageBytes <= kHostPage, "a gap above the signal stack");
static_assert(kJumpTable + kJumpTableBytes <= kCode, "the window ends below the code");

}  // namespace sandglass::worker_space
