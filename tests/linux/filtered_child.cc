#include "tests/linux/filtered_child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstring>

#include "sandbox/base/check.h"
#include "sandbox/base/unique_fd.h"

namespace sandglass {
namespace {

constexpr int kPatienceMs = 20'000;
constexpr unsigned kNobody = 65534;
// Out of the way of the numbers that the child is to have.
constexpr int kLowestParked = 50;

struct SocketPair {
  UniqueFd parent, child;
};

SocketPair make_sockets() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UniqueFd make_file(std::span<const char> content, size_t size_bytes) {
  UniqueFd file(::memfd_create("child", MFD_CLOEXEC));
  EXPECT_EQ(::ftruncate(file.get(), static_cast<off_t>(size_bytes)), 0);
  EXPECT_EQ(::pwrite(file.get(), content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
  return file;
}

// A message of one byte that carries one descriptor.
struct DescriptorMessage {
  DescriptorMessage() {
    parts = {&byte, 1};
    header = {.msg_iov = &parts, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  }

  void attach(int fd) {
    cmsghdr* entry = CMSG_FIRSTHDR(&header);
    *entry = {.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    *reinterpret_cast<int*>(CMSG_DATA(entry)) = fd;
  }

  int attached() {
    const cmsghdr* entry = CMSG_FIRSTHDR(&header);
    return entry == nullptr ? -1 : *reinterpret_cast<const int*>(CMSG_DATA(entry));
  }

  char byte = 0;
  iovec parts;
  msghdr header;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
};

void send_descriptor(int socket, int fd) {
  DescriptorMessage message;
  message.attach(fd);
  EXPECT_EQ(::sendmsg(socket, &message.header, MSG_NOSIGNAL), 1);
}

// Empty when the other side is gone.
UniqueFd receive_descriptor(int socket) {
  pollfd ready = {socket, POLLIN, 0};
  if (::poll(&ready, 1, kPatienceMs) != 1) return {};
  DescriptorMessage message;
  if (::recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC) != 1) return {};
  return UniqueFd(message.attached());
}

// Not [[noreturn]]: before such a call, AddressSanitizer makes system calls, which the filter refuses.
void end_in_child(int status) { raw_call(SYS_exit_group, static_cast<uint64_t>(status)); }

// Gives the child the descriptors that the jail has. Parked first: a number may be taken by one still needed.
void arrange_descriptors_in_child(int control, int images, int memory) {
  const int sources[] = {control, images, memory};
  const int targets[] = {0, 1, 3};
  int parked[3];
  for (int i = 0; i < 3; i++) parked[i] = ::fcntl(sources[i], F_DUPFD, kLowestParked);
  for (int i = 0; i < 3; i++) ::dup2(parked[i], targets[i]);
  raw_call(SYS_close_range, 4, UINT32_MAX, 0);
}

void become_in_child(ChildUser user) {
  if (user == ChildUser::kSame) return;
  raw_call(SYS_setgroups, 0, 0);
  raw_call(SYS_setresgid, kNobody, kNobody, kNobody);
  if (raw_call(SYS_setresuid, kNobody, kNobody, kNobody).value != 0) end_in_child(kExitNoFilter);
}

void refuse(int listener, const seccomp_notif& notification) {
  seccomp_notif_resp response = {.id = notification.id, .error = -kNotifiedErrno};
  EXPECT_EQ(::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response), 0) << std::strerror(errno);
}

// Until nobody is left whom the filter could stop.
std::vector<seccomp_notif> refuse_all(int listener, pid_t child) {
  std::vector<seccomp_notif> notifications;
  while (true) {
    pollfd ready = {listener, POLLIN, 0};
    if (::poll(&ready, 1, kPatienceMs) != 1) {
      ADD_FAILURE() << "the child neither calls nor ends";
      ::kill(child, SIGKILL);
      break;
    }
    if ((ready.revents & POLLIN) == 0) break;
    seccomp_notif notification = {};
    // Nothing to receive when the caller has been killed meanwhile.
    if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification) != 0) continue;
    notifications.push_back(notification);
    refuse(listener, notification);
  }
  return notifications;
}

// Memory shared with children; zeroes.
void* map_shared(size_t size_bytes) {
  void* memory = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  SG_CHECK(memory != MAP_FAILED);
  return memory;
}

alignas(kPageBytes) char g_guest_space[kGuestPages * kPageBytes];

}  // namespace

uint64_t guest_space(size_t page) { return reinterpret_cast<uint64_t>(g_guest_space) + page * kPageBytes; }

void install_in_child(std::span<const sock_filter> program) {
  const sock_fprog bytes = {static_cast<unsigned short>(program.size()),
                            const_cast<sock_filter*>(program.data())};
  raw_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1);
  const RawAnswer listener = raw_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                                      reinterpret_cast<uint64_t>(&bytes));
  if (listener.value < 0) end_in_child(kExitNoFilter);
  DescriptorMessage message;
  message.attach(static_cast<int>(listener.value));
  const RawAnswer sent = raw_call(SYS_sendmsg, 0, reinterpret_cast<uint64_t>(&message.header), 0);
  if (sent.value != 1) end_in_child(kExitNoFilter);
  raw_call(SYS_close, static_cast<uint64_t>(listener.value));
}

RawAnswer install_second_in_child(std::span<const sock_filter> program) {
  const sock_fprog bytes = {static_cast<unsigned short>(program.size()),
                            const_cast<sock_filter*>(program.data())};
  return raw_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, reinterpret_cast<uint64_t>(&bytes));
}

ChildOutcome run_filtered_child(ChildUser user, std::span<const char> image,
                                const std::function<int(ChildReport&)>& body) {
  SocketPair control = make_sockets();
  SocketPair images = make_sockets();
  const UniqueFd memory = make_file({}, kGuestPages * kPageBytes);
  send_descriptor(images.parent.get(), make_file(image, image.size()).get());
  auto* report = new (map_shared(sizeof(ChildReport))) ChildReport;

  const pid_t child = ::fork();
  SG_CHECK(child >= 0);
  if (child == 0) {
    arrange_descriptors_in_child(control.child.get(), images.child.get(), memory.get());
    become_in_child(user);
    end_in_child(body(*report));
  }
  control.child = {};
  const UniqueFd listener = receive_descriptor(control.parent.get());

  ChildOutcome outcome;
  if (listener) outcome.notifications = refuse_all(listener.get(), child);
  EXPECT_EQ(::waitpid(child, &outcome.wait_status, 0), child);
  outcome.report = *report;
  outcome.guest_memory.resize(kGuestPages * kPageBytes);
  EXPECT_EQ(::pread(memory.get(), outcome.guest_memory.data(), kGuestPages * kPageBytes, 0),
            static_cast<ssize_t>(kGuestPages * kPageBytes));
  ::munmap(report, sizeof(ChildReport));
  return outcome;
}

}  // namespace sandglass
