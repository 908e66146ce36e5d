# Programs: workloads in C and C++, each compiled twice from the same sources, as a guest and as native twins.
#
#   sandglass_add_program(<name>
#     SOURCES <file>...            ours, from this folder
#     THIRD_PARTY <source> <file>...   of workloads/third_party.txt, and which of its files to compile
#     INCLUDES <folder>...         for both; of the third-party source when relative
#     OPTIONS <option>...          for both)
#
# The twins are what the guest's time is compared with: `<name>_twin_ordinary`, compiled as programs usually are, and
# `<name>_twin_scalar`, without vector instructions, which PVM does not have. Each is one object file whose only
# global symbol is `<name>_<kind>_run`: several copies of the same third-party code can be in one executable.
#
# A program whose sources cannot be had is left out, with the reason in the build's output and in the global
# property SANDGLASS_MISSING_PROGRAMS; the others are in SANDGLASS_PROGRAMS.

set(SANDGLASS_TWIN_OPTIONS_ordinary -O2)
set(SANDGLASS_TWIN_OPTIONS_scalar -O2
  $<$<COMPILE_LANG_AND_ID:C,GNU>:-fno-tree-vectorize;-fno-tree-slp-vectorize>
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-tree-vectorize;-fno-tree-slp-vectorize>
  $<$<COMPILE_LANG_AND_ID:C,Clang>:-fno-vectorize;-fno-slp-vectorize>
  $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-fno-vectorize;-fno-slp-vectorize>)

# The folder of a third-party source, or an empty string and the reason.
function(sandglass_third_party name out_folder out_reason)
  execute_process(COMMAND ${PROJECT_SOURCE_DIR}/scripts/guest-sources ${name}
    OUTPUT_VARIABLE line ERROR_VARIABLE said OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(line MATCHES "^[^\t]+\tok\t[^\t]+\t(.+)$")
    set(${out_folder} "${CMAKE_MATCH_1}" PARENT_SCOPE)
    set(${out_reason} "" PARENT_SCOPE)
  else()
    string(REGEX REPLACE "^[^\t]+\tmissing\t" "${name}: " reason "${line}${said}")
    set(${out_folder} "" PARENT_SCOPE)
    set(${out_reason} "${reason}" PARENT_SCOPE)
  endif()
endfunction()

function(sandglass_add_twin name kind)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "SOURCES;INCLUDES;OPTIONS")
  set(target ${name}_twin_${kind})
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${target}.o)
  add_library(${target}_objects OBJECT ${arg_SOURCES})
  target_include_directories(${target}_objects SYSTEM PRIVATE ${arg_INCLUDES})
  target_include_directories(${target}_objects PRIVATE ${PROJECT_SOURCE_DIR}/workloads/sdk/include)
  # No contraction: a guest's floating point has none. No warnings: most of the code is not ours.
  target_compile_options(${target}_objects PRIVATE -w -ffp-contract=off -ffunction-sections ${arg_OPTIONS}
    ${SANDGLASS_TWIN_OPTIONS_${kind}})
  # A library that carries its sanitizer along cannot be renamed; what a twin computes is checked against the guest.
  target_compile_options(${target}_objects PRIVATE -fno-sanitize=all)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${CMAKE_LINKER} -r -o ${object} --force-group-allocation $<TARGET_OBJECTS:${target}_objects>
    COMMAND ${CMAKE_OBJCOPY} --keep-global-symbol=${name}_${kind}_run --redefine-sym run=${name}_${kind}_run ${object}
    DEPENDS ${target}_objects $<TARGET_OBJECTS:${target}_objects>
    COMMAND_EXPAND_LISTS VERBATIM)
  add_library(${target} STATIC ${object})
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
  set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
endfunction()

function(sandglass_add_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;THIRD_PARTY;INCLUDES;OPTIONS")
  list(POP_FRONT arg_THIRD_PARTY third_party)
  sandglass_third_party(${third_party} folder reason)
  if(NOT folder)
    message(STATUS "the program ${name} is left out: ${reason}")
    set_property(GLOBAL APPEND PROPERTY SANDGLASS_MISSING_PROGRAMS "${name}: ${reason}")
    return()
  endif()
  list(TRANSFORM arg_SOURCES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(TRANSFORM arg_THIRD_PARTY PREPEND ${folder}/)
  set(includes "")
  foreach(include ${arg_INCLUDES})
    cmake_path(ABSOLUTE_PATH include BASE_DIRECTORY ${folder} NORMALIZE)
    list(APPEND includes ${include})
  endforeach()
  foreach(kind ordinary scalar)
    sandglass_add_twin(${name} ${kind}
      SOURCES ${arg_SOURCES} ${arg_THIRD_PARTY} INCLUDES ${includes} OPTIONS ${arg_OPTIONS})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY SANDGLASS_PROGRAMS ${name})
endfunction()
