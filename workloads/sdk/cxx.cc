// What C++ without exceptions needs: where it would throw, the guest traps.
#include <stddef.h>

#include "workloads/sdk/machine.h"

extern "C" void* malloc(size_t bytes);
extern "C" void* aligned_alloc(size_t alignment, size_t bytes);
extern "C" void free(void* memory);

namespace std {
struct nothrow_t;
enum class align_val_t : size_t {};
}  // namespace std

namespace {

void* or_trap(void* memory) {
  if (!memory) sandglass::guest::trap();
  return memory;
}

void* aligned(size_t bytes, std::align_val_t alignment) {
  return aligned_alloc(static_cast<size_t>(alignment), bytes);
}

}  // namespace

void* operator new(size_t bytes) { return or_trap(malloc(bytes)); }
void* operator new[](size_t bytes) { return or_trap(malloc(bytes)); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return malloc(bytes); }
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept { return malloc(bytes); }
void* operator new(size_t bytes, std::align_val_t alignment) { return or_trap(aligned(bytes, alignment)); }
void* operator new[](size_t bytes, std::align_val_t alignment) { return or_trap(aligned(bytes, alignment)); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { free(memory); }

extern "C" {

[[noreturn]] void __cxa_pure_virtual() { sandglass::guest::trap(); }
void* __dso_handle = nullptr;

}  // extern "C"

// What libc++'s headers call when an assertion of theirs fails, and instead of throwing.
namespace std {
inline namespace __1 {
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) noexcept { sandglass::guest::trap(); }
}  // namespace __1
}  // namespace std
