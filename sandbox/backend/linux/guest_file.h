// The file that holds a worker's guest memory, and how it is made new again.
//
// A page exists in the file from the first access on, whoever made it: the guest, the host, or a worker that
// was taken over and mapped the file at some other place. So the pages of the file (lseek(2) with SEEK_DATA,
// which also finds those that have been swapped out) are all that a guest can have left behind, and a reset
// looks at nothing else. Pages stay mapped in the worker: overwriting them costs a tenth of dropping and
// faulting them in.
#pragma once

#include <cstdint>
#include <span>

#include "sandbox/base/result.h"
#include "sandbox/base/unique_fd.h"
#include "sandbox/program/memory_map.h"

namespace sandglass {

// What guest memory holds at the start, from `address` on; everywhere else it is zero.
struct InitialContent {
  uint32_t address = 0;
  std::span<const uint8_t> bytes;
};

// Overwrites what is there with the initial contents, which `memory`, the host's mapping of the file, shows.
// A file with more than a few hundred pages is emptied instead, since that is cheaper from there on.
Status reset_guest_file(const UniqueFd& file, uint8_t* memory, std::span<const InitialContent> contents);

// Takes the pages of a range away (fallocate(2), punching a hole); they read as zero.
Status discard_guest_file(const UniqueFd& file, const GuestRange& range);

// Empties the file.
inline Status wipe_guest_file(const UniqueFd& file) {
  return discard_guest_file(file, {0, kGuestSpaceBytes});
}

}  // namespace sandglass
