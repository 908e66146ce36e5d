// Sizes, and rounding to a power of two.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sandglass {

constexpr uint64_t KiB(uint64_t count) { return count << 10; }
constexpr uint64_t MiB(uint64_t count) { return count << 20; }
constexpr uint64_t GiB(uint64_t count) { return count << 30; }

// `unit` must be a power of two.
constexpr uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) & ~(unit - 1); }
constexpr uint64_t round_down(uint64_t value, uint64_t unit) { return value & ~(unit - 1); }

}  // namespace sandglass
