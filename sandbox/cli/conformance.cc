#include "sandbox/cli/conformance.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "sandbox/backend/sandbox.h"

namespace sandglass::cli {
namespace {

// Vectors end by themselves or by their gas; what takes longer than this is a difference, too.
constexpr std::chrono::seconds kDeadline{10};

std::string status_of(const Interrupt& stop) {
  switch (stop.kind) {
    case InterruptKind::kFinished: return "halt";
    case InterruptKind::kTrap: return "panic";
    case InterruptKind::kHostCall: return "ecalli";
    case InterruptKind::kOutOfGas: return "out-of-gas";
    case InterruptKind::kPageFault: return "page-fault";
    case InterruptKind::kStep:
    case InterruptKind::kInterrupted:
    case InterruptKind::kDeadlineExceeded: break;
  }
  return name_of(stop.kind);
}

std::string text_of(std::optional<uint32_t> number) { return number ? fmt::format("{}", *number) : "none"; }

// One vector on one backend in one mode.
class VectorRun {
 public:
  VectorRun(const TestVector& vector, Backend backend, bool stepwise)
      : vector_(vector), backend_(backend), stepwise_(stepwise) {}

  std::vector<Difference> run() && {
    if (const Status status = prepare(); !status) {
      report("set-up", "success", to_string(status.error()));
      return std::move(differences_);
    }
    check_block_costs();
    for (size_t i = 0; i < vector_.steps.size(); ++i) {
      const Status status = std::visit([&](const auto& step) { return take(step); }, vector_.steps[i]);
      if (status) continue;
      report(fmt::format("step {}", i), "success", to_string(status.error()));
      break;
    }
    return std::move(differences_);
  }

 private:
  Status prepare() {
    auto program = SG_TRY(Program::parse_bare_code(vector_.program, InstructionSet::kJamV1));
    const ModuleOptions options = {.backend = backend_,
                                   .gas = GasMetering::kSync,
                                   .cost_model = SG_TRY(CostModel::pipeline(CostModel::kL2Hit)),
                                   .step_tracing = stepwise_,
                                   .dynamic_paging = true,
                                   .strict = true};
    module_ = SG_TRY(Module::create(std::move(program), options));
    sandbox_ = SG_TRY(Sandbox::create(module_, {.gas = vector_.initial_gas}));
    sandbox_->set_next_program_counter(vector_.initial_pc);
    return {};
  }

  void check_block_costs() {
    for (const BlockCost& block : vector_.block_costs) {
      compare_text(fmt::format("cost of block {}", block.pc), text_of(block.cost),
                   text_of(module_->gas_cost(block.pc)));
    }
  }

  Status take(const MapStep& step) {
    SG_TRY(sandbox_->provide(step.address, step.length_bytes,
                             step.is_writable ? Protection::kReadWrite : Protection::kRead));
    mapped_.push_back(step);
    return {};
  }
  Status take(const WriteStep& step) { return sandbox_->write(step.chunk.address, step.chunk.contents); }
  Status take(const SetRegStep& step) {
    sandbox_->set_reg(step.reg, step.value);
    return {};
  }
  Status take(const RunStep&) {
    do {
      stop_ = SG_TRY(sandbox_->run({.deadline = kDeadline}));
      if (stop_->kind == InterruptKind::kStep) last_step_ = sandbox_->program_counter();
    } while (stop_->kind == InterruptKind::kStep);
    return {};
  }

  Status take(const AssertStep& step) {
    if (!stop_) return Error::make(ErrorKind::kInvalidArgument, "an assert before the first run");
    if (step.status) compare_text("status", *step.status, status_of(*stop_));
    if (step.gas) compare_text("gas", fmt::format("{}", *step.gas), fmt::format("{}", sandbox_->gas()));
    if (step.pc) check_pc(*step.pc);
    if (step.regs) check_registers(*step.regs);
    if (step.host_call) compare_text("hostcall", text_of(step.host_call), text_of(host_call()));
    if (step.page_fault_address) {
      compare_text("page-fault-address", text_of(step.page_fault_address), text_of(faulting_page()));
    }
    return step.memory ? check_memory(*step.memory) : Status();
  }

  std::optional<uint32_t> host_call() const {
    return stop_->kind == InterruptKind::kHostCall ? std::optional(stop_->host_call) : std::nullopt;
  }
  std::optional<uint32_t> faulting_page() const {
    return stop_->kind == InterruptKind::kPageFault ? std::optional(stop_->page_address) : std::nullopt;
  }

  void check_pc(uint32_t expected) {
    const bool finished = stop_->kind == InterruptKind::kFinished;
    if (finished && !stepwise_) return;
    compare_text("pc", text_of(expected), text_of(finished ? last_step_ : sandbox_->program_counter()));
  }

  void check_registers(const std::array<uint64_t, kRegCount>& expected) {
    for (size_t i = 0; i < kRegCount; ++i) {
      const auto reg = static_cast<Reg>(i);
      compare_text(name_of(reg), fmt::format("{:#x}", expected[i]), fmt::format("{:#x}", sandbox_->reg(reg)));
    }
  }

  // Everything listed must be mapped, and everything mapped but not listed must be zero.
  Status check_memory(const std::vector<MemoryChunk>& expected) {
    for (const MemoryChunk& chunk : expected) SG_TRY(check_bytes(chunk.address, chunk.contents));
    for (const MapStep& range : mapped_) {
      std::vector<uint8_t> bytes(range.length_bytes);
      for (const MemoryChunk& chunk : expected) overlay(chunk, range.address, bytes);
      SG_TRY(check_bytes(range.address, bytes));
    }
    return {};
  }

  static void overlay(const MemoryChunk& chunk, uint64_t address, std::vector<uint8_t>& bytes) {
    for (size_t i = 0; i < chunk.contents.size(); ++i) {
      const uint64_t offset = chunk.address + i - address;  // wraps around for what lies below
      if (offset < bytes.size()) bytes[offset] = chunk.contents[i];
    }
  }

  Status check_bytes(uint32_t address, const std::vector<uint8_t>& expected) {
    std::vector<uint8_t> got(expected.size());
    SG_TRY(sandbox_->read(address, got));
    const auto [left, right] = std::mismatch(expected.begin(), expected.end(), got.begin());
    if (left == expected.end()) return {};
    report(fmt::format("memory at {:#x}", address + static_cast<uint64_t>(left - expected.begin())),
           fmt::format("{}", *left), fmt::format("{}", *right));
    return {};
  }

  void compare_text(std::string_view field, const std::string& expected, const std::string& got) {
    if (expected != got) report(std::string(field), expected, got);
  }
  void report(std::string field, std::string expected, std::string got) {
    differences_.push_back(
        {vector_.name, backend_, stepwise_, std::move(field), std::move(expected), std::move(got)});
  }

  const TestVector& vector_;
  const Backend backend_;
  const bool stepwise_;
  std::shared_ptr<const Module> module_;
  std::unique_ptr<Sandbox> sandbox_;
  std::vector<MapStep> mapped_;
  std::optional<Interrupt> stop_;
  std::optional<uint32_t> last_step_;
  std::vector<Difference> differences_;
};

}  // namespace

std::string to_string(const Difference& d) {
  return fmt::format("{} [{}{}] {}: expected {}, got {}", d.vector, name_of(d.backend),
                     d.stepwise ? ", stepwise" : "", d.field, d.expected, d.got);
}

std::vector<Difference> run_vector(const TestVector& vector, Backend backend) {
  std::vector<Difference> differences = VectorRun(vector, backend, false).run();
  std::vector<Difference> stepwise = VectorRun(vector, backend, true).run();
  differences.insert(differences.end(), stepwise.begin(), stepwise.end());
  return differences;
}

ConformanceResult run_conformance(std::span<const TestVector> vectors, std::span<const Backend> backends,
                                  const ConformanceLog& log) {
  ConformanceResult total;
  for (const Backend backend : backends) {
    size_t failed = 0;
    for (const TestVector& vector : vectors) {
      const std::vector<Difference> differences = run_vector(vector, backend);
      for (const Difference& difference : differences) log(to_string(difference));
      failed += differences.empty() ? 0 : 1;
    }
    log(fmt::format("{}: {} of {} vectors passed", name_of(backend), vectors.size() - failed,
                    vectors.size()));
    total.passed += vectors.size() - failed;
    total.failed += failed;
  }
  return total;
}

}  // namespace sandglass::cli
