#include "sandbox/backend/linux/supervisor.h"

#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "sandbox/base/unique_fd.h"

namespace sandglass {
namespace {

// The eventfd that ends the thread is in the epoll set under the number that no watch has.
constexpr uint64_t kStopId = 0;
constexpr int kEventsAtOnce = 64;
// How long the thread sleeps in epoll_wait() where the ring could not do the waiting.
constexpr int kFallbackMs = 1;

// An io_uring with one request at a time.
class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    if (is_open_) ::io_uring_queue_exit(&ring_);
  }

  Status open() {
    const int status = ::io_uring_queue_init(1, &ring_, 0);
    if (status == -EPERM || status == -EACCES || status == -ENOSYS) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .os_errno = -status,
                   .what =
                       "io_uring is refused, by the sysctl kernel.io_uring_disabled or by a container's "
                       "system call filter"};
    }
    if (status < 0) return Error{.kind = ErrorKind::kOs, .os_errno = -status, .what = "create an io_uring"};
    is_open_ = true;
    return {};
  }

  // Sleeps until `fd` is readable. False when it came back for another reason: a signal that cannot be
  // blocked, no memory for the request. Call it again then; a request that is under way stays so.
  bool wait_for(int fd) {
    if (!has_request_) {
      io_uring_sqe* const request = ::io_uring_get_sqe(&ring_);
      SG_CHECK(request != nullptr);
      ::io_uring_prep_poll_add(request, fd, POLLIN);
      has_request_ = true;
    }
    ::io_uring_submit_and_wait(&ring_, 1);
    io_uring_cqe* completion = nullptr;
    if (::io_uring_peek_cqe(&ring_, &completion) != 0) return false;
    const bool is_ready = completion->res > 0;
    ::io_uring_cqe_seen(&ring_, completion);
    has_request_ = false;
    return is_ready;
  }

 private:
  io_uring ring_ = {};
  bool is_open_ = false;
  bool has_request_ = false;
};

struct Watch {
  Watcher* watcher;
  int fd;
};

// The thread and what it waits for. Everything but the ring is guarded by g_mutex.
class SupervisorThread {
 public:
  static Result<std::unique_ptr<SupervisorThread>> start();
  void stop();
  Status add(uint64_t id, uint32_t events, const Watch& watch);
  void remove(uint64_t id);

 private:
  static void* run(void* self);
  void dispatch();
  Status create();
  void call(uint64_t id);

  UniqueFd epoll_;
  UniqueFd stop_event_;
  Ring ring_;
  pthread_t thread_ = {};
  std::unordered_map<uint64_t, Watch> watches_;
};

// Held for an edit of the epoll set, never for a call.
constinit std::mutex g_mutex;
constinit SupervisorThread* g_thread =
    nullptr;                       // never freed by a static destructor: others may need it still
constinit bool g_is_over = false;  // the process exits
constinit uint32_t g_forks = 0;    // between the first process and this one
// Never used twice, so an event of a watch that is forgotten finds none, even if its descriptor lives on as
// another one. A forked child goes on counting: its parent's watchers are unknown to it.
constinit uint64_t g_last_id = kStopId;
constinit Watcher* g_called = nullptr;             // whose on_ready() is running
constinit std::atomic<uint32_t> g_call_count = 0;  // calls that have ended; futex of those who wait for one

constinit thread_local bool t_is_supervisor = false;

// A forked child has the descriptors and the memory, but not the thread. It must not edit the epoll set,
// which is its parent's as well.
void abandon_in_child() {
  delete g_thread;
  g_thread = nullptr;
  g_called = nullptr;
  g_is_over = false;
  ++g_forks;
  t_is_supervisor = false;
  g_mutex.unlock();
}

// Threads that outlive main() may still watch and forget, so the lock is not held while the thread ends.
void stop_at_exit() {
  {
    const std::lock_guard lock(g_mutex);
    g_is_over = true;
    // A watcher that calls exit() cannot wait for itself: the thread ends with the process.
    if (g_thread == nullptr || t_is_supervisor) return;
  }
  g_thread->stop();
  const std::lock_guard lock(g_mutex);
  delete g_thread;
  g_thread = nullptr;
}

// Once for a process and all its descendants, which inherit both.
void register_handlers() {
  static const bool done = [] {
    SG_CHECK(::pthread_atfork([] { g_mutex.lock(); }, [] { g_mutex.unlock(); }, abandon_in_child) == 0);
    SG_CHECK(std::atexit(stop_at_exit) == 0);
    return true;
  }();
  (void)done;
}

Status SupervisorThread::create() {
  epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return Error::os("create the supervisor's epoll set");
  stop_event_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_event_) return Error::os("create the supervisor's stop event");
  SG_TRY(ring_.open());
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = kStopId}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_event_.get(), &event) != 0) {
    return Error::os("watch the supervisor's stop event");
  }
  return {};
}

Result<std::unique_ptr<SupervisorThread>> SupervisorThread::start() {
  auto thread = std::make_unique<SupervisorThread>();
  SG_TRY(thread->create());
  sigset_t all_signals;
  ::sigfillset(&all_signals);
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  int status = ::pthread_attr_setsigmask_np(&attributes, &all_signals);
  if (status == 0) status = ::pthread_create(&thread->thread_, &attributes, run, thread.get());
  ::pthread_attr_destroy(&attributes);
  if (status != 0) {
    return Error{.kind = ErrorKind::kOs, .os_errno = status, .what = "start the supervisor's thread"};
  }
  ::pthread_setname_np(thread->thread_, "sandglass-watch");
  return thread;
}

void SupervisorThread::stop() {
  SG_CHECK(::eventfd_write(stop_event_.get(), 1) == 0);
  SG_CHECK(::pthread_join(thread_, nullptr) == 0);
}

Status SupervisorThread::add(uint64_t id, uint32_t events, const Watch& watch) {
  epoll_event event = {.events = events, .data = {.u64 = id}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, watch.fd, &event) != 0) {
    if (errno == ENOSPC) {
      return Error{.kind = ErrorKind::kExhausted,
                   .os_errno = ENOSPC,
                   .what = "the sysctl fs.epoll.max_user_watches allows no further worker"};
    }
    return Error::os("watch a descriptor");
  }
  watches_.emplace(id, watch);
  return {};
}

void SupervisorThread::remove(uint64_t id) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  // Fails only if the descriptor was closed before, against the rule, and then left the set by itself.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.fd, nullptr);
  watches_.erase(found);
}

void SupervisorThread::call(uint64_t id) {
  std::unique_lock lock(g_mutex);
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  Watcher* const watcher = found->second.watcher;
  const uint32_t forks = g_forks;
  g_called = watcher;
  lock.unlock();
  watcher->on_ready();  // may destroy the watcher
  lock.lock();
  SG_CHECK(g_forks == forks);  // nothing of this thread's is left in a forked child
  g_called = nullptr;
  g_call_count.fetch_add(1);
  lock.unlock();
  g_call_count.notify_all();
}

void SupervisorThread::dispatch() {
  std::array<epoll_event, kEventsAtOnce> events;
  while (true) {
    const int timeout_ms = ring_.wait_for(epoll_.get()) ? 0 : kFallbackMs;
    const int count = ::epoll_wait(epoll_.get(), events.data(), kEventsAtOnce, timeout_ms);
    for (int i = 0; i < count; ++i) {
      const uint64_t id = events[i].data.u64;
      if (id == kStopId) return;
      call(id);
    }
  }
}

void* SupervisorThread::run(void* self) {
  t_is_supervisor = true;
  static_cast<SupervisorThread*>(self)->dispatch();
  return nullptr;
}

}  // namespace

Status Supervisor::add(int fd, uint32_t events, Watcher* watcher) {
  register_handlers();
  const std::lock_guard lock(g_mutex);
  if (g_is_over)
    return Error::make(ErrorKind::kInvalidArgument, "watch a descriptor while the process exits");
  if (watcher->watch_id_ != 0) {
    return Error::make(ErrorKind::kInvalidArgument, "the watcher watches another descriptor");
  }
  if (g_thread == nullptr) g_thread = SG_TRY(SupervisorThread::start()).release();
  const uint64_t id = ++g_last_id;
  SG_TRY(g_thread->add(id, events, {watcher, fd}));
  watcher->watch_id_ = id;
  return {};
}

Status Supervisor::watch(int fd, Watcher* watcher) { return add(fd, EPOLLIN | EPOLLONESHOT, watcher); }

Status Supervisor::watch_repeatedly(int fd, Watcher* watcher) { return add(fd, EPOLLIN | EPOLLET, watcher); }

void Supervisor::forget(Watcher* watcher) {
  std::unique_lock lock(g_mutex);
  if (watcher->watch_id_ != 0 && g_thread != nullptr) g_thread->remove(watcher->watch_id_);
  watcher->watch_id_ = 0;
  if (g_called != watcher || t_is_supervisor) return;
  const uint32_t calls = g_call_count.load();
  lock.unlock();
  g_call_count.wait(calls);
}

}  // namespace sandglass
