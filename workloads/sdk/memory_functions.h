// memcpy and its kin in words of 8 bytes. A PVM load or store may be unaligned, so nothing is aligned first.
//
// They are here under names of their own so that tests can compare them with the host's.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "workloads/sdk/machine.h"

namespace sandglass::guest {

template <typename Word>
Word load(const void* from) {
  Word word;
  __builtin_memcpy(&word, from, sizeof(word));
  return word;
}

template <typename Word>
void store(void* to, Word word) {
  __builtin_memcpy(to, &word, sizeof(word));
}

// Both ends, which overlap: covers sizeof(Word) to twice that. Everything is read before anything is written.
template <typename Word>
void move_ends(uint8_t* to, const uint8_t* from, size_t bytes) {
  Word first = load<Word>(from), last = load<Word>(from + bytes - sizeof(Word));
  store(to, first);
  store(to + bytes - sizeof(Word), last);
}

inline void move_up_to_32(uint8_t* to, const uint8_t* from, size_t bytes) {
  if (bytes >= 16) {
    uint64_t a = load<uint64_t>(from), b = load<uint64_t>(from + 8);
    uint64_t c = load<uint64_t>(from + bytes - 16), d = load<uint64_t>(from + bytes - 8);
    store(to, a), store(to + 8, b), store(to + bytes - 16, c), store(to + bytes - 8, d);
    return;
  }
  if (bytes >= 8) return move_ends<uint64_t>(to, from, bytes);
  if (bytes >= 4) return move_ends<uint32_t>(to, from, bytes);
  if (bytes >= 2) return move_ends<uint16_t>(to, from, bytes);
  if (bytes == 1) *to = *from;
}

inline void move_words4(uint8_t* to, const uint8_t* from) {
  uint64_t a = load<uint64_t>(from), b = load<uint64_t>(from + 8);
  uint64_t c = load<uint64_t>(from + 16), d = load<uint64_t>(from + 24);
  store(to, a), store(to + 8, b), store(to + 16, c), store(to + 24, d);
}

// More than 32 bytes; `to` is below `from`, or they do not overlap. What comes last is read first, since the
// loop may overwrite it.
inline void move_upwards(uint8_t* to, const uint8_t* from, size_t bytes) {
  uint8_t* last_to = to + bytes - 32;
  uint64_t a = load<uint64_t>(from + bytes - 32), b = load<uint64_t>(from + bytes - 24);
  uint64_t c = load<uint64_t>(from + bytes - 16), d = load<uint64_t>(from + bytes - 8);
  for (; to < last_to; to += 32, from += 32) move_words4(to, from);
  store(last_to, a), store(last_to + 8, b), store(last_to + 16, c), store(last_to + 24, d);
}

// More than 32 bytes; `to` is above `from`.
inline void move_downwards(uint8_t* to, const uint8_t* from, size_t bytes) {
  uint64_t a = load<uint64_t>(from), b = load<uint64_t>(from + 8);
  uint64_t c = load<uint64_t>(from + 16), d = load<uint64_t>(from + 24);
  for (size_t left = bytes; left > 32; left -= 32) move_words4(to + left - 32, from + left - 32);
  store(to, a), store(to + 8, b), store(to + 16, c), store(to + 24, d);
}

inline void move_bytes(void* to, const void* from, size_t bytes) {
  uint8_t* target = static_cast<uint8_t*>(to);
  const uint8_t* source = static_cast<const uint8_t*>(from);
  if (bytes <= 32) return move_up_to_32(target, source, bytes);
  // One comparison: the difference wraps around when `to` is below `from`.
  if (reinterpret_cast<uintptr_t>(to) - reinterpret_cast<uintptr_t>(from) >= bytes) {
    return move_upwards(target, source, bytes);
  }
  move_downwards(target, source, bytes);
}

inline void fill_words(uint8_t* to, uint64_t word, size_t bytes) {  // 8 bytes or more
  uint8_t* last = to + bytes - 8;
  for (; to < last; to += 8) store(to, word);
  store(last, word);
}

inline void fill_bytes(void* memory, int value, size_t bytes) {
  uint8_t* to = static_cast<uint8_t*>(memory);
#if defined(__riscv) && !defined(SANDGLASS_PLAIN_RISCV)
  if (bytes >= 256) return fill_with_instruction(memory, value, bytes);
#endif
  uint64_t word = static_cast<uint8_t>(value) * 0x0101010101010101u;
  if (bytes >= 8) return fill_words(to, word, bytes);
  if (bytes >= 4) {
    store(to, static_cast<uint32_t>(word)), store(to + bytes - 4, static_cast<uint32_t>(word));
    return;
  }
  for (size_t i = 0; i < bytes; i++) to[i] = static_cast<uint8_t>(word);
}

// The first byte in memory is the highest of a number that compares like the bytes do.
inline int compare_words(uint64_t left, uint64_t right) {
  left = __builtin_bswap64(left), right = __builtin_bswap64(right);
  return left < right ? -1 : left > right;
}

inline int compare_bytes(const void* left, const void* right, size_t bytes) {
  const uint8_t* a = static_cast<const uint8_t*>(left);
  const uint8_t* b = static_cast<const uint8_t*>(right);
  for (; bytes >= 8; a += 8, b += 8, bytes -= 8) {
    uint64_t in_a = load<uint64_t>(a), in_b = load<uint64_t>(b);
    if (in_a != in_b) return compare_words(in_a, in_b);
  }
  for (; bytes > 0; a++, b++, bytes--) {
    if (*a != *b) return *a < *b ? -1 : 1;
  }
  return 0;
}

// Lowest set bit of the result: in the lowest byte of the word that is zero. Higher bits mean nothing.
inline uint64_t zero_bytes(uint64_t word) {
  return (word - 0x0101010101010101u) & ~word & 0x8080808080808080u;
}

// Reads whole aligned words, which never reach into another page: past the end of the string, by design.
__attribute__((no_sanitize("address"))) inline size_t string_length(const char* string) {
  const char* at = string;
  for (; reinterpret_cast<uintptr_t>(at) % 8 != 0; at++) {
    if (*at == 0) return static_cast<size_t>(at - string);
  }
  uint64_t zeros;
  while ((zeros = zero_bytes(*reinterpret_cast<const __attribute__((may_alias)) uint64_t*>(at))) == 0)
    at += 8;
  return static_cast<size_t>(at - string) + static_cast<size_t>(__builtin_ctzll(zeros)) / 8;
}

}  // namespace sandglass::guest
