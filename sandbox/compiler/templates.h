// Templates: how most instructions are translated, as data.
//
// A mispredicted branch costs more than translating an instruction does, and a jump to a function per opcode
// is one that real programs make hard to predict. So most opcodes have templates: machine code with holes for
// the operands, one template for each case that the operands can be in. One routine without branches finds
// the case and fills the holes. The other opcodes have functions (translate_instruction.cc).
//
// The operands are put into sixteen bytes, 4 for each register and 4 for the value:
//
//   low nibble of the first argument byte │ its high nibble │ low nibble of the second one │ value
//
// A register is there as what it adds to the four bytes that can hold it: to a REX prefix and to ModRM, once
// as ModRM.reg, once as ModRM.rm. Byte i of the machine code is then
//
//   fixed[i] | operands[first[i]] | operands[second[i]]
//
// which is two byte shuffles for the whole instruction.
#pragma once

#include <immintrin.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "sandbox/compiler/emitter.h"
#include "sandbox/program/isa.h"

namespace sandglass {

// What a template leaves behind: the zero flag may tell of a register whether it is zero.
enum class ZeroFlag : uint8_t { kUnknown, kOfLow, kOfThird };

inline constexpr size_t kTemplateBytes = 16;

// A cache line.
struct alignas(64) Template {
  std::array<uint8_t, kTemplateBytes> fixed;
  std::array<uint8_t, kTemplateBytes> first, second;
  uint8_t code_bytes;
  ZeroFlag zero_flag;
};

// Which properties of the operands select the template of an opcode: each stands for a bit of the number of
// the case.
enum class Cases : uint8_t {
  kOne,       // no bits
  kValue,     // value fits into a byte, value is 0, low is high
  kAddress,   // value fits into a byte, value is 0 and may be left out, high needs a SIB byte
  kSum,       // value fits into a byte, value is 0, low is high, high needs a SIB byte
  kRelation,  // third is low, third is high
};
constexpr uint32_t case_count(Cases cases) {
  constexpr uint8_t counts[] = {1, 8, 8, 16, 4};
  return counts[static_cast<size_t>(cases)];
}

// What to do with an opcode byte of an instruction set.
struct TranslationRow {
  uint32_t first_template;  // offset of the one for case 0, in bytes
  uint8_t skip_limit;       // the templates are for instructions with a smaller skip; 0: there are none
  uint8_t cases_shift;      // selects from OperandTables::Pair::cases
  uint8_t relation_mask;    // applied to OperandTables::relations
  Opcode opcode;
};
static_assert(sizeof(TranslationRow) == 8);
using TranslationRows = std::array<TranslationRow, 256>;
const TranslationRows& translation_rows(InstructionSet set);

extern const Template* const kTemplates64;
extern const Template* const kTemplates32;

// Everything that is looked up to find the case and the bytes of operands; one object, so that one register
// leads to all of it.
struct OperandTables {
  struct Register {
    uint8_t rex_r, modrm_reg, rex_b, modrm_rm;
  };
  // By the first argument byte.
  struct alignas(16) Pair {
    Register low, high;
    uint16_t cases;   // four bits per kind of Cases: the properties that depend on this byte, and which of
                      // the others count
    uint8_t numbers;  // the byte with 12 in place of 13, 14 and 15
  };
  // By the second one.
  struct Third {
    Register third;
    uint32_t twice;  // its number in both nibbles
  };
  std::array<Pair, 256> pairs;
  std::array<Third, 256> thirds;
  // By Pair::numbers ^ Third::twice: bit 0 when the low nibble is 0, bit 1 when the high one is.
  std::array<uint8_t, 256> relations;
  // By skip: how many of 32 bits the value behind the first argument byte leaves unused.
  std::array<uint8_t, 32> unused_bits;
};
extern const OperandTables kOperandTables;

// The template for the instruction whose bytes behind the opcode are `arguments`; writes up to kTemplateBytes
// bytes at `cursor`, of which template->code_bytes count.
[[gnu::always_inline, gnu::target("ssse3")]] inline const Template* fill_template(uint8_t* cursor,
                                                                                  const Template* templates,
                                                                                  const TranslationRow& row,
                                                                                  const uint8_t* arguments,
                                                                                  uint32_t skip) {
  const OperandTables& tables = kOperandTables;
  const OperandTables::Pair& pair = tables.pairs[arguments[0]];
  const OperandTables::Third& third = tables.thirds[arguments[1]];
  uint32_t raw;
  std::memcpy(&raw, arguments + 1, sizeof raw);
  // As internal::read_imm.
  const uint32_t unused_bits = tables.unused_bits[skip];
  const auto top = static_cast<uint32_t>(static_cast<uint64_t>(raw) << unused_bits);
  const int32_t value = static_cast<int32_t>(top) >> (unused_bits & 31);

  // Bit by bit, as add-with-carry likes it; the upper two are up to `pair`.
  uint32_t of_value = 0b11;
  of_value += of_value + uint32_t{static_cast<uint32_t>(value) < 1};
  of_value += of_value + uint32_t{static_cast<uint32_t>(value) + 0x80 < 0x100};
  const uint32_t of_relation = tables.relations[pair.numbers ^ third.twice];
  const uint32_t which = (of_value & pair.cases >> row.cases_shift) | (of_relation & row.relation_mask);
  const auto* const chosen = reinterpret_cast<const Template*>(
      reinterpret_cast<const uint8_t*>(templates + which) + row.first_template);

  uint32_t third_bytes;
  std::memcpy(&third_bytes, &third.third, sizeof third_bytes);
  const __m128i registers = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(&pair.low));
  const __m128i rest =
      _mm_cvtsi64_si128(static_cast<int64_t>(third_bytes | uint64_t{static_cast<uint32_t>(value)} << 32));
  const __m128i operands = _mm_unpacklo_epi64(registers, rest);
  const auto part = [](const auto& bytes) {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes.data()));
  };
  const __m128i code =
      _mm_or_si128(part(chosen->fixed), _mm_or_si128(_mm_shuffle_epi8(operands, part(chosen->first)),
                                                     _mm_shuffle_epi8(operands, part(chosen->second))));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(cursor), code);
  return chosen;
}

// The guest register whose being zero the zero flag tells, kNoRegister when it does not.
inline uint8_t zero_flag_register(ZeroFlag flag, const uint8_t* arguments) {
  if (flag == ZeroFlag::kUnknown) return kNoRegister;
  return number(internal::reg_from(arguments[flag == ZeroFlag::kOfThird]));
}

}  // namespace sandglass
