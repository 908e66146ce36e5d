// The jail: what a process goes through, step by step, until nothing is left to it but its work.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sandbox/abi/launch.h"

namespace sandglass::zygote {

// Goes through every step of sandbox/abi/jail_steps.def. The calling process ends at the step that makes the
// template; the template returns, with a report that says how long each step took and, unless the request
// asked for no filter, the descriptor of the filter's listener. A step that fails is reported to the host and
// ends the process.
struct Jailed {
  LaunchReport report;
  int listener;  // or -1
};
Jailed enter_jail(const LaunchRequest& request);

}  // namespace sandglass::zygote
