// An interpreter of JavaScript running a script: workloads/mujs/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

extern "C" {
#include <mujs.h>
}

#include "workloads/mujs/script.h"

using sandglass::workload::Checksum;

namespace {

// The script's report(integer or string).
void report(js_State* js) {
  auto* checksum = static_cast<Checksum*>(js_getcontext(js));
  if (js_isnumber(js, 1)) {
    checksum->add(static_cast<uint64_t>(static_cast<int64_t>(js_tonumber(js, 1))));
  } else {
    const char* text = js_tostring(js, 1);
    checksum->add_bytes(text, strlen(text));
  }
  js_pushundefined(js);
}

bool run_script(js_State* js, double rounds) {
  js_newcfunction(js, report, "report", 1);
  js_setglobal(js, "report");
  js_pushnumber(js, rounds);
  js_setglobal(js, "rounds");
  return js_dostring(js, kScript) == 0;
}

}  // namespace

extern "C" uint64_t run(uint64_t rounds) {
  js_State* js = js_newstate(nullptr, nullptr, JS_STRICT);
  if (!js) return 0;
  Checksum checksum;
  js_setcontext(js, &checksum);
  bool has_worked = run_script(js, static_cast<double>(rounds));
  js_freestate(js);
  return has_worked ? checksum.value() : 0;
}
SANDGLASS_EXPORT(run)
