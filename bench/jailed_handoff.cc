#include <fmt/format.h>

#include "bench/guests.h"
#include "bench/jailed_guests.h"
#include "bench/jailed_rows.h"
#include "workloads/workloads.h"

namespace sandglass::bench {
namespace {

constexpr uint32_t kNumber = 7;

// s0 counts the calls.
constexpr std::string_view kCallingGuest = R"(
pub @main:
    s0 = 0
@loop:
    s0 = s0 + 1
    ecalli 7
    jump @loop
)";

// A guest that stops again and again at the same place.
struct StopCase {
  std::string_view variant;
  std::string_view snippet;  // workloads/stops/; empty: the calling guest, which goes on after its stop
  GasMetering metering;
  int64_t gas;
};

constexpr StopCase kStops[] = {
    {"host_call", "", GasMetering::kNone, kPlentyOfGas},
    {"host_call_sync", "", GasMetering::kSync, kPlentyOfGas},
    {"trap", "trap", GasMetering::kNone, kPlentyOfGas},
    {"memory_fault", "segv_store", GasMetering::kNone, kPlentyOfGas},
    {"out_of_gas", "spin", GasMetering::kSync, 0},
};

class JailedHandoff {
 public:
  static constexpr bool kIsLatency = true;

  static Result<std::unique_ptr<JailedHandoff>> create(const StopCase& stop, const Seating& seating,
                                                       size_t hogs) {
    const StopSnippet* const snippet = stop.snippet.empty() ? &kCalls : find_stop_snippet(stop.snippet);
    if (snippet == nullptr) {
      return Error::make(ErrorKind::kInvalidArgument, "no such snippet", Error::kNowhere, stop.snippet);
    }
    const auto program = SG_TRY(load(snippet->assembly));
    const uint32_t pc = SG_TRY(export_of(*program, "main"));
    const auto module = SG_TRY(Module::create(program, {.backend = Backend::kLinux, .gas = stop.metering}));
    auto guests = SG_TRY(JailedGuests::create(seating, {.max_idle = 1}, hogs));
    auto sandbox = SG_TRY(guests->sandbox(module));
    SG_TRY(sandbox->prepare_call(pc));
    sandbox->set_reg(Reg::a0, snippet->argument);
    return std::unique_ptr<JailedHandoff>(
        new JailedHandoff(stop, *snippet, pc, std::move(guests), std::move(sandbox)));
  }

  bool run(Nanoseconds& spent) {
    ++stops_;
    if (!is_calling()) {
      sandbox_->set_gas(stop_.gas);
      sandbox_->set_next_program_counter(pc_);
    }
    const auto start = Clock::now();
    const Result<Interrupt> stop = sandbox_->run();
    spent = Clock::now() - start;
    if (!stop || stop->kind != snippet_.kind) return false;
    if (is_calling()) return stop->host_call == kNumber;
    return stop->kind != InterruptKind::kTrap || stop->trap == snippet_.trap;
  }
  bool is_consistent() const {
    return is_calling() ? sandbox_->reg(Reg::s0) == stops_ : sandbox_->reg(Reg::a0) == snippet_.argument;
  }

 private:
  static constexpr StopSnippet kCalls = {
      .name = "calls", .assembly = kCallingGuest, .kind = InterruptKind::kHostCall};

  JailedHandoff(const StopCase& stop, const StopSnippet& snippet, uint32_t pc,
                std::unique_ptr<JailedGuests> guests, std::unique_ptr<Sandbox> sandbox)
      : stop_(stop), snippet_(snippet), pc_(pc), guests_(std::move(guests)), sandbox_(std::move(sandbox)) {}

  bool is_calling() const { return stop_.snippet.empty(); }

  const StopCase& stop_;
  const StopSnippet& snippet_;
  uint32_t pc_;
  std::unique_ptr<JailedGuests> guests_;
  std::unique_ptr<Sandbox> sandbox_;
  uint64_t stops_ = 0;
};

}  // namespace

void add_jailed_handoffs(Suite& suite) {
  for (const StopCase& stop : kStops) {
    for (const Seating& seating : kSeatings) {
      const std::string name = fmt::format("handoff/linux/{}/{}", stop.variant, seating.name);
      suite.add(name, [&] { return JailedHandoff::create(stop, seating, 0); });
      suite.add(name + "/hogs", [&] { return JailedHandoff::create(stop, seating, kHogs); });
    }
  }
}

}  // namespace sandglass::bench
