// The file that holds a worker's guest memory, and how it is made new again.
//
// A page exists in the file from the first access on, whoever made it: the guest, the host, or a worker that
// was taken over and mapped the file at some other place. So the pages of the file (lseek(2) with SEEK_DATA,
// which also finds those that have been swapped out) are all that a guest can have left behind, and a reset
// looks at nothing else. Pages stay mapped in the worker: overwriting them costs a tenth of dropping and
// faulting them in. But what some guest has needed once must not burden every later reset, so two kinds of
// pages are taken away: long runs that the last guest has left as they were, and what is beyond a limit.
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

class GuestFile {
 public:
  // What a reset zeroes at most, in some 20 µs; pages beyond that are taken away.
  static constexpr uint64_t kMaxZeroedBytes = MiB(1);
  // A run of pages that are zero already is taken away from this length on.
  static constexpr uint64_t kMinGivenBackBytes = KiB(64);

  // `memory`: the host's mapping of the file. Both must outlive this.
  GuestFile(const UniqueFd& file, uint8_t* memory, const InitialContent& content)
      : file_(file), memory_(memory), content_(content) {}

  // Writes the content into a file that is empty.
  Status write_content() const;
  // Gives what is there its initial contents, except for the pages of a range that somebody else looks after.
  // Clean pages inside of `kept` are not taken away.
  Status reset(const GuestRange& except = {}, const GuestRange& kept = {}) const;
  // The same for a range, whatever is there.
  void overwrite(const GuestRange& range) const;

 private:
  struct Sweep {
    GuestRange kept;
    uint64_t zeroed_bytes = 0;
  };
  Status reset_between(uint64_t begin, uint64_t end, Sweep& sweep) const;
  Status empty(const GuestRange& pages, Sweep& sweep) const;
  Status give_back(const GuestRange& clean, const Sweep& sweep) const;

  const UniqueFd& file_;
  uint8_t* const memory_;
  const InitialContent content_;
};

// Takes the pages of a range away (fallocate(2), punching a hole); they read as zero.
Status discard_guest_file(const UniqueFd& file, const GuestRange& range);

// Empties the file.
inline Status wipe_guest_file(const UniqueFd& file) {
  return discard_guest_file(file, {0, kGuestSpaceBytes});
}

}  // namespace sandglass
