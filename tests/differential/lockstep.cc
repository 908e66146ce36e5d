#include "tests/differential/lockstep.h"

#include <fmt/format.h>

#include "sandbox/program/disassembler.h"

namespace sandglass::fuzz {
namespace {

constexpr InstructionSet kSets[] = {InstructionSet::kLatest64, InstructionSet::kLatest32,
                                    InstructionSet::kJamV1, InstructionSet::kReviveV1};
constexpr uint64_t kMaxStops = 60;

std::string describe(const Interrupt& stop) {
  return fmt::format("{} (host call {}, trap '{}', fault {:#x}+{} {}, page {:#x} protected {})",
                     name_of(stop.kind), stop.host_call,
                     stop.kind == InterruptKind::kTrap ? name_of(stop.trap) : "-", stop.fault.address,
                     stop.fault.size_bytes, stop.fault.access == Access::kWrite ? "write" : "read",
                     stop.page_address, stop.is_write_protected);
}

ModuleOptions random_options(Random& random) {
  ModuleOptions options;
  options.gas = random.chance(70)   ? GasMetering::kSync
                : random.chance(50) ? GasMetering::kAsync
                                    : GasMetering::kNone;
  switch (random.below(4)) {
    case 0: options.cost_model = *CostModel::pipeline(static_cast<uint32_t>(1 + random.below(60))); break;
    case 1: {
      CostModel::Table costs;
      for (uint32_t& cost : costs)
        cost = static_cast<uint32_t>(1 + random.below(9));  // 0 could loop for ever
      options.cost_model = CostModel::table(costs);
      break;
    }
    default: break;
  }
  options.dynamic_paging = random.chance(30);
  options.step_tracing = random.chance(10);
  options.aux_bytes = random.chance(30) ? 4096 : 0;
  return options;
}

class Lockstep {
 public:
  Lockstep(uint64_t seed, Backend backend, LockstepCounts& counts)
      : seed_(seed), backend_(backend), random_(seed), counts_(counts) {}

  std::optional<std::string> run() {
    const InstructionSet set = random_.pick(kSets);
    auto program = Program::from_parts(random_program(random_, set));
    if (!program) return fmt::format("seed {}: {}", seed_, to_string(program.error()));
    program_ = *program;
    options_ = random_options(random_);
    ++counts_.programs;
    if (options_.gas != GasMetering::kSync && !ends_by_itself()) {
      ++counts_.skipped;
      return std::nullopt;
    }
    if (!create_both()) return found();
    set_up();
    for (uint64_t i = 0; i < kMaxStops; ++i) {
      if (!run_once()) break;
      ++counts_.stops;
      if (!compare_state() || !go_on()) break;
    }
    if (difference_.empty()) compare_memory();
    return found();
  }

 private:
  std::optional<std::string> found() const {
    if (difference_.empty()) return std::nullopt;
    return difference_;
  }

  void differ(const std::string& what) {
    const char* const gas_names[] = {"none", "sync", "async"};
    difference_ = fmt::format(
        "seed {}: {}\n  gas {}, cost model {}, {}paging, {}stepping\n{}", seed_, what,
        gas_names[static_cast<size_t>(options_.gas)], static_cast<int>(options_.cost_model.kind()),
        options_.dynamic_paging ? "dynamic " : "no ", options_.step_tracing ? "" : "no ",
        disassemble(*program_, {.show_offsets = true}));
  }

  // Without exact gas nothing bounds an endless loop, so those programs are tried with it first.
  bool ends_by_itself() {
    ModuleOptions options = options_;
    options.gas = GasMetering::kSync;
    options.cost_model = CostModel::naive();
    options.backend = Backend::kInterpreter;
    const auto module = Module::create(program_, options);
    if (!module) return true;
    reference_ = std::move(*Sandbox::create(*module));
    subject_ = nullptr;
    const Random before = random_;
    set_up();
    reference_->set_gas(20'000);
    bool ends = true;
    for (uint64_t i = 0; i < kMaxStops; ++i) {
      const auto stop = reference_->run();
      if (!stop) break;
      last_ = *stop;
      if (stop->kind == InterruptKind::kOutOfGas) ends = false;
      if (!ends || !go_on()) break;
    }
    random_ = before;
    return ends;
  }

  bool create_both() {
    ModuleOptions reference_options = options_, subject_options = options_;
    reference_options.backend = Backend::kInterpreter;
    subject_options.backend = backend_;
    const auto reference = Module::create(program_, reference_options);
    const auto subject = Module::create(program_, subject_options);
    if (reference.has_value() != subject.has_value()) {
      differ("only one backend accepts the program");
      return false;
    }
    if (!reference) return false;
    reference_ = std::move(*Sandbox::create(*reference));
    auto created = Sandbox::create(*subject);
    if (!created) {
      differ(to_string(created.error()));
      return false;
    }
    subject_ = std::move(*created);
    return true;
  }

  template <typename Action>
  void both(Action action) {
    action(*reference_);
    if (subject_ != nullptr) action(*subject_);
  }

  void set_up() {
    const bool in_the_middle = random_.chance(15);
    const auto pc = static_cast<uint32_t>(in_the_middle ? random_.below(program_->code_bytes() + 3) : 0);
    SG_CHECK(reference_->prepare_call(pc));
    if (subject_ != nullptr) SG_CHECK(subject_->prepare_call(pc));
    for (size_t i = 2; i < kRegCount; ++i) {
      const uint64_t value = random_.chance(50)   ? interesting_value(random_)
                             : random_.chance(50) ? 0x30000 + random_.below(0x1000)
                                                  : random_.below(20);
      both([&](Sandbox& s) { s.set_reg(static_cast<Reg>(i), value); });
    }
    const auto gas =
        static_cast<int64_t>(random_.chance(30) ? random_.below(60) : 3000 + random_.below(3000));
    const bool is_exact = options_.gas == GasMetering::kSync;
    both([&](Sandbox& s) { s.set_gas(is_exact ? gas : 1'000'000'000); });
  }

  bool run_once() {
    const auto expected = reference_->run();
    const auto got = subject_->run();
    if (expected.has_value() != got.has_value()) {
      differ("only one backend could run");
      return false;
    }
    if (!expected) return false;
    last_ = *expected;
    if (describe(*expected) == describe(*got)) return true;
    differ(fmt::format("expected {}\n  got {}", describe(*expected), describe(*got)));
    return false;
  }

  bool compare_state() {
    for (size_t i = 0; i < kRegCount; ++i) {
      const Reg reg = static_cast<Reg>(i);
      if (reference_->reg(reg) != subject_->reg(reg)) {
        differ(fmt::format("after {}: {} is {:#x}, expected {:#x}", describe(last_), name_of(reg),
                           subject_->reg(reg), reference_->reg(reg)));
        return false;
      }
    }
    const auto text = [](std::optional<uint32_t> pc) {
      return pc ? fmt::format("{}", *pc) : std::string("none");
    };
    const auto state = [&text](const Sandbox& s) {
      return fmt::format("gas {}, pc {}, next pc {}, heap {}", s.gas(), text(s.program_counter()),
                         text(s.next_program_counter()), s.heap_bytes());
    };
    if (state(*reference_) == state(*subject_)) return true;
    differ(fmt::format("after {}: {}, expected {}", describe(last_), state(*subject_), state(*reference_)));
    return false;
  }

  // Does what a host might do after the stop; false when it gives up.
  bool go_on() {
    switch (last_.kind) {
      case InterruptKind::kStep: return true;
      case InterruptKind::kHostCall: {
        const uint64_t value = interesting_value(random_);
        if (random_.chance(50)) both([&](Sandbox& s) { s.set_reg(Reg::a0, value); });
        return true;
      }
      case InterruptKind::kOutOfGas: {
        const auto gas = static_cast<int64_t>(random_.below(200));
        both([&](Sandbox& s) { s.set_gas(gas); });
        return random_.chance(70);
      }
      case InterruptKind::kPageFault: return answer_fault();
      case InterruptKind::kFinished:
      case InterruptKind::kTrap: {
        if (!random_.chance(30)) return false;
        const auto pc = static_cast<uint32_t>(random_.below(program_->code_bytes() + 2));
        both([&](Sandbox& s) { s.set_next_program_counter(pc); });
        return true;
      }
      case InterruptKind::kInterrupted:
      case InterruptKind::kDeadlineExceeded: return false;
    }
    return false;
  }

  bool answer_fault() {
    const Protection protection =
        last_.is_write_protected || random_.chance(70) ? Protection::kReadWrite : Protection::kRead;
    both([&](Sandbox& s) {
      const Status status = last_.is_write_protected ? s.protect(last_.page_address, 4096, protection)
                                                     : s.provide(last_.page_address, 4096, protection);
      SG_CHECK(status);
    });
    pages_.push_back(last_.page_address);
    return random_.chance(95);
  }

  void compare_memory() {
    if (reference_ == nullptr || subject_ == nullptr) return;
    const MemoryMap& map = reference_->module().memory_map();
    std::vector<GuestRange> ranges;
    if (options_.dynamic_paging) {
      for (uint32_t page : pages_) ranges.push_back({page, uint64_t{page} + 4096});
    } else {
      ranges = {map.ro_data(), {map.rw_data().begin, map.rw_data().end}, map.stack(), map.aux()};
      const uint64_t heap_end =
          round_up(map.heap_base() + std::min<uint64_t>(reference_->heap_bytes(), 1 << 20), 4096);
      if (reference_->heap_bytes() != 0 && heap_end > map.rw_data().end)
        ranges.push_back({map.rw_data().end, heap_end});
    }
    for (const GuestRange& range : ranges) {
      std::vector<uint8_t> expected(range.size()), got(range.size());
      const auto begin = static_cast<uint32_t>(range.begin);
      const bool same_answer =
          reference_->read(begin, expected).has_value() == subject_->read(begin, got).has_value();
      if (!same_answer || expected != got) return differ(fmt::format("memory at {:#x} differs", begin));
    }
  }

  uint64_t seed_;
  Backend backend_;
  Random random_;
  LockstepCounts& counts_;
  std::shared_ptr<const Program> program_;
  ModuleOptions options_;
  std::unique_ptr<Sandbox> reference_, subject_;
  Interrupt last_;
  std::vector<uint32_t> pages_;
  std::string difference_;
};

}  // namespace

std::optional<std::string> run_lockstep(uint64_t seed, Backend backend, LockstepCounts& counts) {
  return Lockstep(seed, backend, counts).run();
}

}  // namespace sandglass::fuzz
