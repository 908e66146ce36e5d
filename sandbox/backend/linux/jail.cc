#include "sandbox/backend/linux/jail.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <set>
#include <span>

#include "sandbox/backend/linux/process_info.h"
#include "sandbox/backend/linux/seccomp_filter.h"
#include "sandbox/backend/linux/socket_messages.h"
#include "sandbox/backend/linux/zygote_image.h"
#include "sandbox/base/sanitizers.h"

namespace sandglass {
namespace {

// For a message over the control socket.
constexpr std::chrono::seconds kLaunchTimeout(10), kSpawnTimeout(5);

constexpr const char* kStepNames[] = {
#define JAIL_STEP(name, text, is_required) text,
#include "sandbox/abi/jail_steps.def"
#undef JAIL_STEP
};
static_assert(std::size(kStepNames) == kJailStepCount);

constexpr JailStep kHardeningSteps[] = {
#define HARDENING(name, text, against, needs) k_##name,
#include "sandbox/abi/hardenings.def"
#undef HARDENING
};

struct ExecArguments {
  int image;
  int control;
  std::span<const UniqueFd> cgroup_entrances;
  bool maps_ids;
  char user_map[32], group_map[32];
  // How far the child has come: the host shares its memory.
  const char* failed_step = nullptr;
  int failed_errno = 0;
};

SG_NO_SANITIZE long write_file(const char* path, const char* text) {
  const long fd = ::syscall(SYS_open, path, O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  const long written = ::syscall(SYS_write, fd, text, std::strlen(text));
  ::syscall(SYS_close, fd);
  return written;
}

// Runs in the memory of the host (vfork), so it makes system calls and nothing else.
SG_NO_SANITIZE int exec_zygote(void* raw) {
  auto* const arguments = static_cast<ExecArguments*>(raw);
  const auto failed = [arguments](const char* step) SG_NO_SANITIZE {
    arguments->failed_errno = errno;
    arguments->failed_step = step;
    ::syscall(SYS_exit_group, kExitSetup);
    return 0;
  };
  for (const UniqueFd& entrance : arguments->cgroup_entrances) {
    if (::syscall(SYS_write, entrance.get(), "0", 1) < 0) return failed("enter the jail's cgroup");
  }
  // Before exec(2), which takes the capabilities from a user who is not root in its namespace.
  if (arguments->maps_ids) {
    if (write_file("/proc/self/setgroups", "deny") < 0) return failed("give up changing groups");
    if (write_file("/proc/self/gid_map", arguments->group_map) < 0) return failed("map one group");
    if (write_file("/proc/self/uid_map", arguments->user_map) < 0) return failed("map one user");
  }
  if (::syscall(SYS_dup3, arguments->control, template_fd::kControl, 0) < 0)
    return failed("pass a socket on");
  static char name[] = "sandglass-zygote";
  char* const argv[] = {name, nullptr};
  ::syscall(SYS_execveat, arguments->image, "", argv, argv + 1, AT_EMPTY_PATH);
  return failed("execute the zygote");
}

// clone3(2), and in the child exec_zygote(arguments). The C library has no wrapper for it: behind the system
// call the child stands on another stack, where no compiled function can go on. Returns the process or
// -errno.
SG_NO_SANITIZE long clone_and_exec(const clone_args& how, ExecArguments* arguments) {
  long result = SYS_clone3;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "mov %[arguments], %%rdi\n\t"
      "call *%[function]\n\t"
      "ud2\n"
      "1:"
      : "+a"(result)
      : "D"(&how), "S"(sizeof how), [function] "r"(&exec_zygote), [arguments] "r"(arguments)
      : "rcx", "r11", "cc", "memory");
  return result;
}

// As vfork(2), so that nothing of the host is copied; into the group, if there is one to be born in. Returns
// the pidfd, or sets errno.
UniqueFd clone_zygote(uint64_t flags, int cgroup, ExecArguments* arguments) {
  alignas(16) char stack[16 << 10];
  // No handler of ours may run in the child, whose memory is ours.
  sigset_t all, previous;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &previous);
  int pidfd = -1;
  clone_args how = {};
  how.flags = flags | CLONE_VM | CLONE_VFORK | CLONE_PIDFD;
  how.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  how.stack = reinterpret_cast<uint64_t>(stack);
  how.stack_size = sizeof stack;
  if (cgroup >= 0) {
    how.flags |= CLONE_INTO_CGROUP;
    how.cgroup = static_cast<uint64_t>(cgroup);
  }
  const long process = clone_and_exec(how, arguments);
  ::pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  if (process < 0) errno = static_cast<int>(-process);
  return UniqueFd(process < 0 ? -1 : pidfd);
}

// Forked children. ------------------------------------------------------------------------------------------
//
// A template ends when the last descriptor of its control socket is closed, so a child that inherits one
// would keep the jail alive after the host's death. The number stays taken: the child has the Jail's memory
// too, which may close it.

constinit std::mutex g_controls_mutex;
constinit std::set<int>* g_controls = nullptr;  // never freed: jails may outlive the statics

void cover_controls_in_child() {
  for (const int control : *g_controls) {
    const Result<int> image = zygote_image_fd();  // open since the first jail was launched
    if (!image || ::dup3(*image, control, O_CLOEXEC) < 0) ::close(control);
  }
  g_controls->clear();
  g_controls_mutex.unlock();
}

void add_control(int fd) {
  static const bool is_registered = [] {
    g_controls = new std::set<int>;
    SG_CHECK(::pthread_atfork([] { g_controls_mutex.lock(); }, [] { g_controls_mutex.unlock(); },
                              cover_controls_in_child) == 0);
    return true;
  }();
  (void)is_registered;
  const std::lock_guard lock(g_controls_mutex);
  g_controls->insert(fd);
}

void remove_control(int fd) {
  const std::lock_guard lock(g_controls_mutex);
  if (g_controls != nullptr) g_controls->erase(fd);
}

// The same for every jail, so it is built once.
Result<const SeccompProgram*> shared_filter() {
  static const auto* const filter = new Result<SeccompProgram>(build_worker_filter());
  if (!*filter) return filter->error();
  return &**filter;
}

Status reap(const UniqueFd& pidfd) {
  siginfo_t info = {};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | __WALL) != 0) {
    // Somebody who waits for any child may have been faster.
    if (errno == ECHILD) return {};
    if (errno != EINTR) return Error::os("wait for a process of the jail");
  }
  return {};
}

Error step_error(const LaunchReport& report) {
  const uint32_t step = std::min<uint32_t>(report.step, kJailStepCount - 1);
  return Error{.kind = ErrorKind::kOs,
               .os_errno = report.error,
               .what = kStepNames[step],
               .detail = "of the jail; `sandglass doctor` says what is missing"};
}

}  // namespace

Result<std::unique_ptr<Jail>> Jail::launch(const JailOptions& options) {
  std::unique_ptr<Jail> jail(new Jail);
  jail->options_ = options;
  if (options.cgroup != CgroupOptions()) jail->cgroup_ = SG_TRY(Cgroup::create(options.cgroup));
  const uint64_t begin_ns = monotonic_ns();
  const uint64_t begin_cycles = __builtin_ia32_rdtsc();
  SG_TRY(jail->start_zygote());
  SG_TRY(jail->wait_until_ready());
  SG_TRY(set_receive_timeout(jail->control_.get(), kSpawnTimeout));
  const uint64_t elapsed_ns = monotonic_ns() - begin_ns;
  jail->cycles_per_microsecond_ = 1000.0 * static_cast<double>(__builtin_ia32_rdtsc() - begin_cycles) /
                                  static_cast<double>(std::max<uint64_t>(elapsed_ns, 1));
  if (jail->listener_) SG_TRY(Supervisor::watch_repeatedly(jail->listener_.get(), jail.get()));
  return jail;
}

Status Jail::start_zygote() {
  const int image = SG_TRY(zygote_image_fd());
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return Error::os("make a control socket");
  control_ = UniqueFd(ends[0]);
  add_control(control_.get());
  SG_TRY(set_receive_timeout(control_.get(), kLaunchTimeout));
  const UniqueFd theirs(::fcntl(ends[1], F_DUPFD_CLOEXEC, 3));
  ::close(ends[1]);
  if (!theirs) return Error::os("make a control socket");

  const bool is_root = ::geteuid() == 0;
  ExecArguments arguments = {
      .image = image, .control = theirs.get(), .cgroup_entrances = cgroup_.entrances(), .maps_ids = !is_root};
  std::snprintf(arguments.user_map, sizeof arguments.user_map, "0 %u 1", ::geteuid());
  std::snprintf(arguments.group_map, sizeof arguments.group_map, "0 %u 1", ::getegid());
  SG_TRY(send_request(is_root));  // before there is somebody who would have to wait for it
  // The first process of a pid namespace from the start, so that no further fork has to make one. A root that
  // is not allowed to, as in a container, is when it has a user namespace: then the zygote forks.
  const uint64_t user_namespace = is_root ? 0 : CLONE_NEWUSER;
  const int group = cgroup_.folder();
  template_pidfd_ = clone_zygote(CLONE_NEWPID | user_namespace, group, &arguments);
  if (!template_pidfd_ && is_root && errno == EPERM) zygote_pidfd_ = clone_zygote(0, group, &arguments);
  if (!template_pidfd_ && !zygote_pidfd_) {
    return Error::os(group >= 0 ? "start the zygote in the jail's cgroup"
                     : is_root  ? "start the zygote"
                                : "start the zygote in a user namespace");
  }
  if (arguments.failed_step != nullptr) {
    return Error{.kind = ErrorKind::kOs,
                 .os_errno = arguments.failed_errno,
                 .what = arguments.failed_step,
                 .detail = "of the jail; `sandglass doctor` says what is missing"};
  }
  return {};
}

Status Jail::send_request(bool is_root) {
  const bool with_seccomp = !options_.without_seccomp;
  LaunchRequest request = {};
  request.flags = (is_root ? kLaunchFromRoot : kLaunchOwnUserNamespace) |
                  (with_seccomp ? kLaunchWithSeccomp : uint32_t{0});
  request.hardenings = bits_of(options_.hardening);
  request.address_space_limit_bytes = options_.address_space_limit_bytes;
  if (with_seccomp) {
    const SeccompProgram& filter = *SG_TRY(shared_filter());
    SG_CHECK(filter.size() <= LaunchRequest::kMaxFilter);
    request.filter_length = static_cast<uint32_t>(filter.size());
    std::memcpy(request.filter, filter.data(), filter.size() * sizeof filter[0]);
  }
  return send_message(control_.get(), &request, sizeof request);
}

Status Jail::wait_until_ready() {
  for (bool is_ready = false; !is_ready;) {
    LaunchReport report;
    UniqueFd fd = SG_TRY(receive_message(control_.get(), &report, sizeof report));
    switch (report.kind) {
      case LaunchReport::kFailed: return step_error(report);
      case LaunchReport::kTemplate:
        if (zygote_pidfd_) template_pidfd_ = std::move(fd);
        break;
      case LaunchReport::kReady:
        listener_ = std::move(fd);
        report_ = report;
        is_ready = true;
        break;
    }
  }
  template_process_id_ = process_id_of(template_pidfd_.get());
  if (!zygote_pidfd_) return {};
  // It has ended, or is about to.
  SG_TRY(reap(zygote_pidfd_));
  zygote_pidfd_ = UniqueFd();
  return {};
}

Jail::~Jail() {
  remove_control(control_.get());
  control_ = UniqueFd();
  for (const UniqueFd* pidfd : {&template_pidfd_, &zygote_pidfd_}) {
    if (!*pidfd) continue;
    ::syscall(SYS_pidfd_send_signal, pidfd->get(), SIGKILL, nullptr, 0);
    (void)reap(*pidfd);
  }
  // After the deaths: closing the listener lets whoever waits for its answer go on.
  Supervisor::forget(this);
}

Result<std::unique_ptr<Worker>> Jail::spawn(bool with_userfaultfd) {
  Worker::Shell shell = SG_TRY(Worker::make_shell());
  UniqueFd pidfd = SG_TRY(fork_worker(shell, with_userfaultfd));
  std::unique_ptr<Worker> worker = SG_TRY(Worker::adopt(std::move(shell), std::move(pidfd), options_.wait));
  worker->has_filter = !options_.without_seccomp;
  const std::lock_guard lock(workers_mutex_);
  workers_[worker->process_id()] = worker.get();
  return worker;
}

Result<UniqueFd> Jail::fork_worker(Worker::Shell& shell, bool with_userfaultfd) {
  const SpawnRequest request = {.with_userfaultfd = with_userfaultfd ? 1u : 0u,
                                .without_second_filter = options_.without_seccomp ? 1u : 0u};
  const int fds[] = {shell.workers_images.get(), shell.host_file.get(), shell.memory_file.get()};
  SpawnReply reply = {};
  const std::lock_guard lock(spawn_mutex_);
  // Another thread may have waited for this lock while the template stopped answering.
  if (is_broken_)
    return Error::make(ErrorKind::kWorkerDied, "the template of the jail has stopped answering");
  // The worker is born on the template's core.
  shell.core = move_to_this_core(template_process_id_);
  SG_TRY(send_message(control_.get(), &request, sizeof request, fds));
  Result<UniqueFd> pidfd = receive_message(control_.get(), &reply, sizeof reply);
  if (!pidfd || (reply.error == 0 && !*pidfd)) is_broken_ = true;
  if (!pidfd || *pidfd) return pidfd;
  return Error{.kind = ErrorKind::kOs, .os_errno = reply.error, .what = "fork a worker"};
}

bool Jail::can_spawn() const {
  if (is_broken_) return false;
  // The template's end of the socket closes early in its death, before its workers are killed.
  pollfd poll = {.fd = control_.get(), .events = 0, .revents = 0};
  return ::poll(&poll, 1, 0) == 0;
}

void Jail::forget(const Worker& worker) {
  const std::lock_guard lock(workers_mutex_);
  // A dead worker's number may be another one's by now.
  const auto found = workers_.find(worker.process_id());
  if (found != workers_.end() && found->second == &worker) workers_.erase(found);
}

void Jail::on_ready() {
  for (;;) {
    const Result<std::optional<Violation>> violation = receive_violation(listener_.get());
    if (!violation || !*violation) return;
    const std::lock_guard lock(workers_mutex_);
    const auto found = workers_.find((*violation)->pid);
    if (found == workers_.end()) continue;
    found->second->set_violation(**violation);
    found->second->kill();
  }
}

std::array<Jail::StepTime, kJailStepCount> Jail::step_times() const {
  std::array<StepTime, kJailStepCount> times;
  for (size_t i = 0; i < kJailStepCount; ++i) {
    times[i] = {.what = kStepNames[i],
                .microseconds = static_cast<double>(report_.cycles[i]) / cycles_per_microsecond_,
                .is_left_out = (report_.left_out >> i & 1) != 0,
                .is_asked_for = true};
  }
  for (size_t row = 0; row < kHardeningCount; ++row) {
    times[kHardeningSteps[row]].is_asked_for = (bits_of(options_.hardening) >> row & 1) != 0;
  }
  return times;
}

}  // namespace sandglass
