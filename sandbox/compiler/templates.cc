#include "sandbox/compiler/templates.h"

#include "sandbox/compiler/template_rows.h"

namespace sandglass {
namespace {

template <bool is_64>
constexpr bool has_templates(Opcode op) {
  return op != Opcode::kInvalid && TemplateMaker<is_64>(op, 0).make().has_value();
}

template <bool is_64>
constexpr uint32_t template_count(Opcode op) {
  return has_templates<is_64>(op) ? case_count(TemplateMaker<is_64>::cases_of(op)) : 0;
}

// Where the templates of each opcode start; the entry of kInvalid is the number of all.
template <bool is_64>
constexpr std::array<uint16_t, kOpcodeCount + 1> make_offsets() {
  std::array<uint16_t, kOpcodeCount + 1> offsets{};
  for (size_t i = 0; i < kOpcodeCount; ++i) {
    offsets[i + 1] = static_cast<uint16_t>(offsets[i] + template_count<is_64>(static_cast<Opcode>(i)));
  }
  return offsets;
}

template <bool is_64>
constexpr auto kOffsets = make_offsets<is_64>();

template <bool is_64>
constexpr auto make_templates() {
  std::array<Template, kOffsets<is_64>[kOpcodeCount]> templates {};
  for (size_t i = 0; i < kOpcodeCount; ++i) {
    const auto op = static_cast<Opcode>(i);
    for (uint32_t which = 0; which < template_count<is_64>(op); ++which) {
      templates[kOffsets<is_64>[i] + which] = *TemplateMaker<is_64>(op, which).make();
    }
  }
  return templates;
}

template <bool is_64>
constinit const auto kTemplates = make_templates<is_64>();

constexpr uint8_t cases_shift(Cases cases) {
  return cases == Cases::kRelation ? 0 : static_cast<uint8_t>(4 * static_cast<uint8_t>(cases));
}

template <bool is_64>
constexpr TranslationRow row_of(Opcode op) {
  if (!has_templates<is_64>(op)) return {.opcode = op};
  const Cases cases = TemplateMaker<is_64>::cases_of(op);
  return {
      .first_template = static_cast<uint32_t>(kOffsets<is_64>[static_cast<size_t>(op)] * sizeof(Template)),
      .skip_limit = kMaxSkip + 1,
      .cases_shift = cases_shift(cases),
      .relation_mask = static_cast<uint8_t>(cases == Cases::kRelation ? 3 : 0),
      .opcode = op};
}

template <bool is_64>
constexpr auto make_opcode_rows() {
  std::array<TranslationRow, kOpcodeCount + 1> rows{};
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = row_of<is_64>(static_cast<Opcode>(i));
  return rows;
}

template <bool is_64>
constexpr auto kOpcodeRows = make_opcode_rows<is_64>();

TranslationRows make_rows(InstructionSet set) {
  TranslationRows rows{};
  for (size_t byte = 0; byte < rows.size(); ++byte) {
    const auto op = static_cast<size_t>(opcode_map(set)[byte]);
    rows[byte] = is_64_bit(set) ? kOpcodeRows<true>[op] : kOpcodeRows<false>[op];
  }
  return rows;
}

constexpr OperandTables::Register register_bytes(Reg reg) {
  const uint32_t n = native(reg);
  return {.rex_r = static_cast<uint8_t>((n & 8) >> 1),
          .modrm_reg = static_cast<uint8_t>((n & 7) << 3),
          .rex_b = static_cast<uint8_t>((n & 8) >> 3),
          .modrm_rm = static_cast<uint8_t>(n & 7)};
}

constexpr Reg reg_from(uint32_t nibble) { return static_cast<Reg>(std::min<uint32_t>(nibble & 15, 12)); }

constexpr OperandTables::Pair make_pair(uint32_t byte) {
  const Reg low = reg_from(byte), high = reg_from(byte >> 4);
  const uint32_t same = low == high;
  const uint32_t needs_sib = (native(high) & 7) == 4;      // rsp, r12
  const uint32_t may_omit_zero = (native(high) & 7) != 5;  // rbp, r13
  const uint32_t of_value = 0b11 | same << 2;
  const uint32_t of_address = 0b01 | may_omit_zero << 1 | needs_sib << 2;
  const uint32_t of_sum = 0b11 | same << 2 | needs_sib << 3;
  const uint32_t cases = of_value << cases_shift(Cases::kValue) | of_address << cases_shift(Cases::kAddress) |
                         of_sum << cases_shift(Cases::kSum);
  return {.low = register_bytes(low),
          .high = register_bytes(high),
          .cases = static_cast<uint16_t>(cases),
          .numbers = static_cast<uint8_t>(number(low) | number(high) << 4)};
}

constexpr OperandTables make_operand_tables() {
  OperandTables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) tables.pairs[byte] = make_pair(byte);
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const Reg reg = reg_from(byte);
    tables.thirds[byte] = {.third = register_bytes(reg), .twice = number(reg) * 0x11u};
  }
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const uint32_t low = (byte & 0x0f) == 0, high = (byte & 0xf0) == 0;
    tables.relations[byte] = static_cast<uint8_t>(low | high << 1);
  }
  for (uint32_t skip = 0; skip < tables.unused_bits.size(); ++skip) {
    tables.unused_bits[skip] = static_cast<uint8_t>(32 - 8 * internal::rest_length(skip, 1));
  }
  return tables;
}

}  // namespace

constinit const OperandTables kOperandTables = make_operand_tables();
constinit const Template* const kTemplates64 = kTemplates<true>.data();
constinit const Template* const kTemplates32 = kTemplates<false>.data();

const TranslationRows& translation_rows(InstructionSet set) {
  using enum InstructionSet;
  static const std::array<TranslationRows, kInstructionSetCount> rows = {
      make_rows(kReviveV1), make_rows(kLatest32), make_rows(kLatest64), make_rows(kJamV1)};
  return rows[static_cast<size_t>(set)];
}

}  // namespace sandglass
