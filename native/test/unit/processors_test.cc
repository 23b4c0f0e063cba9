#include "linux/processors.h"

#include <sched.h>
#include <unistd.h>

#include <thread>

#include "check.h"

using forelock::os::leave_first_processor;

namespace {

cpu_set_t allowed() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CHECK_EQUAL(sched_getaffinity(0, sizeof set, &set), 0);
  return set;
}

cpu_set_t without_first(cpu_set_t set) {
  int first = 0;
  while (!CPU_ISSET(first, &set)) first++;
  if (CPU_COUNT(&set) > 1) CPU_CLR(first, &set);
  return set;
}

}  // namespace

TEST_CASE("a thread leaves the first of its processors to others, and the last to nobody") {
  const cpu_set_t before = allowed();
  std::thread([before] {
    cpu_set_t expected = before;
    // Once more than there are.
    for (int i = 0; i <= CPU_COUNT(&before); i++) {
      CHECK(leave_first_processor(0));
      expected = without_first(expected);
      const cpu_set_t now = allowed();
      CHECK(CPU_EQUAL(&now, &expected));
    }
  }).join();
  const cpu_set_t now = allowed();
  CHECK(CPU_EQUAL(&now, &before));
}

TEST_CASE("what is no thread of this process is not moved") {
  const pid_t parent = getppid();
  cpu_set_t before, now;
  CHECK_EQUAL(sched_getaffinity(parent, sizeof before, &before), 0);
  CHECK(!leave_first_processor(parent));
  CHECK_EQUAL(sched_getaffinity(parent, sizeof now, &now), 0);
  CHECK(CPU_EQUAL(&now, &before));
  CHECK(!leave_first_processor(-1));
}

TEST_MAIN()
