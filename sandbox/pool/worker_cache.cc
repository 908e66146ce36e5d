#include "sandbox/pool/worker_cache.h"

#include <poll.h>

#include <algorithm>

namespace sandglass {
namespace {

// How well an idle worker suits, worst first. Spares come between strangers and the tenant's own: they are as
// fast to load and have no past.
constexpr int kUseless = 0, kStrangers = 1, kTenants = 2, kStrangersLoaded = 3, kBest = 4;

// The supervisor's mark comes some microseconds after the death; the kernel is asked for the time between.
bool has_died(const Worker& worker) {
  if (worker.has_died()) return true;
  pollfd poll = {.fd = worker.pidfd(), .events = POLLIN, .revents = 0};
  return ::poll(&poll, 1, 0) != 0;
}

DropReason reason_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kViolation: return DropReason::kViolation;
    case ErrorKind::kProtocolViolation: return DropReason::kProtocolViolation;
    case ErrorKind::kWorkerDied: return DropReason::kDied;
    default: return DropReason::kUnclean;
  }
}

}  // namespace

WorkerCache::Slot::~Slot() {
  if (worker != nullptr) room->forget(*worker);
}

// Handing out. ----------------------------------------------------------------------------------------------

bool WorkerCache::is_too_old(const Slot& slot, uint64_t now_ns) const {
  const auto limit = static_cast<uint64_t>(options_.max_age.count());
  return limit != 0 && now_ns - slot.first_use_ns >= limit;
}

int WorkerCache::rank(const Slot& slot, const WorkerRequest& request) const {
  if (slot.faults != request.faults) return kUseless;
  const bool is_loaded = slot.worker->image_id == request.image_id;
  const bool is_tenants = slot.tenant == request.tenant;
  switch (options_.reuse) {
    case WorkerReuse::kNever: return kUseless;
    case WorkerReuse::kSameModule: return is_tenants && is_loaded ? kBest : kUseless;
    case WorkerReuse::kSameTenant: return !is_tenants ? kUseless : is_loaded ? kBest : kTenants;
    case WorkerReuse::kAny:
      if (is_tenants) return is_loaded ? kBest : kTenants;
      return is_loaded ? kStrangersLoaded : kStrangers;
  }
  return kUseless;
}

std::unique_ptr<Worker> WorkerCache::lease(const WorkerRequest& request, uint64_t now_ns, Dropped& dropped) {
  expire(now_ns, dropped);
  for (;;) {
    Place best = idle_.end();
    int best_rank = kUseless;
    for (Place it = idle_.begin(); it != idle_.end() && best_rank != kBest; ++it) {
      const int candidate = rank(*it, request);
      if (candidate > best_rank) {
        best = it;
        best_rank = candidate;
      }
    }
    const bool takes_spare = best_rank < kTenants && !spares_.empty() && request.faults == FaultUse::kNone;
    if (takes_spare) best = spares_.begin();
    if (!takes_spare && best_rank == kUseless) return nullptr;
    Slots& from = takes_spare ? spares_ : idle_;
    if (has_died(*best->worker)) {
      drop(from, best, DropReason::kDied, now_ns, dropped);
    } else if (!takes_spare && is_too_old(*best, now_ns)) {
      drop(from, best, DropReason::kAge, now_ns, dropped);
    } else {
      ++(takes_spare ? counters_.reused_spare : counters_.reused);
      if (!takes_spare && best->worker->image_id == request.image_id) ++counters_.reused_loaded;
      return hand_out(from, best, request, now_ns);
    }
  }
}

std::unique_ptr<Worker> WorkerCache::hand_out(Slots& from, Place slot, const WorkerRequest& request,
                                              uint64_t now_ns) {
  if (slot->uses++ == 0) slot->first_use_ns = now_ns;
  if (slot->tenant != request.tenant) slot->tenant = request.tenant;
  in_use_.splice(in_use_.begin(), from, slot);
  return std::move(slot->worker);
}

// Forked ones. ----------------------------------------------------------------------------------------------

std::shared_ptr<JailRoom> WorkerCache::reserve(const std::string& tenant, uint64_t now_ns, Dropped& dropped) {
  if (live() >= options_.max_live) {
    Slots& from = idle_.empty() ? spares_ : idle_;
    if (from.empty()) {
      ++counters_.exhausted;
      return nullptr;
    }
    drop(from, std::prev(from.end()), DropReason::kMadePlace, now_ns, dropped);
  }
  ++reserved_;
  return rooms_.enter(tenant);
}

std::unique_ptr<Worker> WorkerCache::add(Slots slot, const WorkerRequest& request, uint64_t now_ns) {
  const Place place = slot.begin();
  --reserved_;
  ++counters_.spawned;
  places_.emplace(place->id, place);
  return hand_out(slot, place, request, now_ns);
}

void WorkerCache::add_spare(Slots slot) {
  const Place place = slot.begin();
  --reserved_;
  ++counters_.spawned;
  places_.emplace(place->id, place);
  spares_.splice(spares_.begin(), slot);
}

void WorkerCache::give_up(const std::shared_ptr<JailRoom>& room, bool is_room_usable, uint64_t now_ns,
                          Dropped& dropped) {
  --reserved_;
  ++counters_.failed_spawns;
  rooms_.leave(room, now_ns, dropped.rooms);
  if (!is_room_usable && rooms_.retire(room, dropped.rooms)) ++counters_.jails_lost;
}

bool WorkerCache::lacks_spares() const {
  return spares_.size() < options_.min_idle && live() < options_.max_live;
}

// Taking back. ----------------------------------------------------------------------------------------------

std::optional<DropReason> WorkerCache::reason_to_drop(const Slot& slot, bool is_clean, const Error* failure,
                                                      uint64_t now_ns) const {
  const Worker& worker = *slot.worker;
  if (worker.violation()) return DropReason::kViolation;
  if (failure != nullptr) return reason_of(failure->kind);
  if (worker.has_died()) return DropReason::kDied;
  if (!is_clean) return DropReason::kUnclean;
  if (options_.reuse == WorkerReuse::kNever) return DropReason::kNoReuse;
  if (options_.max_uses != 0 && slot.uses >= options_.max_uses) return DropReason::kUses;
  if (is_too_old(slot, now_ns)) return DropReason::kAge;
  return std::nullopt;
}

void WorkerCache::give_back(std::unique_ptr<Worker> worker, bool is_clean, const Error* failure,
                            uint64_t now_ns, Dropped& dropped) {
  const auto found = places_.find(worker.get());
  SG_CHECK(found != places_.end());
  const Place slot = found->second;
  slot->worker = std::move(worker);
  slot->idle_since_ns = now_ns;
  ++counters_.returned;
  if (const auto reason = reason_to_drop(*slot, is_clean, failure, now_ns)) {
    drop(in_use_, slot, *reason, now_ns, dropped);
  } else {
    idle_.splice(idle_.begin(), in_use_, slot);
  }
  expire(now_ns, dropped);
  while (idle_.size() > options_.max_idle - options_.min_idle) {
    drop(idle_, std::prev(idle_.end()), DropReason::kTooManyIdle, now_ns, dropped);
  }
}

// Dropping. -------------------------------------------------------------------------------------------------

void WorkerCache::drop(Slots& from, Place slot, DropReason reason, uint64_t now_ns, Dropped& dropped) {
  ++counters_.dropped[static_cast<size_t>(reason)];
  places_.erase(slot->id);
  rooms_.leave(slot->room, now_ns, dropped.rooms);
  dropped.slots.splice(dropped.slots.end(), from, slot);
}

void WorkerCache::expire(uint64_t now_ns, Dropped& dropped) {
  const auto limit = static_cast<uint64_t>(options_.max_idle_time.count());
  while (limit != 0 && !idle_.empty() && now_ns - idle_.back().idle_since_ns >= limit) {
    drop(idle_, std::prev(idle_.end()), DropReason::kIdleTime, now_ns, dropped);
  }
  rooms_.expire(now_ns, dropped.rooms);
}

void WorkerCache::drop_useless(Slots& from, uint64_t now_ns, Dropped& dropped) {
  for (Place it = from.begin(); it != from.end();) {
    const Place slot = it++;
    if (has_died(*slot->worker)) {
      drop(from, slot, DropReason::kDied, now_ns, dropped);
    } else if (slot->uses != 0 && is_too_old(*slot, now_ns)) {
      drop(from, slot, DropReason::kAge, now_ns, dropped);
    }
  }
}

void WorkerCache::sweep(uint64_t now_ns, Dropped& dropped) {
  expire(now_ns, dropped);
  drop_useless(idle_, now_ns, dropped);
  drop_useless(spares_, now_ns, dropped);
  rooms_.drop_empty(dropped.rooms);
}

void WorkerCache::clear(uint64_t now_ns, Dropped& dropped) {
  for (Slots* const from : {&idle_, &spares_}) {
    while (!from->empty()) drop(*from, from->begin(), DropReason::kCleared, now_ns, dropped);
  }
  rooms_.drop_empty(dropped.rooms);
}

WorkerPoolStatistics WorkerCache::statistics() const {
  WorkerPoolStatistics now = counters_;
  now.jails_made = rooms_.made();
  now.live = places_.size();
  now.idle = idle_.size() + spares_.size();
  now.spare = spares_.size();
  now.jails = rooms_.live();
  return now;
}

}  // namespace sandglass
