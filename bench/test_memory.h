// TestMemory: pages of one kind, for benchmarks of what the kernel does with pages.
#pragma once

#include <span>

#include "sandbox/base/result.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass::bench {

inline constexpr size_t kPageBytes = 4096;

enum class MemoryKind : uint8_t { kAnonymous, kSharedFile, kPrivateFile };  // files are memfds

class TestMemory {
 public:
  static Result<TestMemory> create(MemoryKind kind, size_t pages);
  TestMemory(TestMemory&& other) noexcept
      : kind_(other.kind_), bytes_(std::exchange(other.bytes_, {})), file_(std::move(other.file_)) {}
  TestMemory& operator=(TestMemory&&) = delete;
  ~TestMemory();

  std::span<uint8_t> bytes() const { return bytes_; }
  size_t pages() const { return bytes_.size() / kPageBytes; }
  uint8_t* page(size_t index) const { return bytes_.data() + index * kPageBytes; }
  int file() const { return file_.get(); }  // -1 for anonymous memory

  // A second view of a shared file.
  Result<TestMemory> again() const;
  // Makes every byte of the file this one.
  Status fill_file(uint8_t byte) const;

  // The mapping loses its pages; those of a file stay in the page cache.
  bool drop_pages() const;
  // The file loses its pages.
  bool punch_hole() const;
  // Maps it anew, with all pages in place.
  bool map_populated() const;
  bool is_resident() const;

 private:
  TestMemory(MemoryKind kind, std::span<uint8_t> bytes, UniqueFd file)
      : kind_(kind), bytes_(bytes), file_(std::move(file)) {}
  static Result<TestMemory> map(MemoryKind kind, size_t pages, UniqueFd file);

  MemoryKind kind_;
  std::span<uint8_t> bytes_;
  UniqueFd file_;
};

}  // namespace sandglass::bench
