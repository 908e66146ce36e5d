// What the compiler calls by these names, in every guest.
#include "workloads/sdk/memory_functions.h"

using namespace sandglass::guest;

extern "C" {

void* memcpy(void* __restrict to, const void* __restrict from, size_t bytes) {
  move_bytes(to, from, bytes);
  return to;
}
void* memmove(void* to, const void* from, size_t bytes) {
  move_bytes(to, from, bytes);
  return to;
}
void* memset(void* memory, int value, size_t bytes) {
  fill_bytes(memory, value, bytes);
  return memory;
}
int memcmp(const void* left, const void* right, size_t bytes) { return compare_bytes(left, right, bytes); }
int bcmp(const void* left, const void* right, size_t bytes) { return compare_bytes(left, right, bytes); }
size_t strlen(const char* string) { return string_length(string); }

}  // extern "C"
