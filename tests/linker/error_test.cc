// What cannot be linked is refused with the place, the reason and a way out.
#include "tests/linker/toolchain.h"

namespace sandglass::linker {
namespace {

std::string exported(const std::string& label) {
  return "\n.section .sandglass.exports,\"a\"\n.balign 8\n.quad " + label + "\n.byte 1,0\n.half " +
         std::to_string(label.size()) + "\n.ascii \"" + label + "\"\n.byte 0\n.balign 8\n.text\n";
}

class LinkErrors : public ::testing::Test {
 protected:
  // The text is the body of main.
  void expect_problem(const std::string& body, std::vector<std::string> words,
                      const std::string& flags = "") {
    expect_problem_of(
        ".text\n.type main,@function\nmain:\n" + body + "\n ret\n.size main,.-main\n" + exported("main"),
        words, flags);
  }
  void expect_problem_of(const std::string& text, const std::vector<std::string>& words,
                         const std::string& flags = "", const std::string& linker_flags = "") {
    const auto elf = shop_.build_text(text, ".s", flags, linker_flags);
    ASSERT_TRUE(elf) << text;
    const LinkResult result = link(*elf);
    EXPECT_FALSE(result) << text;
    ASSERT_FALSE(result.problems.empty()) << text;
    for (const std::string& word : words) {
      EXPECT_NE(result.problems[0].find(word), std::string::npos)
          << "'" << word << "' is not in: " << result.problems[0];
    }
  }

  Workshop shop_;
};

// What the assembler refuses for rv64e, in hexadecimal.
TEST_F(LinkErrors, RegistersThatGuestsLack) {
  SG_NEEDS_GUEST_TOOLS();
  expect_problem(" nop\n .word 0x01250533 # add a0, a0, s2", {".text+0x2 in 'main'", "add", "x18", "rv64e"});
  expect_problem(" mv a0, gp", {"gp (x3)", "--no-relax"});
  expect_problem(" mv a0, tp", {"tp (x4)", "-femulated-tls"});
}

TEST_F(LinkErrors, InstructionsThatGuestsLack) {
  SG_NEEDS_GUEST_TOOLS();
  expect_problem(" .word 0x00b57553 # fadd.s", {".text+0x0 in 'main'", "floating-point", "-mabi=lp64e"});
  expect_problem(" .half 0x2522 # c.fldsp", {"floating-point"});
  expect_problem(" ecall", {"ecall", "SANDGLASS_IMPORT"});
  expect_problem(" .word 0xc0002573 # rdcycle a0", {"CSR"});
  expect_problem(" wfi", {"privileged"});
  expect_problem(" .word 0xffffffff", {"0xffffffff", "-march=rv64emac_zbb_xtheadcondmov"});
  expect_problem(" .insn u 0x2b, x0, 5", {"sandglass.host_call", "SANDGLASS_IMPORT"});
}

TEST_F(LinkErrors, ThreadLocalVariables) {
  SG_NEEDS_GUEST_TOOLS();
  expect_problem(" lui a0, %tprel_hi(v)\n .section .tdata,\"awT\"\nv: .word 1\n.text", {"-femulated-tls"});
}

TEST_F(LinkErrors, CodeUsedAsData) {
  SG_NEEDS_GUEST_TOOLS();
  expect_problem(" lw a0, main", {"R_RISCV_PCREL_LO12_I", "reads or writes code as data", "'main'"});
  expect_problem(" lui a0, %hi(main)\n lw a0, %lo(main)(a0)", {"R_RISCV_LO12_I", "code as data"});
  expect_problem(" li a1, 0\n jalr a1, 8(a1)", {"jalr", "distance"});
}

// The assembler leaves a distance to the linker when a call lies between.
TEST_F(LinkErrors, DistancesInCode) {
  SG_NEEDS_GUEST_TOOLS();
  expect_problem(" call main\nfar: lla a0, d\n ret\n.section .rodata\nd: .word far - main\n.text",
                 {".rodata+0x0", "R_RISCV_ADD32", "distance between places in code"});
}

TEST_F(LinkErrors, JumpsIntoInstructions) {
  SG_NEEDS_GUEST_TOOLS();
  expect_problem(" beqz a0, 1f + 2\n1: lui a0, 0x12345", {"middle of the instruction", ".text+0x4"});
}

TEST_F(LinkErrors, UnrelocatedPairsThatAreApart) {
  SG_NEEDS_GUEST_TOOLS();
  expect_problem("1: auipc a1, %pcrel_hi(main)\n nop\n addi a1, a1, %pcrel_lo(1b)", {"auipc", "-mno-relax"},
                 "-mno-relax");
}

TEST_F(LinkErrors, GotsThatAreNotLoadedFrom) {
  SG_NEEDS_GUEST_TOOLS();
  expect_problem("1: auipc a1, %got_pcrel_hi(main)\n addi a1, a1, %pcrel_lo(1b)",
                 {"only ld", "R_RISCV_PCREL_LO12_I"});
}

TEST_F(LinkErrors, Exports) {
  SG_NEEDS_GUEST_TOOLS();
  expect_problem_of(".text\n.globl main\nmain: call main\n", {"exports nothing", "SANDGLASS_EXPORT"}, "",
                    "-u main");
  expect_problem_of(".text\n.globl main\nmain: ret\n.data\nd: .word 5\n" + exported("d"),
                    {"export 'd' is no function"}, "", "-u main");
  expect_problem_of(".text\nmain: ret\n" + exported("main") + exported("main"), {"'main' is exported twice"});
  expect_problem_of(
      ".text\nmain: ret\n.section .sandglass.exports,\"a\"\n .quad main\n .byte 9,0\n .half 4\n .ascii "
      "\"main\"\n",
      {".sandglass.exports+0x0", "damaged export"});
  expect_problem_of(
      ".text\nmain: ret\n.section .sandglass.exports,\"a\"\n .quad main\n .byte 1,0\n .half 4000\n .ascii "
      "\"main\"\n",
      {"damaged export"});
}

TEST_F(LinkErrors, ObjectsAndOtherMachines) {
  SG_NEEDS_GUEST_TOOLS();
  const std::string source = shop_.write("f.c", "int f(void) { return 1; }\n");
  for (const auto& [flags, words] : std::vector<std::pair<std::string, std::string>>{
           {"--target=riscv64-unknown-none-elf -march=rv64emac -mabi=lp64e -c", "object file"},
           {"--target=riscv32-unknown-none-elf -march=rv32emac -mabi=ilp32e -c", "not of 64 bits"},
           {"-c", "machine 62"}}) {
    const std::string object = shop_.path("f.o");
    ASSERT_EQ(run_command("clang-19 " + flags + " " + source + " -o " + object).status, 0);
    const LinkResult result = link(read_bytes(object));
    ASSERT_EQ(result.problems.size(), 1u);
    EXPECT_NE(result.problems[0].find(words), std::string::npos) << result.problems[0];
  }
}

TEST_F(LinkErrors, AreToldTogetherAndOnlySoMany) {
  SG_NEEDS_GUEST_TOOLS();
  std::string body;
  for (int i = 0; i < 5; ++i) body += " beqz a0, e" + std::to_string(i) + "\n";
  body += " ret\n";
  for (int i = 0; i < 5; ++i) body += "e" + std::to_string(i) + ": ecall\n ret\n";
  const auto elf = shop_.build_text(".text\nmain:\n" + body + exported("main"), ".s");
  ASSERT_TRUE(elf);
  EXPECT_EQ(link(*elf).problems.size(), 5u);
}

}  // namespace
}  // namespace sandglass::linker
