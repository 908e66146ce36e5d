# Guests from C, C++ and assembly, and their native twins.
#
# sandglass_add_guest(<name> SOURCES <file>... [INCLUDES <folder>...] [OPTIONS <option>...] [LINK <option>...])
#     The target <name> makes <name>.polkavm in the current build folder; the variable <name>_GUEST is its path.
#     OPTIONS are for the compiler (-O3, --freestanding; see scripts/guest-build), LINK for `sandglass link`.
#     Each source is compiled on its own and again when a header changes. Where a tool or the guests' C library
#     is missing, the target builds nothing but a message, and <name>_GUEST is empty.
#
# sandglass_add_twin(<name> <kind> SOURCES ... INCLUDES ... OPTIONS ...)
#     The same sources for this machine. `scalar`: what a guest can be compared with fairly, -O2 by the same
#     compiler without vector instructions, which PVM does not have, and with the SDK's memory functions.
#     `fast`: what this machine can do, -O3 -march=native. The static library <name>_twin_<kind> has one global
#     symbol, <name>_<kind>_run, which is the sources' run(): several copies of a third-party source fit into one
#     executable.
set(SANDGLASS_SDK ${CMAKE_CURRENT_LIST_DIR})
set(SANDGLASS_GUEST_BUILD ${CMAKE_CURRENT_LIST_DIR}/../../scripts/guest-build)
set(SANDGLASS_GUEST_LIBRARIES ${CMAKE_CURRENT_LIST_DIR}/../../scripts/guest-libraries)

find_program(SANDGLASS_CLANG_19 clang-19)
find_program(SANDGLASS_LLD_19 ld.lld-19)

set(SANDGLASS_TWIN_scalar -fno-vectorize -fno-slp-vectorize)
set(SANDGLASS_TWIN_fast -O3 -march=native)

# The folder with the guests' libraries, built when there is none yet, or empty and the reason. Asked once.
function(sandglass_guest_libraries out_folder out_reason)
  get_property(is_known GLOBAL PROPERTY SANDGLASS_GUEST_LIBRARIES_KNOWN)
  if(NOT is_known)
    file(GLOB files CONFIGURE_DEPENDS ${SANDGLASS_SDK}/*.cc ${SANDGLASS_SDK}/*.h ${SANDGLASS_SDK}/*.S
      ${SANDGLASS_SDK}/*.flags ${SANDGLASS_SDK}/libc/*.c)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files} ${SANDGLASS_GUEST_LIBRARIES})
    message(STATUS "Libraries for guests: the first time this takes a minute")
    execute_process(COMMAND ${SANDGLASS_GUEST_LIBRARIES}
      OUTPUT_VARIABLE folder ERROR_VARIABLE reason OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE)
    string(REGEX REPLACE "^scripts/guest-libraries: " "" reason "${reason}")
    set_property(GLOBAL PROPERTY SANDGLASS_GUEST_LIBRARIES_FOLDER "${folder}")
    set_property(GLOBAL PROPERTY SANDGLASS_GUEST_LIBRARIES_REASON "${reason}")
    set_property(GLOBAL PROPERTY SANDGLASS_GUEST_LIBRARIES_KNOWN TRUE)
  endif()
  get_property(folder GLOBAL PROPERTY SANDGLASS_GUEST_LIBRARIES_FOLDER)
  get_property(reason GLOBAL PROPERTY SANDGLASS_GUEST_LIBRARIES_REASON)
  set(${out_folder} "${folder}" PARENT_SCOPE)
  set(${out_reason} "${reason}" PARENT_SCOPE)
endfunction()

# Objects of `sources` in the folder <tag>.objects; `command` compiles one, before its options.
function(sandglass_objects out tag command sources options)
  set(objects "")
  foreach(source IN LISTS sources)
    get_filename_component(source ${source} ABSOLUTE)
    get_filename_component(file ${source} NAME)
    list(LENGTH objects number)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${tag}.objects/${number}_${file}.o)
    add_custom_command(
      OUTPUT ${object}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/${tag}.objects
      COMMAND ${command} ${options} -MD -MF ${object}.d -c -o ${object} ${source}
      DEPENDS ${source}
      DEPFILE ${object}.d
      COMMENT "Compiling ${file} for ${tag}"
      VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  set(${out} ${objects} PARENT_SCOPE)
endfunction()

function(sandglass_add_guest name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;INCLUDES;OPTIONS;LINK")
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "sandglass_add_guest(${name}): no SOURCES")
  endif()
  set(reason "")
  if(NOT SANDGLASS_CLANG_19 OR NOT SANDGLASS_LLD_19)
    set(reason "clang-19 or ld.lld-19 is missing: run scripts/setup guests")
  elseif(NOT "--freestanding" IN_LIST arg_OPTIONS)
    sandglass_guest_libraries(libraries reason)
  endif()
  if(reason)
    add_custom_target(${name} COMMAND ${CMAKE_COMMAND} -E echo "${name} is not built: ${reason}")
    set(${name}_GUEST "" PARENT_SCOPE)
    return()
  endif()
  if(libraries)
    list(PREPEND arg_OPTIONS --libraries ${libraries})
  endif()
  set(options ${arg_OPTIONS})
  foreach(folder IN LISTS arg_INCLUDES)
    list(APPEND options -I ${folder})
  endforeach()
  sandglass_objects(objects ${name} ${SANDGLASS_GUEST_BUILD} "${arg_SOURCES}" "${options}")
  set(link "")
  foreach(option IN LISTS arg_LINK)
    list(APPEND link --link ${option})
  endforeach()
  set(guest ${CMAKE_CURRENT_BINARY_DIR}/${name}.polkavm)
  add_custom_command(
    OUTPUT ${guest}
    COMMAND ${SANDGLASS_GUEST_BUILD} ${arg_OPTIONS} ${link} --sandglass $<TARGET_FILE:sandglass_cli> -o ${guest} ${objects}
    DEPENDS ${objects} sandglass_cli ${SANDGLASS_GUEST_BUILD} ${SANDGLASS_SDK}/guest.ld
    COMMENT "Linking the guest ${name}"
    VERBATIM)
  add_custom_target(${name} ALL DEPENDS ${guest})
  set(${name}_GUEST ${guest} PARENT_SCOPE)
endfunction()

function(sandglass_add_twin name kind)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "SOURCES;INCLUDES;OPTIONS")
  set(tag ${name}_twin_${kind})
  set(options -I ${SANDGLASS_SDK}/include)
  foreach(folder IN LISTS arg_INCLUDES)
    list(APPEND options -I ${folder})
  endforeach()
  list(APPEND options ${arg_OPTIONS} ${SANDGLASS_TWIN_${kind}})
  set(compiler ${CMAKE_CXX_COMPILER_LAUNCHER} ${SANDGLASS_CLANG_19} @${SANDGLASS_SDK}/twin.flags)
  set(c_sources ${arg_SOURCES})
  list(FILTER c_sources INCLUDE REGEX "\\.c$")
  set(cxx_sources ${arg_SOURCES})
  list(FILTER cxx_sources EXCLUDE REGEX "\\.c$")
  sandglass_objects(c_objects ${tag}_c "${compiler}" "${c_sources}" "${options}")
  sandglass_objects(cxx_objects ${tag} "${compiler};@${SANDGLASS_SDK}/twin_cxx.flags" "${cxx_sources}" "${options}")
  # As in guests: these are what they are, not calls of themselves.
  sandglass_objects(sdk_objects ${tag}_sdk "${compiler};@${SANDGLASS_SDK}/twin_cxx.flags"
    "${SANDGLASS_SDK}/memory.cc;${SANDGLASS_SDK}/cxx.cc" "-fno-builtin;-I${SANDGLASS_SDK}/../..;${SANDGLASS_TWIN_${kind}}")
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${tag}.o)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${CMAKE_LINKER} -r -o ${object} --force-group-allocation ${c_objects} ${cxx_objects} ${sdk_objects}
    COMMAND ${CMAKE_OBJCOPY} --keep-global-symbol=${name}_${kind}_run --redefine-sym run=${name}_${kind}_run ${object}
    DEPENDS ${c_objects} ${cxx_objects} ${sdk_objects}
    COMMENT "Linking the twin ${tag}"
    VERBATIM)
  add_library(${tag} STATIC ${object})
  set_target_properties(${tag} PROPERTIES LINKER_LANGUAGE CXX)
  set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
endfunction()
