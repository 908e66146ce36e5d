#include "zygote/messages.h"

#include <asm/errno.h>
#include <linux/socket.h>
#include <linux/uio.h>

#include "zygote/system_calls.h"

namespace sandglass::zygote {
namespace {

// The kernel's own layouts (struct user_msghdr and cmsghdr of linux/socket.h, which its exported headers
// lack).
struct MessageHeader {
  void* name;
  int name_bytes;
  iovec* vectors;
  size_t vector_count;
  void* control;
  size_t control_bytes;
  unsigned flags;
};
struct Control {
  size_t size_bytes;
  int level, type;
  int fds[kMaxMessageFds];
};

constexpr int kSocketLevel = 1, kRights = 1;  // SOL_SOCKET, SCM_RIGHTS
constexpr int kNoSignal = 0x4000, kCloseOnExec = 0x40000000;

constexpr size_t control_bytes(int fd_count) {
  return offsetof(Control, fds) + sizeof(int) * (size_t)fd_count;
}

}  // namespace

long send_message(int socket, const void* data, size_t size_bytes, int fd) {
  iovec vector = {const_cast<void*>(data), size_bytes};
  Control control = {control_bytes(1), kSocketLevel, kRights, {fd}};
  MessageHeader header = {nullptr, 0, &vector, 1, nullptr, 0, 0};
  if (fd >= 0) {
    header.control = &control;
    header.control_bytes = control_bytes(1);
  }
  const long sent = call(__NR_sendmsg, socket, &header, kNoSignal);
  return sent < 0 ? sent : 0;
}

long receive_message(int socket, void* data, size_t size_bytes, int fd_count) {
  iovec vector = {data, size_bytes};
  Control control = {};
  MessageHeader header = {nullptr, 0, &vector, 1, &control, sizeof control, 0};
  const long received = call(__NR_recvmsg, socket, &header, kCloseOnExec);
  if (received < 0) return received;
  if (received == 0) return -ECONNRESET;
  const size_t expected = fd_count == 0 ? 0 : control_bytes(fd_count);
  const bool is_complete = (size_t)received == size_bytes && header.flags % 0x40 == 0 &&
                           (expected == 0 ? header.control_bytes == 0 : control.size_bytes == expected);
  return is_complete ? 0 : -EPROTO;
}

}  // namespace sandglass::zygote
