#include "sandbox/pool/worker_pool_options.h"

#include "sandbox/abi/address_space.h"

namespace sandglass {
namespace {

struct Rule {
  bool (*is_broken)(const WorkerPoolOptions& options);
  const char* text;
};
constexpr Rule kRules[] = {
    {[](const WorkerPoolOptions& o) { return o.max_live == 0; }, "max_live is 0: there would be no workers"},
    {[](const WorkerPoolOptions& o) { return o.min_idle > o.max_idle; }, "min_idle is larger than max_idle"},
    {[](const WorkerPoolOptions& o) { return o.min_idle > o.max_live; }, "min_idle is larger than max_live"},
    {[](const WorkerPoolOptions& o) { return o.min_idle > 0 && o.profile == JailProfile::kPerTenant; },
     "min_idle with the profile per_tenant: workers forked ahead have no tenant"},
    {[](const WorkerPoolOptions& o) {
       return o.reuse == WorkerReuse::kAny && o.profile == JailProfile::kPerTenant;
     },
     "reuse `any` contradicts the profile per_tenant"},
    {[](const WorkerPoolOptions& o) { return o.max_age.count() < 0; }, "max_age is negative"},
    {[](const WorkerPoolOptions& o) { return o.max_idle_time.count() < 0; }, "max_idle_time is negative"},
    {[](const WorkerPoolOptions& o) { return o.jail.address_space_limit_bytes < worker_space::kGuestBytes; },
     "jail.address_space_limit_bytes is less than the 4 GiB of guest memory"},
};

}  // namespace

std::string_view name_of(WorkerReuse reuse) {
  switch (reuse) {
    case WorkerReuse::kNever: return "never";
    case WorkerReuse::kSameModule: return "same_module";
    case WorkerReuse::kSameTenant: return "same_tenant";
    case WorkerReuse::kAny: return "any";
  }
  return "unknown";
}

std::string_view name_of(JailProfile profile) {
  switch (profile) {
    case JailProfile::kShared: return "shared";
    case JailProfile::kPerTenant: return "per_tenant";
    case JailProfile::kPrivate: return "private";
  }
  return "unknown";
}

Status check(const WorkerPoolOptions& options) {
  for (const Rule& rule : kRules) {
    if (rule.is_broken(options)) return Error::make(ErrorKind::kInvalidArgument, rule.text);
  }
  return {};
}

}  // namespace sandglass
