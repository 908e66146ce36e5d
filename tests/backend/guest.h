// What the tests of running guests share: a sandbox from a piece of assembly, on the backend of the test.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/backend/sandbox.h"
#include "sandbox/program/assembler.h"

namespace sandglass {

inline constexpr std::string_view kEndless = "pub @main:\n a0 = a0 + 1\n jump @main";

inline std::shared_ptr<const Module> module_for(std::string_view text, const ModuleOptions& options) {
  return Module::create(Program::from_parts(assemble(text).value()).value(), options).value();
}

inline std::vector<uint8_t> read_bytes(const Sandbox& sandbox, uint32_t address, size_t size_bytes) {
  std::vector<uint8_t> bytes(size_bytes);
  EXPECT_TRUE(sandbox.read(address, bytes)) << std::hex << address << " + " << size_bytes;
  return bytes;
}

inline bool can_read(const Sandbox& sandbox, uint32_t address, uint64_t size_bytes) {
  std::vector<uint8_t> bytes(size_bytes);
  return sandbox.read(address, bytes).has_value();
}

inline bool can_write(Sandbox& sandbox, uint32_t address, uint64_t size_bytes) {
  return sandbox.write(address, std::vector<uint8_t>(size_bytes, 0xee)).has_value();
}

// A sandbox about to run from pc 0.
inline std::unique_ptr<Sandbox> start(std::string_view text, const ModuleOptions& options) {
  std::unique_ptr<Sandbox> sandbox = Sandbox::create(module_for(text, options)).value();
  sandbox->set_next_program_counter(0);
  return sandbox;
}

class BackendTest : public ::testing::TestWithParam<Backend> {
 protected:
  // `options` for the backend of this test.
  static ModuleOptions here(ModuleOptions options = {}) {
    options.backend = GetParam();
    return options;
  }
  static std::unique_ptr<Sandbox> start(std::string_view text, const ModuleOptions& options = {}) {
    return sandglass::start(text, here(options));
  }
};

inline std::string backend_parameter_name(const ::testing::TestParamInfo<Backend>& info) {
  return std::string(name_of(info.param));
}

// Every backend runs every case of the suite.
#define SG_ON_ALL_BACKENDS(suite)                                                           \
  INSTANTIATE_TEST_SUITE_P(Backends, suite, ::testing::ValuesIn(::sandglass::kAllBackends), \
                           ::sandglass::backend_parameter_name)

// The pair of pcs after a stop.
#define EXPECT_PCS(sandbox, pc, next)                  \
  do {                                                 \
    EXPECT_EQ((sandbox).program_counter(), pc);        \
    EXPECT_EQ((sandbox).next_program_counter(), next); \
  } while (false)

inline constexpr std::optional<uint32_t> kNone = std::nullopt;
inline std::optional<uint32_t> at(uint32_t pc) { return pc; }

}  // namespace sandglass
