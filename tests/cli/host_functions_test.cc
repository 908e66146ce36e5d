// Host functions: a guest gets what was handed to it by name and nothing else, on every backend.
#include "sandbox/backend/host_functions.h"

#include <gtest/gtest.h>

#include <ctime>

#include "sandbox/sandglass.h"

namespace sandglass {
namespace {

constexpr const char* kGuest = R"(
%import none
%import 'double'
%import 'refuse'
pub @main:
    ecalli 'double'
    a0 = a0 + 1
    ecalli 'double'
    ret
pub @refused:
    ecalli 2
    ret
pub @nameless:
    ecalli 0
    ret
pub @beyond:
    ecalli 3
    ret
pub @far_beyond:
    ecalli 4294967295
    ret
pub @spin:
    jump @spin
pub @call_forever:
    ecalli 'double'
    jump @call_forever
)";

HostCallResult double_a0(Sandbox& guest) {
  guest.set_reg(Reg::a0, guest.reg(Reg::a0) * 2);
  return HostCallResult::kContinue;
}
HostCallResult refuse(Sandbox&) { return HostCallResult::kStop; }

std::shared_ptr<const Program> guest_program() { return *Program::from_parts(*assemble(kGuest)); }

TEST(HostFunctionsTest, RefusesAProgramThatImportsMore) {
  HostFunctions functions;
  ASSERT_TRUE(functions.add("double", double_a0));
  const auto imports = functions.resolve(*guest_program());
  ASSERT_FALSE(imports);
  EXPECT_EQ(imports.error().kind, ErrorKind::kBadProgram);
  EXPECT_STREQ(imports.error().detail, "refuse");
}

TEST(HostFunctionsTest, RefusesTwoOfOneName) {
  HostFunctions functions;
  ASSERT_TRUE(functions.add("double", double_a0));
  EXPECT_EQ(functions.add("double", refuse).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(functions.add("empty", nullptr).error().kind, ErrorKind::kInvalidArgument);
}

class HostFunctionsOnBackend : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    HostFunctions functions;
    ASSERT_TRUE(functions.add("double", double_a0));
    ASSERT_TRUE(functions.add("refuse", refuse));
    const auto program = guest_program();
    imports_ = *functions.resolve(*program);
    sandbox_ = *Sandbox::create(*Module::create(program, {.backend = GetParam()}));
  }
  Interrupt call_guest(std::string_view entry, const CallLimits& limits = {}) {
    SG_CHECK(sandbox_->prepare_call(entry, {20}).has_value());
    return *call(*sandbox_, imports_, limits);
  }

  ImportTable imports_;
  std::unique_ptr<Sandbox> sandbox_;
};

TEST_P(HostFunctionsOnBackend, AreCalledByTheirPlaceInTheImportTable) {
  EXPECT_EQ(call_guest("main").kind, InterruptKind::kFinished);
  EXPECT_EQ(sandbox_->reg(Reg::a0), 82u);
}

TEST_P(HostFunctionsOnBackend, CanRefuseACall) {
  const Interrupt stop = call_guest("refused");
  EXPECT_EQ(stop.kind, InterruptKind::kHostCall);
  EXPECT_EQ(stop.host_call, 2u);
}

TEST_P(HostFunctionsOnBackend, DoNotServeWhatNobodyImported) {
  for (const auto& [entry, number] :
       {std::pair("nameless", 0u), {"beyond", 3u}, {"far_beyond", UINT32_MAX}}) {
    const Interrupt stop = call_guest(entry);
    EXPECT_EQ(stop.kind, InterruptKind::kHostCall) << entry;
    EXPECT_EQ(stop.host_call, number) << entry;
  }
}

TEST_P(HostFunctionsOnBackend, StopAtTheEndOfTheGas) {
  sandbox_->set_gas(1000);
  EXPECT_EQ(call_guest("call_forever").kind, InterruptKind::kOutOfGas);
  sandbox_->set_gas(1000);
  EXPECT_EQ(call(*sandbox_, imports_)->kind, InterruptKind::kOutOfGas) << "the guest can go on";
}

TEST_P(HostFunctionsOnBackend, StopAtTheDeadline) {
  for (const char* entry : {"spin", "call_forever"}) {
    sandbox_->set_gas(INT64_MAX);
    const CallLimits limits = {.deadline = RunDeadline::after(std::chrono::milliseconds(20))};
    EXPECT_EQ(call_guest(entry, limits).kind, InterruptKind::kDeadlineExceeded) << entry;
  }
}

TEST_P(HostFunctionsOnBackend, StopAtTheEndOfTheCpuTime) {
  for (const char* entry : {"spin", "call_forever"}) {
    sandbox_->set_gas(INT64_MAX);
    CpuBudget budget{std::chrono::milliseconds(20)};
    EXPECT_EQ(call_guest(entry, {.cpu_budget = &budget}).kind, InterruptKind::kDeadlineExceeded) << entry;
    EXPECT_TRUE(budget.is_spent());
    // Nothing is left for the next one.
    EXPECT_EQ(call_guest("spin", {.cpu_budget = &budget}).kind, InterruptKind::kDeadlineExceeded) << entry;
  }
}

TEST_P(HostFunctionsOnBackend, PayForTheGuestsCpuTimeAlone) {
  constexpr std::chrono::nanoseconds kSize = std::chrono::milliseconds(100);
  HostFunctions functions;
  ASSERT_TRUE(functions.add("double", [&](Sandbox& guest) {
    const std::clock_t end = std::clock() + CLOCKS_PER_SEC / 8;
    while (std::clock() < end) {
    }
    return double_a0(guest);
  }));
  ASSERT_TRUE(functions.add("refuse", refuse));
  const ImportTable slow = *functions.resolve(sandbox_->module().program());
  CpuBudget budget{kSize};
  ASSERT_TRUE(sandbox_->prepare_call("main", {20}));
  EXPECT_EQ(call(*sandbox_, slow, {.cpu_budget = &budget})->kind, InterruptKind::kFinished);
  EXPECT_FALSE(budget.is_spent());
  EXPECT_LT(budget.limit(), kSize);
}

TEST_P(HostFunctionsOnBackend, DoNotBeginBehindTheDeadline) {
  sandbox_->set_gas(INT64_MAX);
  const CallLimits limits = {.deadline = RunDeadline::after(std::chrono::nanoseconds(-1))};
  EXPECT_EQ(call_guest("spin", limits).kind, InterruptKind::kDeadlineExceeded);
}

TEST_P(HostFunctionsOnBackend, NeedAPlaceToStart) {
  EXPECT_EQ(call(*sandbox_, imports_).error().kind, ErrorKind::kNoProgramCounter);
}

INSTANTIATE_TEST_SUITE_P(Backends, HostFunctionsOnBackend, testing::ValuesIn(kAllBackends),
                         [](const auto& info) { return std::string(name_of(info.param)); });

}  // namespace
}  // namespace sandglass
