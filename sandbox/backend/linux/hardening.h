// Hardening: layers of the jail that cost something while guests run, so they are asked for by name.
//
// The rows are in sandbox/abi/hardenings.def, with what each defends against; hardening/ in the report says
// what each costs, `sandglass doctor` whether this machine can do it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "sandbox/abi/launch.h"

namespace sandglass {

struct Hardening {
#define HARDENING(name, text, against, needs) bool name = false;
#include "sandbox/abi/hardenings.def"
#undef HARDENING

  bool operator==(const Hardening&) const = default;
};

// As LaunchRequest::hardenings has it.
constexpr uint32_t bits_of(const Hardening& hardening) {
  uint32_t bits = 0;
#define HARDENING(name, text, against, needs) bits |= (hardening.name ? 1u : 0u) << kHardening_##name;
#include "sandbox/abi/hardenings.def"
#undef HARDENING
  return bits;
}

struct HardeningInfo {
  std::string_view name;
  std::string_view what;     // it does
  std::string_view against;  // which it helps
  std::string_view needs;    // of the machine
  Hardening alone;           // asks for it and nothing else
};

// In the order of the jail's steps.
inline constexpr std::array<HardeningInfo, kHardeningCount> kHardenings = {{
#define HARDENING(name, text, against, needs) {#name, text, against, needs, Hardening{.name = true}},
#include "sandbox/abi/hardenings.def"
#undef HARDENING
}};

}  // namespace sandglass
