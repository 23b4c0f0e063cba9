// A counter of perf_event_open(2), of one thread or of all threads of a process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "linux/descriptor.h"

namespace forelock::os {

class PerfCounter {
 public:
  // As perf_event_attr has them: PERF_TYPE_HARDWARE and PERF_COUNT_HW_INSTRUCTIONS.
  struct Event {
    std::uint32_t type;
    std::uint64_t config;
  };

  static PerfCounter of_this_thread(Event event);
  // All threads that there are, and those that they will start. Not open when threads come and go faster than they can be counted, and
  // before Linux 5.13, which cannot count the threads to come without the processes to come.
  static PerfCounter of_process(pid_t pid, Event event);

  bool is_open() const { return !files_.empty(); }
  // Without the right to count what the kernel does for it (kernel.perf_event_paranoid), only what it does itself is counted.
  bool user_only() const { return user_only_; }
  // Where the machine had fewer counters than were asked for, and they took turns, scaled to the whole time. kAbsent: it never had one.
  double read() const;

 private:
  bool open_for(pid_t thread, Event event, bool inherit);

  std::vector<Descriptor> files_;
  bool user_only_ = false;
};

}  // namespace forelock::os
