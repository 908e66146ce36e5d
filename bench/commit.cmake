# Writes OUTPUT: which commit of SOURCE_DIR is being built, and whether there are changes on top of it.
find_program(GIT git)
set(commit "unknown")
set(is_dirty "false")
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE_DIR} rev-parse HEAD
    OUTPUT_VARIABLE answer RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT failed)
    set(commit "${answer}")
    # --no-optional-locks: reading the status must not write to an index that others may be using. Results are
    # what measuring writes, not what is measured: a new reference run begins with moving the old one away.
    execute_process(COMMAND ${GIT} --no-optional-locks -C ${SOURCE_DIR} status --porcelain -- . ":!results"
      OUTPUT_VARIABLE changes ERROR_QUIET)
    if(NOT changes STREQUAL "")
      set(is_dirty "true")
    endif()
  endif()
endif()

set(text "// Written by commit.cmake in every build.
#pragma once

namespace sandglass::bench {
inline constexpr char kCommit[] = \"${commit}\";
inline constexpr bool kIsDirty = ${is_dirty};
}  // namespace sandglass::bench
")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT "${text}" STREQUAL "${old}")
  file(WRITE ${OUTPUT} "${text}")
endif()
