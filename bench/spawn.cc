// Question: what does a new process cost, and each layer of isolation around it?
// Unit:     time of one process, or of one step in it; every one is measured by itself (p50_ns, p99_ns).
// Timed:    raw: from the request until the child has run, exited with the right status and been reaped.
//           fork: this_process, fork(2) of the suite, whose page tables are copied; small_process, the same
//           in a process of a few pages, as that process sees it. exec: a static program without a C library,
//           in sealed memory: by vfork and execve, by posix_spawn, by clone(VM, VFORK) and execveat.
//           namespaces: clone3(VM, VFORK) and no exec, with new namespaces; none is the base of the others.
//           What the kernel takes down later, in the background, meets the processes that follow. seccomp:
//           installing a filter of so many instructions. pivot_root: an empty root: mounting a tmpfs,
//           pivot_root, detaching the old root. Both are the steps alone, as the child sees them.
//           linux: worker: Jail::spawn(), until a worker is ready with all layers around it;
//           worker_userfaultfd: one that can do dynamic paging. anywhere: nobody is pinned; same_core:
//           the host is, and the template forks on its core. engine: Jail::launch(), until the template
//           can fork workers, with every step of it as a counter (step_…_us, as the jail itself times them).
//           hogs: the same while two other processes use all the CPU they can get.
// Not timed: making the program; for steps, the child's start and end, no_new_privs, mapping the ids; ending
//           workers and jails.
#include <fmt/format.h>

#include "bench/families.h"
#include "bench/jailed_rows.h"
#include "bench/raw_spawn.h"

namespace sandglass::bench {

void add_spawn(Suite& suite) {
  for (const auto cases : {raw_process_cases(), raw_jail_step_cases()}) {
    for (const RawSpawnCase& raw : cases) {
      suite.add(
          fmt::format("spawn/raw/{}", raw.name), [&raw] { return RawSpawn::create(raw); },
          benchmark::kMicrosecond);
    }
  }
  add_jailed_spawns(suite);
}

}  // namespace sandglass::bench
