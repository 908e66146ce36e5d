#include "sandbox/backend/linux/process_info.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "sandbox/abi/kernel_constants.h"

namespace sandglass {
namespace {

constexpr uint64_t kInfoPid = 1;  // PIDFD_INFO_PID, which is always answered

std::optional<PidfdInfo> info_of(int pidfd, uint64_t wanted) {
  PidfdInfo info = {.mask = wanted};
  if (::ioctl(pidfd, kPidfdGetInfo, &info) != 0 || (info.mask & wanted) == 0) return std::nullopt;
  return info;
}

}  // namespace

pid_t process_id_of(int pidfd) {
  if (const std::optional<PidfdInfo> info = info_of(pidfd, kInfoPid)) return static_cast<pid_t>(info->pid);
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path, "re"), std::fclose);
  char line[128];
  while (file != nullptr && std::fgets(line, sizeof line, file.get()) != nullptr) {
    if (std::strncmp(line, "Pid:", 4) == 0) return std::max(0, std::atoi(line + 4));
  }
  return 0;
}

std::optional<int> exit_status_of(int pidfd) {
  const std::optional<PidfdInfo> info = info_of(pidfd, kPidfdInfoExit);
  if (!info) return std::nullopt;
  return info->exit_code;
}

}  // namespace sandglass
