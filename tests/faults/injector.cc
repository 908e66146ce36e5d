#include "tests/faults/injector.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

namespace sandglass::faults {
namespace {

using std::chrono::microseconds;

constexpr uint32_t kTemplatePercent = 2, kStopPercent = 50, kKillStoppedPercent = 30;

// How long a process is stopped: mostly shorter than a turn, sometimes longer than the host waits for a guest
// that it has asked to stop (500 ms), never as long as it waits for an answer of the template (5 s).
struct StopLength {
  uint32_t percent;
  uint64_t longest_us;
};
constexpr StopLength kStopLengths[] = {{70, 300}, {20, 5'000}, {9, 50'000}, {1, 900'000}};

bool send(int pidfd, int signal) { return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0; }

}  // namespace

Injector::Injector(uint64_t seed, microseconds mean_pause, DeathClock& clock, FaultCounts& counts)
    : random_(seed), mean_pause_(mean_pause), clock_(clock), counts_(counts), thread_([this] { run(); }) {}

Injector::~Injector() {
  is_over_ = true;
  thread_.join();
}

void Injector::run() {
  while (!is_over_) {
    std::this_thread::sleep_for(microseconds(random_.below(2 * static_cast<uint64_t>(mean_pause_.count()))));
    inject();
  }
}

void Injector::inject() {
  const JailProcesses found = find_jail_processes();
  const bool takes_template = random_.chance(kTemplatePercent);
  const std::vector<pid_t>& candidates = takes_template ? found.templates : found.workers;
  if (candidates.empty()) return;
  const pid_t victim = candidates[random_.below(candidates.size())];
  const pid_t parent = parent_of(victim);
  const bool is_ours =
      parent != 0 && (takes_template ? parent == ::getpid() : parent_of(parent) == ::getpid());
  const UniqueFd pidfd = is_ours ? open_child_of(parent, victim) : UniqueFd();
  if (!pidfd) return;
  if (random_.chance(kStopPercent)) {
    if (takes_template) ++counts_.template_stops;
    stop_for_a_while(pidfd.get(), victim);
  } else {
    if (takes_template) ++counts_.template_kills;
    kill(pidfd.get(), victim);
  }
}

void Injector::kill(int pidfd, pid_t process) {
  clock_.aim(process);
  if (!send(pidfd, SIGKILL)) return;
  ++counts_.kills;
  constexpr int kLongestDeathMs = 10'000;
  pollfd death = {.fd = pidfd, .events = POLLIN, .revents = 0};
  if (::poll(&death, 1, kLongestDeathMs) > 0) clock_.report(process);
}

void Injector::stop_for_a_while(int pidfd, pid_t process) {
  if (!send(pidfd, SIGSTOP)) return;
  ++counts_.stops;
  std::this_thread::sleep_for(random_stop());
  if (random_.chance(kKillStoppedPercent)) {
    kill(pidfd, process);
  } else {
    send(pidfd, SIGCONT);
  }
}

microseconds Injector::random_stop() {
  uint64_t at = random_.below(100);
  for (const StopLength& length : kStopLengths) {
    if (at < length.percent) return microseconds(random_.below(length.longest_us));
    at -= length.percent;
  }
  return {};
}

}  // namespace sandglass::faults
