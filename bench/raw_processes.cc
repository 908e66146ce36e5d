#include <fcntl.h>
#include <linux/sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "bench/raw_spawn.h"
#include "bench/text_file.h"
#include "sandbox/base/units.h"

namespace sandglass::bench {
namespace {

const char* const kExitArguments[] = {"tiny", "exit", nullptr};
const char* const kNoEnvironment[] = {nullptr};

int exit_in_child(void*) { return kChildDidIt; }

// From `start` to now, once the child is reaped.
Result<Nanoseconds> finish(Clock::time_point start, Child child) {
  if (!child.reap_and_check()) return wrong_child();
  return Clock::now() - start;
}

Result<Nanoseconds> fork_this_process(const SpawnTools&, uint64_t) {
  const auto start = Clock::now();
  const pid_t pid = ::fork();
  if (pid == 0) _exit(kChildDidIt);
  if (pid < 0) return Error::os("fork");
  return finish(start, Child::adopt(pid));
}

Result<Nanoseconds> fork_small_process(const SpawnTools& tools, uint64_t) {
  const ForkAnswer answer = SG_TRY(tools.server->request('r'));
  if (!WIFEXITED(answer.status) || WEXITSTATUS(answer.status) != kChildDidIt) return wrong_child();
  return Nanoseconds(answer.spent_ns);
}

// vfork(2) returns twice into one frame, so that frame must be nobody else's, and small.
[[gnu::noinline]] pid_t vfork_and_execute(const char* path) {
  const pid_t pid = ::vfork();
  if (pid != 0) return pid;
  execve(path, const_cast<char* const*>(kExitArguments), const_cast<char* const*>(kNoEnvironment));
  _exit(127);
}

Result<Nanoseconds> vfork_exec(const SpawnTools& tools, uint64_t) {
  const auto start = Clock::now();
  const pid_t pid = vfork_and_execute(tools.program.path().c_str());
  if (pid < 0) return Error::os("vfork");
  return finish(start, Child::adopt(pid));
}

Result<Nanoseconds> spawn_by_posix(const SpawnTools& tools, uint64_t) {
  const auto start = Clock::now();
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, tools.program.path().c_str(), nullptr, nullptr,
                  const_cast<char* const*>(kExitArguments), const_cast<char* const*>(kNoEnvironment));
  if (error != 0) return os_or_unsupported("posix_spawn", error);
  return finish(start, Child::adopt(pid));
}

Result<Nanoseconds> clone_execveat(const SpawnTools& tools, uint64_t) {
  const auto start = Clock::now();
  return finish(start, SG_TRY(tools.program.start("exit")));
}

Result<Nanoseconds> clone_with(const SpawnTools& tools, uint64_t flags) {
  const auto start = Clock::now();
  return finish(start, SG_TRY(Child::start(kSharedMemory | flags, exit_in_child, nullptr, tools.stack)));
}

constexpr RawSpawnCase kCases[] = {
    {"fork/this_process", fork_this_process, 0},
    {"fork/small_process", fork_small_process, 0},
    {"exec/vfork", vfork_exec, 0},
    {"exec/posix_spawn", spawn_by_posix, 0},
    {"exec/clone_execveat", clone_execveat, 0},
    {"namespaces/none", clone_with, 0},
    {"namespaces/user", clone_with, CLONE_NEWUSER},
    {"namespaces/user_pid", clone_with, CLONE_NEWUSER | CLONE_NEWPID},
    {"namespaces/user_mnt", clone_with, CLONE_NEWUSER | CLONE_NEWNS},
    {"namespaces/user_ipc", clone_with, CLONE_NEWUSER | CLONE_NEWIPC},
    {"namespaces/user_uts", clone_with, CLONE_NEWUSER | CLONE_NEWUTS},
    {"namespaces/user_cgroup", clone_with, CLONE_NEWUSER | CLONE_NEWCGROUP},
    {"namespaces/user_net", clone_with, CLONE_NEWUSER | CLONE_NEWNET},
    {"namespaces/all_but_net", clone_with, kAllNamespaces & ~uint64_t{CLONE_NEWNET}},
    {"namespaces/all", clone_with, kAllNamespaces},
};

}  // namespace

std::span<const RawSpawnCase> raw_process_cases() { return kCases; }

Error wrong_child() {
  return Error::make(ErrorKind::kProtocolViolation, "the child did not do what it was started for");
}

Result<std::unique_ptr<RawSpawn>> RawSpawn::create(const RawSpawnCase& raw) {
  TinyProgram program = SG_TRY(TinyProgram::create());
  auto server = SG_TRY(ForkServer::create());
  Mapping stack = SG_TRY(Mapping::anonymous(KiB(64)));
  std::unique_ptr<RawSpawn> spawn(
      new RawSpawn(raw, {std::move(program), std::move(server), std::move(stack)}));
  SG_TRY(raw.once(spawn->tools_, raw.parameter));  // may it?
  return spawn;
}

bool RawSpawn::run(Nanoseconds& spent) {
  const Result<Nanoseconds> took = raw_.once(tools_, raw_.parameter);
  if (!took) return false;
  spent = *took;
  return true;
}

void RawSpawn::report(benchmark::State& state) const {
  const std::string pages = read_text_file("/proc/self/statm");  // total, resident, ... in pages
  const size_t resident = pages.find(' ');
  if (resident == std::string::npos) return;
  state.counters["resident_KiB"] =
      std::strtod(pages.c_str() + resident, nullptr) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024;
}

}  // namespace sandglass::bench
