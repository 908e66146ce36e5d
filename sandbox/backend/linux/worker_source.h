// WorkerSource: where sandboxes get their workers from, and where they leave them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sandbox/backend/linux/worker.h"

namespace sandglass {

struct WorkerRequest {
  uint64_t image_id = 0;  // a worker that has this image loaded already is the best
  FaultUse faults = FaultUse::kNone;
  std::string tenant;  // whose guest it is
};

class WorkerSource {
 public:
  virtual ~WorkerSource() = default;

  // Any thread may call these.
  virtual Result<std::unique_ptr<Worker>> acquire(const WorkerRequest& request) = 0;
  // Every worker that was acquired comes back here, the dead ones too. `is_clean`: it has been reset, nothing
  // went wrong with it, and it may be used again. If something did, `failure` is what, for the statistics.
  virtual void give_back(std::unique_ptr<Worker> worker, bool is_clean, const Error* failure = nullptr) = 0;
};

// What sandboxes use whose options name no other: a WorkerPool with the default options, one for the process,
// made when it is needed first; when that fails, the next caller tries again. A forked child gets one of its
// own: what it inherits is its parent's. Defined above the backend, in sandbox/pool/.
Result<std::shared_ptr<WorkerSource>> default_worker_source();

}  // namespace sandglass
