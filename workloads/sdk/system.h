// What a guest has instead of an operating system. Each function is in an object of its own: a program (or a
// test on an emulator) that defines one itself gets its own.
#pragma once

#include <stddef.h>

extern "C" {

// The start of `bytes` more of zeroed heap, or null.
void* sandglass_more_heap(size_t bytes);

// What the C library writes to standard output (1) and standard error (2). Drops it.
void sandglass_write(int stream, const char* text, size_t bytes);

}  // extern "C"
