// The generic backend shares a process with its host. What must hold there: no memory is ever writable and
// executable at once, and a guest that tries everything touches nothing of the host's.
#include <sys/mman.h>

#include <fstream>
#include <random>
#include <sstream>

#include "sandbox/compiler/native_code.h"
#include "tests/backend/guest.h"

namespace sandglass {
namespace {

struct Mapped {
  uint64_t begin = 0, end = 0;
  std::string permissions, line;
};

std::vector<Mapped> mappings() {
  std::vector<Mapped> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    Mapped mapped{.line = line};
    char dash = 0;
    std::istringstream(line) >> std::hex >> mapped.begin >> dash >> mapped.end >> mapped.permissions;
    found.push_back(mapped);
  }
  return found;
}

void expect_nothing_writable_and_executable() {
  const std::vector<Mapped> all = mappings();
  ASSERT_GT(all.size(), 5u);
  for (const Mapped& mapped : all) {
    EXPECT_FALSE(mapped.permissions[1] == 'w' && mapped.permissions[2] == 'x') << mapped.line;
  }
}

std::string permissions_at(const void* address) {
  for (const Mapped& mapped : mappings()) {
    const auto at = reinterpret_cast<uint64_t>(address);
    if (at >= mapped.begin && at < mapped.end) return mapped.permissions;
  }
  return "none";
}

TEST(GenericContainmentTest, CodeIsNeverWritableAndExecutable) {
  const auto module = module_for("a0 = 1\n ecalli 1\n trap", {});
  expect_nothing_writable_and_executable();
  const NativeCode& code = *module->native_code();
  EXPECT_EQ(permissions_at(code.code()), "r-xp");
  EXPECT_EQ(permissions_at(code.code() + code.size_bytes() - 1), "r-xp");
  const auto sandbox = Sandbox::create(module).value();
  sandbox->set_next_program_counter(0);
  ASSERT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
  expect_nothing_writable_and_executable();
  EXPECT_EQ(permissions_at(code.code()), "r-xp");
  ASSERT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  expect_nothing_writable_and_executable();
}

TEST(GenericContainmentTest, CodeGoesAwayWithItsModule) {
  auto module = module_for("a0 = 1\n trap", {});
  const void* const code = module->native_code()->code();
  ASSERT_EQ(permissions_at(code), "r-xp");
  module.reset();
  EXPECT_NE(permissions_at(code), "r-xp");
}

TEST(GenericContainmentTest, GuestMemoryIsNeverExecutable) {
  const size_t before = mappings().size();
  const auto sandbox = start("%rw_data_size = 4096\n%stack_size = 4096\ntrap", {.aux_bytes = 4096});
  ASSERT_TRUE(sandbox->sbrk(1 << 20));
  const uint64_t context = reinterpret_cast<uint64_t>(sandbox->module().native_code()->code());
  size_t executable = 0;
  for (const Mapped& mapped : mappings()) {
    const bool is_ours =
        mapped.line.find('/') == std::string::npos && mapped.line.find('[') == std::string::npos;
    if (is_ours && mapped.permissions[2] == 'x') {
      ++executable;
      EXPECT_LE(mapped.begin, context);
      EXPECT_GT(mapped.end, context);
    }
  }
  EXPECT_EQ(executable, 1u);  // the code of the module
  EXPECT_GT(mappings().size(), before);
}

// Pieces of host memory all over the place, each filled with its own address.
class Canaries {
 public:
  Canaries() {
    for (int i = 0; i < 64; ++i) {
      void* memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      EXPECT_NE(memory, MAP_FAILED);
      pieces_.push_back(static_cast<uint64_t*>(memory));
      for (size_t word = 0; word < kBytes / 8; ++word) pieces_.back()[word] = value_of(&pieces_.back()[word]);
    }
  }
  ~Canaries() {
    for (uint64_t* piece : pieces_) ::munmap(piece, kBytes);
  }
  uint64_t somewhere(std::minstd_rand& random) const {
    return reinterpret_cast<uint64_t>(pieces_[random() % pieces_.size()]) + random() % kBytes;
  }
  bool are_well() const {
    for (const uint64_t* piece : pieces_) {
      for (size_t word = 0; word < kBytes / 8; ++word) {
        if (piece[word] != value_of(&piece[word])) return false;
      }
    }
    return true;
  }

 private:
  static constexpr size_t kBytes = 64 << 10;
  static uint64_t value_of(const uint64_t* at) { return reinterpret_cast<uint64_t>(at) * 0x9e3779b97f4a7c15; }
  std::vector<uint64_t*> pieces_;
};

constexpr std::string_view kAttack = R"(
%rw_data_size = 4096
%jump_table 0 2 1 4294967295
    u64 [a0] = a1
    fallthrough
    u32 [a0 + 2147483647] = a1
    fallthrough
    u8 [a0 - 2147483648] = a1
    fallthrough
    u16 [a0 - 1] = a1
    fallthrough
    u64 [a0 + 8] = 0x5a
    fallthrough
    a3 = u64 [a0]
    a4 = i8 [a0 + 4095]
    fallthrough
    memset
    fallthrough
    a3 = sbrk a0
    u64 [a3] = a1
    u64 [a3 - 8] = a1
    fallthrough
    jump [a0]
    ra = -1, jump [a0 + 4]
    u64 [sp - 8] = a1
    u64 [sp] = a1
    trap
)";

uint64_t nasty_value(std::minstd_rand& random, const Canaries& canaries, const Sandbox& sandbox) {
  constexpr uint64_t kEdges[] = {0,          1,          0xffff,     0x10000,    0x20000,    0x20ff9,
                                 0x7fffffff, 0x80000000, 0xfffefff9, 0xffff0000, 0xffff0002, 0xfffffff9};
  const auto code = reinterpret_cast<uint64_t>(sandbox.module().native_code()->code());
  const uint64_t high = uint64_t{random()} << 33 ^ uint64_t { random() } << 32;
  switch (random() % 6) {
    case 0: return canaries.somewhere(random);
    case 1: return code + random() % 4096;
    case 2: return reinterpret_cast<uint64_t>(&sandbox) + random() % 64;
    case 3: return high | kEdges[random() % std::size(kEdges)];
    case 4: return kEdges[random() % std::size(kEdges)];
    default: return high | random();
  }
}

TEST(GenericContainmentTest, HostMemoryStaysAsItIsUnderRandomGuestAccesses) {
  std::minstd_rand random(2024);
  for (const GasMetering gas : {GasMetering::kNone, GasMetering::kSync, GasMetering::kAsync}) {
    const Canaries before;
    const auto sandbox = start(kAttack, {.gas = gas});
    const Canaries after;
    const Program& program = sandbox->module().program();
    std::vector<uint32_t> places;
    for (uint32_t pc = 0; pc < program.code_bytes(); ++pc) {
      if (program.is_instruction_start(pc)) places.push_back(pc);
    }
    const std::vector<uint8_t> code(
        sandbox->module().native_code()->code(),
        sandbox->module().native_code()->code() + sandbox->module().native_code()->size_bytes());
    for (int round = 0; round < 20'000; ++round) {
      for (size_t i = 0; i < kRegCount; ++i) {
        sandbox->set_reg(static_cast<Reg>(i), nasty_value(random, round % 2 == 0 ? before : after, *sandbox));
      }
      sandbox->set_gas(1000 + random() % 5000);
      sandbox->set_next_program_counter(places[random() % places.size()]);
      // A guest may have got itself a large heap, which takes long to fill.
      ASSERT_NE(sandbox->run({.deadline = std::chrono::milliseconds(1)})->kind, InterruptKind::kHostCall);
      if (sandbox->heap_bytes() > MiB(1)) {
        ASSERT_TRUE(sandbox->reset_memory());
      }
      if (round % 1000 == 0) {
        ASSERT_TRUE(sandbox->reset_memory());
        ASSERT_TRUE(before.are_well() && after.are_well()) << "round " << round;
      }
    }
    EXPECT_TRUE(before.are_well());
    EXPECT_TRUE(after.are_well());
    EXPECT_TRUE(std::equal(code.begin(), code.end(), sandbox->module().native_code()->code()));
    expect_nothing_writable_and_executable();
  }
}

}  // namespace
}  // namespace sandglass
