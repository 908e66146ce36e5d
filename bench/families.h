// The families of the suite: one question each, one file each, bench/<question>.cc.
#pragma once

#include "bench/harness.h"

namespace sandglass::bench {

void add_noop(Suite& suite);
void add_host_call(Suite& suite);
void add_trap(Suite& suite);
void add_instantiate(Suite& suite);
void add_spawn(Suite& suite);
void add_pool(Suite& suite);
void add_handoff(Suite& suite);
void add_paging(Suite& suite);
void add_kill(Suite& suite);
void add_footprint(Suite& suite);
void add_hardening(Suite& suite);
void add_gas(Suite& suite);
void add_run(Suite& suite);
void add_cold(Suite& suite);
void add_compile(Suite& suite);
void add_encoder(Suite& suite);

}  // namespace sandglass::bench
