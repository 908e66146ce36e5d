// Progress: one line on standard error that says what runs and how long the rest may take. Only when standard
// error is a terminal; never in a log.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace sandglass::bench {

class Progress {
 public:
  Progress();
  void start(size_t total);
  // Called whenever a benchmark is entered; entering the same one again is no progress.
  void show(const std::string& name);
  // Takes the line away, so that results can be printed.
  void hide() const;

 private:
  std::string remaining() const;

  bool is_visible_;
  size_t total_ = 0, begun_ = 0;
  std::string name_;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace sandglass::bench
