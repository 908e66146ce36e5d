#include "sandbox/base/fork_count.h"

#include <pthread.h>

#include <atomic>

#include "sandbox/base/check.h"

namespace sandglass {
namespace {

constinit std::atomic<uint32_t> g_forks = 0;

}  // namespace

uint32_t fork_count() {
  static const bool is_registered = [] {
    SG_CHECK(::pthread_atfork(nullptr, nullptr, [] { g_forks.fetch_add(1, std::memory_order_relaxed); }) ==
             0);
    return true;
  }();
  (void)is_registered;
  return g_forks.load(std::memory_order_relaxed);
}

}  // namespace sandglass
