#include "sandbox/program/assembly_operands.h"

namespace sandglass {

Result<uint32_t> wrap_to_32_bits(Number number, std::string_view text) {
  if (number.fits_i32() || number.fits_u32()) return static_cast<uint32_t>(number.bits);
  return assembly_error("the number does not fit into 32 bits", text);
}

Result<Reg> parse_reg(AssemblyScanner& scanner) {
  const std::optional<Reg> reg = scanner.accept_reg();
  if (!reg) return assembly_error("expected a register", scanner.rest());
  return *reg;
}

Result<Operand> parse_operand(AssemblyScanner& scanner) {
  if (!scanner.at_number()) return Operand{.reg = SG_TRY(parse_reg(scanner))};
  return Operand{.reg = std::nullopt, .number = SG_TRY(scanner.number())};
}

Result<uint32_t> parse_number_32(AssemblyScanner& scanner) {
  const std::string_view text = scanner.rest();
  return wrap_to_32_bits(SG_TRY(scanner.number()), text);
}

Result<MemoryOperand> parse_memory_operand(AssemblyScanner& scanner) {
  SG_TRY(scanner.expect("["));
  MemoryOperand place{.base = scanner.accept_reg()};
  if (place.base) {
    place.offset = SG_TRY(parse_offset_to_bracket(scanner));
    return place;
  }
  place.offset = SG_TRY(parse_number_32(scanner));
  SG_TRY(scanner.expect("]"));
  return place;
}

Result<uint32_t> parse_offset_to_bracket(AssemblyScanner& scanner) {
  uint32_t offset = 0;
  if (scanner.accept("+")) {
    offset = SG_TRY(parse_number_32(scanner));
  } else if (scanner.accept("-")) {
    offset = 0 - SG_TRY(parse_number_32(scanner));
  }
  SG_TRY(scanner.expect("]"));
  return offset;
}

Result<CodeTarget> parse_jump_target(AssemblyScanner& scanner, bool label_reaches_end) {
  if (label_reaches_end && scanner.accept("@")) {
    return CodeTarget{.kind = CodeTarget::Kind::kLabel, .label = scanner.until_comment()};
  }
  if (!scanner.accept_word("pc")) return parse_place(scanner);
  CodeTarget target{.kind = CodeTarget::Kind::kDistance};
  if (scanner.accept("+")) {
    target.number = SG_TRY(parse_number_32(scanner));
  } else if (scanner.accept("-")) {
    target.number = 0 - SG_TRY(parse_number_32(scanner));
  }
  return target;
}

Result<CodeTarget> parse_place(AssemblyScanner& scanner) {
  if (scanner.accept("@")) {
    return CodeTarget{.kind = CodeTarget::Kind::kLabel, .label = scanner.until_blank()};
  }
  const std::string_view text = scanner.rest();
  if (!scanner.at_number()) return assembly_error("expected a label or a code offset", text);
  const Number number = SG_TRY(scanner.number());
  if (!number.fits_u32()) return assembly_error("not a code offset", text);
  return CodeTarget{.kind = CodeTarget::Kind::kAbsolute, .number = static_cast<uint32_t>(number.bits)};
}

}  // namespace sandglass
