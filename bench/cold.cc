// Question: how long until a program has answered that nobody has run before, and what is that time made of?
// Unit:     time from the container's bytes to the first answer at the full size, with a new module, sandbox
//           and worker process. Its parts are counters: compile_ns (parse and compile), spawn_ns (make the
//           sandbox), first_ns (the first run), and again_ns, a second run of the same sandbox, which is not
//           in the time. What touching memory and code for the first time costs is first_ns minus again_ns.
// Variants: generic/static; linux/lazy, eager and image are strategies of sandbox/compiler/module.h;
//           linux/paged serves every page that the guest touches when the guest asks for it.
// Counters: container_KiB, code_KiB (of the guest), native_KiB (made of it), data_KiB, heap_KiB (asked for).
// Not timed: dropping the sandbox and its worker.
#include <fmt/format.h>

#include <algorithm>

#include "bench/families.h"
#include "bench/guests.h"
#include "sandbox/base/units.h"
#include "sandbox/compiler/native_code.h"
#include "sandbox/pool/worker_pool.h"
#include "workloads/programs.h"

namespace sandglass::bench {
namespace {

struct Variant {
  std::string_view name;
  ModuleOptions options;
};
const Variant kVariants[] = {
    {"generic/static", {.backend = Backend::kGeneric, .gas = GasMetering::kNone}},
    {"linux/lazy", {.backend = Backend::kLinux, .gas = GasMetering::kNone, .memory = MemoryStrategy::kLazy}},
    {"linux/eager",
     {.backend = Backend::kLinux, .gas = GasMetering::kNone, .memory = MemoryStrategy::kEager}},
    {"linux/image",
     {.backend = Backend::kLinux, .gas = GasMetering::kNone, .memory = MemoryStrategy::kImage}},
    {"linux/paged", {.backend = Backend::kLinux, .gas = GasMetering::kNone, .dynamic_paging = true}},
};

double kibibytes(size_t bytes) { return static_cast<double>(bytes) / static_cast<double>(KiB(1)); }

// Gives the guest the page that it asks for, as it is in a fresh sandbox without dynamic paging.
Status provide_page(Sandbox& sandbox, const Interrupt& stop) {
  const MemoryMap& map = sandbox.module().memory_map();
  const ProgramParts& parts = sandbox.module().program().parts();
  const bool is_read_only = map.ro_data().contains(stop.page_address, stop.page_bytes);
  const std::vector<uint8_t>& data = is_read_only ? parts.ro_data : parts.rw_data;
  const uint64_t at = stop.page_address - (is_read_only ? map.ro_data() : map.rw_data()).begin;
  const Protection protection = is_read_only ? Protection::kRead : Protection::kReadWrite;
  if (at >= data.size()) return sandbox.provide(stop.page_address, stop.page_bytes, protection);
  const size_t bytes = std::min<size_t>(stop.page_bytes, data.size() - at);
  return sandbox.provide(stop.page_address, std::span(data).subspan(at, bytes), protection);
}

// Whether the program answered what it should.
bool answers(Sandbox& sandbox, const Workload& program) {
  if (!prepare(sandbox, program, program.full)) return false;
  for (;;) {
    const Result<Interrupt> stop = sandbox.run();
    if (!stop) return false;
    if (stop->kind == InterruptKind::kFinished) return sandbox.reg(Reg::a0) == program.full.expected;
    if (stop->kind != InterruptKind::kPageFault || !provide_page(sandbox, *stop)) return false;
  }
}

class ColdRun {
 public:
  static Result<std::unique_ptr<ColdRun>> create(const Workload& program, const ModuleOptions& options) {
    SG_TRY(need(options.backend));
    std::unique_ptr<ColdRun> run(new ColdRun(program, options));
    // No worker is ever used again.
    if (options.backend == Backend::kLinux)
      run->sandbox_options_.workers = SG_TRY(WorkerPool::create({.max_idle = 0}));
    return run;
  }

  bool run(Nanoseconds& spent) {
    const Clock::time_point begin = Clock::now();
    const auto program = load(program_);
    if (!program) return false;
    const auto module = Module::create(*program, options_);
    if (!module) return false;
    const Clock::time_point compiled = Clock::now();
    const auto sandbox = Sandbox::create(*module, sandbox_options_);
    if (!sandbox) return false;
    const Clock::time_point spawned = Clock::now();
    if (!answers(**sandbox, program_)) return false;
    const Clock::time_point answered = Clock::now();
    spent = answered - begin;
    if (!answers(**sandbox, program_)) return false;
    const Clock::time_point answered_again = Clock::now();

    ++runs_;
    compile_ += compiled - begin;
    spawn_ += spawned - compiled;
    first_ += answered - spawned;
    again_ += answered_again - answered;
    measure_sizes(**module, **sandbox);
    return true;
  }

  void report(benchmark::State& state) const {
    state.SetLabel(name_of(program_.kind));
    const auto mean = [&](Nanoseconds sum) {
      return static_cast<double>(sum.count()) / static_cast<double>(runs_);
    };
    state.counters["compile_ns"] = mean(compile_);
    state.counters["spawn_ns"] = mean(spawn_);
    state.counters["first_ns"] = mean(first_);
    state.counters["again_ns"] = mean(again_);
    for (const auto& [name, value] : sizes_) state.counters[name] = value;
  }

 private:
  ColdRun(const Workload& program, const ModuleOptions& options) : program_(program), options_(options) {}

  void measure_sizes(const Module& module, const Sandbox& sandbox) {
    const MemoryMap& map = module.memory_map();
    sizes_ = {{"container_KiB", kibibytes(program_.container.size())},
              {"code_KiB", kibibytes(module.program().code_bytes())},
              {"native_KiB", kibibytes(module.native_code()->size_bytes())},
              {"data_KiB", kibibytes(map.ro_data().size() + map.rw_data().size())},
              {"heap_KiB", kibibytes(sandbox.heap_bytes())}};
  }

  const Workload& program_;
  ModuleOptions options_;
  SandboxOptions sandbox_options_ = {.gas = kPlentyOfGas};
  uint64_t runs_ = 0;
  Nanoseconds compile_{}, spawn_{}, first_{}, again_{};
  std::vector<std::pair<std::string, double>> sizes_;
};

}  // namespace

void add_cold(Suite& suite) {
  for (const Workload& program : guest_programs()) {
    for (const Variant& variant : kVariants) {
      suite.add(
          fmt::format("cold/{}/{}", variant.name, program.name),
          [&] { return ColdRun::create(program, variant.options); }, benchmark::kMicrosecond);
    }
  }
}

}  // namespace sandglass::bench
