// Messages with descriptors over the sockets between the host and its jails.
#pragma once

#include <cstddef>
#include <span>

#include "sandbox/base/result.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass {

Status send_message(int socket, const void* data, size_t size_bytes, std::span<const int> fds = {});

// Receives one message of exactly `size_bytes` bytes, with a descriptor or without, within `timeout_ms`.
// kWorkerDied when the other side has closed the socket.
Result<UniqueFd> receive_message(int socket, void* data, size_t size_bytes, int timeout_ms);

}  // namespace sandglass
