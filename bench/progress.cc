#include "bench/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace sandglass::bench {

Progress::Progress() : is_visible_(isatty(STDERR_FILENO) != 0) {}

void Progress::start(size_t total) {
  total_ = total;
  begun_ = 0;
  started_ = std::chrono::steady_clock::now();
}

// As if the others took as long as those that are done, on average.
std::string Progress::remaining() const {
  if (begun_ < 2) return "";
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started_;
  const double done = static_cast<double>(begun_ - 1);
  return fmt::format(", about {:.0f} s left",
                     elapsed.count() / done * static_cast<double>(total_ - begun_ + 1));
}

void Progress::show(const std::string& name) {
  if (!is_visible_) return;
  if (name != name_) ++begun_;
  name_ = name;
  fmt::print(stderr, "\r\x1b[K[{}/{}] {}{}", begun_, total_, name, remaining());
  std::fflush(stderr);
}

void Progress::hide() const {
  if (is_visible_) fmt::print(stderr, "\r\x1b[K");
}

}  // namespace sandglass::bench
