// Question: how fast does a program become a module?
// Unit:     ns_per_instruction, of the guest. Beside it: code_bytes_per_second, of the guest's code, and
//           native_bytes_per_instruction, how much machine code comes out.
// Timed:    generic, interpreter: Module::create() on a program of so many instructions, made to look like
//           compiled C (program_generator.h). gas_off; sync_naive, which counts instructions; sync_pipeline,
//           which simulates every block on a core (25 cycles per load). parse: Program::parse() of the same
//           program as a container. linux: with the file that workers map the module from.
// Not timed: generating and parsing the program; dropping the module. Every module is verified by running the
//           whole program: its final registers must be those of the interpreter.
#include <fmt/format.h>

#include "bench/families.h"
#include "bench/guests.h"
#include "bench/program_generator.h"
#include "sandbox/compiler/native_code.h"

namespace sandglass::bench {
namespace {

constexpr size_t kSizes[] = {1'000, 10'000, 150'000, 1'000'000};
constexpr uint32_t kLoadCycles = CostModel::kL2Hit;

struct Variant {
  std::string_view name;
  Backend backend;
  GasMetering gas;
  bool has_pipeline_costs = false;
};
constexpr Variant kVariants[] = {
    {"gas_off", Backend::kGeneric, GasMetering::kNone},
    {"sync_naive", Backend::kGeneric, GasMetering::kSync},
    {"sync_pipeline", Backend::kGeneric, GasMetering::kSync, true},
    {"sync_naive", Backend::kInterpreter, GasMetering::kSync},
    {"sync_naive", Backend::kLinux, GasMetering::kSync},
};
// The same code as generic: it is asked what the image costs.
constexpr size_t kSizeForLinux = 150'000;

using Registers = std::array<uint64_t, kRegCount>;

Result<Registers> final_registers(const std::shared_ptr<const Module>& module) {
  auto sandbox = SG_TRY(Sandbox::create(module, {.gas = kPlentyOfGas}));
  const uint32_t main = SG_TRY(export_of(module->program(), "main"));
  if (!call(*sandbox, main)) {
    return Error::make(ErrorKind::kBadProgram, "the generated program does not finish");
  }
  Registers registers;
  for (size_t i = 0; i < kRegCount; ++i) registers[i] = sandbox->reg(static_cast<Reg>(i));
  return registers;
}

class Compile {
 public:
  static Result<std::unique_ptr<Compile>> create(const Variant& variant, const GeneratorOptions& generator) {
    SG_TRY(need(variant.backend));
    ModuleOptions options{.backend = variant.backend, .gas = variant.gas};
    if (variant.has_pipeline_costs) options.cost_model = SG_TRY(CostModel::pipeline(kLoadCycles));
    auto program = SG_TRY(Program::from_parts(generate_program(generator)));
    std::unique_ptr<Compile> compile(new Compile(std::move(program), options, generator.instructions));
    SG_TRY(compile->verify());
    return compile;
  }

  bool run(Nanoseconds& spent) {
    const Clock::time_point begin = Clock::now();
    const Result<std::shared_ptr<const Module>> module = Module::create(program_, options_);
    const bool is_ready = module && (options_.backend != Backend::kLinux || (*module)->image());
    spent = Clock::now() - begin;
    return is_ready && native_bytes_of(**module) == native_bytes_;
  }
  void report(benchmark::State& state) const {
    const auto count = static_cast<double>(instructions_);
    state.counters["instructions"] = count;
    state.counters["ns_per_instruction"] = ns_per(count);
    state.counters["code_bytes_per_second"] = amount_per_second(program_->code_bytes());
    if (native_bytes_ == 0) return;
    state.counters["native_bytes_per_instruction"] = static_cast<double>(native_bytes_) / count;
  }

 private:
  Compile(std::shared_ptr<const Program> program, const ModuleOptions& options, size_t instructions)
      : program_(std::move(program)), options_(options), instructions_(instructions) {}

  static size_t native_bytes_of(const Module& module) {
    return module.native_code() == nullptr ? 0 : module.native_code()->size_bytes();
  }

  Status verify() {
    const auto reference =
        SG_TRY(Module::create(program_, {.backend = Backend::kInterpreter, .gas = GasMetering::kNone}));
    const auto module = SG_TRY(Module::create(program_, options_));
    native_bytes_ = native_bytes_of(*module);
    if (SG_TRY(final_registers(module)) == SG_TRY(final_registers(reference))) return {};
    return Error::make(ErrorKind::kBadProgram, "a wrong answer: not the registers of the interpreter");
  }

  std::shared_ptr<const Program> program_;
  ModuleOptions options_;
  size_t instructions_;
  size_t native_bytes_ = 0;
};

class Parse {
 public:
  static Result<std::unique_ptr<Parse>> create(const GeneratorOptions& generator) {
    ProgramParts parts = generate_program(generator);
    const auto program = SG_TRY(Program::from_parts(parts));
    std::unique_ptr<Parse> parse(new Parse(serialize(*program), generator.instructions));
    const auto parsed = SG_TRY(Program::parse(parse->blob_));
    if (parsed->parts() == parts) return parse;
    return Error::make(ErrorKind::kBadProgram, "a wrong answer: not the program that was serialized");
  }

  bool run(Nanoseconds& spent) {
    const Clock::time_point begin = Clock::now();
    const Result<std::shared_ptr<const Program>> program = Program::parse(blob_);
    spent = Clock::now() - begin;
    return program.has_value();
  }
  void report(benchmark::State& state) const {
    state.counters["instructions"] = static_cast<double>(instructions_);
    state.counters["ns_per_instruction"] = ns_per(static_cast<double>(instructions_));
    state.counters["blob_bytes_per_second"] = amount_per_second(static_cast<double>(blob_.size()));
  }

 private:
  Parse(std::vector<uint8_t> blob, size_t instructions)
      : blob_(std::move(blob)), instructions_(instructions) {}

  std::vector<uint8_t> blob_;
  size_t instructions_;
};

}  // namespace

void add_compile(Suite& suite) {
  for (const size_t size : kSizes) {
    const GeneratorOptions generator{.seed = suite.seed(), .instructions = size};
    suite.add(
        fmt::format("compile/program/parse/{}", size), [=] { return Parse::create(generator); },
        benchmark::kMicrosecond);
    for (const Variant& variant : kVariants) {
      if (variant.backend == Backend::kLinux && size != kSizeForLinux) continue;
      suite.add(
          fmt::format("compile/{}/{}/{}", name_of(variant.backend), variant.name, size),
          [=, &variant] { return Compile::create(variant, generator); }, benchmark::kMicrosecond);
    }
  }
}

}  // namespace sandglass::bench
