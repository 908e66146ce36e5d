#include "tests/attack/field.h"

#include <dirent.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include "sandbox/program/assembler.h"

// The linker gives the ends of sections with names that C knows.
extern "C" const uint8_t __start_intruder_entry[], __stop_intruder_entry[], __start_intruder[],
    __stop_intruder[];

namespace sandglass::attack {
namespace {

using std::chrono::seconds;

constexpr std::string_view kPlain =
    "pub @main:\n a1 = 0\n@loop:\n a1 = a1 + a0\n a0 = a0 - 1\n jump @loop if a0 != 0\n a0 = a1\n ret";

const std::vector<uint8_t>& intruder_code() {
  static const std::vector<uint8_t> code = [] {
    std::vector<uint8_t> bytes(__start_intruder_entry, __stop_intruder_entry);
    bytes.insert(bytes.end(), __start_intruder, __stop_intruder);
    return bytes;
  }();
  return code;
}

uint64_t offset_of(const void* label) {
  return static_cast<uint64_t>(static_cast<const uint8_t*>(label) - __start_intruder);
}

std::shared_ptr<const Module> module_of(std::string_view text, const ModuleOptions& options) {
  return Module::create(Program::from_parts(assemble(text).value()).value(), options).value();
}

std::span<const uint8_t> bytes_of(const Orders& orders) {
  return {reinterpret_cast<const uint8_t*>(&orders), sizeof orders};
}

Worker& worker_of(const Sandbox& sandbox) {
  return const_cast<Worker&>(static_cast<const LinuxSandbox&>(sandbox).worker());
}

std::string status_line(pid_t process, std::string_view key) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return {};
}

pid_t parent_of(pid_t process) { return std::atoi(status_line(process, "PPid:").c_str()); }

}  // namespace

void end_worker(const Sandbox& sandbox) {
  Worker& worker = worker_of(sandbox);
  worker.kill();
  for (int tries = 0; tries < 5000 && !worker.has_died(); ++tries) ::usleep(1000);
  EXPECT_TRUE(worker.has_died());
}

// Intrusions. -----------------------------------------------------------------------------------------------

Intrusion::Intrusion(std::shared_ptr<WorkerPool> pool, void (*function)(), const Orders& orders,
                     const ModuleChoice& choice) {
  ModuleOptions options = {.backend = Backend::kLinux,
                           .gas = choice.gas,
                           .step_tracing = choice.step_tracing,
                           .dynamic_paging = choice.dynamic_paging,
                           .aux_bytes = choice.dynamic_paging ? 0u : 8192u};
  options.red_team_code = intruder_code();
  module_ = module_of(kTarget, options);
  sandbox_ = Sandbox::create(module_, {.workers = std::move(pool)}).value();
  if (choice.dynamic_paging) {
    EXPECT_TRUE(sandbox_->provide(kOrdersAddress, sizeof(Orders), Protection::kReadWrite));
  }
  give(orders);
  EXPECT_TRUE(sandbox_->prepare_call("main"));
  sandbox_->set_reg(Reg::a5, entry_of(function));
  sandbox_->set_gas(1000);
}

Worker& Intrusion::worker() const { return worker_of(*sandbox_); }

void Intrusion::drop() {
  if (sandbox_ == nullptr) return;
  end_worker(*sandbox_);
  sandbox_.reset();
}

Result<Interrupt> Intrusion::run() { return sandbox_->run({.deadline = seconds(5)}); }

Orders Intrusion::orders() {
  Orders orders;
  std::memcpy(&orders, worker().memory() + kOrdersAddress, sizeof orders);
  return orders;
}

void Intrusion::give(const Orders& orders) { EXPECT_TRUE(sandbox_->write(kOrdersAddress, bytes_of(orders))); }

void Intrusion::map_low() {
  const ModuleImage& image = *module_->image().value();
  const uint64_t begin = red_team_offset(*module_->native_code());
  const MemoryChange change = {.address = kLowCode,
                               .size_bytes = image.code().size_bytes - begin,
                               .file_offset = image.code().file_offset + begin,
                               .kind = MemoryChange::Kind::kMapImage,
                               .protection = PROT_READ | PROT_EXEC};
  ASSERT_TRUE(worker().change({&change, 1}, image.fd()));
}

uint64_t Intrusion::entry_of(void (*function)()) {
  return offset_of(reinterpret_cast<const void*>(function));
}

uint64_t Intrusion::low_address(const void* label) {
  return kLowCode + static_cast<uint64_t>(__stop_intruder_entry - __start_intruder_entry) + offset_of(label);
}

uint64_t NativeGuest::begin(std::string_view name) const {
  return worker_space::kCode + module.native_code()->entry_of(pc(name));
}

// The last byte that belongs to it, and one more.
uint64_t NativeGuest::behind(std::string_view name) const {
  uint32_t offset = module.native_code()->entry_of(pc(name));
  for (; module.native_code()->find_at(offset) && module.native_code()->find_at(offset)->pc == pc(name);) {
    ++offset;
  }
  return worker_space::kCode + offset;
}

// Fixtures. -------------------------------------------------------------------------------------------------

Result<std::shared_ptr<WorkerPool>> attack_pool(const JailOptions& jail) {
  WorkerPoolOptions options = {.jail = jail, .max_idle = 1};
  options.jail.wait.command_timeout = std::chrono::milliseconds(500);
  return WorkerPool::create(options);
}

AttackTest::AttackTest(bool with_seccomp) {
  static const std::shared_ptr<WorkerPool> pools[] = {attack_pool({.without_seccomp = true}).value(),
                                                      attack_pool({}).value()};
  pool_ = pools[with_seccomp];
}

void AttackTest::SetUp() {
  plain_module_ = module_of(kPlain, {.backend = Backend::kLinux});
  bystander_ = Sandbox::create(plain_module_, {.workers = pool_}).value();
  template_ = parent_of(worker_of(*bystander_).process_id());
  ASSERT_GT(template_, 1);
  settle();
  // The bystander's worker and the idle one; those of earlier tests take a moment to go.
  constexpr size_t kWorkers = 2;
  for (int tries = 0; tries < 500 && (before_ = census()).processes != kWorkers; ++tries) ::usleep(10'000);
  ASSERT_EQ(before_.processes, kWorkers);
}

// The pool has one idle worker, with the same module.
void AttackTest::settle() {
  const auto other = Sandbox::create(plain_module_, {.workers = pool_});
  ASSERT_TRUE(other);
}

void AttackTest::TearDown() {
  expect_unharmed();
  settle();
  Census now;
  for (int tries = 0; tries < 500 && !((now = census()) == before_); ++tries) ::usleep(10'000);
  EXPECT_EQ(now.descriptors, before_.descriptors);
  EXPECT_EQ(now.processes, before_.processes);
}

AttackTest::Census AttackTest::census() const {
  Census census;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++census.descriptors;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t process = std::atoi(entry.path().filename().c_str());
    if (process > 0 && parent_of(process) == template_) ++census.processes;
  }
  return census;
}

void AttackTest::expect_unharmed() {
  ASSERT_TRUE(bystander_->prepare_call("main", {1000}));
  const Result<Interrupt> stop = bystander_->run({.deadline = seconds(10)});
  ASSERT_TRUE(stop) << to_string(stop.error());
  EXPECT_EQ(stop->kind, InterruptKind::kFinished);
  EXPECT_EQ(bystander_->reg(Reg::a0), 500500u);
}

Error AttackTest::error_of(Intrusion& intrusion) {
  if (!intrusion.sandbox().next_program_counter()) {
    EXPECT_TRUE(intrusion.sandbox().prepare_call("main"));
  }
  const Result<Interrupt> stop = intrusion.run();
  if (stop) {
    ADD_FAILURE() << "the run goes well and ends with " << name_of(stop->kind);
    return {};
  }
  const Error error = stop.error();
  // From now on the sandbox gives this error and nothing else.
  EXPECT_TRUE(intrusion.sandbox().prepare_call("main"));
  const Result<Interrupt> again = intrusion.run();
  EXPECT_FALSE(again);
  if (!again) {
    EXPECT_EQ(to_string(again.error()), to_string(error));
  }
  EXPECT_FALSE(intrusion.sandbox().reset_memory());
  // The process has ended and serves nobody any more.
  const pid_t process = intrusion.worker().process_id();
  intrusion.drop();
  const auto next = Sandbox::create(plain_module_, {.workers = pool_});
  EXPECT_TRUE(next);
  if (next) {
    EXPECT_NE(worker_of(**next).process_id(), process);
  }
  const auto is_gone = [process] {
    const std::string state = status_line(process, "State:");
    return state.empty() || state.find('Z') != std::string::npos;
  };
  for (int tries = 0; tries < 2000 && !is_gone(); ++tries) ::usleep(1000);
  EXPECT_TRUE(is_gone());
  return error;
}

void AttackTest::expect_kind(Intrusion& intrusion, ErrorKind kind) {
  const Error error = error_of(intrusion);
  EXPECT_EQ(error.kind, kind) << to_string(error);
}

void AttackTest::expect_killed(const Call& call, uint32_t architecture) {
  SCOPED_TRACE(testing::Message() << "call " << static_cast<int>(call.number) << "(" << std::hex
                                  << call.arguments[0] << ", " << call.arguments[1] << ")");
  Intrusion intrusion = intrude(intrude_with_calls, orders_of({call}));
  const Result<Interrupt> stop = intrusion.run();
  const Orders left = intrusion.orders();
  ASSERT_EQ(left.calls_begun, 1u) << "the intruder has not run";
  ASSERT_FALSE(stop) << "the call returns " << left.calls[0].result;
  const std::optional<Violation> violation = intrusion.worker().violation();
  const Error error = error_of(intrusion);
  EXPECT_EQ(error.kind, ErrorKind::kViolation) << to_string(error);
  ASSERT_TRUE(violation);
  EXPECT_EQ(violation->number, static_cast<int>(call.number));
  EXPECT_EQ(violation->architecture, architecture);
  if (left.calls[0].ip != 0) {
    EXPECT_EQ(violation->instruction_pointer, left.calls[0].ip);
  }
  // The error says the same.
  char numbers[64];
  std::snprintf(numbers, sizeof numbers, "(%d), arch %#x, ip %#llx", violation->number,
                violation->architecture, static_cast<unsigned long long>(violation->instruction_pointer));
  EXPECT_NE(to_string(error).find(numbers), std::string::npos) << to_string(error);
}

void AttackTest::expect_killed_silently(const Call& call) {
  SCOPED_TRACE(testing::Message() << "call " << call.number);
  Intrusion intrusion = intrude(intrude_with_calls, orders_of({call}));
  const Error error = error_of(intrusion);
  EXPECT_EQ(error.kind, ErrorKind::kViolation) << to_string(error);
}

std::vector<int64_t> AttackTest::results_of(std::initializer_list<Call> calls) {
  Intrusion intrusion = intrude(intrude_with_calls, orders_of(calls));
  const Result<Interrupt> stop = intrusion.run();
  EXPECT_TRUE(stop) << to_string(stop.error());
  std::vector<int64_t> results;
  const Orders left = intrusion.orders();
  for (size_t i = 0; i < calls.size(); ++i) results.push_back(left.calls[i].result);
  return results;
}

// Orders. ---------------------------------------------------------------------------------------------------

Orders orders_of(std::initializer_list<Call> calls) {
  Orders orders;
  for (const Call& call : calls) orders.calls[orders.call_count++] = call;
  return orders;
}

Orders orders_of(std::initializer_list<Move> moves) {
  Orders orders;
  for (const Move& move : moves) orders.moves[orders.move_count++] = move;
  return orders;
}

Move answer(std::initializer_list<Write> writes) {
  Move move;
  for (const Write& write : writes) move.writes[move.write_count++] = write;
  return move;
}

Move claim(ExitReason reason, uint64_t resume_address, uint32_t argument, int64_t gas) {
  return answer({{SG_FIELD(exit_reason), static_cast<uint64_t>(reason), 4},
                 {SG_FIELD(exit_argument), argument, 4},
                 {SG_FIELD(resume_address), resume_address},
                 {SG_FIELD(gas), static_cast<uint64_t>(gas)}});
}

}  // namespace sandglass::attack
