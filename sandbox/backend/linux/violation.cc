#include "sandbox/backend/linux/violation.h"

#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace sandglass {
namespace {

Result<size_t> ask_notification_bytes() {
  seccomp_notif_sizes sizes = {};
  if (::syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .os_errno = errno,
                 .what = "seccomp's notifications are missing (Linux 5.0)"};
  }
  // A newer kernel may write more than our header knows.
  return std::max<size_t>(sizes.seccomp_notif, sizeof(seccomp_notif));
}

// Whether a receipt would find something. Without this it would sleep.
Result<bool> has_notification(int listener) {
  pollfd poll_request = {.fd = listener, .events = POLLIN};
  while (::poll(&poll_request, 1, 0) < 0) {
    if (errno != EINTR) return Error::os("poll a seccomp listener");
  }
  if (listener < 0 || (poll_request.revents & POLLNVAL) != 0) {  // poll(2) skips negative numbers
    errno = EBADF;
    return Error::os("poll a seccomp listener");
  }
  return (poll_request.revents & POLLIN) != 0;
}

}  // namespace

Result<std::optional<Violation>> receive_violation(int listener) {
  std::optional<Violation> violation;
  static const Result<size_t> notification_bytes = ask_notification_bytes();
  if (!notification_bytes) return notification_bytes.error();
  if (!SG_TRY(has_notification(listener))) return violation;
  // The kernel insists on zeroes.
  std::vector<uint64_t> buffer((*notification_bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t));
  while (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, buffer.data()) != 0) {
    if (errno == ENOENT) return violation;  // it has died between the poll and here
    if (errno != EINTR) return Error::os("receive a seccomp notification");
  }
  seccomp_notif notification;
  std::memcpy(&notification, buffer.data(), sizeof notification);
  violation = Violation{.pid = static_cast<pid_t>(notification.pid),
                        .number = notification.data.nr,
                        .architecture = notification.data.arch,
                        .instruction_pointer = notification.data.instruction_pointer};
  return violation;
}

}  // namespace sandglass
