// The field of an attack: an intruder in a worker of a pool, a bystander in another one, and the host between
// them, which counts what it has before and after.
#pragma once

#include <gtest/gtest.h>
#include <linux/audit.h>

#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

#include "sandbox/backend/linux/linux_sandbox.h"
#include "sandbox/pool/worker_pool.h"
#include "tests/attack/intruders.h"
#include "tests/attack/orders.h"

namespace sandglass::attack {

// Guests. ---------------------------------------------------------------------------------------------------

// The guest whose place the intruder takes has one of everything that a worker can claim to have met:
// exports name the instructions.
inline constexpr std::string_view kTarget = R"(
%rw_data_size = 32768
%stack_size = 8192
pub @main:
  a0 = a0 + 1
  a0 = a0 + 2
  jump @main if a0 != 0
pub @call:
  ecalli 7
pub @trap:
  trap
pub @fill:
  memset
  trap
pub @grow:
  a0 = sbrk a1
  trap
pub @load:
  a0 = u64 [a1]
  trap
pub @leap:
  jump [a0]
)";

struct ModuleChoice {
  GasMetering gas = GasMetering::kSync;
  bool step_tracing = false;
  bool dynamic_paging = false;
};

// The sandbox of an intruder, ready to run.
class Intrusion {
 public:
  Intrusion(std::shared_ptr<WorkerPool> pool, void (*function)(), const Orders& orders = Orders(),
            const ModuleChoice& choice = ModuleChoice());

  ~Intrusion() { drop(); }
  Intrusion(Intrusion&&) = default;

  Sandbox& sandbox() { return *sandbox_; }
  Worker& worker() const;
  const Module& module() const { return *module_; }
  // Ends worker and sandbox: an intruder that has not been caught would stay in the pool, and the next test
  // would meet it.
  void drop();
  // Ends the sandbox alone. What looks clean goes back to the pool.
  void leave_behind() { sandbox_.reset(); }
  // Everything is bounded, so that what hangs is a failure and no hanging test.
  Result<Interrupt> run();
  // As the intruder has left it.
  Orders orders();
  void give(const Orders& orders);
  // Maps the intruder's code once more, where 32-bit mode reaches it.
  void map_low();
  // What a5 must hold so that this function runs.
  static uint64_t entry_of(void (*function)());
  // Where a function or a label of the intruder is then.
  static uint64_t low_address(const void* label);

 private:
  std::shared_ptr<const Module> module_;
  std::unique_ptr<Sandbox> sandbox_;
};

// The address in a worker of what belongs to the guest instruction with that export.
struct NativeGuest {
  explicit NativeGuest(const Module& module) : module(module) {}
  uint32_t pc(std::string_view name) const { return *module.program().find_export(name); }
  // Behind the instruction, as stops report it.
  uint64_t behind(std::string_view name) const;
  uint64_t begin(std::string_view name) const;
  const Module& module;
};

// Kills the worker of a sandbox and waits until the host has seen its end, so that the pool does not keep it.
void end_worker(const Sandbox& sandbox);

// Fixtures. -------------------------------------------------------------------------------------------------

class AttackTest : public ::testing::Test {
 protected:
  explicit AttackTest(bool with_seccomp = true);
  explicit AttackTest(std::shared_ptr<WorkerPool> pool) : pool_(std::move(pool)) {}
  void SetUp() override;
  void TearDown() override;

  Intrusion intrude(void (*function)(), const Orders& orders = Orders(),
                    const ModuleChoice& choice = ModuleChoice()) {
    return Intrusion(pool_, function, orders, choice);
  }
  // The pool still gives a worker that works, and it is not this one; bystanders compute what they did.
  void expect_unharmed();
  // K: makes this one call, in a worker of its own, which ends by it.
  void expect_killed(const Call& call, uint32_t architecture = AUDIT_ARCH_X86_64);
  // The same for a call that the second filter meets: killed without a word.
  void expect_killed_silently(const Call& call);
  // Runs the calls in one worker and returns what they gave.
  std::vector<int64_t> results_of(std::initializer_list<Call> calls);
  // The error that ends it, and from then on every run.
  Error error_of(Intrusion& intrusion);
  void expect_kind(Intrusion& intrusion, ErrorKind kind);

  std::shared_ptr<WorkerPool> pool_;

 private:
  struct Census {
    size_t descriptors = 0, processes = 0;
    bool operator==(const Census&) const = default;
  };
  Census census() const;
  void settle();

  std::shared_ptr<const Module> plain_module_;
  std::unique_ptr<Sandbox> bystander_;
  pid_t template_ = 0;
  Census before_;
};

// A pool for such tests: of one idle worker, and with no patience.
Result<std::shared_ptr<WorkerPool>> attack_pool(const JailOptions& jail);

class AttackWithoutSeccompTest : public AttackTest {
 protected:
  AttackWithoutSeccompTest() : AttackTest(false) {}
};

// Writes of orders. -----------------------------------------------------------------------------------------

Orders orders_of(std::initializer_list<Call> calls);
Orders orders_of(std::initializer_list<Move> moves);
Move answer(std::initializer_list<Write> writes);
// A stop through the exit.
Move claim(ExitReason reason, uint64_t resume_address = 0, uint32_t argument = 0, int64_t gas = 1000);

#define SG_FIELD(member) offsetof(WorkerPage, member)

}  // namespace sandglass::attack
