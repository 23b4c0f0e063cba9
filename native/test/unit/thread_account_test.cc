#include "linux/thread_account.h"

#include <time.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <thread>

#include "check.h"
#include "linux/meter.h"

using namespace forelock::os;

namespace {

double thread_ms() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

void burn(double ms) {
  while (thread_ms() < ms) {
  }
}

}  // namespace

TEST_CASE("what another thread uses is read while it runs, and all of it after its end") {
  constexpr std::uint32_t kNumber = 7;
  Meter meter(Scope::kOtherThread, kNumber, true, {});
  double counters[kCounters];
  meter.read(counters);
  CHECK(std::isnan(counters[kCpu]));
  std::atomic<bool> busy = false, read = false;
  double own = 0;
  std::thread thread([&] {
    CHECK(ThreadAccount::begin(kNumber));
    CHECK(!ThreadAccount::begin(kNumber));
    burn(20);
    busy = true;
    while (!read) {
    }
    own = thread_ms();
    ThreadAccount::end(kNumber);
  });
  while (!busy) {
  }
  meter.read(counters);
  CHECK(counters[kCpu] >= 20);
  CHECK(std::isnan(counters[kPageFaults]));
  CHECK_EQUAL(counters[kLife], static_cast<double>(Life::kRuns));
  read = true;
  thread.join();
  meter.read(counters);
  CHECK(counters[kCpu] >= own);
  CHECK(counters[kPageFaults] >= 0);
  CHECK(std::isnan(counters[kInstructions]));
  CHECK_EQUAL(counters[kLife], static_cast<double>(Life::kEnded));
}

TEST_CASE("of a thread that nobody metered nothing is kept, and one that never began used nothing that is known") {
  std::thread([] {
    CHECK(ThreadAccount::begin(8));
    ThreadAccount::end(8);
    ThreadAccount::end(8);
  }).join();
  double counters[kCounters];
  Meter(Scope::kOtherThread, 8, true, {}).read(counters);
  CHECK(std::isnan(counters[kCpu]));
}

TEST_CASE("of time alone there is nothing but time after its end too") {
  Meter meter(Scope::kOtherThread, 9, false, {});
  std::thread([] {
    CHECK(ThreadAccount::begin(9));
    ThreadAccount::end(9);
  }).join();
  double counters[kCounters];
  meter.read(counters);
  CHECK(counters[kCpu] > 0);
  for (int i = kCpuUser; i < kLife; i++) CHECK(std::isnan(counters[i]));
}

TEST_MAIN()
