// Question: what does each optional layer of the jail cost, for starting, handing over and running?
// Unit:     time of one operation. The last part of a name is the layer that was asked for, alone; none is
// what
//           the others are to be compared with. What this machine cannot do is skipped.
// Timed:    engine: Jail::launch(). worker: Jail::spawn(). host_call_…: Sandbox::run() from one host call of
// the
//           guest to its next, both sides on one core, or each looking on its own. sort, touch_pages: the
//           workloads of these names, one with many loads and stores, one that touches fresh memory.
//           raw: the calls with which a process gets the layer, as it sees them itself; cgroup: entering one
//           of version 1.
// Not timed: ending workers and jails, removing cgroups.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <vector>

#include "bench/child.h"
#include "bench/families.h"
#include "bench/guests.h"
#include "bench/jailed_guests.h"
#include "sandbox/abi/hardening_calls.h"
#include "sandbox/base/units.h"
#include "workloads/workloads.h"

namespace sandglass::bench {
namespace {

struct Layer {
  std::string_view name;
  JailOptions options;
};

// In a group that bounds everything, and nothing of this.
const CgroupOptions kGroup = {
    .parent = ".", .memory_max_bytes = GiB(2), .pids_max = 1000, .cpu_max_percent = 100'000};

const std::vector<Layer>& layers() {
  static const std::vector<Layer> all = [] {
    std::vector<Layer> layers = {{"none", {}}};
    for (const HardeningInfo& row : kHardenings) layers.push_back({row.name, {.hardening = row.alone}});
    layers.push_back({"cgroup", {.cgroup = kGroup}});
    return layers;
  }();
  return all;
}

// Whoever asks for a layer that this machine has not gets no jail.
Error unsupported(Error error) {
  if (error.kind == ErrorKind::kOs) error.kind = ErrorKind::kUnsupported;
  return error;
}

// Starting. -------------------------------------------------------------------------------------------------

class HardenedLaunch {
 public:
  static constexpr bool kIsLatency = true;

  static Result<std::unique_ptr<HardenedLaunch>> create(const Layer& layer) {
    if (const auto jail = Jail::launch(layer.options); !jail) return unsupported(jail.error());
    return std::unique_ptr<HardenedLaunch>(new HardenedLaunch(layer));
  }
  bool run(Nanoseconds& spent) {
    const auto start = Clock::now();
    const Result<std::unique_ptr<Jail>> jail = Jail::launch(layer_.options);
    spent = Clock::now() - start;
    return jail && (*jail)->can_spawn();
  }

 private:
  explicit HardenedLaunch(const Layer& layer) : layer_(layer) {}
  const Layer& layer_;
};

class HardenedSpawn {
 public:
  static constexpr bool kIsLatency = true;

  static Result<std::unique_ptr<HardenedSpawn>> create(const Layer& layer) {
    auto jail = SeatedJail::create(kSameCore, 0, layer.options);
    if (!jail) return unsupported(jail.error());
    return std::unique_ptr<HardenedSpawn>(new HardenedSpawn(std::move(*jail)));
  }
  bool run(Nanoseconds& spent) {
    const auto start = Clock::now();
    const Result<std::unique_ptr<Worker>> worker = jail_->jail().spawn(false);
    spent = Clock::now() - start;
    if (!worker) return false;
    const bool is_right = (*worker)->change({}).has_value();
    jail_->jail().forget(**worker);
    return is_right;
  }

 private:
  explicit HardenedSpawn(std::unique_ptr<SeatedJail> jail) : jail_(std::move(jail)) {}
  std::unique_ptr<SeatedJail> jail_;
};

// Handing over. ---------------------------------------------------------------------------------------------

class HardenedCall {
 public:
  static constexpr bool kIsLatency = true;
  static constexpr uint32_t kNumber = 7;

  static Result<std::unique_ptr<HardenedCall>> create(const Layer& layer, const Seating& seating) {
    const auto program = SG_TRY(load("pub @main:\n s0 = s0 + 1\n ecalli 7\n jump @main"));
    const auto module =
        SG_TRY(Module::create(program, {.backend = Backend::kLinux, .gas = GasMetering::kNone}));
    auto guests = JailedGuests::create(seating, {.jail = layer.options});
    if (!guests) return unsupported(guests.error());
    auto sandbox = SG_TRY((*guests)->sandbox(module));
    SG_TRY(sandbox->prepare_call("main"));
    return std::unique_ptr<HardenedCall>(new HardenedCall(std::move(*guests), std::move(sandbox)));
  }
  bool run(Nanoseconds& spent) {
    ++calls_;
    const auto start = Clock::now();
    const Result<Interrupt> stop = sandbox_->run();
    spent = Clock::now() - start;
    return stop && stop->kind == InterruptKind::kHostCall && stop->host_call == kNumber;
  }
  bool is_consistent() const { return sandbox_->reg(Reg::s0) == calls_; }

 private:
  HardenedCall(std::unique_ptr<JailedGuests> guests, std::unique_ptr<Sandbox> sandbox)
      : guests_(std::move(guests)), sandbox_(std::move(sandbox)) {}
  std::unique_ptr<JailedGuests> guests_;
  std::unique_ptr<Sandbox> sandbox_;
  uint64_t calls_ = 0;
};

// Running. --------------------------------------------------------------------------------------------------

class HardenedRun {
 public:
  static Result<std::unique_ptr<HardenedRun>> create(const Layer& layer, std::string_view name) {
    const Workload* const workload = find_workload(name);
    if (workload == nullptr)
      return Error::make(ErrorKind::kInvalidArgument, "no such workload", Error::kNowhere, name);
    auto module = SG_TRY(
        Module::create(SG_TRY(load(*workload)), {.backend = Backend::kLinux, .gas = GasMetering::kNone}));
    // A worker that is used again has the pages of its last guest still.
    auto pool =
        WorkerPool::create({.jail = layer.options, .max_idle = workload->needs_fresh_memory ? 0u : 1u});
    if (!pool) return unsupported(pool.error());
    return std::unique_ptr<HardenedRun>(new HardenedRun(*workload, std::move(module), std::move(*pool)));
  }
  bool run(Nanoseconds& spent) {
    if (workload_.needs_fresh_memory) sandbox_.reset();
    if (sandbox_ == nullptr) {
      auto sandbox = Sandbox::create(module_, {.gas = kPlentyOfGas, .workers = pool_, .tenant = {}});
      if (!sandbox) return false;
      sandbox_ = std::move(*sandbox);
    }
    if (!prepare(*sandbox_, workload_, workload_.full)) return false;
    const auto start = Clock::now();
    const Result<Outcome> outcome = finish(*sandbox_, workload_);
    spent = Clock::now() - start;
    return outcome && *outcome == expected_outcome(workload_.full);
  }

 private:
  HardenedRun(const Workload& workload, std::shared_ptr<const Module> module,
              std::shared_ptr<WorkerPool> pool)
      : workload_(workload), module_(std::move(module)), pool_(std::move(pool)) {}
  const Workload& workload_;
  std::shared_ptr<const Module> module_;
  std::shared_ptr<WorkerPool> pool_;
  std::unique_ptr<Sandbox> sandbox_;
};

// The calls alone. ------------------------------------------------------------------------------------------

struct RawLayer {
  HardeningRow row = kHardeningCount;  // or the cgroup
  const Cgroup* group = nullptr;
  Nanoseconds spent{};
  int os_errno = 0;
};

long apply_in_child(const RawLayer& layer) {
  if (layer.group == nullptr) {
    return apply_hardening(layer.row, [](int operation, unsigned long a, unsigned long b) -> long {
      const int value = prctl(operation, a, b, 0, 0);
      return value < 0 ? -errno : value;
    });
  }
  for (const UniqueFd& entrance : layer.group->entrances()) {
    if (write(entrance.get(), "0", 1) != 1) return -errno;
  }
  return 0;
}

// The clock needs the time stamp counter, which may be gone then; a system call does not.
Nanoseconds now_in_child() {
  timespec now = {};
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return std::chrono::seconds(now.tv_sec) + Nanoseconds(now.tv_nsec);
}

int time_in_child(void* argument) {
  RawLayer& layer = *static_cast<RawLayer*>(argument);
  const Nanoseconds start = now_in_child();
  const long result = apply_in_child(layer);
  layer.spent = now_in_child() - start;
  layer.os_errno = result < 0 ? static_cast<int>(-result) : 0;
  return kChildDidIt;
}

class RawHardening {
 public:
  static constexpr bool kIsLatency = true;

  static Result<std::unique_ptr<RawHardening>> create(HardeningRow row) {
    std::unique_ptr<RawHardening> raw(new RawHardening);
    raw->layer_.row = row;
    raw->stack_ = SG_TRY(Mapping::anonymous(KiB(64)));
    if (row == kHardeningCount) {
      auto group = Cgroup::create(kGroup);
      if (!group) return unsupported(group.error());
      if (group->entrances().empty())
        return Error::make(ErrorKind::kUnsupported, "no cgroup of version 1 here");
      raw->group_ = std::move(*group);
      raw->layer_.group = &raw->group_;
    }
    Nanoseconds unused{};
    if (raw->run(unused)) return raw;
    return Error{
        .kind = ErrorKind::kUnsupported, .os_errno = raw->layer_.os_errno, .what = "harden a process"};
  }
  bool run(Nanoseconds& spent) {
    Result<Child> child = Child::start(kSharedMemory, time_in_child, &layer_, stack_);
    if (!child || !child->reap_and_check() || layer_.os_errno != 0) return false;
    spent = layer_.spent;
    return true;
  }

 private:
  Cgroup group_;
  Mapping stack_;
  RawLayer layer_;
};

}  // namespace

void add_hardening(Suite& suite) {
  constexpr auto kUnit = benchmark::kMicrosecond;
  for (const HardeningInfo& row : kHardenings) {
    const auto number = static_cast<HardeningRow>(&row - kHardenings.data());
    suite.add(fmt::format("hardening/raw/{}", row.name), [number] { return RawHardening::create(number); });
  }
  suite.add("hardening/raw/cgroup", [] { return RawHardening::create(kHardeningCount); });
  for (const Layer& layer : layers()) {
    const auto name = [&layer](std::string_view what) {
      return fmt::format("hardening/linux/{}/{}", what, layer.name);
    };
    suite.add(
        name("engine"), [&layer] { return HardenedLaunch::create(layer); }, kUnit);
    suite.add(
        name("worker"), [&layer] { return HardenedSpawn::create(layer); }, kUnit);
    for (const Seating* const seating : {&kSameCore, &kCrossCore}) {
      suite.add(name(fmt::format("host_call_{}", seating->name)),
                [&layer, seating] { return HardenedCall::create(layer, *seating); });
    }
    for (const std::string_view workload : {"sort", "touch_pages"}) {
      suite.add(
          name(workload), [&layer, workload] { return HardenedRun::create(layer, workload); }, kUnit);
    }
  }
}

}  // namespace sandglass::bench
