// The ways in which a C program ends itself: each is a trap, which the host sees as such. A guest has no end
// of its own (its exports return), so nothing is ever run at exit.
#include "workloads/sdk/machine.h"

extern "C" {

[[noreturn]] void abort() { sandglass::guest::trap(); }
[[noreturn]] void exit(int) { sandglass::guest::trap(); }
[[noreturn]] void _Exit(int) { sandglass::guest::trap(); }
[[noreturn]] void __assert_fail(const char*, const char*, int, const char*) { sandglass::guest::trap(); }
int atexit(void (*)()) { return 0; }
int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }
[[noreturn]] void __stack_chk_fail() { sandglass::guest::trap(); }

}  // extern "C"
