// What code that is not ordinary control flow asks of the sanitizers.
#pragma once

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SG_THREAD_SANITIZER 1
#endif
#endif

// For functions that never return to their caller (a signal handler that jumps away, a child that lives in
// its parent's memory until exec): the sanitizer must not track their frames. A handler may also interrupt
// ThreadSanitizer itself, which then holds locks: it must not call that, and no_sanitize would leave the
// calls for atomic operations in.
#ifdef SG_THREAD_SANITIZER
#define SG_NO_SANITIZE __attribute__((disable_sanitizer_instrumentation))
#else
#define SG_NO_SANITIZE __attribute__((no_sanitize("address", "thread", "undefined")))
#endif

// ThreadSanitizer puts signal handlers off until the thread makes a system call, which a guest never does.
// The C library's own entry points go past it.
#ifdef SG_THREAD_SANITIZER
#define SG_UNINTERCEPTED(function) ::__##function
#else
#define SG_UNINTERCEPTED(function) ::function
#endif
