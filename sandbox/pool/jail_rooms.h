// JailRooms: which jail a new worker is forked in, by the pool's profile.
//
// A room is a jail with what the pool must know of it. It exists before its jail does and after the jail has
// broken, so that nobody launches or ends a jail under the pool's lock.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sandbox/pool/worker_pool_options.h"

namespace sandglass {

class JailRoom {
 public:
  JailRoom(const JailOptions& options, std::string tenant) : options_(options), tenant_(std::move(tenant)) {}

  // Launches the jail if there is none yet. Threads may call these at the same time.
  Status launch();
  Result<std::unique_ptr<Worker>> spawn(bool with_userfaultfd);
  // Whether there is a jail that forks workers.
  bool is_usable();
  // To be called when a worker of this room is dropped.
  void forget(const Worker& worker);

 private:
  friend class JailRooms;
  Result<Jail*> open();

  const JailOptions options_;
  const std::string tenant_;
  std::mutex mutex_;  // held while the jail is launched
  std::unique_ptr<Jail> jail_;
  // JailRooms', under the pool's lock.
  size_t workers_ = 0;  // being forked, in use or idle
  uint64_t empty_since_ns_ = 0;
};

// To be used under the pool's lock. Rooms that go away are moved to `dropped`, so that their jails end when
// the lock is free.
class JailRooms {
 public:
  using Dropped = std::vector<std::shared_ptr<JailRoom>>;
  explicit JailRooms(const WorkerPoolOptions& options) : options_(options) {}

  // For a worker that is about to be forked; leave() when it is gone.
  std::shared_ptr<JailRoom> enter(const std::string& tenant);
  void leave(const std::shared_ptr<JailRoom>& room, uint64_t now_ns, Dropped& dropped);
  // Nobody enters it any more; its workers stay until they are dropped. False if that was so before.
  bool retire(const std::shared_ptr<JailRoom>& room, Dropped& dropped);
  // Drops rooms without workers: those that have waited too long, or all.
  void expire(uint64_t now_ns, Dropped& dropped);
  void drop_empty(Dropped& dropped);

  size_t live() const { return live_; }
  uint64_t made() const { return made_; }

 private:
  using ByTenant = std::map<std::string, std::shared_ptr<JailRoom>, std::less<>>;
  void drop(ByTenant::iterator room, Dropped& dropped);
  void drop_longest_empty(Dropped& dropped);
  bool is_current(const JailRoom& room) const;

  const WorkerPoolOptions& options_;
  ByTenant rooms_;    // kShared: one, of no tenant; kPrivate: none
  size_t empty_ = 0;  // of those in rooms_; kPerTenant only
  size_t live_ = 0;
  uint64_t made_ = 0;
};

}  // namespace sandglass
