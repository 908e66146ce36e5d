# Writes OUTPUT, a header with the text of each of SOURCES (paths below ROOT, separated by commas) as a constant
# named text_of_<file name without extension>.
string(REPLACE "," ";" sources "${SOURCES}")
set(header "// Generated from workloads/ by embed.cmake.\n#pragma once\n\n#include <string_view>\n\n")
string(APPEND header "namespace sandglass::embedded {\n\n")
foreach(source IN LISTS sources)
  get_filename_component(name "${source}" NAME_WE)
  file(READ "${ROOT}/${source}" text)
  string(APPEND header "inline constexpr std::string_view text_of_${name} = R\"pvm(${text})pvm\";\n\n")
endforeach()
string(APPEND header "}  // namespace sandglass::embedded\n")
file(WRITE "${OUTPUT}" "${header}")
