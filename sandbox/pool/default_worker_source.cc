#include <pthread.h>

#include <mutex>

#include "sandbox/base/check.h"
#include "sandbox/base/fork_count.h"
#include "sandbox/pool/worker_pool.h"

namespace sandglass {
namespace {

struct DefaultPool {
  std::shared_ptr<WorkerPool> pool;
  uint32_t forks;  // of the process that it belongs to
};

// Held while the pool is made, so that threads do not make two.
constinit std::mutex g_mutex;
// Never destroyed by itself: sandboxes may outlive the statics of the program. The kernel ends the jail when
// the process ends. A forked child leaves its copy as it is.
constinit DefaultPool* g_pool = nullptr;

void keep_lock_over_fork() {
  static const bool is_registered = [] {
    SG_CHECK(::pthread_atfork([] { g_mutex.lock(); }, [] { g_mutex.unlock(); }, [] { g_mutex.unlock(); }) ==
             0);
    return true;
  }();
  (void)is_registered;
}

}  // namespace

Result<std::shared_ptr<WorkerSource>> default_worker_source() {
  keep_lock_over_fork();
  const std::lock_guard lock(g_mutex);
  if (g_pool == nullptr || g_pool->forks != fork_count()) {
    std::shared_ptr<WorkerPool> pool = SG_TRY(WorkerPool::create());
    g_pool = new DefaultPool{.pool = std::move(pool), .forks = fork_count()};
  }
  return std::shared_ptr<WorkerSource>(g_pool->pool);
}

}  // namespace sandglass
