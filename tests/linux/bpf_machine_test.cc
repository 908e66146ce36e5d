#include "tests/linux/bpf_machine.h"

#include <gtest/gtest.h>

#include <vector>

namespace sandglass {
namespace {

using Program = std::vector<sock_filter>;

const seccomp_data kCall = {.nr = 7,
                            .arch = 0xc000003e,
                            .instruction_pointer = 0x1111'2222'3333'4444,
                            .args = {0xaaaa'bbbb'cccc'dddd}};

sock_filter load(uint32_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset); }
sock_filter give(uint32_t value) { return BPF_STMT(BPF_RET | BPF_K, value); }

// Loads the call's number, then answers 1 when the jump is taken and 2 otherwise.
uint32_t answer_of_jump(uint16_t jump, uint32_t operand) {
  const Program program = {load(0), BPF_JUMP(static_cast<uint16_t>(BPF_JMP | jump), operand, 1, 0), give(2),
                           give(1)};
  return run_bpf(program, kCall)->action;
}

TEST(BpfMachine, JumpsOnEqualGreaterAndCommonBits) {
  EXPECT_EQ(answer_of_jump(BPF_JEQ, 7), 1u);
  EXPECT_EQ(answer_of_jump(BPF_JEQ, 8), 2u);
  EXPECT_EQ(answer_of_jump(BPF_JGT, 6), 1u);
  EXPECT_EQ(answer_of_jump(BPF_JGT, 7), 2u);
  EXPECT_EQ(answer_of_jump(BPF_JGE, 7), 1u);
  EXPECT_EQ(answer_of_jump(BPF_JGE, 8), 2u);
  EXPECT_EQ(answer_of_jump(BPF_JSET, 4), 1u);
  EXPECT_EQ(answer_of_jump(BPF_JSET, 8), 2u);
}

// The word at `offset` of the call, as the machine sees it.
bool word_is(uint32_t offset, uint32_t value) {
  const Program program = {load(offset), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1), give(1), give(0)};
  return run_bpf(program, kCall)->action == 1;
}

TEST(BpfMachine, LoadsEveryFieldOfTheCall) {
  EXPECT_TRUE(word_is(0, 7));
  EXPECT_TRUE(word_is(4, 0xc000003e));
  EXPECT_TRUE(word_is(8, 0x3333'4444));
  EXPECT_TRUE(word_is(12, 0x1111'2222));
  EXPECT_TRUE(word_is(16, 0xcccc'dddd));
  EXPECT_TRUE(word_is(20, 0xaaaa'bbbb));
}

TEST(BpfMachine, MasksAndJumpsAlways) {
  const Program program = {
      load(16), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff00),       BPF_STMT(BPF_JMP | BPF_JA, 1),
      give(9),  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xdd00, 0, 1), give(1),
      give(2)};
  const auto verdict = run_bpf(program, kCall);
  EXPECT_EQ(verdict->action, 1u);
  EXPECT_EQ(verdict->executed, 5u);
}

TEST(BpfMachine, GivesNoVerdictOnBrokenPrograms) {
  EXPECT_FALSE(run_bpf(Program{}, kCall));
  EXPECT_FALSE(run_bpf(Program{load(0)}, kCall)) << "walks out of the program";
  EXPECT_FALSE(run_bpf(Program{BPF_STMT(BPF_JMP | BPF_JA, 1), give(1)}, kCall)) << "jumps out of the program";
  EXPECT_FALSE(run_bpf(Program{load(2), give(1)}, kCall)) << "misaligned";
  EXPECT_FALSE(run_bpf(Program{load(sizeof(seccomp_data)), give(1)}, kCall)) << "behind the data";
  EXPECT_FALSE(run_bpf(Program{BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), give(1)}, kCall)) << "unknown";
}

}  // namespace
}  // namespace sandglass
