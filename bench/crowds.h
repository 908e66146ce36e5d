// Crowds: many processes of one kind that do nothing, for benchmarks that ask what one costs.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "sandbox/base/result.h"

namespace sandglass::bench {

class Crowd {
 public:
  virtual ~Crowd() = default;
  virtual Status add_one() = 0;
  // Whether all of them are alive and can do what they are for.
  virtual bool is_well() { return true; }
  virtual Status disperse() = 0;
};

struct CrowdCase {
  std::string_view name;
  Result<std::unique_ptr<Crowd>> (*gather)();
  size_t processes = 128;  // that are counted
};

std::span<const CrowdCase> raw_crowds();
std::span<const CrowdCase> jailed_crowds();

// The kernel keeps some of the objects of processes that are gone, and gives them to those that come next: as
// if these cost nothing. So some are started first that use that up.
inline constexpr size_t kProcessesBefore = 256;

}  // namespace sandglass::bench
