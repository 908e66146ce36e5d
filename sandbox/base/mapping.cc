#include "sandbox/base/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>

namespace sandglass {

Mapping::~Mapping() {
  if (data_ != nullptr) SG_CHECK(::munmap(data_, size_bytes_) == 0);
}

void Mapping::populate(size_t begin_bytes, size_t size_bytes) const {
  SG_CHECK(begin_bytes <= size_bytes_ && size_bytes <= size_bytes_ - begin_bytes);
  constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE, which older headers lack
  const int saved_errno = errno;
  ::madvise(data_ + begin_bytes, size_bytes, kPopulateWrite);
  errno = saved_errno;
}

void Mapping::shrink(size_t size_bytes) {
  SG_CHECK(size_bytes <= size_bytes_);
  if (size_bytes == size_bytes_) return;
  SG_CHECK(::munmap(data_ + size_bytes, size_bytes_ - size_bytes) == 0);
  size_bytes_ = size_bytes;
}

Result<Mapping> Mapping::map(size_t size_bytes, int protection, const char* what) {
  void* base = ::mmap(nullptr, size_bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return Error::os(what);
  return Mapping(static_cast<uint8_t*>(base), size_bytes);
}

Result<Mapping> Mapping::reserve(size_t size_bytes) {
  return map(size_bytes, PROT_NONE, "reserve address space");
}

Result<Mapping> Mapping::anonymous(size_t size_bytes) {
  return map(size_bytes, PROT_READ | PROT_WRITE, "map zeroed memory");
}

// Huge pages need aligned addresses, which not every kernel gives by itself.
Result<Mapping> Mapping::anonymous_huge(size_t size_bytes, size_t huge_bytes) {
  SG_CHECK(huge_bytes <= size_bytes);
  Mapping mapping = SG_TRY(anonymous(size_bytes + kHugePageBytes));
  const size_t misplaced_bytes = (0 - reinterpret_cast<uintptr_t>(mapping.data_)) % kHugePageBytes;
  if (misplaced_bytes != 0) {
    SG_CHECK(::munmap(mapping.data_, misplaced_bytes) == 0);
    mapping.data_ += misplaced_bytes;
    mapping.size_bytes_ -= misplaced_bytes;
  }
  mapping.shrink(size_bytes);
  const int saved_errno = errno;
  ::madvise(mapping.data_, huge_bytes, MADV_HUGEPAGE);
  errno = saved_errno;
  return mapping;
}

Result<Mapping> Mapping::shared(const UniqueFd& file, size_t size_bytes) {
  void* base = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file.get(), 0);
  if (base == MAP_FAILED) return Error::os("map a shared file");
  return Mapping(static_cast<uint8_t*>(base), size_bytes);
}

Status seal_memfd(const UniqueFd& fd, int seals) {
  if (::fcntl(fd.get(), F_ADD_SEALS, seals | F_SEAL_SEAL) != 0) return Error::os("seal an anonymous file");
  return {};
}

Result<UniqueFd> create_memfd(const char* name, size_t size_bytes) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return Error::os("create an anonymous file");
  if (::ftruncate(fd.get(), static_cast<off_t>(size_bytes)) != 0) return Error::os("size an anonymous file");
  return fd;
}

}  // namespace sandglass
