// sandglass run: one guest, one call.
#include <charconv>

#include "sandbox/cli/builtin_functions.h"
#include "sandbox/cli/command.h"
#include "sandbox/cli/diagnosis.h"
#include "sandbox/cli/files.h"
#include "sandbox/cli/terminal.h"
#include "sandbox/program/function_names.h"

namespace sandglass::cli {
namespace {

struct RunArguments {
  std::string file;
  std::string backend = std::string(name_of(Backend::kGeneric));
  std::string entry = "main";
  std::string metering = "sync";
  std::vector<std::string> arguments;
  std::vector<std::string> allowed;
  int64_t gas = SandboxOptions{}.gas;
  uint32_t deadline_ms = 0;
  uint32_t cpu_ms = 0;
  bool trace = false;
};

struct MeteringName {
  std::string_view name;
  GasMetering metering;
};
constexpr MeteringName kMeterings[] = {
    {"none", GasMetering::kNone}, {"sync", GasMetering::kSync}, {"async", GasMetering::kAsync}};

GasMetering metering_named(std::string_view name) {
  for (const MeteringName& row : kMeterings) {
    if (row.name == name) return row.metering;
  }
  return GasMetering::kSync;
}

// Decimal, also negative, or 0x and hexadecimal digits.
std::optional<uint64_t> parse_argument(std::string_view text) {
  const bool is_hex = text.starts_with("0x"), is_negative = text.starts_with("-");
  text.remove_prefix(is_hex ? 2 : is_negative ? 1 : 0);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, is_hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (is_negative && value > uint64_t{1} << 63) return std::nullopt;
  return is_negative ? 0 - value : value;
}

std::string check_argument(const std::string& text) {
  return parse_argument(text) ? "" : "'" + text + "' is no 64-bit number";
}

Result<std::unique_ptr<Sandbox>> make_sandbox(std::shared_ptr<const Program> program,
                                              const RunArguments& args) {
  const ModuleOptions options = {.backend = *backend_named(args.backend),
                                 .gas = metering_named(args.metering),
                                 .step_tracing = args.trace};
  auto module = SG_TRY(Module::create(std::move(program), options));
  auto sandbox = SG_TRY(Sandbox::create(std::move(module), {.gas = args.gas}));
  std::vector<uint64_t> arguments;
  for (const std::string& text : args.arguments) arguments.push_back(parse_argument(text).value_or(0));
  SG_TRY(sandbox->prepare_call(args.entry, arguments));
  return sandbox;
}

Result<Interrupt> run_to_the_end(Sandbox& sandbox, const ImportTable& imports, const RunArguments& args,
                                 CpuBudget& cpu_budget) {
  CallLimits limits;
  if (args.deadline_ms != 0)
    limits.deadline = RunDeadline::after(std::chrono::milliseconds(args.deadline_ms));
  if (args.cpu_ms != 0) limits.cpu_budget = &cpu_budget;
  const FunctionNames names = FunctionNames::of(sandbox.module().program());
  for (;;) {
    const Interrupt stop = SG_TRY(call(sandbox, imports, limits));
    if (stop.kind != InterruptKind::kStep) return stop;
    const uint32_t pc = sandbox.program_counter().value_or(0);
    const auto place = names.find(pc);
    if (place && place->offset == 0) std::fprintf(stderr, "%s:\n", printable_name(place->name).c_str());
    std::fprintf(stderr, "%8x  %s\n", pc, describe_instruction(sandbox.module().program(), pc).c_str());
  }
}

int report_end(const Sandbox& sandbox, const Interrupt& stop, const RunArguments& args,
               std::string_view reason) {
  if (stop.kind == InterruptKind::kFinished) {
    print("a0 = {0} ({0:#x})\n", sandbox.reg(Reg::a0));
    if (args.metering != "none") print("gas used = {}\n", args.gas - sandbox.gas());
    return kSuccess;
  }
  print_error(describe_stop(sandbox, stop, reason));
  switch (stop.kind) {
    case InterruptKind::kTrap: return kGuestTrapped;
    case InterruptKind::kOutOfGas: return kGuestOutOfGas;
    case InterruptKind::kDeadlineExceeded: return kGuestDeadline;
    case InterruptKind::kHostCall: return kGuestRefused;
    case InterruptKind::kFinished:
    case InterruptKind::kPageFault:
    case InterruptKind::kStep:
    case InterruptKind::kInterrupted: break;
  }
  return kFailure;
}

Result<int> run_program(std::shared_ptr<const Program> program, const RunArguments& args) {
  Refusal refusal;
  const HostFunctions functions = SG_TRY(allow_builtins(args.allowed, refusal));
  const ImportTable imports = SG_TRY(functions.resolve(*program));
  const std::unique_ptr<Sandbox> sandbox = SG_TRY(make_sandbox(std::move(program), args));
  CpuBudget cpu_budget{std::chrono::milliseconds(args.cpu_ms)};
  const Interrupt stop = SG_TRY(run_to_the_end(*sandbox, imports, args, cpu_budget));
  const bool is_over_budget =
      stop.kind == InterruptKind::kDeadlineExceeded && args.cpu_ms != 0 && cpu_budget.is_spent();
  return report_end(*sandbox, stop, args,
                    is_over_budget ? "the guest used more CPU time than its limit" : refusal.reason);
}

int run(const RunArguments& args) {
  const LoadedProgram loaded = load_program(args.file);
  if (!loaded) {
    print_error(loaded.error);
    return kFailure;
  }
  const Result<int> exit_code = run_program(loaded.program, args);
  if (exit_code) return *exit_code;
  print_error(fmt::format("{}: {}", args.file, to_string(exit_code.error())));
  return kFailure;
}

std::string allow_help() {
  std::string text = "Hand a host function to the guest; may be repeated:";
  for (const Builtin& builtin : builtins()) text += fmt::format("\n{} - {}", builtin.name, builtin.help);
  return text;
}

template <typename Rows>
std::vector<std::string> names_in(const Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.emplace_back(row.name);
  return names;
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const Backend backend : kAllBackends) names.emplace_back(name_of(backend));
  return names;
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("run", "Run an exported function of a guest program");
  command->add_option("FILE", args->file, "A .polkavm container or assembly text")->required();
  command->add_option("--backend", args->backend, "What runs the guest")
      ->check(CLI::IsMember(backend_names()))
      ->capture_default_str();
  command->add_option("--entry", args->entry, "The exported function to call")->capture_default_str();
  command->add_option("--arg", args->arguments, "An argument, in order: a0 … a5, t0 … t2; may be repeated")
      ->check(CLI::Validator(check_argument, "N"))
      ->allow_extra_args(false);
  command->add_option("--gas", args->gas, "Gas to start with")->capture_default_str();
  command
      ->add_option("--metering", args->metering,
                   "none: endless guests need a deadline; sync: exact; async: cheaper")
      ->check(CLI::IsMember(names_in(kMeterings)))
      ->capture_default_str();
  command->add_option("--deadline-ms", args->deadline_ms, "Stop the guest after this time; 0: never")
      ->capture_default_str();
  command
      ->add_option("--cpu-ms", args->cpu_ms, "Stop the guest when it has used this much CPU time; 0: never")
      ->capture_default_str();
  command->add_flag("--trace", args->trace, "Print every instruction before it runs, on standard error");
  command->add_option("--allow", args->allowed, allow_help())
      ->check(CLI::IsMember(names_in(builtins())))
      ->allow_extra_args(false);
  command->callback([args, &exit_code] { exit_code = run(*args); });
}

}  // namespace sandglass::cli
