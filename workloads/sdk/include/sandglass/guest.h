// What a guest in C or C++ needs to be one: exports, imports, the heap, the stack.
//
//   #include <sandglass/guest.h>
//
//   SANDGLASS_IMPORT(void, log, const char* text, size_t length)     // the host has it
//
//   uint64_t add(uint64_t a, uint64_t b) { log("add", 3); return a + b; }
//   SANDGLASS_EXPORT(add)                                            // the host can call it
//
// Arguments and results. The ABI is LP64E: a call has six registers for arguments, a0 to a5, and two for
// results, a0 and a1. An integer or a pointer takes one; a 128-bit integer, and a struct of 9 to 16 bytes,
// takes two; a larger struct is passed by its address. What is smaller than 64 bits is extended by who passes
// it: a host must extend an `int` by its sign before it hands it over, and may rely on the same from a guest.
// Pointers are addresses in the guest's memory; a pointer to a function is none, only this guest can use it.
//   Exports take what fits into a0 … a5: the host has no stack to put more on. `sandglass run --arg` fills
// them in order. An import may have more arguments than fit; those lie on the guest's stack, as the ABI says.
//
// Natively the same source is its own twin: exports need nothing, imports are functions to be defined, and
// sandglass_sbrk() does not exist.
//
// The records that these macros make are drawn in workloads/linker/records.h.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define SANDGLASS_C extern "C"
#else
#define SANDGLASS_C extern
#endif

#if defined(__riscv)

// Lets the host call `function` by its name, or by another one. Once per export, anywhere at file scope after
// its declaration.
#define SANDGLASS_EXPORT(function) SANDGLASS_EXPORT_NAMED(function, #function)
#define SANDGLASS_EXPORT_NAMED(function, name) SANDGLASS_EXPORT_RECORD(function, name, __COUNTER__)

// Declares a function of the host's, which `sandglass link` numbers. In C++ it has C linkage.
#define SANDGLASS_IMPORT(result, name, ...) SANDGLASS_IMPORT_NAMED(result, name, #name, __VA_ARGS__)
// The same when the host's name is not the one it has here.
// clang-format off
#define SANDGLASS_IMPORT_NAMED(result, name, host_name, ...)       \
  SANDGLASS_C result name(__VA_ARGS__);                            \
  __asm__(                                                         \
      ".pushsection .sandglass.imports." #name ",\"a\",@progbits\n"\
      ".balign 4\n"                                                \
      ".Lsandglass_import_" #name ":\n"                            \
      ".byte 1, 0\n"                                               \
      ".half 2f - 1f\n"                                            \
      "1: .ascii \"" host_name "\"\n"                              \
      "2: .byte 0\n"                                               \
      ".popsection\n"                                              \
      ".pushsection .text." #name ",\"ax\",@progbits\n"            \
      ".weak " #name "\n"                                          \
      ".type " #name ", @function\n"                               \
      #name ":\n"                                                  \
      ".insn u 0x2b, x0, %hi(.Lsandglass_import_" #name ")\n"      \
      "ret\n"                                                      \
      ".size " #name ", . - " #name "\n"                           \
      ".popsection\n");
// clang-format on

// The stack has at least this many bytes. The largest one of a program counts; `sandglass link` has a minimum
// of its own.
#define SANDGLASS_STACK_BYTES(bytes) SANDGLASS_STACK_RECORD(bytes, __COUNTER__)

// Grows the heap, which begins right behind the zeroed data, by `bytes` and returns its new end: all below
// is there and zero where it is new. NULL when there is not enough; then nothing has changed.
static inline void* sandglass_sbrk(size_t bytes) {
  void* end;
  __asm__ volatile(".insn r 0x5b, 0, 0, %0, %1, x0" : "=r"(end) : "r"(bytes) : "memory");
  return end;
}

// Fills memory in one instruction. Gas is charged per byte.
static inline void sandglass_fill(void* memory, uint8_t byte, size_t bytes) {
  register uintptr_t at __asm__("a0") = (uintptr_t)memory;
  register uintptr_t value __asm__("a1") = byte;
  register uintptr_t left __asm__("a2") = bytes;
  __asm__ volatile(".insn r 0x5b, 1, 0, x0, x0, x0" : "+r"(at), "+r"(left) : "r"(value) : "memory");
}

// Stops the guest; the host sees a trap.
__attribute__((noreturn)) static inline void sandglass_trap(void) { __builtin_trap(); }

// How exports and the stack become records. --------------------------------------------------------------

// clang-format off
#define SANDGLASS_EXPORT_RECORD(function, host_name, number) SANDGLASS_EXPORT_RECORD_(function, host_name, number)
#define SANDGLASS_EXPORT_RECORD_(function, host_name, number)                             \
  __attribute__((used, section(".sandglass.exports"), aligned(8))) static const struct {  \
    __typeof__(&(function)) code;  /* no cast, which C++ would not take for a constant */     \
    uint8_t version, zero;                                                                \
    uint16_t name_bytes;                                                                  \
    char name[sizeof(host_name)];                                                         \
  } sandglass_export_##number = {&(function), 1, 0, sizeof(host_name) - 1, host_name};

#define SANDGLASS_STACK_RECORD(bytes, number) SANDGLASS_STACK_RECORD_(bytes, number)
#define SANDGLASS_STACK_RECORD_(bytes, number)                                            \
  __attribute__((used, section(".sandglass.stack"), aligned(4)))                          \
  static const uint32_t sandglass_stack_##number = (bytes);
// clang-format on

#else  // natively

#define SANDGLASS_EXPORT(function)
#define SANDGLASS_EXPORT_NAMED(function, name)
#define SANDGLASS_IMPORT(result, name, ...) SANDGLASS_C result name(__VA_ARGS__);
#define SANDGLASS_IMPORT_NAMED(result, name, host_name, ...) SANDGLASS_C result name(__VA_ARGS__);
#define SANDGLASS_STACK_BYTES(bytes)

__attribute__((noreturn)) static inline void sandglass_trap(void) { __builtin_trap(); }

#endif
