// Before a run (`set`), beyond the keys of spec_program.h:
//
//   a0 = 5   gas = 100   entry = @label       entry: where the next run starts, charged by the host's rules
//   mem[0x20000] = 01 02 ab*16                written by the host
//   heap = 4096                               sbrk by the host, must succeed
//   accessible_aux = 4096   reset_memory = yes
//   provide[0x10000] = 4096 read_write   protect[0x10000] = 4096 read   free[0x10000] = 4096
//
// After it (`expect`); what is not mentioned is checked as the list says:
//
//   status = finished (the default) | host_call | trap | out_of_gas | page_fault | step, or no_pc
//   trap = instruction | invalid_instruction | invalid_jump | invalid_dynamic_jump | memory_access
//   pc = @label, next = @label                a number, end or none; must be given for traps and out_of_gas,
//   and
//                                             follow from interrupt.h otherwise
//   a0 = 5                                    registers keep their value unless `others = any`
//   gas = 5   host_call = 1   heap_bytes = 0   mem[0x20000] = 01 02
//   fault = 0x10000 4 write                   address, size and kind of the access
//   page = 0x10000   page_bytes = 4096   write_protected = yes|no
//   block_cost[@label] = 3, or none
//   module = refused [offset]                 alone: creating the module fails, there
#include "tests/spec/spec_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "sandbox/backend/sandbox.h"
#include "tests/spec/spec_program.h"

namespace sandglass::spec {
namespace {

constexpr std::string_view kStatusNames[] = {"finished",   "host_call", "trap",        "out_of_gas",
                                             "page_fault", "step",      "interrupted", "deadline_exceeded"};
constexpr std::string_view kTrapNames[] = {"instruction", "invalid_instruction", "invalid_jump",
                                           "invalid_dynamic_jump", "memory_access"};
constexpr int64_t kDefaultGas = 10'000;

std::optional<Reg> reg_named(std::string_view name) {
  const auto* found = std::find(kRegNames.begin(), kRegNames.end(), name);
  if (found == kRegNames.end()) return std::nullopt;
  return static_cast<Reg>(found - kRegNames.begin());
}

// One case on one set and backend: a sandbox, and what its last run() said.
class CaseRun {
 public:
  CaseRun(std::shared_ptr<const Module> module, bool skip_steps)
      : module_(std::move(module)), skip_steps_(skip_steps) {
    Result<std::unique_ptr<Sandbox>> sandbox = Sandbox::create(module_, {.gas = kDefaultGas});
    if (!sandbox) {
      ADD_FAILURE() << to_string(sandbox.error());
      return;
    }
    sandbox_ = std::move(sandbox).value();
    expect_ok(sandbox_->prepare_call(program().find_export("main").value_or(0)));
  }

  void run(const Run& run) {
    if (sandbox_ == nullptr) return;
    for (const Item& item : run.set) apply(item);
    for (size_t i = 0; i < kRegCount; ++i) expected_regs_[i] = sandbox_->reg(static_cast<Reg>(i));
    start();
    check_status(run.expect);
    for (const Item& item : run.expect) check(item);
    check_registers(run.expect);
  }

 private:
  const Program& program() const { return module_->program(); }

  static void expect_ok(const Status& status) { EXPECT_TRUE(status) << to_string(status.error()); }

  uint64_t number(std::string_view text) const {
    const std::optional<uint64_t> value = parse_value(text, &program());
    EXPECT_TRUE(value) << "no number: " << text;
    return value.value_or(0);
  }
  uint32_t address(std::string_view text) const { return static_cast<uint32_t>(number(text)); }
  static std::vector<uint8_t> bytes(std::string_view text) {
    const std::optional<std::vector<uint8_t>> value = parse_bytes(text);
    EXPECT_TRUE(value) << "no bytes: " << text;
    return value.value_or(std::vector<uint8_t>());
  }

  // "name[index]" → both parts.
  static std::pair<std::string_view, std::string_view> split_key(std::string_view key) {
    const size_t bracket = key.find('[');
    if (bracket == std::string_view::npos || !key.ends_with(']')) return {key, {}};
    return {key.substr(0, bracket), key.substr(bracket + 1, key.size() - bracket - 2)};
  }

  void start();
  void apply(const Item& item);
  void apply_pages(std::string_view name, std::string_view index, const std::string& value);
  void check(const Item& item);
  void check_stop(std::string_view name, const std::string& value);
  void check_memory(uint32_t at, const std::vector<uint8_t>& expected);
  void check_fault(const std::string& value);
  void check_status(const Items& expect);
  void check_pcs(const Items& expect);
  void check_registers(const Items& expect);
  void expect_pc(const char* name, const std::optional<uint32_t>& actual, std::string_view expected);

  std::shared_ptr<const Module> module_;
  std::unique_ptr<Sandbox> sandbox_;
  const bool skip_steps_;
  std::array<uint64_t, kRegCount> expected_regs_{};
  std::optional<Interrupt> stop_;  // nothing: there was nowhere to start
};

const std::string* find(const Items& items, std::string_view key) {
  const auto last = std::find_if(items.rbegin(), items.rend(), [&](const Item& i) { return i.key == key; });
  return last == items.rend() ? nullptr : &last->value;
}

void CaseRun::start() {
  for (;;) {
    const Result<Interrupt> result = sandbox_->run();
    stop_ = result ? std::optional(*result) : std::nullopt;
    if (!result) {
      EXPECT_EQ(result.error().kind, ErrorKind::kNoProgramCounter) << to_string(result.error());
    }
    if (!skip_steps_ || !stop_ || stop_->kind != InterruptKind::kStep) return;
    EXPECT_EQ(sandbox_->program_counter(), sandbox_->next_program_counter()) << "at a step";
  }
}

// Before the run. -------------------------------------------------------------------------------------------

void CaseRun::apply(const Item& item) {
  const auto [name, index] = split_key(item.key);
  if (const std::optional<Reg> reg = reg_named(name)) return sandbox_->set_reg(*reg, number(item.value));
  if (name == "gas") return sandbox_->set_gas(static_cast<int64_t>(number(item.value)));
  if (name == "entry") return sandbox_->set_next_program_counter(address(item.value));
  if (name == "mem") return expect_ok(sandbox_->write(address(index), bytes(item.value)));
  if (name == "heap") {
    EXPECT_TRUE(sandbox_->sbrk(address(item.value))) << "the host's sbrk failed";
    return;
  }
  if (name == "accessible_aux") return expect_ok(sandbox_->set_accessible_aux(address(item.value)));
  if (name == "reset_memory") return expect_ok(sandbox_->reset_memory());
  apply_pages(name, index, item.value);
}

void CaseRun::apply_pages(std::string_view name, std::string_view index, const std::string& value) {
  const std::vector<std::string> words = split(value, " ");
  const uint64_t size_bytes = words.empty() ? 0 : number(words[0]);
  const Protection protection = words.back() == "read" ? Protection::kRead : Protection::kReadWrite;
  if (name == "provide") return expect_ok(sandbox_->provide(address(index), size_bytes, protection));
  if (name == "protect") return expect_ok(sandbox_->protect(address(index), size_bytes, protection));
  if (name == "free") return expect_ok(sandbox_->free_pages(address(index), size_bytes));
  ADD_FAILURE() << "unknown key before a run: " << name;
}

// After the run. --------------------------------------------------------------------------------------------

void CaseRun::check(const Item& item) {
  const auto [name, index] = split_key(item.key);
  if (name == "status" || name == "pc" || name == "next" || name == "others" || reg_named(name)) return;
  if (name == "gas") {
    EXPECT_EQ(sandbox_->gas(), static_cast<int64_t>(number(item.value)));
  } else if (name == "heap_bytes") {
    EXPECT_EQ(sandbox_->heap_bytes(), number(item.value));
  } else if (name == "mem") {
    check_memory(address(index), bytes(item.value));
  } else if (name == "block_cost") {
    expect_pc("block_cost", module_->gas_cost(address(index)), item.value);
  } else if (stop_) {
    check_stop(name, item.value);
  }
}

void CaseRun::check_stop(std::string_view name, const std::string& value) {
  if (name == "host_call") {
    EXPECT_EQ(stop_->host_call, number(value));
  } else if (name == "trap") {
    EXPECT_EQ(kTrapNames[static_cast<size_t>(stop_->trap)], value);
  } else if (name == "fault") {
    check_fault(value);
  } else if (name == "page") {
    EXPECT_EQ(stop_->page_address, number(value));
  } else if (name == "page_bytes") {
    EXPECT_EQ(stop_->page_bytes, number(value));
  } else if (name == "write_protected") {
    EXPECT_EQ(stop_->is_write_protected, value == "yes");
  } else {
    ADD_FAILURE() << "unknown key after a run: " << name;
  }
}

void CaseRun::check_memory(uint32_t at, const std::vector<uint8_t>& expected) {
  std::vector<uint8_t> actual(expected.size());
  expect_ok(sandbox_->read(at, actual));
  EXPECT_EQ(actual, expected) << "memory at " << at;
}

void CaseRun::check_fault(const std::string& value) {
  const std::vector<std::string> words = split(value, " ");
  ASSERT_EQ(words.size(), 3u) << "not a fault: " << value;
  EXPECT_EQ(stop_->fault.address, number(words[0]));
  EXPECT_EQ(stop_->fault.size_bytes, number(words[1]));
  EXPECT_EQ(stop_->fault.access == Access::kWrite ? "write" : "read", words[2]);
}

void CaseRun::check_status(const Items& expect) {
  const std::string* expected = find(expect, "status");
  const std::string_view status = stop_ ? kStatusNames[static_cast<size_t>(stop_->kind)] : "no_pc";
  EXPECT_EQ(status, expected != nullptr ? *expected : "finished");
  if (stop_) check_pcs(expect);
}

void CaseRun::expect_pc(const char* name, const std::optional<uint32_t>& actual, std::string_view expected) {
  const std::optional<uint32_t> wanted = expected == "none" ? std::nullopt : std::optional(address(expected));
  EXPECT_EQ(actual, wanted) << name << " = " << expected;
}

// The table in interrupt.h, and what the case says of it.
void CaseRun::check_pcs(const Items& expect) {
  const std::optional<uint32_t> pc = sandbox_->program_counter(), next = sandbox_->next_program_counter();
  const std::string* expected_pc = find(expect, "pc");
  const std::string* expected_next = find(expect, "next");
  if (expected_pc != nullptr) expect_pc("pc", pc, *expected_pc);
  if (expected_next != nullptr) expect_pc("next", next, *expected_next);
  switch (stop_->kind) {
    case InterruptKind::kFinished:
      EXPECT_EQ(pc, std::nullopt);
      EXPECT_EQ(next, std::nullopt);
      return;
    case InterruptKind::kTrap:
      EXPECT_NE(expected_pc, nullptr) << "a case that traps must say where: pc = ..";
      EXPECT_EQ(next, std::nullopt);
      return;
    case InterruptKind::kHostCall:
      ASSERT_NE(pc, std::nullopt);
      EXPECT_EQ(next, program().decode(*pc).next_pc);
      return;
    case InterruptKind::kOutOfGas:
      EXPECT_TRUE(expected_pc != nullptr && expected_next != nullptr) << "out_of_gas wants pc and next";
      return;
    case InterruptKind::kPageFault:
    case InterruptKind::kStep:
    case InterruptKind::kInterrupted:
    case InterruptKind::kDeadlineExceeded: EXPECT_EQ(pc, next); return;
  }
}

void CaseRun::check_registers(const Items& expect) {
  const bool others_may_change = find(expect, "others") != nullptr;
  for (size_t i = 0; i < kRegCount; ++i) {
    const std::string* mentioned = find(expect, kRegNames[i]);
    if (mentioned == nullptr && others_may_change) continue;
    const uint64_t mask = program().is_64_bit() ? ~uint64_t{0} : UINT32_MAX;
    const uint64_t expected = mentioned != nullptr ? number(*mentioned) & mask : expected_regs_[i];
    EXPECT_EQ(sandbox_->reg(static_cast<Reg>(i)), expected)
        << kRegNames[i] << (mentioned != nullptr ? " = " + *mentioned : " must keep its value");
  }
}

// All of a case. --------------------------------------------------------------------------------------------

void expect_refused(const Result<std::shared_ptr<const Module>>& module, const std::string& refused) {
  ASSERT_FALSE(module) << "the module should have been refused";
  EXPECT_EQ(module.error().kind, ErrorKind::kBadProgram) << to_string(module.error());
  const std::vector<std::string> words = split(refused, " ");
  if (words.size() == 2) {
    EXPECT_EQ(module.error().where, parse_value(words[1], nullptr));
  }
}

void run_variant(Case one, const std::shared_ptr<const Program>& program, const ModuleOptions& options,
                 bool skip_steps) {
  const Result<std::shared_ptr<const Module>> module = Module::create(program, options);
  if (const std::string* refused = find(one.runs.back().expect, "module")) {
    return expect_refused(module, *refused);
  }
  ASSERT_TRUE(module) << to_string(module.error());
  CaseRun run(*module, skip_steps);
  for (const Run& each : one.runs) run.run(each);
}

void run_case(const SpecFile& file, Case one, Backend backend) {
  std::optional<Setup> setup = take_setup(one.runs.front().set);
  if (!setup) return;
  setup->options.backend = backend;
  for (const InstructionSet set : setup->sets) {
    if (one.only_64_bit && *one.only_64_bit != is_64_bit(set)) continue;
    SCOPED_TRACE(std::string(name_of(set)));
    const std::shared_ptr<const Program> program = build_program(file, set);
    if (program == nullptr) return;
    run_variant(one, program, setup->options, false);
    // An asynchronous meter reports at steps what it would report later.
    if (setup->uses_steps || setup->options.gas == GasMetering::kAsync) continue;
    SCOPED_TRACE("with step tracing");
    ModuleOptions stepping = setup->options;
    stepping.step_tracing = true;
    run_variant(one, program, stepping, true);
  }
}

}  // namespace

void run_spec_file(const SpecFile& file, Backend backend) {
  for (const Case& one : file.cases) {
    SCOPED_TRACE(file.path.string() + ":" + std::to_string(one.line) + ", " + std::string(name_of(backend)));
    run_case(file, one, backend);
  }
}

}  // namespace sandglass::spec
