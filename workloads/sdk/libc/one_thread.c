/* What musl asks of its threads, its allocator and its kernel, for a guest that has one thread and no files.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "syscall_arch.h"

void __lock(volatile int* lock) { (void)lock; }
void __unlock(volatile int* lock) { (void)lock; }
int pthread_setcancelstate(int state, int* old_state) {
  (void)state;
  if (old_state) *old_state = 0;
  return 0;
}

void* __libc_malloc(size_t bytes) { return malloc(bytes); }
void* __libc_calloc(size_t count, size_t bytes) { return calloc(count, bytes); }
void __libc_free(void* memory) { free(memory); }

/* Time zones and translations are mapped files: there are none. */
void* __mmap(void* address, size_t bytes, int protection, int flags, int file, off_t offset) {
  (void)address, (void)bytes, (void)protection, (void)flags, (void)file, (void)offset;
  errno = ENOSYS;
  return MAP_FAILED;
}
int __munmap(void* address, size_t bytes) {
  (void)address, (void)bytes;
  return 0;
}

/* System calls at which a thread could be cancelled: like any other. */
long __syscall_cp(long number, long a, long b, long c, long d, long e, long f) {
  (void)d, (void)e, (void)f;
  return __sandglass_system_call(number, a, b, c);
}
