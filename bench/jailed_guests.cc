#include "bench/jailed_guests.h"

#include <poll.h>

#include "bench/guests.h"
#include "sandbox/backend/linux/linux_sandbox.h"

namespace sandglass::bench {
namespace {

// Calls `launch`, which makes a jail. Before this thread is pinned: what is started here, the supervisor's
// thread as well, would inherit that.
template <typename Launch>
auto launch_unpinned(Launch launch) -> decltype(launch()) {
  auto launched = launch();
  if (!launched) return unsupported_if_refused(launched.error());
  return launched;
}

}  // namespace

Result<Seats> Seats::take(const Seating& seating) {
  Seats seats;
  switch (seating.cores) {
    case Seating::Cores::kAny: return seats;
    case Seating::Cores::kSame: seats.cores_ = same_core(); break;
    case Seating::Cores::kTwo: seats.cores_ = SG_TRY(two_cores()); break;
  }
  seats.pin_.emplace(SG_TRY(ScopedPin::to(seats.cores_->caller)));
  return seats;
}

Status Seats::seat(const Worker& worker) const {
  return cores_ ? pin_process(worker.process_id(), cores_->peer) : Status();
}

Result<std::unique_ptr<JailedGuests>> JailedGuests::create(const Seating& seating,
                                                           WorkerPoolOptions pool_options, size_t hogs) {
  CpuHogs running = SG_TRY(CpuHogs::start(hogs));  // they, too, would inherit where we are pinned
  pool_options.jail.wait.mode = seating.mode;
  std::shared_ptr<WorkerPool> pool =
      SG_TRY(launch_unpinned([&] { return WorkerPool::create(pool_options); }));
  Seats seats = SG_TRY(Seats::take(seating));
  return std::unique_ptr<JailedGuests>(new JailedGuests(
      std::move(running), {.gas = kPlentyOfGas, .workers = std::move(pool), .tenant = {}}, std::move(seats)));
}

Result<std::unique_ptr<Sandbox>> JailedGuests::sandbox(std::shared_ptr<const Module> module) const {
  // Where the jails are not everybody's, none has been made until now.
  Result<std::unique_ptr<Sandbox>> sandbox = Sandbox::create(std::move(module), options_);
  if (!sandbox) return unsupported_if_refused(sandbox.error());
  SG_TRY(seats_.seat(worker_of(**sandbox)));
  return sandbox;
}

Result<std::unique_ptr<SeatedJail>> SeatedJail::create(const Seating& seating, size_t hogs,
                                                       JailOptions options) {
  CpuHogs running = SG_TRY(CpuHogs::start(hogs));
  options.wait.mode = seating.mode;
  auto jail = SG_TRY(launch_unpinned([&] { return Jail::launch(options); }));
  Seats seats = SG_TRY(Seats::take(seating));
  return std::unique_ptr<SeatedJail>(new SeatedJail(std::move(running), std::move(jail), std::move(seats)));
}

Result<std::unique_ptr<Worker>> SeatedJail::worker() {
  std::unique_ptr<Worker> worker = SG_TRY(jail_->spawn(false));
  SG_TRY(seats_.seat(*worker));
  return worker;
}

bool is_gone(const Worker& worker, int patience_ms) {
  pollfd death = {.fd = worker.pidfd(), .events = POLLIN, .revents = 0};
  return ::poll(&death, 1, patience_ms) == 1;
}

const Worker& worker_of(const Sandbox& sandbox) { return static_cast<const LinuxSandbox&>(sandbox).worker(); }

}  // namespace sandglass::bench
