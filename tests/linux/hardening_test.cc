// The optional hardenings: each is either in force in every worker, or the jail is refused by its name.
#include "sandbox/backend/linux/hardening.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <fstream>
#include <set>
#include <string>

#include "sandbox/backend/linux/jail.h"
#include "tests/pool/helpers.h"

namespace sandglass {
namespace {

TEST(HardeningTest, NothingIsAskedForByDefault) {
  EXPECT_EQ(bits_of({}), 0u);
  const auto jail = Jail::launch({});
  ASSERT_TRUE(jail) << to_string(jail.error());
  size_t hardenings = 0;
  for (const Jail::StepTime& step : (*jail)->step_times()) hardenings += !step.is_asked_for;
  EXPECT_EQ(hardenings, kHardenings.size());
}

TEST(HardeningTest, EachRowHasABitOfItsOwn) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kHardenings.size(); ++i) {
    EXPECT_EQ(bits_of(kHardenings[i].alone), 1u << i);
    EXPECT_FALSE(kHardenings[i].against.empty());
    names.insert(kHardenings[i].name);
  }
  EXPECT_EQ(names.size(), kHardenings.size());
}

std::string status_line(pid_t process, const std::string& key) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key + ":\t")) return line.substr(key.size() + 2);
  }
  return {};
}

// What the kernel says of a worker in which the row is in force; empty where it says nothing.
struct Sign {
  std::string_view hardening;
  const char* key;
  std::set<std::string> good;
};
const Sign kSigns[] = {
    {"forbid_store_bypass",
     "Speculation_Store_Bypass",
     {"thread force mitigated", "globally mitigated", "not vulnerable"}},
    {"isolate_predictor",
     "SpeculationIndirectBranch",
     {"conditional force disabled", "always disabled", "not affected"}},
};

TEST(HardeningTest, EachIsInForceInWorkersOrRefusedByItsName) {
  for (const HardeningInfo& row : kHardenings) {
    SCOPED_TRACE(row.name);
    const auto jail = Jail::launch({.hardening = row.alone});
    if (!jail) {
      EXPECT_EQ(jail.error().kind, ErrorKind::kOs);
      EXPECT_NE(jail.error().os_errno, 0);
      EXPECT_EQ(jail.error().what, row.what);
      EXPECT_NE(std::string_view(jail.error().detail).find("sandglass doctor"), std::string_view::npos);
      continue;
    }
    const auto worker = (*jail)->spawn(false);
    ASSERT_TRUE(worker) << to_string(worker.error());
    EXPECT_TRUE((*worker)->change({}));
    for (const Sign& sign : kSigns) {
      if (sign.hardening != row.name) continue;
      EXPECT_TRUE(sign.good.contains(status_line((*worker)->process_id(), sign.key)))
          << status_line((*worker)->process_id(), sign.key);
    }
    (*jail)->forget(**worker);
  }
}

// Every kernel for x86-64 can take it away. The worker still knows where it is, without which no hand-over
// works as it should.
TEST(HardeningTest, AWorkerWithoutTimestampKnowsItsCore) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  const auto pool = pool_with(
      {.jail = {.wait = {.mode = WaitPolicy::Mode::kSameCore}, .hardening = {.forbid_timestamp = true}}});
  const auto sandbox = sandbox_of(pool, linux_module());
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &before)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    // The first run takes the worker along.
    for (int i = 0; i < 3; ++i) EXPECT_EQ(*run_main(*sandbox, 1), 2u);
    EXPECT_EQ(worker_of(*sandbox).shared().core, static_cast<uint32_t>(core));
  }
  EXPECT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(HardeningTest, GuestsRunWithoutTimestampHoweverTheirHostWaits) {
  for (const auto mode :
       {WaitPolicy::Mode::kAdaptive, WaitPolicy::Mode::kSpin, WaitPolicy::Mode::kSameCore}) {
    const auto pool = pool_with({.jail = {.wait = {.mode = mode}, .hardening = {.forbid_timestamp = true}}});
    const auto sandbox = sandbox_of(pool, linux_module());
    for (uint64_t i = 0; i < 1000; ++i) ASSERT_EQ(*run_main(*sandbox, i), i + 1);
  }
}

TEST(HardeningTest, StepsBehindTheLossOfTheTimestampTakeNoTime) {
  const auto jail = Jail::launch({.hardening = {.forbid_timestamp = true}});
  ASSERT_TRUE(jail) << to_string(jail.error());
  const auto times = (*jail)->step_times();
  EXPECT_TRUE(times[k_forbid_timestamp].is_asked_for);
  EXPECT_EQ(times[k_install_filter].microseconds, 0);
  EXPECT_GT(times[k_point_at_guest_memory].microseconds, 0);
}

}  // namespace
}  // namespace sandglass
