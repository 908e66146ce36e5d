// What the tests of the pool share: guests that leave traces, and a look at processes and descriptors.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "sandbox/backend/linux/linux_sandbox.h"
#include "sandbox/base/unique_fd.h"
#include "sandbox/pool/worker_pool.h"
#include "tests/backend/guest.h"

namespace sandglass {

inline constexpr const char* kLinuxGuest =
    "%rw_data_size = 4096\n%stack_size = 4096\npub @main:\n u64 [0x20000] = a0\n a0 = a0 + 1\n ret";

// Modules that differ in their text: the code of each adds its number once more.
inline std::shared_ptr<const Module> linux_module(std::string_view text = kLinuxGuest,
                                                  const ModuleOptions& options = {}) {
  ModuleOptions here = options;
  here.backend = Backend::kLinux;
  return module_for(text, here);
}

inline std::shared_ptr<WorkerPool> pool_with(const WorkerPoolOptions& options) {
  Result<std::shared_ptr<WorkerPool>> pool = WorkerPool::create(options);
  EXPECT_TRUE(pool) << to_string(pool.error());
  return *pool;
}

inline Result<std::unique_ptr<Sandbox>> try_sandbox(const std::shared_ptr<WorkerPool>& pool,
                                                    const std::shared_ptr<const Module>& module,
                                                    const std::string& tenant = {}) {
  return Sandbox::create(module, {.workers = pool, .tenant = tenant});
}

inline std::unique_ptr<Sandbox> sandbox_of(const std::shared_ptr<WorkerPool>& pool,
                                           const std::shared_ptr<const Module>& module,
                                           const std::string& tenant = {}) {
  Result<std::unique_ptr<Sandbox>> sandbox = try_sandbox(pool, module, tenant);
  EXPECT_TRUE(sandbox) << to_string(sandbox.error());
  return std::move(sandbox).value();
}

inline const Worker& worker_of(const Sandbox& sandbox) {
  return static_cast<const LinuxSandbox&>(sandbox).worker();
}
inline pid_t process_of(const Sandbox& sandbox) { return worker_of(sandbox).process_id(); }

// kLinuxGuest, or a module with the same interface.
inline Result<uint64_t> run_main(Sandbox& sandbox, uint64_t argument) {
  SG_TRY(sandbox.prepare_call("main", {argument}));
  const Interrupt stop = SG_TRY(sandbox.run());
  EXPECT_EQ(stop.kind, InterruptKind::kFinished);
  return sandbox.reg(Reg::a0);
}

// One guest of this module from beginning to end; tells the process that it ran in.
inline pid_t use_once(const std::shared_ptr<WorkerPool>& pool, const std::shared_ptr<const Module>& module,
                      const std::string& tenant = {}) {
  const auto sandbox = sandbox_of(pool, module, tenant);
  const Result<uint64_t> sum = run_main(*sandbox, 41);
  EXPECT_TRUE(sum && *sum == 42) << (sum ? std::to_string(*sum) : to_string(sum.error()));
  return process_of(*sandbox);
}

// Processes. ------------------------------------------------------------------------------------------------

inline UniqueFd pidfd_of(pid_t process) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
}

// Whether the process behind the pidfd ends within the time.
inline bool has_ended(int pidfd, int timeout_ms = 10'000) {
  pollfd poll = {.fd = pidfd, .events = POLLIN, .revents = 0};
  return ::poll(&poll, 1, timeout_ms) == 1;
}

// Kills a worker of a test and waits for its end.
inline void kill_and_wait(int pidfd) {
  ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
  EXPECT_TRUE(has_ended(pidfd));
}

// For what the kernel does by and by.
inline bool becomes_true(const std::function<bool()>& condition, int timeout_ms = 5'000) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// Stops it and waits until it has.
inline bool stop_process(pid_t process) {
  ::kill(process, SIGSTOP);
  return becomes_true([process] {
    std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
    std::string text;
    std::getline(stat, text);
    return text.find(") T ") != std::string::npos;
  });
}

// Its parent, 0 if there is no such process. A zombie is a process.
inline pid_t parent_of(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("PPid:", 0) == 0) return static_cast<pid_t>(std::stol(line.substr(5)));
  }
  return 0;
}

// Everything below a process, itself not included.
inline std::set<pid_t> descendants_of(pid_t ancestor) {
  std::vector<std::pair<pid_t, pid_t>> parents;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto process = static_cast<pid_t>(std::stol(name));
    parents.emplace_back(process, parent_of(process));
  }
  std::set<pid_t> found;
  for (size_t before = 1; before != found.size();) {
    before = found.size();
    for (const auto& [process, parent] : parents) {
      if (parent == ancestor || found.count(parent) != 0) found.insert(process);
    }
    if (before == 0 && found.empty()) break;
  }
  return found;
}

inline size_t open_descriptors() {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    (void)entry;
    ++count;
  }
  return count;
}

// Name, state, parents and so on of each.
inline std::string describe(const std::set<pid_t>& processes) {
  std::string all;
  for (const pid_t process : processes) {
    std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
    std::string text;
    std::getline(stat, text);
    all += text + "\n";
  }
  return all;
}

// Checks at the end of its scope that no descriptor and no process is left that was not there before.
class LeakCheck {
 public:
  LeakCheck() {
    // The supervisor and the zygote's image stay for as long as the process.
    use_once(pool_with({}), linux_module());
    EXPECT_TRUE(becomes_true([] { return descendants_of(::getpid()).empty(); }));
    descriptors_ = open_descriptors();
  }
  LeakCheck(const LeakCheck&) = delete;
  ~LeakCheck() {
    EXPECT_TRUE(becomes_true([] { return descendants_of(::getpid()).empty(); }))
        << describe(descendants_of(::getpid()));
    EXPECT_EQ(open_descriptors(), descriptors_);
  }

 private:
  size_t descriptors_ = 0;
};

}  // namespace sandglass
