#include "shm/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace forelock::shm {

namespace {

std::uint64_t inode_of(const char* path) {
  struct stat info;
  return stat(path, &info) == 0 ? info.st_ino : 0;
}

// State and start time out of /proc/PID/stat; the command name before them may hold anything, so count from its last ')'.
bool read_stat(std::uint32_t pid, char& state, std::uint64_t& start) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%u/stat", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char text[1024];
  const ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return false;
  text[length] = 0;
  const char* at = std::strrchr(text, ')');
  if (at == nullptr || at[1] != ' ') return false;
  state = at[2];
  int field = 3;
  for (at += 2; *at != 0 && field < 22; at++) {
    if (*at == ' ') field++;
  }
  start = std::strtoull(at, nullptr, 10);
  return field == 22;
}

constexpr int kMaxWatched = 256;
std::atomic<int> watched[kMaxWatched];  // descriptor + 1

// Only what is safe between fork and exec: atomics and close.
void after_fork_in_child() {
  forked.store(true, std::memory_order_relaxed);
  for (auto& entry : watched) {
    const int descriptor = entry.exchange(0, std::memory_order_relaxed) - 1;
    if (descriptor >= 0) close(descriptor);
  }
}

}  // namespace

ProcessId this_process() {
  ProcessId self{static_cast<std::uint32_t>(getpid()), 0, inode_of("/proc/self/ns/pid")};
  char state;
  read_stat(self.pid, state, self.start);
  return self;
}

std::uint32_t this_thread() { return static_cast<std::uint32_t>(syscall(SYS_gettid)); }

bool is_gone(const ProcessId& process) {
  static const std::uint64_t ours = inode_of("/proc/self/ns/pid");
  if (process.pid == 0 || process.start == 0 || process.pid_namespace != ours || ours == 0) return false;
  char state;
  std::uint64_t start;
  if (!read_stat(process.pid, state, start)) return access("/proc/self/stat", R_OK) == 0;
  return start != process.start || state == 'Z' || state == 'X';
}

void boot_id(std::uint64_t out[2]) {
  out[0] = out[1] = 0;
  const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char text[64] = {};
  const ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  int digits = 0;
  for (ssize_t i = 0; i < length && digits < 32; i++) {
    const char c = text[i];
    int value;
    if (c >= '0' && c <= '9') {
      value = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      value = c - 'a' + 10;
    } else {
      continue;
    }
    out[digits / 16] = (out[digits / 16] << 4) | static_cast<std::uint64_t>(value);
    digits++;
  }
}

std::uint64_t time_namespace() { return inode_of("/proc/self/ns/time"); }

void random_bytes(void* out, std::size_t length) {
  auto* at = static_cast<unsigned char*>(out);
  while (length > 0) {
    const ssize_t got = getrandom(at, length, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) std::abort();  // a kernel without getrandom is older than any Node we run on
    at += got;
    length -= static_cast<std::size_t>(got);
  }
}

void watch_forks() {
  static const int registered = pthread_atfork(nullptr, nullptr, after_fork_in_child);
  static_cast<void>(registered);
}

void close_after_fork(int descriptor, bool on) {
  for (auto& entry : watched) {
    int expected = on ? 0 : descriptor + 1;
    if (entry.compare_exchange_strong(expected, on ? descriptor + 1 : 0, std::memory_order_relaxed)) return;
  }
}

}  // namespace forelock::shm
