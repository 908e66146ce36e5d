// WorkerPool: keeps jailed workers between guests.
//
// Forking a worker costs a few dozen microseconds, loading a module into it a few more; a worker that comes
// back from a sandbox is clean and has its module loaded still, so the next sandbox of that module gets it
// for nothing.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "sandbox/backend/linux/jail.h"
#include "sandbox/backend/linux/worker_source.h"

namespace sandglass {

struct WorkerPoolOptions {
  JailOptions jail;
  size_t max_idle = 16;
};

class WorkerPool final : public WorkerSource {
 public:
  static Result<std::shared_ptr<WorkerPool>> create(const WorkerPoolOptions& options);
  ~WorkerPool() override;

  Result<std::unique_ptr<Worker>> acquire(const WorkerRequest& request) override;
  void give_back(std::unique_ptr<Worker> worker, bool is_clean) override;

  const Jail& jail() const { return *jail_; }

 private:
  explicit WorkerPool(const WorkerPoolOptions& options) : options_(options) {}
  void drop(std::unique_ptr<Worker> worker);

  struct Idle {
    std::unique_ptr<Worker> worker;
  };

  const WorkerPoolOptions options_;
  std::unique_ptr<Jail> jail_;
  std::mutex mutex_;
  std::vector<Idle> idle_;
};

}  // namespace sandglass
