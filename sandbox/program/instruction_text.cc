#include "sandbox/program/instruction_text.h"

#include <fmt/format.h>

#include <iterator>

#include "sandbox/program/assembly_syntax.h"

namespace sandglass {
namespace {

using Shape = OpcodeSyntax::Shape;

// -4095 … -1 are added by subtracting: `sp - 16` reads better than `sp + 0xfffffffffffffff0`.
constexpr int64_t kSmallestSubtrahend = -4095;

class InstructionWriter {
 public:
  InstructionWriter(std::string& out, const Instruction& in, const InstructionContext& context)
      : out_(out), in_(in), context_(context), syntax_(syntax_of(in.opcode)), token_(syntax_.token) {}

  void write();

 private:
  template <typename... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  void destination();
  void constant();
  void signed_constant() { put("{}", static_cast<int64_t>(in_.imm)); }
  void stored_constant();
  void indirect(std::string_view base);
  void absolute() { put("[{:#x}]", in_.offset); }
  void target();
  void jump_indirect();
  void single_source();
  void binary_with_constant();
  void three_registers();
  void link_and_jump_indirect();

  std::string& out_;
  const Instruction& in_;
  const InstructionContext& context_;
  const OpcodeSyntax& syntax_;
  std::string_view token_;
};

void InstructionWriter::destination() {
  put("{}{} = ", syntax_.narrow && is_64_bit(context_.set) ? "i32 " : "", name_of(in_.dst));
}

void InstructionWriter::constant() {
  if (in_.imm == 0) return put("0");
  put("{:#x}", is_64_bit(context_.set) ? in_.imm : in_.imm & UINT32_MAX);
}

void InstructionWriter::stored_constant() {
  const auto value = static_cast<int64_t>(in_.imm);
  return value < 0 ? signed_constant() : constant();
}

void InstructionWriter::indirect(std::string_view base) {
  const auto offset = static_cast<int32_t>(in_.offset);
  if (offset == 0) return put("[{}]", base);
  put("[{} {} {:#x}]", base, offset < 0 ? '-' : '+', offset < 0 ? 0 - in_.offset : in_.offset);
}

void InstructionWriter::target() {
  if (!context_.target.empty()) return put("{}", context_.target);
  const auto distance = static_cast<int64_t>(static_cast<int32_t>(in_.target - in_.pc));
  if (distance == 0) return put("pc");
  put("pc {} {}", distance < 0 ? '-' : '+', distance < 0 ? -distance : distance);
}

void InstructionWriter::jump_indirect() {
  if (in_.base == Reg::ra && in_.offset == 0) return put("ret");
  put("jump ");
  indirect(name_of(in_.base));
}

void InstructionWriter::single_source() {
  destination();
  if (in_.opcode != Opcode::kMoveReg) put("{} ", token_);
  put("{}", name_of(in_.src1));
}

void InstructionWriter::binary_with_constant() {
  destination();
  const auto value = static_cast<int64_t>(in_.imm);
  if (syntax_.shape == Shape::kCmov) {
    constant();
    return put(" if {} {} 0", name_of(in_.src1), token_);
  }
  if (syntax_.shape == Shape::kImmOpReg) {
    if (token_ == "-" && value == 0) return put("-{}", name_of(in_.src1));
    constant();
    return put(" {} {}", token_, name_of(in_.src1));
  }
  if (token_ == "+" && value < 0 && value >= kSmallestSubtrahend) {
    return put("{} - {}", name_of(in_.src1), -value);
  }
  put("{} {} ", name_of(in_.src1), token_);
  constant();
}

void InstructionWriter::three_registers() {
  destination();
  const std::string_view a = name_of(in_.src1), b = name_of(in_.src2);
  switch (syntax_.shape) {
    case Shape::kFunction: return put("{}({}, {})", token_, a, b);
    case Shape::kXnor: return put("~({} ^ {})", a, b);
    case Shape::kCmov: return put("{} if {} {} 0", a, b, token_);
    case Shape::kRegOpReg:
    case Shape::kRegOpImm:
    case Shape::kImmOpReg:
    case Shape::kByForm: break;
  }
  // "& ~" and "| ~" stick to their register.
  put("{} {}{}{}", a, token_, token_.ends_with('~') ? "" : " ", b);
}

void InstructionWriter::link_and_jump_indirect() {
  const bool through_tmp = in_.dst == in_.base;
  if (through_tmp) put("tmp = {}, ", name_of(in_.base));
  destination();
  signed_constant();
  put(", jump ");
  indirect(through_tmp ? "tmp" : name_of(in_.base));
}

void InstructionWriter::write() {
  switch (info_of(in_.opcode).form) {
    case Form::None: return put("{}", name_of(in_.opcode));
    case Form::Imm:
      if (!context_.import.empty()) return put("ecalli {}", context_.import);
      return put("ecalli {}", in_.imm & UINT32_MAX);
    case Form::DstImm64:
      destination();
      if (static_cast<uint64_t>(static_cast<int32_t>(in_.imm)) == in_.imm) put("i64 ");
      return constant();
    case Form::AddrImm:
      put("{} ", token_);
      absolute();
      put(" = ");
      return stored_constant();
    case Form::Target: put("jump "); return target();
    case Form::BaseOff: return jump_indirect();
    case Form::DstImm: destination(); return constant();
    case Form::DstAddr:
      destination();
      put("{} ", token_);
      return absolute();
    case Form::SrcAddr:
      put("{} ", token_);
      absolute();
      return put(" = {}", name_of(in_.src1));
    case Form::BaseOffImm:
      put("{} ", token_);
      indirect(name_of(in_.base));
      put(" = ");
      return stored_constant();
    case Form::DstImmTarget:
      destination();
      signed_constant();
      put(", jump ");
      return target();
    case Form::SrcImmTarget:
      put("jump ");
      target();
      put(" if {} {} ", name_of(in_.src1), token_);
      return signed_constant();
    case Form::DstSrc: return single_source();
    case Form::SrcBaseOff:
      put("{} ", token_);
      indirect(name_of(in_.base));
      return put(" = {}", name_of(in_.src1));
    case Form::DstBaseOff:
      destination();
      put("{} ", token_);
      return indirect(name_of(in_.base));
    case Form::DstSrcImm: return binary_with_constant();
    case Form::SrcSrcTarget:
      put("jump ");
      target();
      return put(" if {} {} {}", name_of(in_.src1), token_, name_of(in_.src2));
    case Form::DstBaseImmOff: return link_and_jump_indirect();
    case Form::DstSrcSrc: return three_registers();
  }
}

bool has_text(const Instruction& in) {
  if (in.opcode == Opcode::kInvalid) return false;
  const Form form = info_of(in.opcode).form;
  const bool stores_constant = form == Form::AddrImm || form == Form::BaseOffImm;
  return !stores_constant || is_storable(in.opcode, static_cast<int64_t>(in.imm));
}

}  // namespace

bool append_instruction_text(std::string& out, const Instruction& in, const InstructionContext& context) {
  if (!has_text(in)) return false;
  InstructionWriter(out, in, context).write();
  return true;
}

}  // namespace sandglass
