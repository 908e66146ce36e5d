// Holes that another sandbox of this kind has had, tried by guests that keep to the instruction set.
#include <cstring>

#include "sandbox/program/assembler.h"
#include "tests/attack/field.h"

namespace sandglass::attack {
namespace {

constexpr uint32_t kAux = 0xfffe'0000;

class KnownHoles : public AttackTest {
 protected:
  std::unique_ptr<Sandbox> start(std::string_view text, ModuleOptions options = {}) {
    options.backend = Backend::kLinux;
    const auto module = Module::create(Program::from_parts(assemble(text).value()).value(), options).value();
    auto sandbox = Sandbox::create(module, {.workers = pool_}).value();
    EXPECT_TRUE(sandbox->prepare_call("main"));
    return sandbox;
  }
  static pid_t worker_of(const Sandbox& sandbox) {
    return static_cast<const LinuxSandbox&>(sandbox).worker().process_id();
  }
};

constexpr GasMetering kAllGas[] = {GasMetering::kNone, GasMetering::kSync, GasMetering::kAsync};

// The zygote's data, its stacks, the shared pages, the jump table and the code, as a difference to guest
// address 0 and as an address.
TEST_F(KnownHoles, MemsetReachesNothingButTheGuestsMemory) {
  const uint64_t targets[] = {worker_space::kZygoteImage, worker_space::kSignalStack,
                              worker_space::kHostPage,    worker_space::kWorkerPage,
                              worker_space::kGuestStack,  worker_space::kJumpTable,
                              worker_space::kCode,        uint64_t{1} << 47};
  for (const GasMetering gas : kAllGas) {
    const auto sandbox = start("%rw_data_size = 4096\npub @main:\n memset\n trap", {.gas = gas});
    const pid_t worker = worker_of(*sandbox);
    for (const uint64_t target : targets) {
      for (const uint64_t start : {target, target - worker_space::kGuestMemory}) {
        for (const uint64_t count : {uint64_t{4096}, uint64_t{1} << 33, ~uint64_t{0}, uint64_t{1} << 63}) {
          sandbox->set_gas(1'000'000);
          ASSERT_TRUE(sandbox->prepare_call("main", {start, 0xcc, count}));
          const Result<Interrupt> stop = sandbox->run({.deadline = std::chrono::seconds(5)});
          ASSERT_TRUE(stop) << to_string(stop.error());
          EXPECT_TRUE(stop->kind == InterruptKind::kTrap || stop->kind == InterruptKind::kOutOfGas);
          EXPECT_LE(sandbox->gas(), 1'000'000);
        }
      }
    }
    EXPECT_EQ(worker_of(*sandbox), worker);
  }
}

TEST_F(KnownHoles, MemsetWithACountBeyond63BitsCanBeInterrupted) {
  for (const GasMetering gas : kAllGas) {
    const auto sandbox =
        start("%rw_data_size = 4096\n%stack_size = 4096\npub @main:\n memset\n trap", {.gas = gas});
    ASSERT_TRUE(sandbox->sbrk(64 << 20));
    for (const uint64_t count : {uint64_t{1} << 63, ~uint64_t{0}, uint64_t{1} << 63 | 40'000'000}) {
      sandbox->set_gas(INT64_MAX);
      ASSERT_TRUE(sandbox->prepare_call("main", {0x20000, 0x55, count}));
      Result<Interrupt> stop = sandbox->run({.deadline = std::chrono::microseconds(300)});
      for (int turns = 0; stop && stop->kind == InterruptKind::kDeadlineExceeded && turns < 1000; ++turns) {
        // Not begun yet, or cut to what is left.
        EXPECT_TRUE(sandbox->reg(Reg::a2) == count || sandbox->reg(Reg::a2) <= UINT32_MAX);
        stop = sandbox->run({.deadline = std::chrono::microseconds(300 * (turns + 1))});
      }
      ASSERT_TRUE(stop) << to_string(stop.error());
      EXPECT_EQ(stop->kind, InterruptKind::kTrap);
    }
  }
}

TEST_F(KnownHoles, JumpsAroundTheReturnAddressTrap) {
  const auto sandbox = start("pub @main:\n jump [a0]");
  for (uint64_t address = 0xffff'0001; address <= 0xffff'0210; ++address) {
    ASSERT_TRUE(sandbox->prepare_call("main", {address}));
    const Result<Interrupt> stop = sandbox->run({.deadline = std::chrono::seconds(5)});
    ASSERT_TRUE(stop) << to_string(stop.error()) << " at " << std::hex << address;
    EXPECT_EQ(stop->kind, InterruptKind::kTrap);
    EXPECT_EQ(stop->trap, TrapKind::kInvalidDynamicJump) << std::hex << address;
  }
  ASSERT_TRUE(sandbox->prepare_call("main", {0xffff'0000}));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kFinished);
}

TEST_F(KnownHoles, AuxOfOneTenantIsNotTheNextOnes) {
  constexpr uint64_t kSecret = 0x5ec7'e7a1'5ec7'e7a1;
  constexpr std::string_view kReader = "pub @main:\n a0 = u64 [a1]\n trap";
  uint32_t reused = 0;
  for (int round = 0; round < 8; ++round) {
    pid_t worker;
    {
      const auto first = start(kReader, {.aux_bytes = 8192});
      std::vector<uint8_t> content(8192);
      for (size_t i = 0; i < content.size(); i += 8) std::memcpy(&content[i], &kSecret, 8);
      ASSERT_TRUE(first->write(kAux, content));
      ASSERT_TRUE(first->prepare_call("main", {0, kAux}));
      ASSERT_EQ(first->run()->trap, TrapKind::kInstruction);
      ASSERT_EQ(first->reg(Reg::a0), kSecret);
      if (round % 2 == 0) {
        ASSERT_TRUE(first->set_accessible_aux(0));
      }
      worker = worker_of(*first);
    }
    // Another program, with an aux region at the same place.
    const auto second = start("pub @main:\n a0 = u64 [a1]\n a2 = 1\n trap", {.aux_bytes = 8192});
    reused += worker_of(*second) == worker;
    for (uint32_t offset = 0; offset < 8192; offset += 8) {
      ASSERT_TRUE(second->prepare_call("main", {0, kAux + offset}));
      ASSERT_EQ(second->run()->trap, TrapKind::kInstruction);
      ASSERT_EQ(second->reg(Reg::a0), 0u) << offset;
    }
  }
  EXPECT_GT(reused, 0u) << "nobody has met the other one's worker";
}

TEST_F(KnownHoles, TheEndOfTheAddressSpaceIsBounded) {
  const auto fixed = start("pub @main:\n a0 = u8 [a1]\n trap");
  const auto paged = start("pub @main:\n a0 = u8 [a1]\n trap", {.dynamic_paging = true});
  uint8_t bytes[16] = {};
  for (Sandbox* const sandbox : {fixed.get(), paged.get()}) {
    for (const uint32_t address : {0xffff'ffffu, 0xffff'fff8u, 0xffff'0000u, 0xfffe'ffffu, 0u}) {
      for (const size_t size : {size_t{1}, size_t{16}}) {
        const Status read = sandbox->read(address, {bytes, size});
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().kind, ErrorKind::kOutOfRange);
        EXPECT_FALSE(sandbox->write(address, {bytes, size}));
        EXPECT_FALSE(sandbox->zero(address, size));
      }
      ASSERT_TRUE(sandbox->prepare_call("main", {0, address}));
      const Result<Interrupt> stop = sandbox->run();
      ASSERT_TRUE(stop) << to_string(stop.error());
      EXPECT_NE(stop->kind, InterruptKind::kFinished);
    }
  }
  struct Range {
    uint32_t address;
    uint64_t size_bytes;
  };
  for (const Range& range : {Range{0xffff'0000, 4096}, Range{0xffff'f000, 4096}, Range{0xffff'f000, 8192},
                             Range{0xfffe'f000, 8192}, Range{0x1'0000, uint64_t{1} << 32}, Range{0, 4096},
                             Range{0x1'0000, ~uint64_t{0}}, Range{0xfffe'f000, ~uint64_t{0} - 4096}}) {
    EXPECT_FALSE(paged->free_pages(range.address, range.size_bytes));
    EXPECT_FALSE(paged->provide(range.address, range.size_bytes, Protection::kRead));
    EXPECT_FALSE(paged->protect(range.address, range.size_bytes, Protection::kRead));
  }
  EXPECT_TRUE(paged->free_pages(0xfffe'f000, 4096));
  // Such a worker has a descriptor more, and would wait in the pool.
  end_worker(*paged);
}

}  // namespace
}  // namespace sandglass::attack
