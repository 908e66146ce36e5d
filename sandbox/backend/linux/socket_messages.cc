#include "sandbox/backend/linux/socket_messages.h"

#include <sys/socket.h>

#include <cstring>

namespace sandglass {
namespace {

constexpr size_t kMaxFds = 4;

}  // namespace

Status send_message(int socket, const void* data, size_t size_bytes, std::span<const int> fds) {
  SG_CHECK(fds.size() <= kMaxFds);
  iovec vector = {.iov_base = const_cast<void*>(data), .iov_len = size_bytes};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxFds)] = {};
  msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  for (;;) {
    if (::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return {};
    if (errno == EAGAIN) {
      return Error::make(ErrorKind::kWorkerDied, "the other side of the control socket has stopped reading");
    }
    if (errno == EPIPE || errno == ECONNRESET) {
      return Error::make(ErrorKind::kWorkerDied, "the other side of the control socket is gone");
    }
    if (errno != EINTR) return Error::os("send over a control socket");
  }
}

Status set_receive_timeout(int socket, std::chrono::seconds timeout) {
  const timeval time = {.tv_sec = timeout.count(), .tv_usec = 0};
  if (::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0) return {};
  return Error::os("limit the time of waiting at a control socket");
}

Result<UniqueFd> receive_message(int socket, void* data, size_t size_bytes) {
  iovec vector = {.iov_base = data, .iov_len = size_bytes};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {
      .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t received;
  for (;;) {
    received = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (received >= 0) break;
    if (errno == EAGAIN)
      return Error::make(ErrorKind::kWorkerDied, "no answer over the control socket in time");
    if (errno == ECONNRESET) received = 0;
    if (errno == ECONNRESET) break;
    if (errno != EINTR) return Error::os("receive over a control socket");
  }
  if (received == 0) {
    return Error::make(ErrorKind::kWorkerDied, "the other side of the control socket is gone");
  }
  UniqueFd fd;
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    int number;
    std::memcpy(&number, CMSG_DATA(header), sizeof number);
    fd = UniqueFd(number);
  }
  if (static_cast<size_t>(received) != size_bytes || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return Error::make(ErrorKind::kProtocolViolation, "a message of the wrong size over a control socket");
  }
  return fd;
}

}  // namespace sandglass
