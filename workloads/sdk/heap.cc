#include "workloads/sdk/heap.h"

#define SG_HEAP_CHECK(condition) \
  if (!(condition)) __builtin_trap()

namespace sandglass::guest {

struct Heap::Chunk {
  size_t previous_bytes;
  size_t bytes_and_flags;
  Chunk* next;
  Chunk* previous;

  static constexpr size_t kInUse = 1, kPreviousInUse = 2, kFlags = 15;
  size_t bytes() const { return bytes_and_flags & ~kFlags; }
  bool in_use() const { return bytes_and_flags & kInUse; }
  bool previous_in_use() const { return bytes_and_flags & kPreviousInUse; }
  Chunk* at(ptrdiff_t offset) { return reinterpret_cast<Chunk*>(reinterpret_cast<uint8_t*>(this) + offset); }
  Chunk* following() { return at(static_cast<ptrdiff_t>(bytes())); }
  Chunk* preceding() { return at(-static_cast<ptrdiff_t>(previous_bytes)); }
  void* memory() { return &next; }
  static Chunk* of(void* memory) {
    return reinterpret_cast<Chunk*>(memory)->at(-ptrdiff_t{offsetof(Chunk, next)});
  }
};

namespace {

constexpr size_t kOverhead = sizeof(size_t);
constexpr size_t kFenceBytes = 2 * sizeof(size_t);
constexpr size_t kMinChunkBytes = 32;
constexpr size_t kMaxRequest = PTRDIFF_MAX / 2;

constexpr size_t round_up(size_t value, size_t step) { return (value + step - 1) & -step; }

uint8_t* aligned(uint8_t* address) {  // downwards
  return address - reinterpret_cast<uintptr_t>(address) % Heap::kAlignment;
}

size_t chunk_bytes(size_t bytes) {
  size_t rounded = round_up(bytes + kOverhead, Heap::kAlignment);
  return rounded < kMinChunkBytes ? kMinChunkBytes : rounded;
}

}  // namespace

// Below 1 KiB one bin per size; above, four per power of two; the last one holds all of 64 MiB and more.
size_t Heap::bin_of(size_t bytes) {
  if (bytes < 1024) return bytes / 16;
  size_t log = 63 - __builtin_clzll(bytes);
  size_t bin = 64 + (log - 10) * 4 + ((bytes >> (log - 2)) & 3);
  return bin < kBins ? bin : kBins - 1;
}

void* Heap::allocate(size_t bytes) {
  if (bytes > kMaxRequest) return nullptr;
  size_t wanted = chunk_bytes(bytes);
  Chunk* chunk = take(wanted);
  if (!chunk && grow(wanted)) chunk = take(wanted);
  if (!chunk) return nullptr;
  chunk->bytes_and_flags |= Chunk::kInUse;
  chunk->following()->bytes_and_flags |= Chunk::kPreviousInUse;
  trim(chunk, wanted);
  return chunk->memory();
}

void* Heap::allocate_aligned(size_t alignment, size_t bytes) {
  if (alignment <= kAlignment) return allocate(bytes);
  if (bytes > kMaxRequest || alignment > kMaxRequest) return nullptr;
  void* memory = allocate(bytes + alignment + kMinChunkBytes);
  if (!memory) return nullptr;
  Chunk* chunk = Chunk::of(memory);
  uintptr_t address = reinterpret_cast<uintptr_t>(memory);
  if (size_t front = round_up(address, alignment) - address; front != 0) {
    if (front < kMinChunkBytes) front += alignment;
    Chunk* aligned = chunk->at(front);
    aligned->bytes_and_flags = (chunk->bytes() - front) | Chunk::kInUse | Chunk::kPreviousInUse;
    chunk->bytes_and_flags = front | (chunk->bytes_and_flags & Chunk::kFlags);
    release_chunk(chunk);
    chunk = aligned;
  }
  trim(chunk, chunk_bytes(bytes));
  return chunk->memory();
}

void* Heap::resize(void* memory, size_t bytes) {
  if (bytes > kMaxRequest) return nullptr;
  Chunk* chunk = Chunk::of(memory);
  SG_HEAP_CHECK(chunk->in_use());
  size_t wanted = chunk_bytes(bytes);
  Chunk* following = chunk->following();
  if (chunk->bytes() < wanted && !following->in_use() && chunk->bytes() + following->bytes() >= wanted) {
    unlink(following);
    chunk->bytes_and_flags += following->bytes();
    chunk->following()->bytes_and_flags |= Chunk::kPreviousInUse;
  }
  if (chunk->bytes() >= wanted) {
    trim(chunk, wanted);
    return memory;
  }
  void* moved = allocate(bytes);
  if (!moved) return nullptr;
  __builtin_memcpy(moved, memory, usable_bytes(memory));
  release_chunk(chunk);
  return moved;
}

void Heap::release(void* memory) { release_chunk(Chunk::of(memory)); }

size_t Heap::usable_bytes(const void* memory) {
  return Chunk::of(const_cast<void*>(memory))->bytes() - kOverhead;
}

// The first chunk of the bin that is big enough, among the first `tries`.
Heap::Chunk* Heap::take_from_bin(size_t bin, size_t bytes, size_t tries) {
  for (Chunk* chunk = bins_[bin]; chunk && tries-- > 0; chunk = chunk->next) {
    if (chunk->bytes() < bytes) continue;
    unlink(chunk);
    return chunk;
  }
  return nullptr;
}

// Its own bin may hold chunks that are too small: a few of them are looked at, so that a program that frees
// and allocates one size gets the same chunk again. In any later bin but the last all are big enough.
Heap::Chunk* Heap::take(size_t bytes) {
  constexpr size_t kTries = 8;
  size_t bin = bin_of(bytes);
  if (bin < kBins - 1) {
    if (Chunk* chunk = take_from_bin(bin, bytes, kTries)) return chunk;
    bin = next_filled_bin(bin + 1);
    if (bin == kBins) return nullptr;
  }
  return take_from_bin(bin, bytes, SIZE_MAX);
}

// kBins when there is none.
size_t Heap::next_filled_bin(size_t bin) const {
  uint64_t here = filled_[bin / 64] >> (bin % 64);
  if (here != 0) return bin + __builtin_ctzll(here);
  if (bin < 64 && filled_[1] != 0) return 64 + __builtin_ctzll(filled_[1]);
  return kBins;
}

// A free chunk of this size, between chunks that are in use.
void Heap::put(Chunk* chunk, size_t bytes) {
  size_t bin = bin_of(bytes);
  chunk->bytes_and_flags = bytes | Chunk::kPreviousInUse;
  chunk->at(bytes)->previous_bytes = bytes;
  chunk->at(bytes)->bytes_and_flags &= ~Chunk::kPreviousInUse;
  chunk->previous = nullptr;
  chunk->next = bins_[bin];
  if (chunk->next) chunk->next->previous = chunk;
  bins_[bin] = chunk;
  filled_[bin / 64] |= uint64_t{1} << (bin % 64);
}

void Heap::unlink(Chunk* chunk) {
  size_t bin = bin_of(chunk->bytes());
  if (chunk->next) chunk->next->previous = chunk->previous;
  (chunk->previous ? chunk->previous->next : bins_[bin]) = chunk->next;
  if (!bins_[bin]) filled_[bin / 64] &= ~(uint64_t{1} << (bin % 64));
}

// Gives back what a chunk in use has beyond `bytes`, where that is enough for a chunk.
void Heap::trim(Chunk* chunk, size_t bytes) {
  size_t rest = chunk->bytes() - bytes;
  if (rest < kMinChunkBytes) return;
  chunk->bytes_and_flags -= rest;
  Chunk* tail = chunk->following();
  tail->bytes_and_flags = rest | Chunk::kInUse | Chunk::kPreviousInUse;
  release_chunk(tail);
}

void Heap::release_chunk(Chunk* chunk) {
  size_t bytes = chunk->bytes();
  Chunk* following = chunk->following();
  SG_HEAP_CHECK(chunk->in_use() && bytes >= kMinChunkBytes && following->previous_in_use());
  if (!following->in_use()) {
    unlink(following);
    bytes += following->bytes();
  }
  if (!chunk->previous_in_use()) {
    chunk = chunk->preceding();
    unlink(chunk);
    bytes += chunk->bytes();
  }
  put(chunk, bytes);
}

// Makes room for a chunk of `bytes`. A run that goes on where the last one ended takes over its fence.
bool Heap::grow(size_t bytes) {
  size_t new_bytes = round_up(bytes + kFenceBytes + 2 * kAlignment, kGrowBytes);
  uint8_t* memory = static_cast<uint8_t*>(grow_(new_bytes));
  if (!memory) return false;
  bool goes_on = memory == end_;
  Chunk* chunk = goes_on ? fence_ : reinterpret_cast<Chunk*>(aligned(memory + kAlignment - 1));
  size_t flags = goes_on ? chunk->bytes_and_flags & Chunk::kPreviousInUse : Chunk::kPreviousInUse;
  end_ = memory + new_bytes;
  fence_ = reinterpret_cast<Chunk*>(aligned(end_ - kFenceBytes));
  size_t gained = static_cast<size_t>(reinterpret_cast<uint8_t*>(fence_) - reinterpret_cast<uint8_t*>(chunk));
  chunk->bytes_and_flags = gained | Chunk::kInUse | flags;
  fence_->bytes_and_flags = Chunk::kInUse | Chunk::kPreviousInUse;
  release_chunk(chunk);
  return true;
}

}  // namespace sandglass::guest
