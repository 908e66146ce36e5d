#include "tests/assembler/random_program.h"

#include <algorithm>

namespace sandglass::test {
namespace {

class Generator {
 public:
  Generator(std::mt19937_64& random, InstructionSet set) : random_(random) { parts_.instruction_set = set; }

  std::shared_ptr<const Program> make(Disorder disorder) {
    disorder == Disorder::kNoise ? noise() : instructions();
    if (disorder == Disorder::kMutated) mutate();
    clear_padding();
    everything_else();
    auto program = Program::from_parts(parts_);
    SG_CHECK(program.has_value());
    return *program;
  }

 private:
  uint64_t pick(uint64_t count) { return random_() % count; }
  bool chance(uint64_t one_in) { return pick(one_in) == 0; }
  uint8_t byte() { return static_cast<uint8_t>(pick(256)); }
  std::vector<uint8_t> bytes(size_t max) {
    std::vector<uint8_t> result(pick(max + 1));
    std::generate(result.begin(), result.end(), [this] { return byte(); });
    return result;
  }
  std::string name() {
    static constexpr const char* kNames[] = {"main", "add", "_x",   ".8", ".0", "a b",
                                             "",     "a:",  "x'\\", "é",  "zz"};
    if (!chance(3)) return kNames[pick(std::size(kNames))];
    const std::vector<uint8_t> raw = bytes(6);
    return std::string(raw.begin(), raw.end());
  }

  // Numbers of every encoded length, and the ends of each.
  uint32_t number() {
    static constexpr uint32_t kEdges[] = {0,      1,          0x7f,       0x80,       0xff,       0x100,
                                          0x7fff, 0x8000,     0xffff,     0x7fffff,   0x800000,   0x7fffffff,
                                          4095,   0x80000000, 0xffff8000, 0xffffff80, 0xffffffff, 0xfffff001};
    if (chance(2)) return kEdges[pick(std::size(kEdges))];
    return static_cast<uint32_t>(random_()) >> pick(32);
  }

  Instruction instruction(Opcode opcode) {
    const auto reg = [this] { return static_cast<Reg>(pick(kRegCount)); };
    Instruction in{.opcode = opcode, .dst = reg(), .src1 = reg(), .src2 = reg(), .base = reg()};
    in.imm = opcode == Opcode::kLoadImm64 && chance(2) ? random_() : internal::sign_extend(number());
    in.offset = number();
    if (chance(4)) in.base = in.dst;
    return in;
  }

  Opcode opcode() {
    for (;;) {
      const auto opcode = static_cast<Opcode>(pick(kOpcodeCount));
      const size_t set = static_cast<size_t>(parts_.instruction_set);
      if (info_of(opcode).byte[set] >= 0 && (is_terminator(opcode) || !chance(3))) return opcode;
    }
  }

  // Targets are places near by, which the code behind may or may not turn into block starts.
  void instructions() {
    const size_t count = 1 + pick(chance(10) ? 400 : 40);
    std::vector<uint32_t> starts = {0};
    for (size_t i = 0; i < count; ++i) {
      Instruction in = instruction(opcode());
      in.pc = static_cast<uint32_t>(parts_.code.size());
      in.target = chance(2) ? starts[pick(starts.size())] : in.pc + static_cast<uint32_t>(pick(300));
      if (chance(20)) in.target = number();
      uint8_t encoded[kMaxInstructionBytes];
      const size_t size = encode_instruction(in, parts_.instruction_set, encoded);
      starts.push_back(in.pc);
      append(encoded, size);
    }
  }

  void append(const uint8_t* encoded, size_t size) {
    const size_t at = parts_.code.size();
    parts_.code.insert(parts_.code.end(), encoded, encoded + size);
    parts_.bitmask.resize((parts_.code.size() + 7) / 8);
    parts_.bitmask[at / 8] |= static_cast<uint8_t>(1u << (at % 8));
  }

  void mutate() {
    for (uint64_t i = 1 + pick(6); i > 0; --i) {
      parts_.code[pick(parts_.code.size())] = byte();
      if (chance(2)) parts_.bitmask[pick(parts_.bitmask.size())] ^= static_cast<uint8_t>(1u << pick(8));
    }
    if (chance(4)) parts_.bitmask[pick(parts_.bitmask.size())] = 0;
    if (chance(8))
      std::fill_n(parts_.bitmask.begin(), std::min<size_t>(parts_.bitmask.size(), 6), uint8_t{0});
  }

  void noise() {
    parts_.code = bytes(300);
    parts_.code.push_back(byte());
    parts_.bitmask.resize((parts_.code.size() + 7) / 8);
    for (uint8_t& bits : parts_.bitmask) bits = byte() & (chance(2) ? byte() : 0xff);
    if (chance(4)) std::fill(parts_.bitmask.begin(), parts_.bitmask.end(), uint8_t{0});
  }

  void clear_padding() {
    const size_t used_bits = parts_.code.size() % 8;
    if (used_bits != 0) parts_.bitmask.back() &= static_cast<uint8_t>((1u << used_bits) - 1);
  }

  uint32_t place() { return static_cast<uint32_t>(pick(parts_.code.size() + 3)); }

  void everything_else() {
    parts_.ro_data = bytes(chance(4) ? 100 : 2);
    parts_.rw_data = bytes(2);
    parts_.ro_data_bytes = static_cast<uint32_t>(parts_.ro_data.size()) + (number() >> 1);
    parts_.rw_data_bytes = static_cast<uint32_t>(parts_.rw_data.size()) + (number() >> 1);
    parts_.stack_bytes = number();
    for (uint64_t i = pick(12); i > 0; --i) parts_.jump_table.push_back(chance(8) ? number() : place());
    for (uint64_t i = pick(5); i > 0; --i) parts_.exports.push_back({chance(8) ? number() : place(), name()});
    if (chance(2)) {
      std::sort(parts_.exports.begin(), parts_.exports.end(),
                [](const Export& a, const Export& b) { return a.name < b.name; });
    }
    // Entries without a name come in pairs: the only way every import table can have them.
    for (uint64_t i = pick(5); i > 0; --i) {
      if (chance(4)) parts_.imports.insert(parts_.imports.end(), 2, std::nullopt);
      parts_.imports.emplace_back(name());
    }
    for (uint64_t i = pick(3); i > 0; --i) {
      parts_.debug_sections.push_back({static_cast<uint8_t>(128 + pick(128)), bytes(70)});
    }
  }

  std::mt19937_64& random_;
  ProgramParts parts_;
};

}  // namespace

std::shared_ptr<const Program> random_program(std::mt19937_64& random, InstructionSet set,
                                              Disorder disorder) {
  return Generator(random, set).make(disorder);
}

}  // namespace sandglass::test
