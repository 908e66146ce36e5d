// The file that holds a worker's guest memory, and how it is made new again.
//
// A page exists in the file from the first access on, whoever made it: the guest, the host, or a worker that
// was taken over and mapped the file at some other place. So the pages of the file (lseek(2) with SEEK_DATA,
// which also finds those that have been swapped out) are all that a guest can have left behind, and a reset
// looks at nothing else. Pages stay mapped in the worker: overwriting them costs a tenth of dropping and
// faulting them in. But what some guest has needed once must not burden every later reset, so two kinds of
// pages are taken away: long runs that the last guest has left as they were, and what is beyond a limit.
//
// Asking for the pages costs half a microsecond per run of them. So the host remembers which ones it has left
// in the file. A worker can only add to them (a call that removes pages of a file passes no filter), so when
// the file has as many pages as it was left with, they are the same ones, and one fstat(2) tells.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sandbox/base/result.h"
#include "sandbox/base/unique_fd.h"
#include "sandbox/program/memory_map.h"

namespace sandglass {

// What guest memory holds at the start, from `address` on; everywhere else it is zero.
struct InitialContent {
  uint32_t address = 0;
  std::span<const uint8_t> bytes;
};

// The pages that a reset has left in a file, for the next one.
struct KnownPages {
  static constexpr uint64_t kUnknown = UINT64_MAX;

  void forget() { file_bytes = kUnknown; }
  // kUnknown, or how much of guest memory they are.
  uint64_t size_bytes() const {
    if (file_bytes == kUnknown) return kUnknown;
    uint64_t sum = 0;
    for (const GuestRange& pages : ranges) sum += pages.size();
    return sum;
  }

  // What the file took when these were its pages.
  uint64_t file_bytes = kUnknown;
  // They are those outside of this range.
  GuestRange except;
  std::vector<GuestRange> ranges;
  std::vector<GuestRange> scratch;  // the next list, whose memory stays
};

class GuestFile {
 public:
  // What a reset zeroes at most, in some 20 µs; pages beyond that are taken away.
  static constexpr uint64_t kMaxZeroedBytes = MiB(1);
  // A run of pages that are zero already is taken away from this length on.
  static constexpr uint64_t kMinGivenBackBytes = KiB(64);

  // `memory`: the host's mapping of the file. All must outlive this. Without `known`, or when it does not
  // hold any more, resets ask the kernel. Whoever else takes pages away has to forget it.
  GuestFile(const UniqueFd& file, uint8_t* memory, const InitialContent& content, KnownPages* known = nullptr)
      : file_(file), memory_(memory), content_(content), known_(known) {}

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
    std::vector<GuestRange>* left;  // null: nobody wants to know
    uint64_t zeroed_bytes = 0;
    uint64_t discarded_bytes = 0;
  };
  Status reset_outside(const GuestRange& except, Sweep& sweep) const;
  Status reset_between(uint64_t begin, uint64_t end, Sweep& sweep) const;
  Status reset_run(const GuestRange& pages, Sweep& sweep) const;
  Status empty(const GuestRange& pages, Sweep& sweep) const;
  Status settle(const GuestRange& clean, Sweep& sweep) const;
  Status discard(const GuestRange& pages, Sweep& sweep) const;

  const UniqueFd& file_;
  uint8_t* const memory_;
  const InitialContent content_;
  KnownPages* const known_;
};

// Takes the pages of a range away (fallocate(2), punching a hole); they read as zero.
Status discard_guest_file(const UniqueFd& file, const GuestRange& range);

// Empties the file.
inline Status wipe_guest_file(const UniqueFd& file) {
  return discard_guest_file(file, {0, kGuestSpaceBytes});
}

}  // namespace sandglass
