// A program under the bare interpreter, for the tests of this folder: latest64 code, an 8 KiB read-write
// region at 0x20000, static paging.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string_view>

#include "sandbox/base/mapping.h"
#include "sandbox/interpreter/interpreter.h"
#include "sandbox/program/assembler.h"

namespace sandglass {

class Guest {
 public:
  static constexpr uint32_t kDataBytes = 8192;

  Guest(ProgramParts parts, const Interpreter::Options& options)
      : program_(Program::from_parts(with_data(std::move(parts))).value()),
        map_(MemoryMap::create(kMinPageBytes, {.rw_data_bytes = kDataBytes}).value()),
        access(map_, program_->instruction_set(), false),
        memory_(Mapping::anonymous(kGuestSpaceBytes).value()),
        interpreter(*program_, options, context, memory_.data(), access) {
    context.gas = 1000;
  }

  Guest(std::string_view text, const Interpreter::Options& options = {})
      : Guest(assemble(text).value(), options) {
    interpreter.enter(0);
  }

  const Program& program() const { return *program_; }
  uint64_t reg(Reg reg) const { return context.regs[static_cast<size_t>(reg)]; }
  void set_reg(Reg reg, uint64_t value) { context.regs[static_cast<size_t>(reg)] = value; }

 private:
  static ProgramParts with_data(ProgramParts parts) {
    parts.rw_data_bytes = kDataBytes;
    return parts;
  }

  std::shared_ptr<const Program> program_;
  MemoryMap map_;

 public:
  VmContext context{};
  AccessMap access;

 private:
  Mapping memory_;

 public:
  Interpreter interpreter;
};

}  // namespace sandglass
