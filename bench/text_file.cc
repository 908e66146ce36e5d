#include "bench/text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "sandbox/base/unique_fd.h"

namespace sandglass::bench {

std::string read_text_file(const char* path) {
  constexpr size_t kMostBytes = 64 * 1024;
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[4096];
  while (text.size() < kMostBytes) {
    const ssize_t count = read(file.get(), buffer, sizeof buffer);
    if (count <= 0) break;
    text.append(buffer, static_cast<size_t>(count));
  }
  return text;
}

}  // namespace sandglass::bench
