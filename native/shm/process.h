// Who a process is, beyond its pid, which may be used again and means nothing in another pid namespace.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace forelock::shm {

struct ProcessId {
  std::uint32_t pid;
  std::uint64_t start;          // field 22 of /proc/PID/stat, clock ticks since boot
  std::uint64_t pid_namespace;  // inode of /proc/self/ns/pid
};

ProcessId this_process();
std::uint32_t this_thread();

// True when the process is gone or a zombie, false while it runs or when that cannot be seen from here.
bool is_gone(const ProcessId& process);

// 128 bits of /proc/sys/kernel/random/boot_id; zeros where there is none.
void boot_id(std::uint64_t out[2]);
// Inode of the time namespace: CLOCK_MONOTONIC has an offset of its own in each.
std::uint64_t time_namespace();

void random_bytes(void* out, std::size_t length);

// In a forked child the arenas are not mapped and its parent's locks are not its own.
inline std::atomic<bool> forked{false};
inline bool in_forked_child() { return forked.load(std::memory_order_relaxed); }
void watch_forks();
// Closed in a forked child, so that it does not keep its parent's byte lock alive.
void close_after_fork(int descriptor, bool on);

}  // namespace forelock::shm
