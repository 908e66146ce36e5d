#include "tests/linker/toolchain.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>

namespace sandglass::linker {
namespace {

// Where this is compiled from; CMake says it.
const std::filesystem::path kRoot = SANDGLASS_ROOT;

// A mistake of the linker may make an endless guest.
constexpr int64_t kGas = 2'000'000'000;

const std::string kTarget = "--target=riscv64-unknown-none-elf -march=rv64emac_zbb_xtheadcondmov -mabi=lp64e";

// Debian's libc++ stands in front of the compiler's own headers and wants to know about threads.
constexpr const char* kCxxFlags =
    "-std=c++20 -fno-exceptions -fno-rtti -D_LIBCPP_HAS_NO_THREADS -D_LIBCPP_HAS_NO_MONOTONIC_CLOCK";

std::string compiler_flags() {
  return kTarget + " -w -ffreestanding -ffunction-sections -fdata-sections -fvisibility=hidden " +
         "-fno-asynchronous-unwind-tables -femulated-tls -I " + (kRoot / "workloads/sdk/include").string();
}

std::unique_ptr<Sandbox> sandbox_for(const std::shared_ptr<const Program>& program, Backend backend) {
  auto module = Module::create(program, {.backend = backend}).value();
  return Sandbox::create(std::move(module), {.gas = kGas}).value();
}

}  // namespace

std::string why_missing(const std::string& tool) {
  if (run_command("command -v " + tool).status == 0) return {};
  return tool + " is missing: run scripts/setup guests";
}

Answer run_command(const std::string& command) {
  std::FILE* pipe = ::popen(fmt::format("timeout 60 bash -c '{}' 2>&1 </dev/null", command).c_str(), "r");
  if (pipe == nullptr) return {.status = -1, .text = "no shell"};
  Answer answer;
  char chunk[4096];
  while (const size_t count = std::fread(chunk, 1, sizeof chunk, pipe)) answer.text.append(chunk, count);
  const int status = ::pclose(pipe);
  answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return answer;
}

std::string sdk_library() {
  static const std::string folder =
      run_command((kRoot / "scripts/guest-libraries").string() + " --freestanding").text;
  return folder.substr(0, folder.find('\n')) + "/libsandglass.a";
}

ElfBytes read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return ElfBytes(std::istreambuf_iterator<char>(file), {});
}

Workshop::Workshop() {
  std::string name = (std::filesystem::temp_directory_path() / "sandglass-linker-XXXXXX").string();
  folder_ = ::mkdtemp(name.data());
}

Workshop::~Workshop() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Workshop::write(const std::string& name, std::string_view text) const {
  std::ofstream(folder_ / name) << text;
  return path(name);
}

std::optional<ElfBytes> Workshop::build(const std::vector<std::string>& sources, const std::string& flags,
                                        const std::string& linker_flags) const {
  std::string objects;
  for (size_t i = 0; i < sources.size(); ++i) {
    const std::string &source = sources[i], object = path(std::to_string(i) + ".o");
    if (source.ends_with(".a")) {
      objects += " " + source;
      continue;
    }
    const bool is_cxx = source.ends_with(".cc");
    const auto compiled = run_command(fmt::format("clang-19 {} {} {} -c {} -o {}", compiler_flags(),
                                                  is_cxx ? kCxxFlags : "", flags, source, object));
    if (compiled.status != 0) {
      ADD_FAILURE() << compiled.text;
      return std::nullopt;
    }
    objects += " " + object;
  }
  const std::string elf = path("guest.elf");
  const auto linked = run_command(
      fmt::format("ld.lld-19 --emit-relocs --gc-sections --no-relax -static -e 0 {} -T {} -o {} {}",
                  linker_flags, (kRoot / "workloads/sdk/guest.ld").string(), elf, objects));
  if (linked.status != 0) {
    ADD_FAILURE() << linked.text;
    return std::nullopt;
  }
  return read_bytes(elf);
}

std::optional<ElfBytes> Workshop::build_text(std::string_view text, const std::string& suffix,
                                             const std::string& flags,
                                             const std::string& linker_flags) const {
  return build({write("text" + suffix, text)}, flags, linker_flags);
}

std::shared_ptr<const Program> linked(const ElfBytes& elf, const LinkOptions& options) {
  LinkResult result = link(elf, options);
  for (const std::string& problem : result.problems) ADD_FAILURE() << problem;
  return result.program;
}

std::optional<uint64_t> call(const std::shared_ptr<const Program>& program, Backend backend,
                             std::string_view entry, std::initializer_list<uint64_t> arguments) {
  const auto sandbox = sandbox_for(program, backend);
  sandbox->prepare_call(entry, arguments).value();
  const Interrupt stop = sandbox->run().value();
  if (stop.kind == InterruptKind::kFinished) return sandbox->reg(Reg::a0);
  ADD_FAILURE() << entry << " stopped on " << name_of(backend) << ": " << name_of(stop.kind) << ", "
                << name_of(stop.trap) << " at pc " << sandbox->program_counter().value_or(0);
  return std::nullopt;
}

Interrupt stop_of(const std::shared_ptr<const Program>& program, Backend backend, std::string_view entry) {
  const auto sandbox = sandbox_for(program, backend);
  sandbox->prepare_call(entry, {}).value();
  return sandbox->run().value();
}

}  // namespace sandglass::linker
