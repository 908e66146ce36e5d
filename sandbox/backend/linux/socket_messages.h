// Messages with descriptors over the sockets between the host and its jails.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>

#include "sandbox/base/result.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass {

Status send_message(int socket, const void* data, size_t size_bytes, std::span<const int> fds = {});

// How long receive_message() waits.
Status set_receive_timeout(int socket, std::chrono::seconds timeout);

// Receives one message of exactly `size_bytes` bytes, with a descriptor or without. kWorkerDied when the
// other side has closed the socket, or nothing came in time.
Result<UniqueFd> receive_message(int socket, void* data, size_t size_bytes);

}  // namespace sandglass
