#include "sandbox/pool/worker_pool.h"

#include <string>

#include "sandbox/base/fork_count.h"

namespace sandglass {
namespace {

// How often a new worker, or the template that forks it, may be killed by somebody before we give up.
constexpr int kMaxSpawns = 3;

}  // namespace

// In functions that drop workers, `dropped` is declared before the lock is taken, so it is destroyed after
// the lock is free.

WorkerPool::WorkerPool(const WorkerPoolOptions& options)
    : options_(options), forks_(fork_count()), cache_(std::make_unique<WorkerCache>(options_)) {}

Result<std::shared_ptr<WorkerPool>> WorkerPool::create(const WorkerPoolOptions& options) {
  SG_TRY(check(options));
  std::shared_ptr<WorkerPool> pool(new WorkerPool(options));
  if (options.min_idle > 0) {
    SG_TRY(pool->fill_spares());
  } else if (options.profile == JailProfile::kShared) {
    SG_TRY(pool->open_shared_jail());
  }
  return pool;
}

WorkerPool::~WorkerPool() {
  // A forked child's copy: its destructor would kill the parent's workers.
  if (!check_process()) (void)cache_.release();
}

Status WorkerPool::check_process() const {
  if (forks_ == fork_count()) return {};
  return Error::make(ErrorKind::kInvalidArgument, "the worker pool belongs to the parent of this process");
}

Result<std::unique_ptr<Worker>> WorkerPool::acquire(const WorkerRequest& request) {
  SG_TRY(check_process());
  {
    WorkerCache::Dropped dropped;
    const std::lock_guard lock(mutex_);
    if (auto worker = cache_->lease(request, monotonic_ns(), dropped)) return worker;
  }
  return spawn(request);
}

void WorkerPool::give_back(std::unique_ptr<Worker> worker, bool is_clean, const Error* failure) {
  if (!check_process()) {
    (void)worker.release();  // the parent's
    return;
  }
  {
    WorkerCache::Dropped dropped;
    const std::lock_guard lock(mutex_);
    cache_->give_back(std::move(worker), is_clean, failure, monotonic_ns(), dropped);
  }
  // If that fails, acquire() will fork its worker itself and say why it cannot.
  if (options_.min_idle > 0) (void)fill_spares();
}

// Forking. --------------------------------------------------------------------------------------------------

// A worker that is nobody's yet. Counted as reserved until it is added.
Result<WorkerCache::Slots> WorkerPool::fork_one(const std::string& tenant, FaultUse faults) {
  std::shared_ptr<JailRoom> room;
  {
    WorkerCache::Dropped dropped;
    const std::lock_guard lock(mutex_);
    room = cache_->reserve(tenant, monotonic_ns(), dropped);
    if (room == nullptr) {
      return Error::make(ErrorKind::kExhausted, "the pool has as many workers in use as max_live allows",
                         Error::kNowhere, std::to_string(options_.max_live));
    }
  }
  Result<std::unique_ptr<Worker>> worker = room->spawn(faults != FaultUse::kNone);
  if (!worker) {
    const bool is_usable = room->is_usable();
    WorkerCache::Dropped dropped;
    const std::lock_guard lock(mutex_);
    cache_->give_up(room, is_usable, monotonic_ns(), dropped);
    return worker.error();
  }
  WorkerCache::Slots slots(1);
  WorkerCache::Slot& slot = slots.front();
  slot.room = std::move(room);
  slot.worker = std::move(*worker);
  slot.id = slot.worker.get();
  slot.faults = faults;
  return slots;
}

Result<std::unique_ptr<Worker>> WorkerPool::spawn(const WorkerRequest& request) {
  for (int attempt = 1;; ++attempt) {
    Result<WorkerCache::Slots> slots = fork_one(request.tenant, request.faults);
    if (slots) {
      const std::lock_guard lock(mutex_);
      return cache_->add(std::move(*slots), request, monotonic_ns());
    }
    if (slots.error().kind != ErrorKind::kWorkerDied || attempt == kMaxSpawns) return slots.error();
  }
}

Status WorkerPool::fill_spares() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (!cache_->lacks_spares()) return {};
    }
    WorkerCache::Slots slots = SG_TRY(fork_one({}, FaultUse::kNone));
    const std::lock_guard lock(mutex_);
    cache_->add_spare(std::move(slots));
  }
}

Status WorkerPool::open_shared_jail() {
  JailRooms::Dropped dropped;
  const std::shared_ptr<JailRoom> room = cache_->rooms().enter({});
  const Status status = room->launch();
  cache_->rooms().leave(room, monotonic_ns(), dropped);
  return status;
}

// Limits. ---------------------------------------------------------------------------------------------------

void WorkerPool::trim() {
  if (!check_process()) return;
  {
    WorkerCache::Dropped dropped;
    const std::lock_guard lock(mutex_);
    cache_->sweep(monotonic_ns(), dropped);
  }
  (void)fill_spares();
}

void WorkerPool::clear() {
  if (!check_process()) return;
  WorkerCache::Dropped dropped;
  const std::lock_guard lock(mutex_);
  cache_->clear(monotonic_ns(), dropped);
}

WorkerPoolStatistics WorkerPool::statistics() const {
  if (!check_process()) return {};
  const std::lock_guard lock(mutex_);
  return cache_->statistics();
}

}  // namespace sandglass
