// WorkerCache: what a WorkerPool knows of its workers, and which of them the next guest gets.
//
//             add()                    give_back()
//   (forked) ───────► in use ◄──────────────────────────► idle ──► dropped
//      │                 ▲               lease()            ▲
//      └───────► spare ──┘                                  │  idle_ is in order of waiting: the last one
//      add_spare()     lease()                              │  has waited longest
//
// To be used under the pool's lock. It starts no process and ends none: what it drops is moved to a Dropped,
// whose destructor does the killing when the lock is free.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "sandbox/backend/linux/worker_source.h"
#include "sandbox/pool/jail_rooms.h"
#include "sandbox/pool/worker_pool_options.h"
#include "sandbox/pool/worker_pool_statistics.h"

namespace sandglass {

class WorkerCache {
 public:
  explicit WorkerCache(const WorkerPoolOptions& options) : options_(options), rooms_(options) {}

  struct Slot {
    std::shared_ptr<JailRoom> room;
    std::unique_ptr<Worker> worker;  // unless it is in use
    const Worker* id = nullptr;      // the same, always
    FaultUse faults = FaultUse::kNone;
    std::string tenant;  // whose guests it has run
    uint64_t uses = 0;
    uint64_t first_use_ns = 0;
    uint64_t idle_since_ns = 0;

    Slot() = default;
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot();
  };
  // Slots never move in memory, they change lists.
  using Slots = std::list<Slot>;
  // Destroyed last to first: workers, then jails.
  struct Dropped {
    JailRooms::Dropped rooms;
    Slots slots;
  };

  // A worker that waits for such a guest, or null.
  std::unique_ptr<Worker> lease(const WorkerRequest& request, uint64_t now_ns, Dropped& dropped);

  // Place for one more worker, and the room to fork it in; null when max_live allows none. Then add(),
  // add_spare() or give_up().
  std::shared_ptr<JailRoom> reserve(const std::string& tenant, uint64_t now_ns, Dropped& dropped);
  std::unique_ptr<Worker> add(Slots slot, const WorkerRequest& request, uint64_t now_ns);
  void add_spare(Slots slot);
  void give_up(const std::shared_ptr<JailRoom>& room, bool is_room_usable, uint64_t now_ns, Dropped& dropped);

  void give_back(std::unique_ptr<Worker> worker, bool is_clean, const Error* failure, uint64_t now_ns,
                 Dropped& dropped);

  // Drops what has waited too long: cheap when there is nothing.
  void expire(uint64_t now_ns, Dropped& dropped);
  // Drops the dead ones among the idle, and jails without workers.
  void sweep(uint64_t now_ns, Dropped& dropped);
  // Drops everything that is not in use.
  void clear(uint64_t now_ns, Dropped& dropped);
  // Whether a worker is to be forked ahead.
  bool lacks_spares() const;

  WorkerPoolStatistics statistics() const;
  JailRooms& rooms() { return rooms_; }

 private:
  using Place = Slots::iterator;
  std::unique_ptr<Worker> hand_out(Slots& from, Place slot, const WorkerRequest& request, uint64_t now_ns);
  int rank(const Slot& slot, const WorkerRequest& request) const;
  bool is_too_old(const Slot& slot, uint64_t now_ns) const;
  std::optional<DropReason> reason_to_drop(const Slot& slot, bool is_clean, const Error* failure,
                                           uint64_t now_ns) const;
  void drop(Slots& from, Place slot, DropReason reason, uint64_t now_ns, Dropped& dropped);
  void drop_useless(Slots& from, uint64_t now_ns, Dropped& dropped);
  size_t live() const { return places_.size() + reserved_; }

  const WorkerPoolOptions& options_;
  JailRooms rooms_;
  Slots in_use_, idle_, spares_;
  std::unordered_map<const Worker*, Place> places_;  // all of them
  size_t reserved_ = 0;
  WorkerPoolStatistics counters_;
};

}  // namespace sandglass
