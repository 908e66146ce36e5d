// A number with 16 bits before and 16 bits after the point, as a scalar for Eigen. Sums and products wrap
// around like 32-bit integers do, so the order in which Eigen adds does not matter.
#pragma once

#include <stdint.h>

#include <Eigen/Core>

struct Fixed {
  int32_t raw = 0;

  static constexpr int kFractionBits = 16;

  Fixed() = default;
  constexpr Fixed(int number) : raw(number << kFractionBits) {}  // Eigen writes 0 and 1
  static constexpr Fixed from_raw(int64_t raw) {
    Fixed result;
    result.raw = static_cast<int32_t>(raw);
    return result;
  }

  friend Fixed operator+(Fixed a, Fixed b) { return from_raw(int64_t{a.raw} + b.raw); }
  friend Fixed operator-(Fixed a, Fixed b) { return from_raw(int64_t{a.raw} - b.raw); }
  friend Fixed operator*(Fixed a, Fixed b) { return from_raw(int64_t{a.raw} * b.raw >> kFractionBits); }
  friend Fixed operator-(Fixed a) { return from_raw(-int64_t{a.raw}); }
  Fixed& operator+=(Fixed other) { return *this = *this + other; }
  Fixed& operator-=(Fixed other) { return *this = *this - other; }
  Fixed& operator*=(Fixed other) { return *this = *this * other; }
  friend bool operator==(Fixed a, Fixed b) { return a.raw == b.raw; }
  friend bool operator!=(Fixed a, Fixed b) { return a.raw != b.raw; }
  friend bool operator<(Fixed a, Fixed b) { return a.raw < b.raw; }
};

template <>
struct Eigen::NumTraits<Fixed> : Eigen::GenericNumTraits<Fixed> {
  using Real = Fixed;
  using NonInteger = Fixed;
  using Nested = Fixed;
  using Literal = Fixed;
  enum {
    IsComplex = 0,
    IsInteger = 0,
    IsSigned = 1,
    RequireInitialization = 0,
    ReadCost = 1,
    AddCost = 1,
    MulCost = 2,
  };
  static constexpr Fixed epsilon() { return Fixed::from_raw(1); }
  static constexpr Fixed dummy_precision() { return Fixed::from_raw(1); }
  static constexpr Fixed highest() { return Fixed::from_raw(INT32_MAX); }
  static constexpr Fixed lowest() { return Fixed::from_raw(INT32_MIN); }
};
