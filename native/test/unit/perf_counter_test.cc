// By software events, which there are also where the machine lets nobody count instructions; where it lets nobody count at all, nothing is
// open, and that is all there is to see.
#include "linux/perf_counter.h"

#include <linux/perf_event.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "check.h"

using namespace forelock::os;

namespace {

constexpr PerfCounter::Event kTaskClock{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK};

double cpu_ns(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

void burn(double ns) {
  const double until = cpu_ns(CLOCK_THREAD_CPUTIME_ID) + ns;
  while (cpu_ns(CLOCK_THREAD_CPUTIME_ID) < until) {
  }
}

}  // namespace

TEST_CASE("an event that no machine has is not open, and absent") {
  const PerfCounter none = PerfCounter::of_this_thread({0xffff'fff0, 0});
  CHECK(!none.is_open());
  CHECK(std::isnan(none.read()));
  CHECK(!PerfCounter::of_process(getpid(), {0xffff'fff0, 0}).is_open());
  CHECK(!PerfCounter::of_process(0x7fff'ffff, kTaskClock).is_open());
}

TEST_CASE("of a thread it counts what that thread does, and no other") {
  const PerfCounter counter = PerfCounter::of_this_thread(kTaskClock);
  if (!counter.is_open()) return;
  // Its readings lie between two of the clock: wherever this thread stands still, that is in both.
  const double before = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
  const double from = counter.read();
  std::thread(burn, 20e6).join();
  const double alone = counter.read() - from;
  const double own = cpu_ns(CLOCK_THREAD_CPUTIME_ID) - before;
  CHECK(alone <= own + 1e6);
  burn(20e6);
  CHECK(counter.read() - from >= 20e6);
}

TEST_CASE("of a process it counts the threads that there were, and those that came later") {
  std::atomic<int> step{0};
  std::thread there([&] {
    step.wait(0);
    burn(20e6);
  });
  const PerfCounter counter = PerfCounter::of_process(getpid(), kTaskClock);
  const double from = counter.read();
  step = 1;
  step.notify_all();
  there.join();
  const double middle = counter.read();
  std::thread(burn, 20e6).join();
  const double end = counter.read();
  if (!counter.is_open()) return;
  CHECK(middle - from >= 20e6);
  CHECK(end - middle >= 20e6);
}

TEST_MAIN()
