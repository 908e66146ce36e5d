// The runtime that csmith's programs include, written anew: arithmetic without undefined behaviour, and a
// checksum of all variables, which is the program's answer. The same on both machines.
//
// What the wrappers do where C does not say is our own choice (the first operand): csmith only asks that
// there is a choice. C; the C++ is for a test that compiles every header alone.
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

#define main csmith_main
#define strcmp(a, b) 1
#define printf(...) 0

static uint64_t crc32_context = 0xcbf29ce484222325u;
static uint64_t csmith_result;

static void crc32_gentab(void) {}
static void platform_main_begin(void) {}
static void platform_main_end(uint64_t value, int unused) {
  (void)unused;
  csmith_result = value;
}
static void transparent_crc(uint64_t value, const char* name, int unused) {
  (void)name;
  (void)unused;
  crc32_context = (crc32_context ^ value) * 0x100000001b3u;
  crc32_context ^= crc32_context >> 29;
}

// Signed: computed in a wider or an unsigned type; what does not fit is refused.
#define CSMITH_SIGNED(type, wide, min, max)                                                       \
  static type safe_unary_minus_func_##type##_s(type a) { return a == min ? a : (type)-a; }        \
  static type safe_add_func_##type##_s_s(type a, type b) {                                        \
    wide r;                                                                                       \
    return __builtin_add_overflow((wide)a, (wide)b, &r) || r < min || r > max ? a : (type)r;      \
  }                                                                                               \
  static type safe_sub_func_##type##_s_s(type a, type b) {                                        \
    wide r;                                                                                       \
    return __builtin_sub_overflow((wide)a, (wide)b, &r) || r < min || r > max ? a : (type)r;      \
  }                                                                                               \
  static type safe_mul_func_##type##_s_s(type a, type b) {                                        \
    wide r;                                                                                       \
    return __builtin_mul_overflow((wide)a, (wide)b, &r) || r < min || r > max ? a : (type)r;      \
  }                                                                                               \
  static type safe_div_func_##type##_s_s(type a, type b) {                                        \
    return b == 0 || (a == min && b == -1) ? a : (type)(a / b);                                   \
  }                                                                                               \
  static type safe_mod_func_##type##_s_s(type a, type b) {                                        \
    return b == 0 || (a == min && b == -1) ? a : (type)(a % b);                                   \
  }                                                                                               \
  static type safe_lshift_func_##type##_s_s(type a, int b) {                                      \
    return a < 0 || b < 0 || b >= (int)(8 * sizeof(type)) || a > (max >> b) ? a : (type)(a << b); \
  }                                                                                               \
  static type safe_lshift_func_##type##_s_u(type a, unsigned b) {                                 \
    return b >= 8 * sizeof(type) ? a : safe_lshift_func_##type##_s_s(a, (int)b);                  \
  }                                                                                               \
  static type safe_rshift_func_##type##_s_s(type a, int b) {                                      \
    return a < 0 || b < 0 || b >= (int)(8 * sizeof(type)) ? a : (type)(a >> b);                   \
  }                                                                                               \
  static type safe_rshift_func_##type##_s_u(type a, unsigned b) {                                 \
    return a < 0 || b >= 8 * sizeof(type) ? a : (type)(a >> b);                                   \
  }

#define CSMITH_UNSIGNED(type)                                                                   \
  static type safe_unary_minus_func_##type##_u(type a) { return (type)(0u - a); }               \
  static type safe_add_func_##type##_u_u(type a, type b) { return (type)(a + b); }              \
  static type safe_sub_func_##type##_u_u(type a, type b) { return (type)(a - b); }              \
  static type safe_mul_func_##type##_u_u(type a, type b) { return (type)((uint64_t)a * b); }    \
  static type safe_div_func_##type##_u_u(type a, type b) { return b == 0 ? a : (type)(a / b); } \
  static type safe_mod_func_##type##_u_u(type a, type b) { return b == 0 ? a : (type)(a % b); } \
  static type safe_lshift_func_##type##_u_s(type a, int b) {                                    \
    return b < 0 || b >= (int)(8 * sizeof(type)) ? a : (type)((uint64_t)a << b);                \
  }                                                                                             \
  static type safe_lshift_func_##type##_u_u(type a, unsigned b) {                               \
    return b >= 8 * sizeof(type) ? a : (type)((uint64_t)a << b);                                \
  }                                                                                             \
  static type safe_rshift_func_##type##_u_s(type a, int b) {                                    \
    return b < 0 || b >= (int)(8 * sizeof(type)) ? a : (type)(a >> b);                          \
  }                                                                                             \
  static type safe_rshift_func_##type##_u_u(type a, unsigned b) {                               \
    return b >= 8 * sizeof(type) ? a : (type)(a >> b);                                          \
  }

CSMITH_SIGNED(int8_t, int64_t, INT8_MIN, INT8_MAX)
CSMITH_SIGNED(int16_t, int64_t, INT16_MIN, INT16_MAX)
CSMITH_SIGNED(int32_t, int64_t, INT32_MIN, INT32_MAX)
CSMITH_SIGNED(int64_t, int64_t, INT64_MIN, INT64_MAX)
CSMITH_UNSIGNED(uint8_t)
CSMITH_UNSIGNED(uint16_t)
CSMITH_UNSIGNED(uint32_t)
CSMITH_UNSIGNED(uint64_t)
#pragma GCC diagnostic pop
