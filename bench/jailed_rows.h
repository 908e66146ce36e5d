// The rows of the Linux backend in families that measure the kernel's primitives beside it.
#pragma once

#include "bench/harness.h"

namespace sandglass::bench {

void add_jailed_spawns(Suite& suite);
void add_jailed_handoffs(Suite& suite);
void add_jailed_paging(Suite& suite);
void add_jailed_kills(Suite& suite);

}  // namespace sandglass::bench
