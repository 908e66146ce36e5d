/* The only system calls that do something write to standard output and standard error. */
#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/uio.h>

void sandglass_write(int stream, const char* text, size_t bytes);

static long write_all(int stream, const struct iovec* pieces, long count) {
  long total = 0;
  for (long i = 0; i < count; i++) {
    sandglass_write(stream, pieces[i].iov_base, pieces[i].iov_len);
    total += (long)pieces[i].iov_len;
  }
  return total;
}

long __sandglass_system_call(long number, long a, long b, long c) {
  struct iovec piece = {(void*)b, (size_t)c};
  if (a == 1 || a == 2) {
    if (number == SYS_writev) return write_all((int)a, (const struct iovec*)b, c);
    if (number == SYS_write) return write_all((int)a, &piece, 1);
  }
  if (number == SYS_exit_group || number == SYS_exit) __builtin_trap();
  return -ENOSYS;
}
