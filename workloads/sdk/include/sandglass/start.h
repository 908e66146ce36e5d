/* sandglass_start() runs the constructors of the program's global objects, once. A guest has no entry point
 * but its exports: one that needs constructors calls this first; later calls cost a load and a branch.
 * Natively the operating system's loader has done it. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __riscv
void sandglass_start(void);
#else
static inline void sandglass_start(void) {}
#endif

#ifdef __cplusplus
}
#endif
