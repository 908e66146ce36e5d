// Question: what does metering cost a guest that runs, and how does that depend on the length of its blocks?
// Unit:     ns_per_block: time per basic block. The difference between off and sync is the price of one
//           charge; by the length of blocks, it says what a program pays.
// Timed:    one call of a guest that runs 64 blocks of 1, 4 or 16 additions 1,000 times. off: nothing is
//           counted; sync: exact; async: counted and never looked at; sync_pipeline: exact, with the costs of
//           the pipeline model, which are only known once a block has been translated.
// Not timed: making the module and the sandbox.
#include <fmt/format.h>

#include "bench/families.h"
#include "bench/guests.h"

namespace sandglass::bench {
namespace {

constexpr int kBlocks = 64, kRounds = 1000;

struct Metering {
  std::string_view name;
  GasMetering metering;
  bool has_pipeline_costs = false;
};
constexpr Metering kMeterings[] = {
    {"off", GasMetering::kNone},
    {"async", GasMetering::kAsync},
    {"sync", GasMetering::kSync},
    {"sync_pipeline", GasMetering::kSync, true},
};

// Four chains of additions, so that the charge and not the wait for a result sets the pace. They add a
// register: modern cores do additions of small constants while renaming registers, for nothing.
std::string guest_with_blocks_of(int additions) {
  constexpr std::string_view kSums[] = {"a1", "a2", "a3", "a4"};
  std::string text = "pub @main:\n    a0 = 0\n    a5 = 1\n@round:\n";
  for (int block = 0; block < kBlocks; ++block) {
    for (int i = 0; i < additions; ++i) {
      const std::string_view sum = kSums[(block + i) % 4];
      text += fmt::format("    {} = {} + a5\n", sum, sum);
    }
    text += "    fallthrough\n";
  }
  return text + fmt::format("    a0 = a0 + 1\n    jump @round if a0 != {}\n    ret\n", kRounds);
}

class Blocks {
 public:
  static Result<std::unique_ptr<Blocks>> create(Backend backend, const Metering& metering, int additions) {
    ModuleOptions options{.backend = backend, .gas = metering.metering};
    if (metering.has_pipeline_costs) {
      options.cost_model = SG_TRY(CostModel::pipeline(CostModel::kL2Hit));
    }
    auto sandbox = SG_TRY(sandbox_of(guest_with_blocks_of(additions), options));
    const uint32_t pc = SG_TRY(export_of(sandbox->module().program(), "main"));
    return std::unique_ptr<Blocks>(new Blocks(std::move(sandbox), pc, additions));
  }

  bool run() {
    sandbox_->set_gas(kPlentyOfGas);
    if (!call(*sandbox_, pc_)) return false;
    const bool is_charged = sandbox_->gas() < kPlentyOfGas;
    return sum_of_results() == uint64_t{kBlocks} * kRounds * additions_ &&
           is_charged == (sandbox_->module().options().gas != GasMetering::kNone);
  }
  void report(benchmark::State& state) const { state.counters["ns_per_block"] = ns_per(kBlocks * kRounds); }

 private:
  Blocks(std::unique_ptr<Sandbox> sandbox, uint32_t pc, int additions)
      : sandbox_(std::move(sandbox)), pc_(pc), additions_(static_cast<uint64_t>(additions)) {}

  uint64_t sum_of_results() const {
    return sandbox_->reg(Reg::a1) + sandbox_->reg(Reg::a2) + sandbox_->reg(Reg::a3) + sandbox_->reg(Reg::a4);
  }

  std::unique_ptr<Sandbox> sandbox_;
  uint32_t pc_;
  uint64_t additions_;
};

}  // namespace

void add_gas(Suite& suite) {
  for (const Backend backend : kAllBackends) {
    for (const int additions : {1, 4, 16}) {
      for (const Metering& metering : kMeterings) {
        suite.add(
            fmt::format("gas/{}/{}/{}", name_of(backend), metering.name, additions),
            [=, &metering] { return Blocks::create(backend, metering, additions); }, benchmark::kMicrosecond);
      }
    }
  }
}

}  // namespace sandglass::bench
