#include "sandbox/pool/worker_pool.h"

namespace sandglass {

Result<std::shared_ptr<WorkerPool>> WorkerPool::create(const WorkerPoolOptions& options) {
  std::shared_ptr<WorkerPool> pool(new WorkerPool(options));
  pool->jail_ = SG_TRY(Jail::launch(options.jail));
  return pool;
}

WorkerPool::~WorkerPool() {
  for (Idle& idle : idle_) drop(std::move(idle.worker));
}

Result<std::unique_ptr<Worker>> WorkerPool::acquire(const WorkerRequest& request) {
  {
    const std::lock_guard lock(mutex_);
    auto chosen = idle_.end();
    for (auto it = idle_.begin(); it != idle_.end(); ++it) {
      if (it->worker->faults() != request.faults) continue;
      chosen = it;
      if (it->worker->image_id == request.image_id) break;
    }
    if (chosen != idle_.end()) {
      std::unique_ptr<Worker> worker = std::move(chosen->worker);
      idle_.erase(chosen);
      return worker;
    }
  }
  return jail_->spawn(request.faults != FaultUse::kNone);
}

void WorkerPool::give_back(std::unique_ptr<Worker> worker, bool is_clean) {
  if (is_clean) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < options_.max_idle) {
      idle_.push_back({std::move(worker)});
      return;
    }
  }
  drop(std::move(worker));
}

void WorkerPool::drop(std::unique_ptr<Worker> worker) { jail_->forget(*worker); }

Result<std::shared_ptr<WorkerSource>> default_worker_source() {
  // Never destroyed by itself: sandboxes may outlive the statics of the program. The kernel ends the jail
  // when the process ends.
  static const auto* const pool = new Result<std::shared_ptr<WorkerPool>>(WorkerPool::create({}));
  if (!*pool) return pool->error();
  return std::shared_ptr<WorkerSource>(**pool);
}

}  // namespace sandglass
