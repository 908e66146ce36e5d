// FunctionNames: which function a code offset belongs to, as the linker left it in an optional section.
//
// Only for people: nothing depends on it, and a program may claim what it likes. The section (id 192,
// blob_format::kFunctionNames) is
//
//   names     = version:u8 count:varint function{count}      version is 1
//   function  = distance:varint name_bytes:varint name:u8{name_bytes}
//
// `distance` is the code offset of the function minus that of the one before it (of the first: minus 0), so
// functions are in ascending order. One reaches to where the next begins.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sandbox/program/program.h"

namespace sandglass {

class FunctionNames {
 public:
  struct Place {
    std::string_view name;
    uint32_t offset = 0;  // from the beginning of the function
  };

  // Those of a program; none when it has no such section. Names are views into the program, which must
  // outlive them. A damaged section gives the names before the damage.
  static FunctionNames of(const Program& program);

  // Nothing when pc lies before the first function.
  std::optional<Place> find(uint32_t pc) const;
  size_t size() const { return functions_.size(); }

  // To write a section: functions in ascending order of pc; the names must outlive this.
  void add(uint32_t pc, std::string_view name) { functions_.push_back({pc, name}); }
  DebugSection to_section() const;

 private:
  struct Function {
    uint32_t pc;
    std::string_view name;
  };
  std::vector<Function> functions_;
};

}  // namespace sandglass
