// Options that make no sense are refused by their name.
#include <set>

#include "tests/pool/helpers.h"

namespace sandglass {
namespace {

using std::chrono::nanoseconds;

TEST(WorkerPoolOptions, DefaultsAreAccepted) { EXPECT_TRUE(check(WorkerPoolOptions{})); }

TEST(WorkerPoolOptions, NonsenseIsNamed) {
  const std::pair<WorkerPoolOptions, const char*> cases[] = {
      {{.max_live = 0}, "max_live"},
      {{.max_idle = 1, .min_idle = 2}, "min_idle"},
      {{.min_idle = 3, .max_live = 2}, "min_idle"},
      {{.profile = JailProfile::kPerTenant, .min_idle = 1}, "per_tenant"},
      {{.profile = JailProfile::kPerTenant, .reuse = WorkerReuse::kAny}, "per_tenant"},
      {{.max_age = nanoseconds(-1)}, "max_age"},
      {{.max_idle_time = nanoseconds(-1)}, "max_idle_time"},
      {{.jail = {.address_space_limit_bytes = 1 << 20}}, "address_space_limit_bytes"},
  };
  for (const auto& [options, name] : cases) {
    const auto pool = WorkerPool::create(options);
    ASSERT_FALSE(pool) << name;
    EXPECT_EQ(pool.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_NE(std::string(pool.error().what).find(name), std::string::npos) << pool.error().what;
  }
}

TEST(WorkerPoolOptions, EverythingHasAName) {
  std::set<std::string_view> names;
  for (const auto reuse :
       {WorkerReuse::kNever, WorkerReuse::kSameModule, WorkerReuse::kSameTenant, WorkerReuse::kAny})
    names.insert(name_of(reuse));
  for (const auto profile : {JailProfile::kShared, JailProfile::kPerTenant, JailProfile::kPrivate})
    names.insert(name_of(profile));
  for (size_t reason = 0; reason < kDropReasonCount; ++reason)
    names.insert(name_of(static_cast<DropReason>(reason)));
  EXPECT_EQ(names.size(), 4 + 3 + kDropReasonCount);
  EXPECT_EQ(names.count("unknown"), 0u);
  EXPECT_EQ(name_of(static_cast<DropReason>(kDropReasonCount)), "unknown");
}

}  // namespace
}  // namespace sandglass
