// Worker: one jailed process, as the host holds it.
//
// The host owns the process (through its pidfd: dropping a Worker kills it), the pages it shares with it and
// the file of its guest's memory, mapped whole. It gives one command at a time and waits for the answer; the
// protocol is in sandbox/abi/protocol.h. Everything that the worker writes is a claim: read once, checked,
// survived.
//
// A worker belongs to one thread at a time, except for request_stop() and what the supervisor calls.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "sandbox/abi/protocol.h"
#include "sandbox/backend/linux/guest_file.h"
#include "sandbox/backend/linux/supervisor.h"
#include "sandbox/backend/linux/turns.h"
#include "sandbox/backend/linux/violation.h"
#include "sandbox/backend/linux/worker_map.h"
#include "sandbox/backend/linux/worker_tables.h"
#include "sandbox/backend/linux/written_pages.h"
#include "sandbox/base/mapping.h"
#include "sandbox/base/result.h"

namespace sandglass {

// What a worker's userfaultfd is for, all its life.
enum class FaultUse : uint8_t { kNone, kDynamicPaging, kWriteTracking };

class Worker final : public Watcher {
 public:
  // What a new worker process needs, made before there is one.
  struct Shell {
    UniqueFd images, workers_images;  // both ends of the socket on which images are sent
    UniqueFd host_file, memory_file;
    Mapping host_file_mapping, memory;
    int core = -1;  // that the process is born on
  };
  static Result<Shell> make_shell();

  // Takes over a process that has just been forked with the shell's descriptors, and waits until it is ready.
  static Result<std::unique_ptr<Worker>> adopt(Shell shell, UniqueFd pidfd, const WaitPolicy& policy);
  ~Worker();

  // Guest memory in the host, 4 GiB.
  uint8_t* memory() const { return memory_.data(); }
  const UniqueFd& memory_file() const { return memory_file_; }
  // What the worker writes, and may write at any time.
  WorkerPage& shared() const { return *reinterpret_cast<WorkerPage*>(memory() + worker_space::kGuestBytes); }
  // See host_file in protocol.h; its first page is host().
  uint8_t* host_file() const { return host_file_.data(); }
  HostPage& host() const { return *reinterpret_cast<HostPage*>(host_file_.data()); }
  int pidfd() const { return pidfd_.get(); }
  // As the host sees it; 0 when the kernel cannot tell.
  pid_t process_id() const { return process_id_; }

  // Gives a command. Then wait() for the answer.
  void post(WorkerCommand command) { turns_.post(command); }
  Turns::Answer wait(uint64_t deadline_ns, const uint32_t* poke = nullptr) {
    return turns_.wait(deadline_ns, poke);
  }
  const TurnStatistics& turn_statistics() const { return turns_.statistics(); }
  // The same until the worker has answered: everything else is an error, and the end of the worker.
  Status finish_command();

  // Changes the worker's address space, at most HostPage::kMaxChanges at a time; with an image if `image_fd`
  // is not negative.
  Status change(std::span<const MemoryChange> changes, int image_fd = -1);
  // The same in two halves: the host can do other things while the worker is at it.
  Status begin_change(std::span<const MemoryChange> changes, int image_fd = -1);
  Status finish_change();

  // Fetches the descriptor that the worker has opened, for a use that is not kNone, if that has not been
  // done.
  Status open_userfaultfd(FaultUse use);
  int userfaultfd() const { return userfaultfd_.get(); }
  FaultUse faults() const { return faults_; }

  // A file of /proc/<pid>, which belongs to the process and not to its number.
  Result<UniqueFd> open_process_file(const char* name, int flags) const;

  // Asks the running guest to stop: sets the flag, sends the signal, and makes wait() look at `poke`. Any
  // thread.
  void request_stop();
  void clear_stop_request();

  // Ends the process. Its pidfd and its pages stay.
  void kill();
  // Whether the supervisor has seen its end.
  bool has_died() const { return has_died_.load(); }
  // Why the worker is of no use any more.
  Error death() const;
  // The kernel has refused a call that concerns the worker. When its death is the reason, it says that.
  Error reason_of(const Error& refusal) const;
  void set_violation(const Violation& violation);
  std::optional<Violation> violation() const;

  // The supervisor has seen the end of the process.
  void on_ready() override;

  // For whoever keeps workers: what is loaded, 0 for nothing; see LinuxSandbox.
  uint64_t image_id = 0;
  // What LinuxSandbox keeps with it: what is mapped, the pages of guest memory, those of them that are
  // tracked, and the worker's memory as a file.
  WorkerMap map;
  WorkerTables tables;
  KnownPages known_pages;
  // Whether the filter of system calls is in force: without it, a worker could take pages of the file away.
  bool has_filter = true;
  std::unique_ptr<WrittenPages> written_pages;
  UniqueFd memory_access;

 private:
  Worker() = default;

  UniqueFd pidfd_, images_, memory_file_, userfaultfd_;
  Mapping host_file_, memory_;
  Turns turns_;
  pid_t process_id_ = 0;
  std::chrono::nanoseconds command_timeout_{0};
  FaultUse faults_ = FaultUse::kNone;
  // Set by the supervisor: the word alone may have been written by the worker.
  std::atomic<bool> has_died_ = false;
  mutable std::mutex violation_mutex_;
  std::optional<Violation> violation_;
};

}  // namespace sandglass
