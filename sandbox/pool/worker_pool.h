// WorkerPool: keeps jailed workers between guests.
//
// Forking a worker costs a few dozen microseconds, loading a module into it a few more; a worker that comes
// back from a sandbox is clean and has its module loaded still, so the next sandbox of that module gets it
// for nothing. Who may get whose worker, how many are kept and for how long is in worker_pool_options.h.
//
//   auto pool = SG_TRY(WorkerPool::create({.max_idle = 64}));
//   auto sandbox = SG_TRY(Sandbox::create(module, {.workers = pool, .tenant = "alice"}));
//
// The name of a tenant is any string; the empty one is a tenant like the others.
//
// What it promises. A worker that violated the policy, answered nonsense, died or could not be reset is
// killed and never handed out again. One that was killed while it was idle is noticed before it is handed
// out. When somebody kills the template of a jail, the sandboxes that have workers of it fail with
// kWorkerDied, and the next acquire() launches another jail.
//
// Any thread may use a pool. Nothing is forked or killed while its lock is held. Each sandbox keeps the pool
// alive that its worker came from; when the last of them and the pool's owner are gone, so are all processes.
//
// After a fork(2) the pool belongs to the parent alone. The child's copy refuses acquire() with
// kInvalidArgument and leaves the parent's workers alone when it is destroyed, but the parent's *sandboxes*
// must not be touched in the child, not even destroyed: they share memory with the parent's workers. So end
// such a child by exec or _exit, or have no sandboxes when it is forked. A Module that other threads use at
// the moment of the fork is not for the child either, which would wait for their lock for ever.
#pragma once

#include <memory>
#include <mutex>

#include "sandbox/backend/linux/worker_source.h"
#include "sandbox/pool/worker_cache.h"
#include "sandbox/pool/worker_pool_options.h"
#include "sandbox/pool/worker_pool_statistics.h"

namespace sandglass {

class WorkerPool final : public WorkerSource {
 public:
  // Launches the jail of kShared and forks the spare workers, so what this machine cannot do shows here.
  static Result<std::shared_ptr<WorkerPool>> create(const WorkerPoolOptions& options = {});
  ~WorkerPool() override;

  Result<std::unique_ptr<Worker>> acquire(const WorkerRequest& request) override;
  void give_back(std::unique_ptr<Worker> worker, bool is_clean, const Error* failure = nullptr) override;

  // Enforces the limits now: for a host that may not call the pool for a while. Drops the workers that have
  // died, waited too long or grown too old, and jails without workers; forks the spare workers that lack.
  void trim();
  // Drops every worker that is not in use, and the jails that have none then.
  void clear();

  WorkerPoolStatistics statistics() const;
  const WorkerPoolOptions& options() const { return options_; }

 private:
  explicit WorkerPool(const WorkerPoolOptions& options);
  Result<std::unique_ptr<Worker>> spawn(const WorkerRequest& request);
  Status fill_spares();
  Result<WorkerCache::Slots> fork_one(const std::string& tenant, FaultUse faults);
  Status open_shared_jail();
  Status check_process() const;

  const WorkerPoolOptions options_;
  const uint32_t forks_;
  mutable std::mutex mutex_;
  std::unique_ptr<WorkerCache> cache_;
};

}  // namespace sandglass
