// Supervisor: one thread per process that waits for many descriptors at once and calls back.
//
//   any thread ── watch(), forget() ──► epoll set ◄── one poll ── io_uring ◄── waits ── supervisor's thread
//                                                                                              │
//                                                                      Watcher::on_ready() ◄───┘
//
// Why two of the kernel's interfaces. A request of io_uring belongs to the thread that submits it: the kernel
// completes it by interrupting that thread, so a host thread that had submitted a poll itself would see its
// own epoll_wait() fail with EINTR when the worker dies, and handing the request to the supervisor's thread
// instead would mean waking it for every worker. Putting a descriptor into an epoll set concerns nobody else.
// So callers edit the set, and the ring, which only the supervisor's thread uses, has one poll under way:
// that of the set. Its queues can neither fill up nor overflow, however many descriptors are watched.
//
// The thread starts with the first watch and ends when the process exits. It blocks every signal. A forked
// child has none of its parent's watches and gets a thread of its own with its first watch.
#pragma once

#include <cstdint>

#include "sandbox/base/check.h"
#include "sandbox/base/result.h"

namespace sandglass {

// Something that wants to know. It must be forgotten before it is destroyed.
class Watcher {
 public:
  Watcher() = default;
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Runs on the supervisor's thread, where every other watcher waits for it: store, wake, return. It may
  // watch and forget anything, and may destroy its own watcher once that is forgotten. It may
  // fork; the child must not return from here.
  virtual void on_ready() = 0;

 protected:
  ~Watcher() { SG_CHECK(watch_id_ == 0); }

 private:
  friend class Supervisor;
  uint64_t watch_id_ = 0;  // 0: not watched; written under the supervisor's lock
};

// Any thread may call these. A watch() and its forget() take about a microsecond together and wake nobody.
class Supervisor {
 public:
  // Calls the watcher once, when `fd` is readable: for a pidfd, when the process has died, be it long ago.
  // The descriptor stays the caller's: forget first, close then. A watcher watches one descriptor at a time.
  // Fails with kUnsupported where io_uring is refused, with kExhausted at the user's limit of watches.
  static Status watch(int fd, Watcher* watcher);
  // Calls the watcher each time that something arrives at `fd`, and when its other end is gone. It is not
  // called again for what it leaves unread, so it reads until there is nothing: for a seccomp listener,
  // receive_violation() until it finds none.
  static Status watch_repeatedly(int fd, Watcher* watcher);
  // After this the watcher is not called any more. A call that is under way is waited for, unless this is
  // that call: so hold no lock here that on_ready() takes. Does nothing for a watcher that is not watched.
  static void forget(Watcher* watcher);

 private:
  static Status add(int fd, uint32_t events, Watcher* watcher);
};

}  // namespace sandglass
