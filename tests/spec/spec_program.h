// From a spec file to a program and the options of its module.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/compiler/module.h"
#include "tests/spec/spec_file.h"

namespace sandglass::spec {

// The items that are settled before there is a sandbox:
//
//   isa = latest64 jam_v1 ..      each case runs on all of them; default latest64
//   metering = none|sync|async    default sync
//   cost = naive | pipeline 25 | table add_64:3 trap:7 invalid:9     (all others 1)
//   paging = static|dynamic   page_bytes = 4096   aux_bytes = 0   steps = on|off   strict = on|off
struct Setup {
  std::vector<InstructionSet> sets = {InstructionSet::kLatest64};
  ModuleOptions options;
  bool uses_steps = false;  // the case wants to see kStep itself
};

// Takes the items it knows out of `items`. Nothing, and a test failure, when one makes no sense.
std::optional<Setup> take_setup(Items& items);

// Nothing, and a test failure, when the file holds no program of that set.
std::shared_ptr<const Program> build_program(const SpecFile& file, InstructionSet set);

// 12, -1, 0x10, @label, @label[3] (the third instruction behind it), end (the code's length).
std::optional<uint64_t> parse_value(std::string_view text, const Program* program);
// "01 02 ff", or "ab*4096".
std::optional<std::vector<uint8_t>> parse_bytes(std::string_view text);

}  // namespace sandglass::spec
