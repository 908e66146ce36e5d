// Writes the seed of link_fuzzer that needs no tools.
#include <fstream>

#include "tests/linker/elf_image.h"

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const std::vector<uint8_t> bytes = sandglass::linker::small_image().bytes();
  std::ofstream file(argv[1], std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return file.flush() ? 0 : 1;
}
