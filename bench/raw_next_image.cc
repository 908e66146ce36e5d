#include "bench/raw_next_image.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "sandbox/backend/linux/socket_messages.h"
#include "sandbox/base/units.h"

namespace sandglass::bench {
namespace {

constexpr size_t kGapBytes = KiB(64);
constexpr size_t kTableBytes = MiB(2);  // what one page table covers

Result<UniqueFd> make_image(size_t code_bytes, size_t index) {
  UniqueFd file = SG_TRY(create_memfd("next-image", code_bytes));
  for (size_t at = 0; at < code_bytes; at += KiB(4)) {
    const auto byte = static_cast<uint8_t>(index);
    if (::pwrite(file.get(), &byte, 1, static_cast<off_t>(at)) != 1) return Error::os("write an image");
  }
  SG_TRY(seal_memfd(file, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW));
  return file;
}

}  // namespace

Result<std::unique_ptr<RawNextImage>> RawNextImage::create(size_t code_bytes) {
  // What lies in front of the code keeps the page table, as it does in a worker.
  Mapping place = SG_TRY(Mapping::anonymous(code_bytes + 2 * kTableBytes));
  std::unique_ptr<RawNextImage> made(new RawNextImage(code_bytes, std::move(place)));
  *const_cast<volatile uint8_t*>(made->code() - kGapBytes) = 1;
  for (size_t i = 0; i < std::size(made->images_); ++i) made->images_[i] = SG_TRY(make_image(code_bytes, i));
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return Error::os("make a socket");
  made->sender_ = UniqueFd(ends[0]);
  made->receiver_ = UniqueFd(ends[1]);
  return made;
}

const volatile uint8_t* RawNextImage::code() const {
  const auto begin = reinterpret_cast<uintptr_t>(place_.data());
  return reinterpret_cast<const uint8_t*>(round_up(begin, kTableBytes) + kGapBytes);
}

bool RawNextImage::run(Nanoseconds& spent) {
  const size_t next = ++turn_ % std::size(images_);
  const int image = images_[next].get();
  void* const at = const_cast<uint8_t*>(code());
  const auto start = Clock::now();
  if (!send_message(sender_.get(), "i", 1, {&image, 1})) return false;
  char byte;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  iovec vector = {.iov_base = &byte, .iov_len = 1};
  msghdr message = {
      .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (::recvmsg(receiver_.get(), &message, MSG_CMSG_CLOEXEC) != 1) return false;
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return false;
  int received;
  std::memcpy(&received, CMSG_DATA(header), sizeof received);
  const bool is_mapped =
      ::mmap(at, code_bytes_, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, received, 0) == at;
  ::close(received);
  const uint8_t first = *code();
  spent = Clock::now() - start;
  return is_mapped && first == next;
}

}  // namespace sandglass::bench
