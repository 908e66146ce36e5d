#include "bench/test_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "sandbox/base/mapping.h"

namespace sandglass::bench {
namespace {

int sharing_of(MemoryKind kind) {
  switch (kind) {
    case MemoryKind::kAnonymous: return MAP_PRIVATE | MAP_ANONYMOUS;
    case MemoryKind::kSharedFile: return MAP_SHARED;
    case MemoryKind::kPrivateFile: return MAP_PRIVATE;
  }
  return 0;
}

}  // namespace

Result<TestMemory> TestMemory::create(MemoryKind kind, size_t pages) {
  UniqueFd file;
  if (kind != MemoryKind::kAnonymous) file = SG_TRY(create_memfd("pages", pages * kPageBytes));
  return map(kind, pages, std::move(file));
}

Result<TestMemory> TestMemory::map(MemoryKind kind, size_t pages, UniqueFd file) {
  const size_t size = pages * kPageBytes;
  void* base = mmap(nullptr, size, PROT_READ | PROT_WRITE, sharing_of(kind), file.get(), 0);
  if (base == MAP_FAILED) return Error::os("map pages");
  madvise(base, size, MADV_NOHUGEPAGE);  // pages of 4 KiB are the question; a kernel without others refuses
  return TestMemory(kind, {static_cast<uint8_t*>(base), size}, std::move(file));
}

TestMemory::~TestMemory() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

Result<TestMemory> TestMemory::again() const {
  UniqueFd file(fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  if (!file) return Error::os("duplicate a descriptor");
  return map(kind_, pages(), std::move(file));
}

Status TestMemory::fill_file(uint8_t byte) const {
  const std::vector<uint8_t> content(bytes_.size(), byte);
  if (pwrite(file_.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size())) {
    return Error::os("fill a file in memory");
  }
  return {};
}

bool TestMemory::drop_pages() const { return madvise(bytes_.data(), bytes_.size(), MADV_DONTNEED) == 0; }

bool TestMemory::punch_hole() const {
  return fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                   static_cast<off_t>(bytes_.size())) == 0;
}

bool TestMemory::map_populated() const {
  const int flags = sharing_of(kind_) | MAP_FIXED | MAP_POPULATE;
  return mmap(bytes_.data(), bytes_.size(), PROT_READ | PROT_WRITE, flags, file_.get(), 0) == bytes_.data();
}

bool TestMemory::is_resident() const {
  std::vector<uint8_t> residency(pages());
  return mincore(bytes_.data(), bytes_.size(), residency.data()) == 0 &&
         std::all_of(residency.begin(), residency.end(), [](uint8_t page) { return (page & 1) != 0; });
}

}  // namespace sandglass::bench
