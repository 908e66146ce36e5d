// The zygote: the one program that runs inside the jail. Start here.
//
//   host ── vfork, exec ──► zygote ── jail steps ──► template ── fork on request ──► workers
//
// The zygote takes itself into the jail and is the template from then on, which waits for requests
// (serve.cc); a worker runs guests (worker.cc). No C library, no heap, no threads: whatever is in this
// program can be used by a guest that broke out of its code, so there is little of it.
#include "sandbox/abi/protocol.h"
#include "zygote/jail.h"
#include "zygote/messages.h"
#include "zygote/serve.h"
#include "zygote/system_calls.h"

namespace sandglass::zygote {
namespace {

LaunchRequest g_request;

}  // namespace

extern "C" [[noreturn]] void zygote_main() {
  if (receive_message(template_fd::kControl, &g_request, sizeof g_request, 0) < 0)
    exit_process(kExitProtocol);
  const Jailed jailed = enter_jail(g_request);
  if (send_message(template_fd::kControl, &jailed.report, sizeof jailed.report, jailed.listener) < 0) {
    exit_process(kExitProtocol);
  }
  if (jailed.listener >= 0) call(__NR_close, jailed.listener);
  serve();
}

}  // namespace sandglass::zygote

// A stack of our own: the one that exec(2) made is about to go. Never ends, so that nobody returns into it.
asm(R"(
.section .bss.zygote_stack, "aw", @nobits
  .skip 16384 - 256
zygote_stack_end:
.text
.globl _start
_start:
  xor %ebp, %ebp
  lea zygote_stack_end(%rip), %rsp
  call zygote_main
  ud2
)");

// What the compiler calls by itself.
extern "C" {
void* memcpy(void* to, const void* from, size_t size_bytes) {
  void* const result = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size_bytes) : : "memory");
  return result;
}
void* memset(void* to, int value, size_t size_bytes) {
  void* const result = to;
  asm volatile("rep stosb" : "+D"(to), "+c"(size_bytes) : "a"(value) : "memory");
  return result;
}
}
