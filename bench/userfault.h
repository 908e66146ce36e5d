// Userfault: a userfaultfd(2) for faults from user mode, which needs no privilege.
#pragma once

#include <cstdint>
#include <span>

#include "sandbox/base/result.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass::bench {

class Userfault {
 public:
  // kUnsupported where the kernel lacks a feature (UFFD_FEATURE_*) or refuses the call.
  static Result<Userfault> open(uint64_t features);

  // `mode`: UFFDIO_REGISTER_MODE_*.
  Status watch(std::span<uint8_t> range, uint64_t mode) const;

  // Each resolves the pages of the range and says whether it resolved them all. They can be called from a
  // signal handler.
  bool copy(std::span<uint8_t> range, const uint8_t* source) const;  // missing pages get this content
  bool zero(std::span<uint8_t> range) const;                         // … are zero
  bool go_on(std::span<uint8_t> range) const;                        // pages of the file as they are

 private:
  explicit Userfault(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace sandglass::bench
