#include "bench/userfault.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "bench/child.h"

namespace sandglass::bench {
namespace {

uint64_t address_of(const uint8_t* data) { return reinterpret_cast<uint64_t>(data); }

uffdio_range range_of(std::span<uint8_t> range) { return {address_of(range.data()), range.size()}; }

}  // namespace

Result<Userfault> Userfault::open(uint64_t features) {
  UniqueFd fd(static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY)));
  if (!fd) return os_or_unsupported("open a userfaultfd", errno);
  uffdio_api api = {.api = UFFD_API, .features = features, .ioctls = 0};
  if (ioctl(fd.get(), UFFDIO_API, &api) != 0) return os_or_unsupported("ask userfaultfd for features", errno);
  return Userfault(std::move(fd));
}

Status Userfault::watch(std::span<uint8_t> range, uint64_t mode) const {
  uffdio_register request = {.range = range_of(range), .mode = mode, .ioctls = 0};
  if (ioctl(fd_.get(), UFFDIO_REGISTER, &request) != 0)
    return os_or_unsupported("watch memory by userfaultfd", errno);
  return {};
}

bool Userfault::copy(std::span<uint8_t> range, const uint8_t* source) const {
  uffdio_copy request = {
      .dst = address_of(range.data()), .src = address_of(source), .len = range.size(), .mode = 0, .copy = 0};
  return ioctl(fd_.get(), UFFDIO_COPY, &request) == 0;
}

bool Userfault::zero(std::span<uint8_t> range) const {
  uffdio_zeropage request = {.range = range_of(range), .mode = 0, .zeropage = 0};
  return ioctl(fd_.get(), UFFDIO_ZEROPAGE, &request) == 0;
}

bool Userfault::go_on(std::span<uint8_t> range) const {
  uffdio_continue request = {.range = range_of(range), .mode = 0, .mapped = 0};
  return ioctl(fd_.get(), UFFDIO_CONTINUE, &request) == 0;
}

}  // namespace sandglass::bench
