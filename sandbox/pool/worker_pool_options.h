// What a WorkerPool keeps, for whom, and how much of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sandbox/backend/linux/jail.h"

namespace sandglass {

// Which guest may get a worker that another guest has used. Resetting a worker clears what guests can see of
// it; a guest that has broken out of its machine code may have changed the process itself, and stays in it.
enum class WorkerReuse : uint8_t {
  kNever,       // every guest gets a new process
  kSameModule,  // the same module of the same tenant
  kSameTenant,  // any module of the same tenant
  kAny,         // everybody, best first: the same module, the same tenant, a stranger's
};
std::string_view name_of(WorkerReuse reuse);  // "never", "same_module", "same_tenant", "any"

// Which workers share a jail, that is namespaces and the template that forks them.
enum class JailProfile : uint8_t {
  kShared,     // all; between two workers stand the seccomp filter and their being non-dumpable
  kPerTenant,  // those of one tenant
  kPrivate,    // none: a jail for each worker, some hundreds of microseconds and KiB
};
std::string_view name_of(JailProfile profile);  // "shared", "per_tenant", "private"

struct WorkerPoolOptions {
  JailOptions jail;
  JailProfile profile = JailProfile::kShared;
  WorkerReuse reuse = WorkerReuse::kSameTenant;

  // Workers kept for the next guest. Of too many, those that have waited longest are dropped.
  size_t max_idle = 16;
  // Workers forked ahead, which no guest has used: at create(), and in give_back() and trim(), on the thread
  // that calls them. So many of the max_idle places are theirs, and they never drop for waiting. They have no
  // userfaultfd, so modules with dynamic paging do not use them. Not with kPerTenant: they are nobody's yet.
  size_t min_idle = 0;
  // Workers in use, idle and being forked. An idle one makes place for one that is needed; if there is none,
  // acquire() fails with kExhausted. Each needs three descriptors in the host, or four.
  size_t max_live = 1024;
  // Guests that one worker may serve, and how long after its first one it may be handed out; 0: no limit.
  uint64_t max_uses = 0;
  std::chrono::nanoseconds max_age{0};
  // How long a worker waits for a guest; 0: no limit. The pool has no thread of its own: it looks at its
  // clock in acquire(), give_back() and trim().
  std::chrono::nanoseconds max_idle_time = std::chrono::minutes(1);
  // kPerTenant: jails without a worker that are kept for their tenants, no longer than max_idle_time either.
  size_t max_idle_jails = 4;
};

// kInvalidArgument, naming the option, for what makes no sense.
Status check(const WorkerPoolOptions& options);

}  // namespace sandglass
