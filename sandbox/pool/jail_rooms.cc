#include "sandbox/pool/jail_rooms.h"

#include <algorithm>

namespace sandglass {

// JailRoom. -------------------------------------------------------------------------------------------------

Result<Jail*> JailRoom::open() {
  const std::lock_guard lock(mutex_);
  if (jail_ == nullptr) jail_ = SG_TRY(Jail::launch(options_));
  return jail_.get();
}

Status JailRoom::launch() {
  SG_TRY(open());
  return {};
}

Result<std::unique_ptr<Worker>> JailRoom::spawn(bool with_userfaultfd) {
  Jail* const jail = SG_TRY(open());
  return jail->spawn(with_userfaultfd);
}

bool JailRoom::is_usable() {
  const std::lock_guard lock(mutex_);
  return jail_ != nullptr && jail_->can_spawn();
}

void JailRoom::forget(const Worker& worker) { jail_->forget(worker); }

// JailRooms. ------------------------------------------------------------------------------------------------

bool JailRooms::is_current(const JailRoom& room) const {
  const auto found = rooms_.find(room.tenant_);
  return found != rooms_.end() && found->second.get() == &room;
}

std::shared_ptr<JailRoom> JailRooms::enter(const std::string& tenant) {
  const std::string key = options_.profile == JailProfile::kPerTenant ? tenant : std::string();
  std::shared_ptr<JailRoom> room;
  if (const auto found = rooms_.find(key); found != rooms_.end()) {
    room = found->second;
    if (room->workers_ == 0 && room->empty_since_ns_ != 0) --empty_;
  } else {
    room = std::make_shared<JailRoom>(options_.jail, key);
    ++made_;
    ++live_;
    if (options_.profile != JailProfile::kPrivate) rooms_.emplace(key, room);
  }
  room->empty_since_ns_ = 0;
  ++room->workers_;
  return room;
}

void JailRooms::leave(const std::shared_ptr<JailRoom>& room, uint64_t now_ns, Dropped& dropped) {
  if (--room->workers_ > 0) return;
  if (!is_current(*room)) {
    dropped.push_back(room);
    --live_;
    return;
  }
  // The shared jail waits for the next worker for as long as the pool exists.
  if (options_.profile != JailProfile::kPerTenant) return;
  room->empty_since_ns_ = now_ns;
  if (++empty_ > options_.max_idle_jails) drop_longest_empty(dropped);
}

bool JailRooms::retire(const std::shared_ptr<JailRoom>& room, Dropped& dropped) {
  if (!is_current(*room)) return false;
  const auto found = rooms_.find(room->tenant_);
  if (room->workers_ == 0) {
    drop(found, dropped);
  } else {
    rooms_.erase(found);
  }
  return true;
}

void JailRooms::drop(ByTenant::iterator room, Dropped& dropped) {
  if (room->second->empty_since_ns_ != 0) --empty_;
  --live_;
  dropped.push_back(std::move(room->second));
  rooms_.erase(room);
}

void JailRooms::drop_longest_empty(Dropped& dropped) {
  auto oldest = rooms_.end();
  for (auto it = rooms_.begin(); it != rooms_.end(); ++it) {
    const uint64_t since = it->second->empty_since_ns_;
    if (since != 0 && (oldest == rooms_.end() || since < oldest->second->empty_since_ns_)) oldest = it;
  }
  drop(oldest, dropped);
}

void JailRooms::expire(uint64_t now_ns, Dropped& dropped) {
  const auto limit = static_cast<uint64_t>(options_.max_idle_time.count());
  if (empty_ == 0 || limit == 0) return;
  for (auto it = rooms_.begin(); it != rooms_.end();) {
    const auto room = it++;
    const uint64_t since = room->second->empty_since_ns_;
    if (since != 0 && now_ns - since >= limit) drop(room, dropped);
  }
}

void JailRooms::drop_empty(Dropped& dropped) {
  while (empty_ > 0) drop_longest_empty(dropped);
}

}  // namespace sandglass
