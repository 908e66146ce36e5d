#include "zygote/serve.h"

#include <asm/errno.h>
#include <linux/sched.h>

#include "zygote/messages.h"
#include "zygote/system_calls.h"
#include "zygote/worker.h"

namespace sandglass::zygote {
namespace {

constexpr int kSigChld = 17;

void spawn(const SpawnRequest& request) {
  int pidfd = -1;
  clone_args arguments = {};
  arguments.flags = CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  // The template ignores SIGCHLD, so nobody has to wait for the worker.
  arguments.exit_signal = kSigChld;
  const long process = call(__NR_clone3, &arguments, sizeof arguments);
  if (process == 0) become_worker(request);
  // A fork that fails late, at a cgroup's limit, has written the number of a descriptor that it has closed
  // again.
  if (process < 0) pidfd = -1;
  const SpawnReply reply = {.error = process < 0 ? (int32_t)-process : 0};
  const long sent = send_message(template_fd::kControl, &reply, sizeof reply, pidfd);
  if (pidfd >= 0) call(__NR_close, pidfd);
  if (sent < 0) exit_process(kExitProtocol);
}

}  // namespace

void serve() {
  for (;;) {
    SpawnRequest request = {};
    const long received = receive_message(template_fd::kControl, &request, sizeof request, 3);
    if (received == -EINTR) continue;
    if (received < 0) exit_process(received == -ECONNRESET ? 0 : (int)kExitProtocol);
    spawn(request);
    call(__NR_close, worker_fd::kImages);
    call(__NR_close, worker_fd::kHostFile);
    call(__NR_close, worker_fd::kMemory);
  }
}

}  // namespace sandglass::zygote
