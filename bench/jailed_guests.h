// JailedGuests: sandboxes of the Linux backend for benchmarks that decide where host and worker run and how
// they wait for each other. Their workers come from a pool of their own.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "bench/affinity.h"
#include "bench/cpu_hogs.h"
#include "sandbox/backend/linux/worker.h"
#include "sandbox/backend/sandbox.h"
#include "sandbox/pool/worker_pool.h"

namespace sandglass::bench {

struct Seating {
  enum class Cores : uint8_t {
    kAny,   // nobody is pinned
    kSame,  // both on one core
    kTwo,   // each on its own
  };
  std::string_view name;
  Cores cores;
  WaitPolicy::Mode mode;
};

// As the library does it when nobody says anything.
inline constexpr Seating kAnywhere = {"anywhere", Seating::Cores::kAny, WaitPolicy::Mode::kAdaptive};
inline constexpr Seating kCrossCore = {"cross_core", Seating::Cores::kTwo, WaitPolicy::Mode::kSpin};
inline constexpr Seating kSameCore = {"same_core", Seating::Cores::kSame, WaitPolicy::Mode::kSameCore};
inline constexpr Seating kSeatings[] = {kAnywhere, kCrossCore, kSameCore};

// This thread is where the seating wants it, as long as this lives.
class Seats {
 public:
  static Result<Seats> take(const Seating& seating);
  Status seat(const Worker& worker) const;

 private:
  std::optional<Cores> cores_;  // nothing: anywhere
  std::optional<ScopedPin> pin_;
};

// While it lives, the thread that made it is pinned, unless the seating says otherwise. Its destructor, on
// the same thread, undoes that.
class JailedGuests {
 public:
  // kUnsupported where this machine lets nobody make a jail. With a max_idle of 0 every sandbox gets a new
  // worker. How they wait is the seating's.
  static Result<std::unique_ptr<JailedGuests>> create(const Seating& seating, WorkerPoolOptions pool_options,
                                                      size_t hogs = 0);

  // A sandbox whose worker sits where it should.
  Result<std::unique_ptr<Sandbox>> sandbox(std::shared_ptr<const Module> module) const;
  // For those who time how one is made: the worker sits where it did before, or anywhere if it is new.
  const SandboxOptions& options() const { return options_; }

 private:
  JailedGuests(CpuHogs hogs, SandboxOptions options, Seats seats)
      : hogs_(std::move(hogs)), options_(std::move(options)), seats_(std::move(seats)) {}

  CpuHogs hogs_;
  SandboxOptions options_;
  Seats seats_;
};

// A jail alone, for benchmarks without guests; the same holds.
class SeatedJail {
 public:
  static Result<std::unique_ptr<SeatedJail>> create(const Seating& seating, size_t hogs = 0,
                                                    JailOptions options = {});

  Jail& jail() { return *jail_; }
  // A worker that sits where it should.
  Result<std::unique_ptr<Worker>> worker();

 private:
  SeatedJail(CpuHogs hogs, std::unique_ptr<Jail> jail, Seats seats)
      : hogs_(std::move(hogs)), jail_(std::move(jail)), seats_(std::move(seats)) {}

  CpuHogs hogs_;
  std::unique_ptr<Jail> jail_;
  Seats seats_;
};

// Waits until the process has ended; false: it has not in that time.
bool is_gone(const Worker& worker, int patience_ms);

// Of a sandbox of the Linux backend.
const Worker& worker_of(const Sandbox& sandbox);

}  // namespace sandglass::bench
