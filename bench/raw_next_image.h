// RawNextImage: what no change of modules can do without: a sealed file is received over a socket and mapped
// for execution in place of the last one, and its first page is used.
#pragma once

#include <memory>

#include "bench/harness.h"
#include "sandbox/base/mapping.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass::bench {

class RawNextImage {
 public:
  static constexpr bool kIsLatency = true;
  static Result<std::unique_ptr<RawNextImage>> create(size_t code_bytes);

  bool run(Nanoseconds& spent);

 private:
  RawNextImage(size_t code_bytes, Mapping place) : code_bytes_(code_bytes), place_(std::move(place)) {}
  const volatile uint8_t* code() const;

  size_t code_bytes_;
  Mapping place_;
  UniqueFd images_[2];  // the first byte of each is its index
  UniqueFd sender_, receiver_;
  size_t turn_ = 0;
};

}  // namespace sandglass::bench
