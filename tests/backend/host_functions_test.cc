// Host functions by name, and call(), which serves them until the guest stops for another reason.
#include "sandbox/backend/host_functions.h"

#include "tests/backend/guest.h"

namespace sandglass {
namespace {

class HostFunctionsTest : public BackendTest {};
SG_ON_ALL_BACKENDS(HostFunctionsTest);

constexpr std::string_view kGuest =
    "%import 'add'\n%import 'stop'\n"
    "pub @main:\n a0 = 3\n a1 = 4\n ecalli 'add'\n a2 = a0\n ecalli 'stop'\n a3 = 1\n trap";

HostFunction returning(HostCallResult result, int* calls = nullptr) {
  return [result, calls](Sandbox&) {
    if (calls != nullptr) ++*calls;
    return result;
  };
}

HostCallResult add(Sandbox& guest) {
  guest.set_reg(Reg::a0, guest.reg(Reg::a0) + guest.reg(Reg::a1));
  return HostCallResult::kContinue;
}

TEST_P(HostFunctionsTest, AreServedByName) {
  HostFunctions functions;
  int stops = 0;
  ASSERT_TRUE(functions.add("stop", returning(HostCallResult::kContinue, &stops)));
  ASSERT_TRUE(functions.add("add", add));
  ASSERT_TRUE(functions.add("unused", returning(HostCallResult::kStop)));
  const auto sandbox = start(kGuest);
  const ImportTable imports = functions.resolve(sandbox->module().program()).value();
  EXPECT_EQ(call(*sandbox, imports)->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->reg(Reg::a2), 7u);
  EXPECT_EQ(sandbox->reg(Reg::a3), 1u);
  EXPECT_EQ(stops, 1);
}

TEST_P(HostFunctionsTest, MayRefuse) {
  HostFunctions functions;
  ASSERT_TRUE(functions.add("stop", returning(HostCallResult::kStop)));
  ASSERT_TRUE(functions.add("add", add));
  const auto sandbox = start(kGuest);
  const ImportTable imports = functions.resolve(sandbox->module().program()).value();
  const Interrupt stop = call(*sandbox, imports).value();
  EXPECT_EQ(stop.kind, InterruptKind::kHostCall);
  EXPECT_EQ(stop.host_call, 1u);
  EXPECT_EQ(sandbox->reg(Reg::a3), 0u);
  EXPECT_EQ(call(*sandbox, imports)->kind, InterruptKind::kTrap);  // the host may go on all the same
  EXPECT_EQ(sandbox->reg(Reg::a3), 1u);
}

TEST_P(HostFunctionsTest, MissingOneIsNamedBeforeAnythingRuns) {
  HostFunctions functions;
  ASSERT_TRUE(functions.add("add", add));
  const auto sandbox = start(kGuest);
  const Result<ImportTable> refused = functions.resolve(sandbox->module().program());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kBadProgram);
  EXPECT_STREQ(refused.error().detail, "stop");
}

TEST_P(HostFunctionsTest, NumbersOutsideOfTheTableAreNotServed) {
  for (const char* text : {"ecalli 0\n trap", "ecalli 4294967295\n trap", "%import 'x'\necalli 1\n trap"}) {
    HostFunctions functions;
    int calls = 0;
    ASSERT_TRUE(functions.add("x", returning(HostCallResult::kContinue, &calls)));
    const auto sandbox = start(text);
    const ImportTable imports = functions.resolve(sandbox->module().program()).value();
    EXPECT_EQ(call(*sandbox, imports)->kind, InterruptKind::kHostCall);
    EXPECT_EQ(calls, 0);
  }
}

TEST_P(HostFunctionsTest, EntryThatNamesNothingIsNotServed) {
  const auto sandbox = start("%import none\n%import none\necalli 1\n trap");
  const Result<ImportTable> imports = HostFunctions().resolve(sandbox->module().program());
  ASSERT_TRUE(imports);
  EXPECT_EQ(call(*sandbox, *imports)->kind, InterruptKind::kHostCall);
}

TEST_P(HostFunctionsTest, OfOneNameOrEmptyAreRefused) {
  HostFunctions functions;
  ASSERT_TRUE(functions.add("x", add));
  const Status twice = functions.add("x", add);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_FALSE(functions.add("y", {}));
}

TEST_P(HostFunctionsTest, DeadlineBoundsTheCallAsAWhole) {
  HostFunctions functions;
  int calls = 0;
  ASSERT_TRUE(functions.add("again", returning(HostCallResult::kContinue, &calls)));
  const auto sandbox =
      start("%import 'again'\npub @main:\n ecalli 'again'\n jump @main", {.gas = GasMetering::kNone});
  const ImportTable imports = functions.resolve(sandbox->module().program()).value();
  const CallLimits limits = {.deadline = RunDeadline::after(std::chrono::milliseconds(30))};
  EXPECT_EQ(call(*sandbox, imports, limits)->kind, InterruptKind::kDeadlineExceeded);
  EXPECT_GT(calls, 1);
  const int before = calls;
  EXPECT_EQ(call(*sandbox, imports, limits)->kind, InterruptKind::kDeadlineExceeded);  // it is over now, too
  EXPECT_LT(calls - before, before);
}

TEST_P(HostFunctionsTest, MayChangeTheGuestTheyServe) {
  HostFunctions functions;
  ASSERT_TRUE(functions.add("elsewhere", [](Sandbox& guest) {
    guest.set_next_program_counter(*guest.module().program().find_export("other"));
    return HostCallResult::kContinue;
  }));
  const auto sandbox = start("%import 'elsewhere'\necalli 'elsewhere'\n trap\npub @other:\n a0 = 6\n trap");
  const ImportTable imports = functions.resolve(sandbox->module().program()).value();
  EXPECT_EQ(call(*sandbox, imports)->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->reg(Reg::a0), 6u);
}

}  // namespace
}  // namespace sandglass
