// The address space of a worker process, drawn. Nothing else is mapped in it: no libraries, no heap, no vdso.
//
//   0x0f'fff0'0000  zygote image   text, constants, data and its stack
//   0x0f'ffff'0000  signal stack   32 KiB, with gaps around it
//   0x0f'ffff'e000  host page      commands of the host; read-only here
//   0x0f'ffff'f000  worker page    VmContext and what the worker reports; shared, the host distrusts it
//   0x10'0000'0000  guest memory   4 GiB; gs points here. Only the guest's regions are mapped
//   0x20'000f'e000  guest stack    8 KiB, below the jump table, which rsp points to
//   0x20'0010'0000  jump table     a slot of 8 bytes per guest code address; only real ones are mapped:
//                                  the first pages from the host's file, the others from a module's image
//   0x28'0008'0000  return slots   the page of the table for guest address 0xffff'0000; from the host's file
//   0x28'0011'0000  machine code   at most 2 GiB, read and execute
//
// What is small lies together, so that it shares page tables: a worker that waits costs few of them. And what
// stays mapped when modules change, the stack and the return slots, keeps those of its neighbours, the table
// and the code: making new ones would cost more than the mapping.
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

inline constexpr uint64_t kJumpTable = 0x20'0010'0000;
inline constexpr uint64_t kJumpTableBytes = uint64_t{8} << 32;
// So many pages of it at most are the host's.
inline constexpr uint64_t kHostTablePages = 4;
inline constexpr uint64_t kImagedJumpTable = kJumpTable + kHostTablePages * kPageBytes;
inline constexpr uint64_t kReturnSlots = kJumpTable + uint64_t{0xffff'0000} * 8;
inline constexpr uint64_t kGuestStackBytes = 0x2000;
inline constexpr uint64_t kGuestStack = kJumpTable - kGuestStackBytes;

inline constexpr uint64_t kCode = kJumpTable + kJumpTableBytes + 0x1'0000;
inline constexpr uint64_t kCodeBytes = uint64_t{1} << 31;

static_assert(kSignalStack + kSignalStackBytes + kPageBytes <= kHostPage, "a gap above the signal stack");
static_assert(kJumpTable + kJumpTableBytes < kCode, "the window ends below the code");
static_assert(kGuestStack >> 21 == kJumpTable >> 21 && kReturnSlots >> 21 == kCode >> 21,
              "neighbours share a page table, which covers 2 MiB");

}  // namespace sandglass::worker_space
