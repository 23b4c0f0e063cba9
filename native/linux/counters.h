// What a reading has, by position: cumulative counters, and of memory the level. NaN: absent, which is not zero. lib/native/meter.ts has
// the same list.
#pragma once

#include <limits>

namespace forelock::os {

enum Counter : int {
  kWall,        // ms, CLOCK_MONOTONIC
  kCpu,         // ms of CPU time
  kCpuUser,     // ms
  kCpuSystem,   // ms
  kMemory,      // bytes now
  kMemoryPeak,  // bytes
  kDiskRead,    // bytes
  kDiskWritten,
  kNetworkReceived,
  kNetworkSent,
  kContextSwitches,
  kPageFaults,
  kInstructions,
  kCycles,
  kStalledCpuSome,  // ms in which some task, or all, stalled (PSI)
  kStalledCpuFull,
  kStalledMemorySome,
  kStalledMemoryFull,
  kStalledIoSome,
  kStalledIoFull,
  kLife,  // Life
  kCounters
};

// Of another process.
enum class Life : int {
  kRuns = 0,   // or there is none to end
  kEnded = 1,  // and what is here is the kernel's last account of it
  kGone = 2    // and there is none
};

inline constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

}  // namespace forelock::os
