// The functions that a compiler may call on its own, even in freestanding code.
#include <stddef.h>
#include <stdint.h>

#include <sandglass/guest.h>

// A loop that copies is not to become a call of what it is in.
#define SANDGLASS_NO_BUILTIN __attribute__((no_builtin))

SANDGLASS_NO_BUILTIN void* memcpy(void* restrict to, const void* restrict from, size_t bytes) {
  uint8_t* t = to;
  const uint8_t* f = from;
  for (; bytes >= 8; bytes -= 8, t += 8, f += 8) __builtin_memcpy_inline(t, f, 8);
  while (bytes-- > 0) *t++ = *f++;
  return to;
}

SANDGLASS_NO_BUILTIN void* memmove(void* to, const void* from, size_t bytes) {
  uint8_t* t = to;
  const uint8_t* f = from;
  if (t <= f || t >= f + bytes) return memcpy(to, from, bytes);
  while (bytes-- > 0) t[bytes] = f[bytes];
  return to;
}

SANDGLASS_NO_BUILTIN void* memset(void* to, int byte, size_t bytes) {
  sandglass_fill(to, (uint8_t)byte, bytes);
  return to;
}

SANDGLASS_NO_BUILTIN int memcmp(const void* left, const void* right, size_t bytes) {
  const uint8_t *l = left, *r = right;
  for (; bytes > 0; --bytes, ++l, ++r) {
    if (*l != *r) return *l - *r;
  }
  return 0;
}
