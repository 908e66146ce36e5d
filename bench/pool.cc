// Question: what does a guest cost when a worker process is waiting for it already, or has to be started?
// Unit:     time of one turnover: acquire a worker, run the guest, reset the worker, release it; every one is
//           measured by itself (p50_ns, p99_ns).
// Timed:    Sandbox::create(), a call, dropping the sandbox. same_module: the worker has the guest's module
//           loaded; the guest reads and writes four pages. other_module: the same with two modules that take
//           turns, so that each finds the other's loaded. code_1MiB: the modules have that much code, and the
//           guest returns at once. miss: nobody waits; a worker is forked and killed again, in a jail of
//           everybody, of its tenant (miss_per_tenant), or in one of its own (miss_private).
//           raw/next_image: the kernel's part of a change of modules alone: one process receives the
//           descriptor of a file of 8 KiB, or 1 MiB, maps it in place of the last one and uses its first
//           page. anywhere, cross_core, same_core: where host and worker run. hogs: the same while two other
//           processes use all the CPU they can get.
// Not timed: making the modules and the pool.
#include <fmt/format.h>

#include "bench/families.h"
#include "bench/guests.h"
#include "bench/jailed_guests.h"
#include "bench/raw_next_image.h"
#include "sandbox/base/units.h"
#include "workloads/workloads.h"

namespace sandglass::bench {
namespace {

// a0: everything that was on the four pages before it wrote to them, which should be nothing.
constexpr std::string_view kFourPagesGuest = R"(
%rw_data_size = 16384
pub @main:
    t0 = 0x20000
    a1 = 4
    a0 = 0
@next:
    t1 = u64 [t0]
    a0 = a0 | t1
    u64 [t0] = a1
    t0 = t0 + 0x1000
    a1 = a1 + -1
    jump @next if a1 != 0
    ret
)";

struct TurnoverCase {
  std::string_view variant;
  size_t modules;  // that take turns
  bool has_much_code;
  size_t max_idle;
  JailProfile profile = JailProfile::kShared;
};

constexpr TurnoverCase kTurnovers[] = {
    {"same_module", 1, false, 1},
    {"other_module", 2, false, 1},
    {"same_module_code_1MiB", 1, true, 1},
    {"other_module_code_1MiB", 2, true, 1},
};
constexpr TurnoverCase kMisses[] = {
    {"miss", 1, false, 0},
    {"miss_per_tenant", 1, false, 0, JailProfile::kPerTenant},
    {"miss_private", 1, false, 0, JailProfile::kPrivate},
};

class Turnover {
 public:
  static constexpr bool kIsLatency = true;

  static Result<std::unique_ptr<Turnover>> create(const TurnoverCase& turnover, const Seating& seating,
                                                  size_t hogs, uint64_t seed) {
    const auto program =
        turnover.has_much_code ? SG_TRY(program_with_much_code(seed)) : SG_TRY(load(kFourPagesGuest));
    const uint32_t pc = SG_TRY(export_of(*program, turnover.has_much_code ? "nop" : "main"));
    std::vector<std::shared_ptr<const Module>> modules;
    for (size_t i = 0; i < turnover.modules; ++i) {
      modules.push_back(SG_TRY(Module::create(program, {.backend = Backend::kLinux})));
    }
    auto guests = SG_TRY(
        JailedGuests::create(seating, {.profile = turnover.profile, .max_idle = turnover.max_idle}, hogs));
    std::unique_ptr<Turnover> made(new Turnover(turnover, std::move(modules), pc, std::move(guests)));
    // The pool keeps this one worker.
    const auto first = SG_TRY(made->guests_->sandbox(made->modules_[0]));
    made->worker_ = worker_of(*first).process_id();
    return made;
  }

  bool run(Nanoseconds& spent) {
    const std::shared_ptr<const Module>& module = modules_[turn_++ % modules_.size()];
    const auto start = Clock::now();
    Result<std::unique_ptr<Sandbox>> sandbox = Sandbox::create(module, guests_->options());
    if (!sandbox || !call(**sandbox, pc_)) return false;
    const uint64_t found = (*sandbox)->reg(Reg::a0);
    const pid_t worker = worker_of(**sandbox).process_id();
    sandbox->reset();
    spent = Clock::now() - start;
    const bool is_same = worker == worker_;
    worker_ = worker;
    return found == 0 && is_same == (turnover_.max_idle > 0);
  }
  void report(benchmark::State& state) const {
    state.counters["code_bytes"] = static_cast<double>(modules_[0]->program().code_bytes());
  }

 private:
  Turnover(const TurnoverCase& turnover, std::vector<std::shared_ptr<const Module>> modules, uint32_t pc,
           std::unique_ptr<JailedGuests> guests)
      : turnover_(turnover), modules_(std::move(modules)), pc_(pc), guests_(std::move(guests)) {}

  const TurnoverCase& turnover_;
  std::vector<std::shared_ptr<const Module>> modules_;
  uint32_t pc_;
  std::unique_ptr<JailedGuests> guests_;
  pid_t worker_ = 0;  // that the last guest had
  size_t turn_ = 0;
};

void add_turnover(Suite& suite, const TurnoverCase& turnover, const Seating& seating, bool has_hogs) {
  const std::string name = fmt::format("pool/linux/{}/{}", turnover.variant, seating.name);
  const auto with = [&, seed = suite.seed()](size_t hogs) {
    return [&turnover, &seating, seed, hogs] { return Turnover::create(turnover, seating, hogs, seed); };
  };
  suite.add(name, with(0), benchmark::kMicrosecond);
  if (has_hogs) suite.add(name + "/hogs", with(kHogs), benchmark::kMicrosecond);
}

}  // namespace

void add_pool(Suite& suite) {
  suite.add("pool/raw/next_image", [] { return RawNextImage::create(KiB(8)); });
  suite.add("pool/raw/next_image_1MiB", [] { return RawNextImage::create(MiB(1)); });
  for (const TurnoverCase& turnover : kTurnovers) {
    for (const Seating& seating : kSeatings) {
      const bool has_hogs = &turnover == &kTurnovers[0] || seating.name == kCrossCore.name;
      add_turnover(suite, turnover, seating, has_hogs);
    }
  }
  for (const TurnoverCase& miss : kMisses) add_turnover(suite, miss, kAnywhere, false);
}

}  // namespace sandglass::bench
