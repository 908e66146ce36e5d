// Jail: one set of namespaces with a template process in it that forks workers.
//
// Launching one takes a few hundred microseconds, most of it for the network namespace; forking a worker in
// it a few dozen. All workers of a jail end with it: the template is the first process of their pid
// namespace, and it ends when the host drops the Jail or is no more. Threads may share a Jail; a forked child
// must leave its parent's alone, and does not keep it alive.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "sandbox/abi/launch.h"
#include "sandbox/backend/linux/cgroup.h"
#include "sandbox/backend/linux/hardening.h"
#include "sandbox/backend/linux/worker.h"

namespace sandglass {

struct JailOptions {
  WaitPolicy wait;
  // A jail that this machine cannot harden so is refused.
  Hardening hardening;
  // A group of its own for each jail, in which all of its processes are; the default: none.
  CgroupOptions cgroup;
  // Address space of a worker: 4 GiB of guest memory, up to 2 GiB of machine code, and some tables.
  uint64_t address_space_limit_bytes = uint64_t{8} << 30;
  // For tests of the layers behind it. Never use it with guests you do not trust.
  bool without_seccomp = false;
};

class Jail final : private Watcher {
 public:
  static Result<std::unique_ptr<Jail>> launch(const JailOptions& options);
  ~Jail();

  // A worker that has nothing loaded. `with_userfaultfd`: for modules that use its faults.
  Result<std::unique_ptr<Worker>> spawn(bool with_userfaultfd);
  // To be called when a worker of this jail is dropped.
  void forget(const Worker& worker);
  // Whether the template lives and has answered so far. When it has not, an answer that comes late would be
  // taken for that of the next request, and a worker whose pidfd was lost can only end with its jail.
  bool can_spawn() const;

  // How long each step of the launch took.
  struct StepTime {
    std::string_view what;
    double microseconds;  // 0 from the moment on that Hardening::forbid_timestamp holds
    bool is_left_out;     // this kernel cannot do it
    bool is_asked_for;    // false: a hardening that the options do not want
  };
  std::array<StepTime, kJailStepCount> step_times() const;
  const Cgroup& cgroup() const { return cgroup_; }

 private:
  Jail() = default;
  Status start_zygote();
  Status send_request(bool is_root);
  Status wait_until_ready();
  Result<UniqueFd> fork_worker(Worker::Shell& shell, bool with_userfaultfd);
  void on_ready() override;  // the listener has a notification

  JailOptions options_;
  Cgroup cgroup_;
  UniqueFd control_, template_pidfd_, listener_;
  UniqueFd zygote_pidfd_;  // while it is not the template itself
  pid_t template_process_id_ = 0;
  LaunchReport report_{};
  double cycles_per_microsecond_ = 0;
  std::mutex spawn_mutex_;
  std::atomic<bool> is_broken_{false};
  std::mutex workers_mutex_;
  std::unordered_map<pid_t, Worker*> workers_;
};

}  // namespace sandglass
