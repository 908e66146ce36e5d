// What C++ without exceptions needs: where it would throw, the guest traps.
#include <stddef.h>

#include "workloads/sdk/machine.h"

extern "C" void* malloc(size_t bytes);
extern "C" void* aligned_alloc(size_t alignment, size_t bytes);
extern "C" void free(void* memory);

namespace std {
struct nothrow_t {};
extern const nothrow_t nothrow;
const nothrow_t nothrow{};  // an argument that chooses an operator: nobody reads it
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

// What libc++'s headers take from its library: the end when an assertion fails or where they would throw, and
// the sizes of hash tables (std::unordered_map and its kin), which are the next prime or a power of two.
namespace {

bool is_prime(size_t number) {
  if (number % 2 == 0) return number == 2;
  for (size_t divisor = 3; divisor <= number / divisor; divisor += 2) {
    if (number % divisor == 0) return false;
  }
  return number > 1;
}

}  // namespace

namespace std {
inline namespace __1 {
// The smallest prime that is not below the number; 0 stays 0: a table without buckets.
size_t __next_prime(size_t number) {
  if (number == 0) return 0;
  while (!is_prime(number)) number++;
  return number;
}
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) noexcept { sandglass::guest::trap(); }
}  // namespace __1
}  // namespace std
