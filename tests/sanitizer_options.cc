// How the sanitizers behave in everything that a sanitizer preset builds. Compiled in, so that a program run
// by hand, by ctest or by a fuzzer behaves the same; ASAN_OPTIONS and its kin still override it.

extern "C" {

// handle_segv=0 and its kin: a guest's fault is a signal that our handler turns into an interrupt, and what
// is not the guest's goes on to the handler before us; that must be the default one, which ends the process,
// or tests of that promise would see the sanitizer's report in its place. use_sigaltstack=0: the signal stack
// of a thread that runs guests is ours. detect_stack_use_after_return=0: a guest runs on a stack of its own,
// which fake stack frames do not survive.
const char* __asan_default_options() {
  return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_sigtrap=0:use_sigaltstack=0:"
         "detect_stack_use_after_return=0:check_initialization_order=1:strict_string_checks=1";
}

const char* __ubsan_default_options() { return "print_stacktrace=1"; }

// die_after_fork=0: death tests fork from processes that may have threads.
const char* __tsan_default_options() {
  return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:use_sigaltstack=0:die_after_fork=0";
}

}  // extern "C"
