// Why a feature was refused: the settings and confinements that are known to do so.
#pragma once

#include <string>
#include <string_view>

#include "sandbox/base/result.h"

namespace sandglass::probes {

// What was refused.
struct Refused {
  std::string_view name;          // of the feature
  std::string_view layer;         // and of its layer
  std::string_view system_calls;  // that a filter has to let through
  std::string_view fix;           // where no other cause is found
};

struct Explanation {
  std::string finding;  // what was found; empty when it is the kernel itself as far as one can see
  std::string fix;
};

// `proc` is where the settings are read.
Explanation explain(const Refused& refused, const Error& error, const std::string& proc = "/proc");

}  // namespace sandglass::probes
