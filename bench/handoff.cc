// Question: what does it cost to hand the turn to another process and get it back, and what do busy CPUs make
//           of that?
// Unit:     time of one round trip, two hand-offs; every one is measured by itself (p50_ns, p99_ns).
// Timed:    raw: telling the peer and waiting for its answer. spin: both sides watch a shared word, on two
//           cores. futex, pipe, eventfd: both sides sleep, on one core or on two, where the sleeper's core
//           may have gone idle. hogs: the same while two other processes use all the CPU they can get.
//           linux: Sandbox::run(), from going on until the guest's next stop: a host call without and with
//           (sync) gas metering, a trap instruction, an access to where nothing is, a block that cannot be
//           paid. anywhere: neither side is pinned, and they wait as the library does by default; cross_core:
//           each is pinned to a core of its own, and looks before it sleeps; same_core: both are on one.
// Not timed: starting and pinning the two processes; setting the guest's pc and gas. Asking for the time,
// twice, is included: some 40 ns.
#include <fmt/format.h>

#include "bench/cpu_hogs.h"
#include "bench/families.h"
#include "bench/jailed_rows.h"
#include "bench/raw_handoff.h"

namespace sandglass::bench {
namespace {

void add_raw(Suite& suite, const RawHandoffCase& raw, Placement placement) {
  const std::string name = fmt::format("handoff/raw/{}/{}", raw.name, name_of(placement));
  suite.add(name, [=, &raw] { return RawHandoff::create(raw, placement, 0); });
  suite.add(name + "/hogs", [=, &raw] { return RawHandoff::create(raw, placement, kHogs); });
}

}  // namespace

void add_handoff(Suite& suite) {
  for (const RawHandoffCase& raw : raw_handoff_cases()) {
    if (raw.works_on_one_core) add_raw(suite, raw, Placement::kSameCore);
    add_raw(suite, raw, Placement::kCrossCore);
  }
  add_jailed_handoffs(suite);
}

}  // namespace sandglass::bench
