// Mapping: owns one range of address space and unmaps it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "sandbox/base/result.h"
#include "sandbox/base/unique_fd.h"
#include "sandbox/base/units.h"

namespace sandglass {

inline constexpr size_t kHugePageBytes = MiB(2);

class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_bytes_(std::exchange(other.size_bytes_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_bytes_, other.size_bytes_);
    return *this;
  }
  ~Mapping();

  // Address space without memory behind it: any access faults until it is made accessible. Costs one mmap.
  static Result<Mapping> reserve(size_t size_bytes);
  // Zeroed private memory that can be read and written; pages appear on first touch.
  static Result<Mapping> anonymous(size_t size_bytes);
  // The same, with huge pages for the first `huge_bytes` bytes (MADV_HUGEPAGE): one fault and one TLB entry
  // for each 2 MiB. Only a hint: where the kernel has none, small pages come. Begins at a multiple of 2 MiB.
  static Result<Mapping> anonymous_huge(size_t size_bytes, size_t huge_bytes);
  // The first `size_bytes` bytes of a file, shared with everybody who maps it, to read and write.
  static Result<Mapping> shared(const UniqueFd& file, size_t size_bytes);

  // Gets pages for [begin_bytes, begin_bytes + size_bytes) at once (MADV_POPULATE_WRITE, Linux 5.14) instead
  // of by a fault each. Only a hint: where it fails, the pages come with the first touch.
  void populate(size_t begin_bytes, size_t size_bytes) const;
  // Gives back everything behind the first `size_bytes` bytes (a multiple of the page size).
  void shrink(size_t size_bytes);

  uint8_t* data() const { return data_; }
  size_t size_bytes() const { return size_bytes_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  Mapping(uint8_t* data, size_t size_bytes) : data_(data), size_bytes_(size_bytes) {}
  static Result<Mapping> map(size_t size_bytes, int protection, const char* what);

  uint8_t* data_ = nullptr;
  size_t size_bytes_ = 0;
};

// An anonymous file of `size_bytes` zero bytes (memfd_create(2), close-on-exec) that can be sealed.
Result<UniqueFd> create_memfd(const char* name, size_t size_bytes);
// Adds seals (F_SEAL_… of fcntl(2)) and forbids to add more.
Status seal_memfd(const UniqueFd& fd, int seals);

}  // namespace sandglass
