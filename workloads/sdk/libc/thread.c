/* The state of the one thread: errno, the locale. Set up at link time: nothing has to run first. */
#include "libc.h"
#include "pthread_impl.h"

struct __libc __libc = {.page_size = 4096};
struct pthread __sandglass_thread_state __asm__("__sandglass_thread") = {
    .self = &__sandglass_thread_state,
    .prev = &__sandglass_thread_state,
    .next = &__sandglass_thread_state,
    .tid = 1,
    .detach_state = DT_JOINABLE,
    .locale = &__libc.global_locale,
};
