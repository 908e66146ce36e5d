// TinyProgram: tiny/program.cc, which the build embeds in the suite, as a sealed file in memory that can be
// executed. What starting a process costs at least is starting this one.
#pragma once

#include <memory>
#include <string>

#include "bench/child.h"
#include "bench/tiny/protocol.h"

namespace sandglass::bench {

class TinyProgram {
 public:
  static Result<TinyProgram> create();

  int fd() const { return file_.get(); }
  const std::string& path() const { return path_; }  // for those that cannot execute a descriptor

  // Clones with `flags` besides kSharedMemory, and executes the file. `descriptor`, if not negative, stays
  // open in the program, whose argument is its number.
  Result<Child> start(const char* behaviour, int descriptor = -1, uint64_t flags = 0) const;
  // Does "pause" or "spin", and has said so.
  Result<Child> start_idler(const char* behaviour, uint64_t flags = 0) const;

 private:
  TinyProgram(UniqueFd file, Mapping stack) : file_(std::move(file)), stack_(std::move(stack)) {
    path_ = "/proc/self/fd/" + std::to_string(file_.get());
  }

  UniqueFd file_;
  Mapping stack_;  // of the child, until it executes the file
  std::string path_;
};

// A TinyProgram that forks: what a fork costs a process that has next to nothing to copy.
class ForkServer {
 public:
  static Result<std::unique_ptr<ForkServer>> create();

  // 'r', 'k' or 'd', as tiny/program.cc explains.
  Result<ForkAnswer> request(char what);

 private:
  ForkServer(UniqueFd socket, Child server) : socket_(std::move(socket)), server_(std::move(server)) {}

  UniqueFd socket_;
  Child server_;
};

}  // namespace sandglass::bench
