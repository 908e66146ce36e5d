#include "tests/faults/live_heap.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace sandglass::faults {
namespace {

constinit std::atomic<size_t> g_blocks = 0, g_bytes = 0;

void* counted(void* block) {
  if (block == nullptr) throw std::bad_alloc();
  g_blocks.fetch_add(1, std::memory_order_relaxed);
  g_bytes.fetch_add(::malloc_usable_size(block), std::memory_order_relaxed);
  return block;
}

void release(void* block) {
  if (block == nullptr) return;
  g_blocks.fetch_sub(1, std::memory_order_relaxed);
  g_bytes.fetch_sub(::malloc_usable_size(block), std::memory_order_relaxed);
  std::free(block);
}

}  // namespace

LiveHeap live_heap() { return {g_blocks.load(), g_bytes.load()}; }

}  // namespace sandglass::faults

using sandglass::faults::counted;
using sandglass::faults::release;

// The library's other forms of these call one of them.
void* operator new(size_t size_bytes) { return counted(std::malloc(size_bytes)); }
void* operator new(size_t size_bytes, std::align_val_t alignment) {
  const auto step = static_cast<size_t>(alignment);
  return counted(std::aligned_alloc(step, (size_bytes + step - 1) / step * step));
}
void operator delete(void* block) noexcept { release(block); }
void operator delete(void* block, size_t) noexcept { release(block); }
void operator delete(void* block, std::align_val_t) noexcept { release(block); }
void operator delete(void* block, size_t, std::align_val_t) noexcept { release(block); }
