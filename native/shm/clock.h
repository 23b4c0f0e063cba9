// The arena's clock is CLOCK_MONOTONIC, the same for every process of a host; the wall clock is read for dates only.
#pragma once

#include <time.h>

#include "core/units.h"

namespace forelock::shm {

inline core::Nanos read_clock(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<core::Nanos>(t.tv_sec) * 1'000'000'000 + static_cast<core::Nanos>(t.tv_nsec);
}

inline core::Nanos monotonic_now() { return read_clock(CLOCK_MONOTONIC); }
inline core::Nanos monotonic_coarse() { return read_clock(CLOCK_MONOTONIC_COARSE); }  // 5 ns instead of 22, 4 ms behind at worst
inline core::Nanos wall_now() { return read_clock(CLOCK_REALTIME); }

// How far one clock is ahead of another, modulo 2^64: it is read between two readings of the other and taken for the middle of them, so it
// is off by half their distance at most (Cristian, "Probabilistic clock synchronization", 1989). Of some such pairs the narrowest counts: a
// thread that was stopped between the readings makes a pair wide, not the answer wrong.
template <typename Clock, typename Other>
core::Nanos clock_offset(Clock&& clock, Other&& other) {
  constexpr int kPairs = 4;  // 0.3 us; a stop for longer than that in each of them does not come
  core::Nanos narrowest = ~core::Nanos{0};
  core::Nanos offset = 0;
  for (int i = 0; i < kPairs; i++) {
    const core::Nanos before = other();
    const core::Nanos time = clock();
    const core::Nanos width = other() - before;
    if (width >= narrowest) continue;
    narrowest = width;
    offset = time - (before + width / 2);
  }
  return offset;
}

inline core::Nanos wall_offset() { return clock_offset(wall_now, monotonic_now); }

}  // namespace forelock::shm
