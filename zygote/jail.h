// The jail: what a process goes through, step by step, until nothing is left to it but its work.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sandbox/abi/launch.h"

namespace sandglass::zygote {

// Goes through every step of sandbox/abi/jail_steps.def. Returns in the template: the calling process if it
// is the first one of its pid namespace, or else a child of it, and the calling process ends. The report says
// how long each step took; beside it is the descriptor of the filter's listener, unless the request asked for
// no filter. A step that fails is reported to the host and ends the process.
struct Jailed {
  LaunchReport report;
  int listener;  // or -1
};
Jailed enter_jail(const LaunchRequest& request);

}  // namespace sandglass::zygote
