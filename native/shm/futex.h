// Waiting on a word of shared memory. Shared futexes, not FUTEX_PRIVATE_FLAG: the ringer may be another process. Every
// wait that something depends on is bounded by its caller, because the kernel wakes nobody when a ringer dies.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

#include "core/units.h"

namespace forelock::shm {

// Sleeps while *word is `expected`, at most `timeout` ns (0: for ever).
inline void futex_wait(void* word, std::uint32_t expected, core::Nanos timeout) {
  timespec t{static_cast<time_t>(timeout / 1'000'000'000), static_cast<long>(timeout % 1'000'000'000)};
  syscall(SYS_futex, word, FUTEX_WAIT, expected, timeout == 0 ? nullptr : &t, nullptr, 0);
}

inline void futex_wake(void* word) { syscall(SYS_futex, word, FUTEX_WAKE, 1, nullptr, nullptr, 0); }

}  // namespace forelock::shm
