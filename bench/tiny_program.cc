#include "bench/tiny_program.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <span>

#include "sandbox/base/units.h"

// The ELF file as the build made it.
asm(".pushsection .rodata\n"
    "sandglass_tiny_program: .incbin \"" SANDGLASS_TINY_PROGRAM
    "\"\n"
    "sandglass_tiny_program_end:\n"
    ".popsection\n");
extern "C" const char sandglass_tiny_program[], sandglass_tiny_program_end[];

namespace sandglass::bench {
namespace {

struct Execution {
  int file;
  int descriptor;
  const char* const* arguments;
};

int execute_in_child(void* argument) {
  const Execution& execution = *static_cast<const Execution*>(argument);
  constexpr const char* kNoEnvironment[] = {nullptr};
  // The table of descriptors is the child's own, whatever else it shares.
  if (execution.descriptor >= 0) fcntl(execution.descriptor, F_SETFD, 0);
  syscall(SYS_execveat, execution.file, "", execution.arguments, kNoEnvironment, AT_EMPTY_PATH);
  return 127;
}

}  // namespace

Result<TinyProgram> TinyProgram::create() {
  UniqueFd file(memfd_create("tiny", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return Error::os("create a file for the tiny program");
  const std::span<const char> image(sandglass_tiny_program, sandglass_tiny_program_end);
  if (write(file.get(), image.data(), image.size()) != static_cast<ssize_t>(image.size())) {
    return Error::os("write the tiny program");
  }
  if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
    return Error::os("seal the tiny program");
  }
  return TinyProgram(std::move(file), SG_TRY(Mapping::anonymous(KiB(64))));
}

Result<Child> TinyProgram::start(const char* behaviour, int descriptor, uint64_t flags) const {
  const std::string number = std::to_string(descriptor);
  const char* const arguments[] = {"tiny", behaviour, descriptor < 0 ? nullptr : number.c_str(), nullptr};
  Execution execution{file_.get(), descriptor, arguments};
  return Child::start(kSharedMemory | flags, execute_in_child, &execution, stack_);
}

Result<Child> TinyProgram::start_idler(const char* behaviour, uint64_t flags) const {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::os("create a pipe");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  Child child = SG_TRY(start(behaviour, writer.get(), flags));
  writer = UniqueFd();
  char ready = 0;
  if (read(reader.get(), &ready, 1) != 1) return Error::os("hear from the tiny program");
  return child;
}

Result<std::unique_ptr<ForkServer>> ForkServer::create() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return Error::os("create sockets");
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  const TinyProgram program = SG_TRY(TinyProgram::create());
  Child server = SG_TRY(program.start("serve", theirs.get()));
  return std::unique_ptr<ForkServer>(new ForkServer(std::move(ours), std::move(server)));
}

Result<ForkAnswer> ForkServer::request(char what) {
  ForkAnswer answer{};
  if (send(socket_.get(), &what, 1, MSG_NOSIGNAL) != 1) return Error::os("ask the fork server");
  if (read(socket_.get(), &answer, sizeof answer) != sizeof answer) return Error::os("hear the fork server");
  if (answer.status < 0) return os_or_unsupported("fork in the fork server", -answer.status);
  return answer;
}

}  // namespace sandglass::bench
