// By software events, which there are also where the machine lets nobody count instructions; where it lets nobody count at all, nothing is
// open, and that is all there is to see.
#include "linux/perf_counter.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
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

// The clock behind kTaskClock, of the calling thread, in the kernel's own words. Read outside of a counter's readings it has what the
// counter has and more, inside of them less: to the nanosecond. CLOCK_THREAD_CPUTIME_ID will not do for that: it also has what a switch of
// threads takes, and leaves out what the host took.
class TaskClock {
 public:
  explicit TaskClock(bool user_only) {
    perf_event_attr wanted{};
    wanted.size = sizeof wanted;
    wanted.type = kTaskClock.type;
    wanted.config = kTaskClock.config;
    wanted.exclude_kernel = user_only;
    wanted.exclude_hv = user_only;
    file_ = Descriptor(static_cast<int>(syscall(SYS_perf_event_open, &wanted, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  }

  double read() const {
    std::uint64_t ns = 0;
    const bool got = ::read(file_.number(), &ns, sizeof ns) == static_cast<ssize_t>(sizeof ns);
    return got ? static_cast<double>(ns) : std::nan("");
  }

 private:
  Descriptor file_;
};

// Keeps this thread busy; how many ns that was by its task clock.
double burn(double ns, bool user_only) {
  const TaskClock clock(user_only);
  const double from = clock.read();
  const double until = cpu_ns(CLOCK_THREAD_CPUTIME_ID) + ns;
  while (cpu_ns(CLOCK_THREAD_CPUTIME_ID) < until) {
  }
  return clock.read() - from;
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
  const bool user_only = counter.user_only();
  const TaskClock clock(user_only);
  const double outer = clock.read();
  const double from = counter.read();
  const double inner = clock.read();
  std::thread(burn, 20e6, user_only).join();
  const double burnt = burn(20e6, user_only);
  const double least = clock.read() - inner;
  const double counted = counter.read() - from;
  const double most = clock.read() - outer;
  CHECK(burnt > 0);
  CHECK(burnt <= least);
  CHECK(least <= counted);
  CHECK(counted <= most);
}

TEST_CASE("of a process it counts the threads that there were, and those that came later") {
  const bool user_only = PerfCounter::of_this_thread(kTaskClock).user_only();
  std::atomic<int> step{0};
  double burnt[2] = {};
  std::thread there([&] {
    step.wait(0);
    burnt[0] = burn(20e6, user_only);
  });
  const PerfCounter counter = PerfCounter::of_process(getpid(), kTaskClock);
  const double from = counter.read();
  step = 1;
  step.notify_all();
  there.join();
  const double middle = counter.read();
  std::thread([&] { burnt[1] = burn(20e6, user_only); }).join();
  const double end = counter.read();
  if (!counter.is_open()) return;
  CHECK(burnt[0] > 0);
  CHECK(burnt[1] > 0);
  CHECK(middle - from >= burnt[0]);
  CHECK(end - middle >= burnt[1]);
}

TEST_MAIN()
