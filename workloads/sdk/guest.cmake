# sandglass_add_guest(<name> SOURCES <file>... [OPTIONS <option>...] [DEPENDS <file or target>...])
#
# A guest program from C, C++ and assembly: the target <name> makes <name>.polkavm in the current build folder
# with scripts/guest-build, whose options OPTIONS are (-O3, -I …, --link --strip). <name>_GUEST is set to the
# file's path. Headers that sources include are tracked when DEPENDS names them.
#
# Where clang-19 or ld.lld-19 is missing, the target exists and builds nothing but a message, and <name>_GUEST
# is empty.
set(SANDGLASS_GUEST_BUILD ${CMAKE_CURRENT_LIST_DIR}/../../scripts/guest-build)
set(SANDGLASS_GUEST_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/guest.ld)
set(SANDGLASS_GUEST_HEADER ${CMAKE_CURRENT_LIST_DIR}/include/sandglass/guest.h)

find_program(SANDGLASS_CLANG_19 clang-19)
find_program(SANDGLASS_LLD_19 ld.lld-19)

function(sandglass_add_guest name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;OPTIONS;DEPENDS")
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "sandglass_add_guest(${name}): no SOURCES")
  endif()
  if(NOT SANDGLASS_CLANG_19 OR NOT SANDGLASS_LLD_19)
    add_custom_target(${name}
      COMMAND ${CMAKE_COMMAND} -E echo "${name} is not built: clang-19 or ld.lld-19 is missing (scripts/setup guests)")
    set(${name}_GUEST "" PARENT_SCOPE)
    return()
  endif()
  set(sources)
  foreach(source IN LISTS arg_SOURCES)
    get_filename_component(source ${source} ABSOLUTE)
    list(APPEND sources ${source})
  endforeach()
  set(guest ${CMAKE_CURRENT_BINARY_DIR}/${name}.polkavm)
  add_custom_command(
    OUTPUT ${guest}
    COMMAND ${SANDGLASS_GUEST_BUILD} ${arg_OPTIONS} --sandglass $<TARGET_FILE:sandglass_cli> -o ${guest} ${sources}
    DEPENDS ${sources} ${arg_DEPENDS} sandglass_cli ${SANDGLASS_GUEST_BUILD} ${SANDGLASS_GUEST_SCRIPT} ${SANDGLASS_GUEST_HEADER}
    COMMENT "Building the guest ${name}"
    VERBATIM)
  add_custom_target(${name} ALL DEPENDS ${guest})
  set(${name}_GUEST ${guest} PARENT_SCOPE)
endfunction()
