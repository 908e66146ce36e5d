#include "sandbox/backend/linux/zygote_image.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "sandbox/abi/kernel_constants.h"
#include "sandbox/base/mapping.h"

// SANDGLASS_ZYGOTE is the path of the program that the same build has just linked.
asm(".section .rodata\n"
    ".balign 16\n"
    ".globl sandglass_zygote_begin, sandglass_zygote_end\n"
    "sandglass_zygote_begin: .incbin \"" SANDGLASS_ZYGOTE
    "\"\n"
    "sandglass_zygote_end:\n"
    ".previous\n");
extern "C" const char sandglass_zygote_begin[], sandglass_zygote_end[];

namespace sandglass {
namespace {

Result<UniqueFd> make_image() {
  const auto size_bytes = static_cast<size_t>(sandglass_zygote_end - sandglass_zygote_begin);
  // vm.memfd_noexec may forbid to execute files that do not ask for it; older kernels do not know the
  // question.
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd fd(::memfd_create("sandglass-zygote", kFlags | kMfdExec));
  if (!fd && errno == EINVAL) fd = UniqueFd(::memfd_create("sandglass-zygote", kFlags));
  if (!fd) return Error::os("create the file of the zygote's image");
  if (::write(fd.get(), sandglass_zygote_begin, size_bytes) != static_cast<ssize_t>(size_bytes)) {
    return Error::os("write the zygote's image");
  }
  SG_TRY(seal_memfd(fd, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW));
  // Descriptors 0 to 2 may be free in this process; the launch needs them.
  UniqueFd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!moved) return Error::os("keep the zygote's image open");
  return moved;
}

}  // namespace

Result<int> zygote_image_fd() {
  static const Result<UniqueFd>* const image = new Result<UniqueFd>(make_image());
  if (!*image) return image->error();
  return (*image)->get();
}

}  // namespace sandglass
