#include "tests/linux/bpf_machine.h"

#include <cstring>

namespace sandglass {
namespace {

std::optional<uint32_t> load(const seccomp_data& call, uint32_t offset) {
  if (offset % sizeof(uint32_t) != 0 || offset > sizeof call - sizeof(uint32_t)) return {};
  uint32_t word;
  std::memcpy(&word, reinterpret_cast<const char*>(&call) + offset, sizeof word);
  return word;
}

// Whether the conditional jump is taken; nothing for an instruction that is none.
std::optional<bool> condition(const sock_filter& instruction, uint32_t accumulator) {
  switch (instruction.code) {
    case BPF_JMP | BPF_JEQ | BPF_K: return accumulator == instruction.k;
    case BPF_JMP | BPF_JGT | BPF_K: return accumulator > instruction.k;
    case BPF_JMP | BPF_JGE | BPF_K: return accumulator >= instruction.k;
    case BPF_JMP | BPF_JSET | BPF_K: return (accumulator & instruction.k) != 0;
    default: return {};
  }
}

}  // namespace

std::optional<BpfVerdict> run_bpf(std::span<const sock_filter> program, const seccomp_data& call) {
  uint32_t accumulator = 0;
  size_t executed = 0;
  for (size_t at = 0; at < program.size(); at++) {
    const sock_filter& instruction = program[at];
    executed++;
    switch (instruction.code) {
      case BPF_RET | BPF_K: return BpfVerdict{instruction.k, executed};
      case BPF_LD | BPF_W | BPF_ABS: {
        const auto word = load(call, instruction.k);
        if (!word) return {};
        accumulator = *word;
        break;
      }
      case BPF_ALU | BPF_AND | BPF_K: accumulator &= instruction.k; break;
      case BPF_JMP | BPF_JA: at += instruction.k; break;
      default: {
        const auto taken = condition(instruction, accumulator);
        if (!taken) return {};
        at += *taken ? instruction.jt : instruction.jf;
      }
    }
  }
  return {};
}

}  // namespace sandglass
