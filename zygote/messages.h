// Messages with descriptors over the control socket.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace sandglass::zygote {

inline constexpr int kMaxMessageFds = 4;

// Sends `size_bytes` bytes and, when `fd` is not negative, a descriptor. 0 or -errno.
long send_message(int socket, const void* data, size_t size_bytes, int fd = -1);

// Receives one message of exactly `size_bytes` bytes with exactly `fd_count` descriptors (close-on-exec),
// which the kernel numbers from the lowest free one up. 0, or -errno; -ECONNRESET when the other side is
// gone.
long receive_message(int socket, void* data, size_t size_bytes, int fd_count);

}  // namespace sandglass::zygote
