// The allocator behind malloc: free lists by size, neighbours merged, memory never given back.
//
// Small and predictable rather than clever: every operation is bounded by a constant, but for copying, for
// the last bin (64 MiB and more) and for asking for more memory.
//
//   chunk ──►  bytes of the chunk before      only when that one is free; else its user's last 8 bytes
//              bytes of this chunk | flags    a multiple of 16; bit 0: in use, bit 1: the one before is in
//              use
//   memory ──► next, previous in its bin      only when free; the user's otherwise
//              …
//
// Each run of memory ends with a fence, a chunk of size 0 that is in use. Two free chunks never touch.
// A chunk that is released twice, or never was one, stops the program (SG_HEAP_CHECK) when its header shows
// it.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace sandglass::guest {

class Heap {
 public:
  // The start of `bytes` bytes of new memory, or null. Where it follows the last it is used as one run.
  using Grow = void* (*)(size_t bytes);

  static constexpr size_t kAlignment = 16;
  static constexpr size_t kGrowBytes = 64 * 1024;  // asked for at a time; more for a bigger request

  constexpr explicit Heap(Grow grow) : grow_(grow) {}

  // Null when there is no memory. Zero bytes are a chunk like any other.
  void* allocate(size_t bytes);
  // `alignment` is a power of two.
  void* allocate_aligned(size_t alignment, size_t bytes);
  // In place where the chunk shrinks or its neighbour is free. Null, and nothing has changed, when there is
  // no memory.
  void* resize(void* memory, size_t bytes);
  void release(void* memory);
  static size_t usable_bytes(const void* memory);

 private:
  struct Chunk;
  static constexpr size_t kBins = 128;

  static size_t bin_of(size_t bytes);
  Chunk* take_from_bin(size_t bin, size_t bytes, size_t tries);
  Chunk* take(size_t bytes);
  size_t next_filled_bin(size_t bin) const;
  void put(Chunk* chunk, size_t bytes);
  void unlink(Chunk* chunk);
  void trim(Chunk* chunk, size_t bytes);
  void release_chunk(Chunk* chunk);
  bool grow(size_t bytes);

  Grow grow_;
  uint8_t* end_ = nullptr;  // of the last run
  Chunk* fence_ = nullptr;  // its fence
  uint64_t filled_[kBins / 64] = {};
  Chunk* bins_[kBins] = {};
};

}  // namespace sandglass::guest
