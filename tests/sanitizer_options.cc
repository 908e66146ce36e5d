// How the sanitizers behave in everything that a sanitizer preset builds. Compiled in, so that a program run
// by hand, by ctest or by a fuzzer behaves the same; ASAN_OPTIONS and TSAN_OPTIONS still override it.
//
// handle_segv=0 and its kin: the library promises that a fault of the host, which is not the guest's, goes to
// whoever handled it before, and ends the process by its signal when nobody did. Tests hold it to that, so
// the sanitizer must not be that somebody. To see where such a fault comes from: ASAN_OPTIONS=handle_segv=1.
// use_sigaltstack=0: the signal stack is to be the one that the library makes, as in a release build.
// die_after_fork=0: death tests fork from processes that have threads.

extern "C" {

const char* __asan_default_options() {
  return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_sigtrap=0:use_sigaltstack=0:"
         "strict_string_checks=1";
}

const char* __ubsan_default_options() { return "print_stacktrace=1"; }

const char* __tsan_default_options() {
  return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_sigtrap=0:use_sigaltstack=0:"
         "die_after_fork=0";
}

}  // extern "C"
