// Registers between stops: the guest finds what it has left there, or what the host has put there instead,
// whichever of them the host looked at.
#include <array>
#include <random>

#include "tests/backend/guest.h"

namespace sandglass {
namespace {

using Registers = std::array<uint64_t, kRegCount>;

// Stops, adds something else to each register, and stops again.
std::string adding_guest(std::string_view stop) {
  std::string text = "pub @main:\n " + std::string(stop) + "\npub @next:\n";
  constexpr const char* kNames[kRegCount] = {"ra", "sp", "t0", "t1", "t2", "s0", "s1",
                                             "a0", "a1", "a2", "a3", "a4", "a5"};
  for (size_t i = 0; i < kRegCount; ++i) {
    text += std::string(" ") + kNames[i] + " = " + kNames[i] + " + " + std::to_string(1 + 1000 * i) + "\n";
  }
  return text + " jump @main\n";
}

void add_as_the_guest(Registers& registers) {
  for (size_t i = 0; i < kRegCount; ++i) registers[i] += 1 + 1000 * i;
}

class KeptRegistersTest : public BackendTest {
 protected:
  // Runs to the stop again and again; the host reads some registers and writes some, most of the time few.
  // `has_added`: the guest gets behind the place where it stops.
  static void keep_registers(Sandbox& sandbox, InterruptKind kind, bool has_added,
                             std::optional<uint32_t> next) {
    std::mt19937_64 random(7);
    Registers expected = {};
    ASSERT_EQ(sandbox.run()->kind, kind);
    for (int round = 0; round < 3000; ++round) {
      const auto subset = [&random] {
        const uint64_t bits = random();
        switch (bits >> 62) {
          case 0: return uint64_t{0};
          case 1: return bits & random() & random() & 0x1fff;
          default: return bits & 0x1fff;
        }
      };
      const uint64_t read_first = subset(), written = subset(), read_last = subset();
      const auto read = [&](uint64_t which) {
        for (size_t i = 0; i < kRegCount; ++i) {
          if ((which >> i & 1) == 0) continue;
          ASSERT_EQ(sandbox.reg(Reg(i)), expected[i]) << i << ", " << round;
        }
      };
      read(read_first);
      for (size_t i = 0; i < kRegCount; ++i) {
        if ((written >> i & 1) == 0) continue;
        // Often what is there already, or was the time before.
        if (random() % 2 == 0) expected[i] = random() % 4;
        sandbox.set_reg(Reg(i), expected[i]);
      }
      read(read_last);
      if (next) sandbox.set_next_program_counter(*next);
      ASSERT_EQ(sandbox.run()->kind, kind);
      if (has_added) add_as_the_guest(expected);
    }
    for (size_t i = 0; i < kRegCount; ++i) EXPECT_EQ(sandbox.reg(Reg(i)), expected[i]) << i;
  }
};

TEST_P(KeptRegistersTest, AreKeptAcrossHostCalls) {
  const auto sandbox = start(adding_guest("ecalli 7"), {.gas = GasMetering::kNone});
  keep_registers(*sandbox, InterruptKind::kHostCall, true, std::nullopt);
}

TEST_P(KeptRegistersTest, AreKeptAcrossTraps) {
  const auto sandbox = start(adding_guest("trap"), {.gas = GasMetering::kNone});
  keep_registers(*sandbox, InterruptKind::kTrap, true, sandbox->module().program().find_export("next"));
}

TEST_P(KeptRegistersTest, AreKeptAcrossFaults) {
  const auto sandbox = start(adding_guest("u8 [0x30] = 5"), {.gas = GasMetering::kNone});
  keep_registers(*sandbox, InterruptKind::kTrap, true, sandbox->module().program().find_export("next"));
}

// Of a page that never comes.
TEST_P(KeptRegistersTest, AreKeptAcrossPageFaults) {
  const auto sandbox = start("%rw_data_size = 4096\n" + adding_guest("u8 [0x20000] = 5"),
                             {.gas = GasMetering::kNone, .dynamic_paging = true});
  keep_registers(*sandbox, InterruptKind::kPageFault, false, std::nullopt);
}

// A worker of the Linux backend keeps its own between two sandboxes.
TEST_P(KeptRegistersTest, AreZeroInANewSandbox) {
  const auto module = module_for(adding_guest("ecalli 7"), here({.gas = GasMetering::kNone}));
  for (int round = 0; round < 3; ++round) {
    const auto sandbox = Sandbox::create(module).value();
    sandbox->set_next_program_counter(0);
    ASSERT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
    ASSERT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
    for (size_t i = 0; i < kRegCount; ++i) EXPECT_EQ(sandbox->reg(Reg(i)), 1 + 1000 * i);
  }
}

SG_ON_ALL_BACKENDS(KeptRegistersTest);

}  // namespace
}  // namespace sandglass
