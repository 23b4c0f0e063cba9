#include "linux/processors.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

namespace forelock::os {

namespace {

// The kernel's masks may be longer than a cpu_set_t, of 1,024.
constexpr int kMostProcessors = 1 << 16;
constexpr std::size_t kBytes = CPU_ALLOC_SIZE(kMostProcessors);

}  // namespace

bool leave_first_processor(pid_t thread) {
  // Of another process it would be accepted too. Signal 0 asks whether it is one of this.
  if (thread != 0 && syscall(SYS_tgkill, getpid(), thread, 0) != 0) return false;
  std::vector<cpu_set_t> words(kBytes / sizeof(cpu_set_t));
  cpu_set_t* const allowed = words.data();
  if (sched_getaffinity(thread, kBytes, allowed) != 0) return false;
  if (CPU_COUNT_S(kBytes, allowed) < 2) return true;
  int first = 0;
  while (!CPU_ISSET_S(first, kBytes, allowed)) first++;
  CPU_CLR_S(first, kBytes, allowed);
  return sched_setaffinity(thread, kBytes, allowed) == 0;
}

}  // namespace forelock::os
