/* The one thread of a guest (libc/thread.c); there is no thread pointer. */
#pragma once

#include <stdint.h>

extern char __sandglass_thread[];
static inline uintptr_t __get_tp(void) { return (uintptr_t)__sandglass_thread; }

#define MC_PC __gregs[0]
