// What the Linux backend builds on, and whether this kernel allows it to this user.
//
// Nothing is concluded from version numbers: each feature is tried, in a child that is thrown away. A
// container, a sysctl or a security module may refuse what the kernel has; where the cause can be found, the
// fix names it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sandglass {

struct FeatureReport {
  enum State { kOk, kMissing };

  std::string_view name;
  std::string_view layer;    // what it is a part of: "namespaces", "paging", …
  bool is_required = false;  // the backend does not run without it; others make it stronger
  State state = kMissing;
  std::string detail;        // the step that was refused and why; of a success, its version if it has one
  std::string_view purpose;  // what the backend uses it for
  std::string fix;           // what to do; empty when nothing is missing
};

// Tries every feature, in the order in which a worker needs them. Takes some milliseconds, most of it forks:
// the larger the calling process, the longer. Changes nothing in it, nor its signals and children.
std::vector<FeatureReport> probe_features();

}  // namespace sandglass
