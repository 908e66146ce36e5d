// Relocations, roots and records, each in a few lines of assembly.
#include "sandbox/program/function_names.h"
#include "tests/linker/toolchain.h"

namespace sandglass::linker {
namespace {

// An export record for `label`, as guest.h makes it.
std::string exported(const std::string& label) {
  return "\n.section .sandglass.exports,\"a\"\n.balign 8\n.quad " + label + "\n.byte 1,0\n.half " +
         std::to_string(label.size()) + "\n.ascii \"" + label + "\"\n.byte 0\n.balign 8\n.text\n";
}

class Link : public ::testing::Test {
 protected:
  std::shared_ptr<const Program> program(const std::string& text, const std::string& flags = "") {
    const auto elf = shop_.build_text(text, ".s", flags);
    return elf ? linked(*elf) : nullptr;
  }
  // The same answer on all backends.
  void expect_answer(const std::string& text, uint64_t expected, const std::string& flags = "") {
    const auto elf = shop_.build_text(".text\n" + text + exported("main"), ".s", flags);
    ASSERT_TRUE(elf);
    for (const bool optimize : {false, true}) {
      const auto made = linked(*elf, {.optimize = optimize});
      ASSERT_TRUE(made);
      for (const Backend backend : kAllBackends) {
        EXPECT_EQ(linker::call(made, backend, "main"), expected) << name_of(backend) << optimize;
      }
    }
  }

  Workshop shop_;
};

TEST_F(Link, CallsReturn) {
  SG_NEEDS_GUEST_TOOLS();
  expect_answer("main: mv s0, ra\n call f\n addi a0, a0, 1\n mv ra, s0\n ret\nf: li a0, 41\n ret\n", 42);
}

TEST_F(Link, CallsMayLinkThroughT0) {
  SG_NEEDS_GUEST_TOOLS();
  expect_answer("main: call t0, f\n addi a0, a0, 1\n ret\nf: li a0, 41\n jr t0\n", 42);
}

TEST_F(Link, TailCallsJump) {
  SG_NEEDS_GUEST_TOOLS();
  expect_answer("main: tail f\n unimp\nf: li a0, 42\n ret\n", 42);
}

TEST_F(Link, JalCalls) {
  SG_NEEDS_GUEST_TOOLS();
  expect_answer("main: mv s0, ra\n jal f\n mv ra, s0\n ret\nf: li a0, 42\n ret\n", 42);
}

TEST_F(Link, PcRelativePairsMayBeSharedAndApart) {
  SG_NEEDS_GUEST_TOOLS();
  expect_answer(
      "main:\n1: auipc a1, %pcrel_hi(value)\n j 3f\n2: ret\n"
      "3: ld a0, %pcrel_lo(1b)(a1)\n mv a2, a1\n addi a3, a2, %pcrel_lo(1b)\n ld a4, 0(a3)\n add a0, a0, a4\n"
      " sd a0, %pcrel_lo(1b)(a2)\n ld a0, 0(a3)\n j 2b\n.data\n .zero 0x9f8\nvalue: .quad 21\n",
      42);
}

TEST_F(Link, AbsolutePairsMayShareTheirUpperHalf) {
  SG_NEEDS_GUEST_TOOLS();
  expect_answer(
      "main: lui a1, %hi(value)\n lw a0, %lo(value)(a1)\n lw a2, %lo(value+4)(a1)\n sub a0, a0, a2\n"
      " sw a0, %lo(value+4)(a1)\n lw a0, %lo(value+4)(a1)\n ret\n.data\n .balign 8\nvalue: .word 50, 8\n",
      42);
}

TEST_F(Link, AbsolutePairsMayHaveAnIndexBetween) {
  SG_NEEDS_GUEST_TOOLS();
  expect_answer(
      "main: lui a1, %hi(value)\n li a2, 8\n add a1, a1, a2\n lw a0, %lo(value)(a1)\n ret\n"
      ".data\n .zero 0x7fc\nvalue: .word 1, 2, 42\n",
      42);
}

TEST_F(Link, FunctionAddressesAreCodePointers) {
  SG_NEEDS_GUEST_TOOLS();
  const std::string rest = " mv s0, ra\n jalr a1\n mv ra, s0\n ret\nf: li a0, 42\n ret\n";
  expect_answer("main: lla a1, f\n" + rest, 42);
  expect_answer("main: lui a1, %hi(f)\n addi a1, a1, %lo(f)\n" + rest, 42);
  expect_answer("main: lui a1, %hi(f)\n jalr x0, %lo(f)(a1)\nf: li a0, 42\n ret\n", 42);
}

TEST_F(Link, TheGlobalOffsetTableIsNotNeeded) {
  SG_NEEDS_GUEST_TOOLS();
  expect_answer(
      "main:\n1: auipc a1, %got_pcrel_hi(value)\n ld a1, %pcrel_lo(1b)(a1)\n lw a0, 0(a1)\n"
      "2: auipc a2, %got_pcrel_hi(f)\n ld a2, %pcrel_lo(2b)(a2)\n jr a2\nf: addi a0, a0, 2\n ret\n"
      ".globl f, value\n.data\nvalue: .word 40\n",
      42);
}

TEST_F(Link, UndefinedWeakSymbolsAreNull) {
  SG_NEEDS_GUEST_TOOLS();
  expect_answer(
      ".weak nobody\nmain:\n1: auipc a1, %got_pcrel_hi(nobody)\n ld a1, %pcrel_lo(1b)(a1)\n beqz a1, 2f\n"
      " call nobody\n2: addi a0, a1, 42\n ret\n",
      42);
}

TEST_F(Link, PairsThatTheAssemblerResolved) {
  SG_NEEDS_GUEST_TOOLS();
  expect_answer(
      "main: mv s0, ra\n call f\n mv s1, a0\n lla a1, f\n jalr a1\n add a0, a0, s1\n mv ra, s0\n ret\nf: li "
      "a0, 21\n ret\n",
      42, "-mno-relax");
}

TEST_F(Link, PointersInDataOfAllWidths) {
  SG_NEEDS_GUEST_TOOLS();
  expect_answer(
      "main: mv s0, ra\n lla s1, table\n ld a1, 0(s1)\n jalr a1\n mv a3, a0\n lw a1, 8(s1)\n jalr a1\n add "
      "a3, a3, a0\n"
      " lw a1, 12(s1)\n add a1, a1, s1\n jalr a1\n add a0, a0, a3\n mv ra, s0\n ret\n"
      "f: li a0, 14\n ret\ng: li a0, 12\n ret\nh: li a0, 16\n ret\n"
      ".section .rodata\n.balign 8\ntable: .quad f\n .word g\n .word h - table\n",
      42);
}

TEST_F(Link, EqualFunctionsHaveEqualPointers) {
  SG_NEEDS_GUEST_TOOLS();
  const auto made = program(
      ".text\nmain: lla a0, f\n lla a1, table\n ld a1, 0(a1)\n sub a0, a0, a1\n ret\nf: ret\n"
      ".section .rodata\ntable: .quad f, f, f\n" +
      exported("main"));
  ASSERT_TRUE(made);
  EXPECT_EQ(linker::call(made, Backend::kGeneric, "main"), 0u);
  EXPECT_EQ(made->parts().jump_table.size(), 1u);
}

TEST_F(Link, ConstantsInReadOnlyDataAreNotMistakenForPointers) {
  SG_NEEDS_GUEST_TOOLS();
  expect_answer("main: lla a1, table\n lwu a0, 0(a1)\n ret\n.section .rodata\ntable: .word 0x70000000\n",
                0x70000000);
}

TEST_F(Link, WhatNobodyReachesIsLeftOut) {
  SG_NEEDS_GUEST_TOOLS();
  const auto small = program(".text\nmain: li a0, 42\n ret\n" + exported("main"));
  const auto large = program(
      ".text\nunused: .word 0x00b57553\n ecall\n .word 0x01250533\n ret\nmain: li a0, 42\n ret\n .word "
      "0xffffffff\n" +
      exported("main"));
  ASSERT_TRUE(small);
  ASSERT_TRUE(large);
  EXPECT_EQ(small->parts().code, large->parts().code);
}

TEST_F(Link, ACallThatNeverReturnsMayBeTheLastInstruction) {
  SG_NEEDS_GUEST_TOOLS();
  const auto made = program(".text\nf: unimp\nmain: call f\n" + exported("main"));
  ASSERT_TRUE(made);
  for (const Backend backend : kAllBackends)
    EXPECT_EQ(stop_of(made, backend, "main").kind, InterruptKind::kTrap);
}

TEST_F(Link, CodeThatRunsOutOfItsSectionTraps) {
  SG_NEEDS_GUEST_TOOLS();
  const auto made = program(".text\nmain: li a0, 1\n" + exported("main"));
  ASSERT_TRUE(made);
  for (const Backend backend : kAllBackends)
    EXPECT_EQ(stop_of(made, backend, "main").trap, TrapKind::kInstruction);
}

TEST_F(Link, ANullFunctionPointerTraps) {
  SG_NEEDS_GUEST_TOOLS();
  const auto made = program(".text\nmain: li a1, 0\n jr a1\n" + exported("main"));
  ASSERT_TRUE(made);
  for (const Backend backend : kAllBackends)
    EXPECT_EQ(stop_of(made, backend, "main").kind, InterruptKind::kTrap);
}

TEST_F(Link, DataLiesWhereTheMemoryMapHasIt) {
  SG_NEEDS_GUEST_TOOLS();
  const auto made = program(
      ".text\nmain: lla a1, d\n lla a1, b\n lla a0, ro\n ret\n.section .rodata\nro: .zero 70000, 7\n.data\n"
      "d: .quad 5\n.bss\nb: .zero 100\n" +
      exported("main"));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->parts().ro_data_bytes, 70000u);
  EXPECT_EQ(made->parts().ro_data.size(), 70000u);
  EXPECT_EQ(made->parts().rw_data_bytes, 108u);
  EXPECT_EQ(made->parts().rw_data, (std::vector<uint8_t>{5}));
  EXPECT_EQ(linker::call(made, Backend::kGeneric, "main"), kFirstGuestAddress);
}

constexpr const char* kGuest = R"(
#include <sandglass/guest.h>
SANDGLASS_IMPORT(uint64_t, zebra, uint64_t a, uint64_t b)
SANDGLASS_IMPORT_NAMED(uint64_t, ape, "the ape", uint64_t a)
SANDGLASS_IMPORT(void, unused, void)
SANDGLASS_STACK_BYTES(2000000)
SANDGLASS_STACK_BYTES(100)
uint64_t both(uint64_t a) { return zebra(a, 2) + ape(a); }
static uint64_t six(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) { return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f; }
SANDGLASS_EXPORT(both) SANDGLASS_EXPORT_NAMED(six, "say \"six\"")
void* grow(size_t bytes) { char* end = (char*)sandglass_sbrk(bytes); sandglass_fill(end - bytes, 7, bytes); return end - bytes; }
SANDGLASS_EXPORT(grow)
void stop(void) { sandglass_trap(); }
SANDGLASS_EXPORT(stop)
)";

class GuestHeader : public Link, public ::testing::WithParamInterface<const char*> {
 protected:
  std::shared_ptr<const Program> guest() {
    const auto elf = shop_.build_text(kGuest, GetParam(), "-O1 -fPIE");
    return elf ? linked(*elf) : nullptr;
  }
};

TEST_P(GuestHeader, NamesExportsAndTheImportsInUse) {
  SG_NEEDS_GUEST_TOOLS();
  const auto made = guest();
  ASSERT_TRUE(made);
  std::vector<std::string> names;
  for (const Export& entry : made->parts().exports) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"both", "say \"six\"", "grow", "stop"}));
  ASSERT_EQ(made->parts().imports.size(), 2u);
  EXPECT_EQ(made->parts().imports[0], "the ape");
  EXPECT_EQ(made->parts().imports[1], "zebra");
  EXPECT_EQ(made->parts().stack_bytes, 2002944u);
}

TEST_P(GuestHeader, HostCallsTakeAndReturnRegisters) {
  SG_NEEDS_GUEST_TOOLS();
  const auto made = guest();
  ASSERT_TRUE(made);
  for (const Backend backend : kAllBackends) {
    const auto sandbox = Sandbox::create(Module::create(made, {.backend = backend}).value()).value();
    sandbox->prepare_call("both", {40}).value();
    Interrupt stop = sandbox->run().value();
    ASSERT_EQ(stop.kind, InterruptKind::kHostCall);
    EXPECT_EQ(stop.host_call, 1u);
    EXPECT_EQ(sandbox->reg(Reg::a0), 40u);
    EXPECT_EQ(sandbox->reg(Reg::a1), 2u);
    sandbox->set_reg(Reg::a0, 100);
    stop = sandbox->run().value();
    ASSERT_EQ(stop.kind, InterruptKind::kHostCall);
    EXPECT_EQ(stop.host_call, 0u);
    EXPECT_EQ(sandbox->reg(Reg::a0), 40u);
    sandbox->set_reg(Reg::a0, 11);
    EXPECT_EQ(sandbox->run().value().kind, InterruptKind::kFinished);
    EXPECT_EQ(sandbox->reg(Reg::a0), 111u);
  }
}

TEST_P(GuestHeader, ExportsTakeSixRegisters) {
  SG_NEEDS_GUEST_TOOLS();
  const auto made = guest();
  ASSERT_TRUE(made);
  EXPECT_EQ(linker::call(made, Backend::kGeneric, "say \"six\"", {1, 2, 3, 4, 5, 6}), 91u);
}

TEST_P(GuestHeader, TheHeapGrowsAndFills) {
  SG_NEEDS_GUEST_TOOLS();
  const auto made = guest();
  ASSERT_TRUE(made);
  for (const Backend backend : kAllBackends) {
    const auto sandbox = Sandbox::create(Module::create(made, {.backend = backend}).value()).value();
    sandbox->prepare_call("grow", {10000}).value();
    ASSERT_EQ(sandbox->run().value().kind, InterruptKind::kFinished);
    EXPECT_EQ(sandbox->reg(Reg::a0), sandbox->module().memory_map().heap_base());
    std::vector<uint8_t> bytes(10000);
    sandbox->read(static_cast<uint32_t>(sandbox->reg(Reg::a0)), bytes).value();
    EXPECT_EQ(bytes, std::vector<uint8_t>(10000, 7));
    EXPECT_EQ(stop_of(made, backend, "stop").trap, TrapKind::kInstruction);
  }
}

INSTANTIATE_TEST_SUITE_P(Languages, GuestHeader, ::testing::Values(".c", ".cc"),
                         [](const auto& info) { return std::string(info.param).substr(1); });

TEST_F(Link, FunctionsKeepTheirNames) {
  SG_NEEDS_GUEST_TOOLS();
  const auto made = program(
      ".text\n.type main,@function\nmain: call f\n unimp\n.size main,.-main\n.type f,@function\nf: sw a0, "
      "0(a0)\n "
      "unimp\n.size f,.-f\n" +
      exported("main"));
  ASSERT_TRUE(made);
  const FunctionNames names = FunctionNames::of(*made);
  ASSERT_EQ(names.size(), 2u);
  const auto place = names.find(made->parts().exports[0].pc);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->name, "main");
  const auto last = names.find(made->code_bytes() - 1);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->name, "f");
  EXPECT_GT(last->offset, 0u);
}

TEST_F(Link, StripLeavesNamesOut) {
  SG_NEEDS_GUEST_TOOLS();
  const auto elf = shop_.build_text(".text\n.type main,@function\nmain: ret\n" + exported("main"), ".s");
  ASSERT_TRUE(elf);
  const LinkResult result = link(*elf, {.min_stack_bytes = 4097, .strip = true});
  ASSERT_TRUE(result);
  EXPECT_TRUE(result.program->parts().debug_sections.empty());
  EXPECT_EQ(result.program->parts().stack_bytes, 8192u);
}

}  // namespace
}  // namespace sandglass::linker
