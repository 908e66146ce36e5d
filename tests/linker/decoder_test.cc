// Decoding: every row with many operands, and all compressed encodings, are what llvm-mc says they are.
#include <fmt/format.h>

#include <fstream>
#include <random>
#include <sstream>

#include "tests/linker/riscv_text.h"
#include "tests/linker/toolchain.h"

namespace sandglass::linker {
namespace {

constexpr const char* kTarget = "-triple=riscv64 -mattr=+m,+a,+c,+zbb,+xtheadcondmov";

bool is_ours(RiscvOp op) {
  return op == RiscvOp::kHostCall || op == RiscvOp::kSbrk || op == RiscvOp::kMemset;
}
// All operands are fixed or mean nothing to a guest; llvm-mc knows more names for them.
bool has_other_text(RiscvOp op) {
  return op == RiscvOp::kFence || op == RiscvOp::kFenceI || op == RiscvOp::kUnimp;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::string with_single_blanks(const std::string& line) {
  std::istringstream words(line);
  std::string text, word;
  while (words >> word) text += text.empty() ? word : " " + word;
  return text;
}

TEST(RiscvDecoder, RowsDoNotOverlap) {
  for (size_t a = 0; a < kRiscvOpCount; ++a) {
    EXPECT_EQ(kRiscvOps[a].match & ~kRiscvOps[a].mask, 0u) << kRiscvOps[a].mnemonic;
    for (size_t b = a + 1; b < kRiscvOpCount; ++b) {
      const uint32_t both = kRiscvOps[a].mask & kRiscvOps[b].mask;
      EXPECT_NE(kRiscvOps[a].match & both, kRiscvOps[b].match & both)
          << kRiscvOps[a].mnemonic << " and " << kRiscvOps[b].mnemonic;
    }
  }
}

TEST(RiscvDecoder, KnowsSomeByHeart) {
  using I = RiscvInstruction;
  EXPECT_EQ(decode_riscv(0x00850513), (I{.op = RiscvOp::kAddi, .rd = 10, .rs1 = 10, .imm = 8}));
  EXPECT_EQ(decode_riscv(0xfec60613), (I{.op = RiscvOp::kAddi, .rd = 12, .rs1 = 12, .imm = -20}));
  EXPECT_EQ(decode_riscv(0x90010617),
            (I{.op = RiscvOp::kAuipc, .rd = 12, .imm = static_cast<int32_t>(0x90010000)}));
  EXPECT_EQ(decode_riscv(0x04a5e263), (I{.op = RiscvOp::kBltu, .rs1 = 11, .rs2 = 10, .imm = 0x44}));
  EXPECT_EQ(decode_riscv(0x8082), (I{.op = RiscvOp::kJalr, .rs1 = 1, .size_bytes = 2}));
  EXPECT_EQ(decode_riscv(0x1161), (I{.op = RiscvOp::kAddi, .rd = 2, .rs1 = 2, .size_bytes = 2, .imm = -8}));
  EXPECT_EQ(decode_riscv(0).op, RiscvOp::kUnimp);
  EXPECT_EQ(decode_riscv(0xffffffff).op, RiscvOp::kInvalid);
}

// Every row, its free bits filled at random.
TEST(RiscvDecoder, AgreesWithLlvmOnEveryRow) {
  SG_NEEDS("llvm-mc-19");
  const Workshop shop;
  std::mt19937 random(7);
  std::vector<uint32_t> words;
  std::ofstream bytes(shop.path("bytes"));
  for (size_t i = 0; i < kRiscvOpCount; ++i) {
    if (is_ours(static_cast<RiscvOp>(i)) || has_other_text(static_cast<RiscvOp>(i))) continue;
    for (int k = 0; k < 60; ++k) {
      uint32_t free = static_cast<uint32_t>(random());
      if (kRiscvOps[i].form == RiscvForm::Atomic) free &= ~(3u << 25);  // acquire and release have names
      const uint32_t word = kRiscvOps[i].match | (free & ~kRiscvOps[i].mask);
      words.push_back(word);
      bytes << fmt::format("0x{:02x} 0x{:02x} 0x{:02x} 0x{:02x}\n", word & 255, word >> 8 & 255,
                           word >> 16 & 255, word >> 24);
    }
  }
  bytes.close();
  const auto answer = run_command(fmt::format("llvm-mc-19 --disassemble -M no-aliases {} {} -o {}", kTarget,
                                              shop.path("bytes"), shop.path("text")));
  ASSERT_EQ(answer.status, 0) << answer.text;
  std::vector<std::string> texts;
  for (const std::string& line : lines_of(shop.path("text"))) {
    if (const std::string text = with_single_blanks(line); !text.empty() && text != ".text")
      texts.push_back(text);
  }
  ASSERT_EQ(texts.size(), words.size());
  for (size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(riscv_text(decode_riscv(words[i])), texts[i]) << std::hex << words[i];
  }
}

// All halfwords that are instructions: what ours expands to, llvm-mc compresses to the same halfword. Those
// it would not write itself (hints, shifts by nothing) are left out by the round trip over its own text.
TEST(RiscvDecoder, AgreesWithLlvmOnEveryCompressedEncoding) {
  SG_NEEDS("llvm-mc-19");
  const Workshop shop;
  std::ofstream bytes(shop.path("bytes"));
  std::vector<uint16_t> halves;
  for (uint32_t half = 0; half < 0x10000; ++half) {
    if (!is_compressed(static_cast<uint16_t>(half)) || decode_riscv(half).op == RiscvOp::kInvalid) continue;
    halves.push_back(static_cast<uint16_t>(half));
    bytes << fmt::format("0x{:02x} 0x{:02x}\n", half & 255, half >> 8);
  }
  bytes.close();
  ASSERT_GT(halves.size(), 30000u);
  const auto answer = run_command(fmt::format("llvm-mc-19 --disassemble -M no-aliases {} {} -o {}", kTarget,
                                              shop.path("bytes"), shop.path("text")));
  // What llvm-mc does not know is a warning, and then there are fewer lines.
  EXPECT_EQ(answer.text, "");
  // Our text next to llvm's, assembled both, without aliases chosen for us.
  std::ofstream ours(shop.path("ours.s"));
  for (const uint16_t half : halves) {
    const RiscvInstruction in = decode_riscv(half);
    ours << (in.op == RiscvOp::kUnimp ? "c.unimp" : riscv_text(in)) << "\n";
  }
  ours.close();
  const auto assembled = run_command(
      fmt::format("llvm-mc-19 --show-encoding {} {} -o {}", kTarget, shop.path("ours.s"), shop.path("ours")));
  ASSERT_EQ(assembled.status, 0) << assembled.text;
  std::vector<std::string> encodings;
  for (const std::string& line : lines_of(shop.path("ours"))) {
    if (const size_t at = line.find("encoding: ["); at != std::string::npos)
      encodings.push_back(line.substr(at + 11));
  }
  ASSERT_EQ(encodings.size(), halves.size());
  size_t same = 0;
  for (size_t i = 0; i < halves.size(); ++i) {
    const std::string expected = fmt::format("0x{:02x},0x{:02x}]", halves[i] & 255, halves[i] >> 8);
    const RiscvInstruction in = decode_riscv(halves[i]);
    // A hint has no effect: llvm-mc encodes it in four bytes or as a nop.
    const bool is_hint = in.rd == 0 && info_of(in.op).form != RiscvForm::Store &&
                         info_of(in.op).form != RiscvForm::Branch && info_of(in.op).form != RiscvForm::Jump &&
                         in.op != RiscvOp::kJalr;
    const bool does_nothing = in.rd == in.rs1 && in.imm == 0 && in.rs2 == 0;
    // A few steps of the stack pointer have two encodings.
    const bool is_short_stack_step =
        in.op == RiscvOp::kAddi && in.rd == 2 && in.rs1 == 2 && in.imm >= -32 && in.imm < 32;
    if (is_hint || does_nothing || is_short_stack_step) continue;
    ++same;
    EXPECT_EQ(encodings[i], expected) << riscv_text(in);
  }
  EXPECT_GT(same, 30000u);
}

// What ours refuses among the halfwords, llvm-mc refuses too, or it is about floating point.
TEST(RiscvDecoder, RefusesWhatLlvmRefuses) {
  SG_NEEDS("llvm-mc-19");
  const Workshop shop;
  std::ofstream bytes(shop.path("bytes"));
  size_t refused = 0;
  for (uint32_t half = 0; half < 0x10000; ++half) {
    if (!is_compressed(static_cast<uint16_t>(half)) || decode_riscv(half).op != RiscvOp::kInvalid) continue;
    bytes << fmt::format("0x{:02x} 0x{:02x}\n", half & 255, half >> 8);
    ++refused;
  }
  bytes.close();
  ASSERT_GT(refused, 0u);
  run_command(fmt::format("llvm-mc-19 --disassemble -M no-aliases {} {} -o {}", kTarget, shop.path("bytes"),
                          shop.path("text")));
  for (const std::string& line : lines_of(shop.path("text"))) {
    const std::string text = with_single_blanks(line);
    // Reserved (RISC-V, table of C.LUI: imm = 0), yet llvm-mc prints it.
    const bool is_lui_of_nothing = text.starts_with("c.lui ") && text.ends_with(", 0");
    EXPECT_TRUE(text.empty() || text == ".text" || is_lui_of_nothing) << text;
  }
}

TEST(RiscvDecoder, ExplainsWhatItRefuses) {
  EXPECT_NE(explain_undecodable(0x00c5f553).find("floating-point"), std::string_view::npos);  // fadd.s
  EXPECT_NE(explain_undecodable(0x2108).find("floating-point"), std::string_view::npos);      // c.fld
  EXPECT_NE(explain_undecodable(0xc0102573).find("CSR"), std::string_view::npos);             // rdtime
  EXPECT_NE(explain_undecodable(0x10500073).find("privileged"), std::string_view::npos);      // wfi
  EXPECT_NE(explain_undecodable(0x0005d557).find("vector"), std::string_view::npos);
}

}  // namespace
}  // namespace sandglass::linker
