// What guest programs that are workloads share: made-up input, and the checksum that a run returns. The same
// bytes on every machine, from integers alone.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace sandglass::workload {

// xorshift64*: never 0, and not from anybody's library.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2 + 1) {}
  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1du;
  }
  uint32_t below(uint32_t limit) { return static_cast<uint32_t>((next() >> 32) * limit >> 32); }

 private:
  uint64_t state_;
};

// FNV-1a over 64-bit words: every bit of every word that was added changes it, and so does their order.
class Checksum {
 public:
  void add(uint64_t word) { value_ = (value_ ^ word) * 0x100000001b3u; }
  void add_bytes(const void* bytes, size_t count) {
    for (size_t i = 0; i < count; i++) add(static_cast<const uint8_t*>(bytes)[i]);
  }
  // In words of 8 bytes; the last ones that fill none are left out.
  void add_words(const void* bytes, size_t count) {
    for (size_t at = 0; at + 8 <= count; at += 8) {
      uint64_t word;
      __builtin_memcpy(&word, static_cast<const char*>(bytes) + at, sizeof(word));
      add(word);
    }
  }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325u;
};

}  // namespace sandglass::workload
