#include "linux/meter.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmath>
#include <string>
#include <thread>

#include "check.h"

using namespace forelock::os;

namespace {

double clock_ms(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

void burn(double ms) {
  const double until = clock_ms(CLOCK_THREAD_CPUTIME_ID) + ms;
  while (clock_ms(CLOCK_THREAD_CPUTIME_ID) < until) {
  }
}

std::vector<AccountFile> stat_of(pid_t pid) {
  std::vector<AccountFile> files;
  files.emplace_back("/proc/" + std::to_string(pid) + "/stat", std::vector<Term>{{14, "", kCpuUser, 10, false}});
  return files;
}

}  // namespace

TEST_CASE("a thread's time is its own, and the process's is that of all") {
  Meter thread(Scope::kThread, 0, false, {});
  Meter process(Scope::kProcess, getpid(), false, {});
  double from[2][kCounters], to[2][kCounters];
  // The thread's readings lie between two of its clock: wherever it stands still, that is in both.
  const double before = clock_ms(CLOCK_THREAD_CPUTIME_ID);
  thread.read(from[0]);
  process.read(from[1]);
  std::thread(burn, 20).join();
  thread.read(to[0]);
  process.read(to[1]);
  const double after = clock_ms(CLOCK_THREAD_CPUTIME_ID);
  CHECK(to[0][kCpu] - from[0][kCpu] <= after - before);
  CHECK(to[1][kCpu] - from[1][kCpu] >= 20);
  CHECK(to[0][kWall] >= from[0][kWall] + 20);
}

TEST_CASE(
    "what was just read need not be read again: time and the time of the running thread go on together, at most 5 µs without a reading") {
  constexpr double kTick = 0.005;
  Meter meter(Scope::kThread, 0, true, {});
  double counters[kCounters];
  double wall = 0, cpu = 0;
  CHECK(!meter.is_young(wall, cpu));
  int young = 0;
  for (int i = 0; i < 1000; i++) {
    meter.read(counters);
    if (!meter.is_young(wall, cpu)) continue;
    young++;
    CHECK(wall - counters[kWall] <= kTick);
    CHECK(std::abs((cpu - counters[kCpu]) - (wall - counters[kWall])) < 1e-6);
    CHECK(cpu <= clock_ms(CLOCK_THREAD_CPUTIME_ID) + kTick);
  }
  CHECK(young > 0);
  meter.read(counters);
  burn(0.01);
  CHECK(!meter.is_young(wall, cpu));
}

TEST_CASE("of files what was just read stays what it is, but for the time") {
  Meter meter(Scope::kFiles, 0, true, {});
  double counters[kCounters];
  double wall = 0, cpu = 0;
  for (int i = 0; i < 1000; i++) {
    meter.read(counters);
    if (meter.is_young(wall, cpu)) break;
  }
  CHECK(wall >= counters[kWall]);
  CHECK(std::isnan(cpu));
}

TEST_CASE("of time alone there is nothing but time") {
  Meter meter(Scope::kThread, 0, false, {});
  double counters[kCounters];
  meter.read(counters);
  for (int i = kCpuUser; i < kLife; i++) CHECK(std::isnan(counters[i]));
  CHECK_EQUAL(counters[kLife], 0.0);
}

TEST_CASE("a thread has no memory of its own, and nobody has bytes of the network") {
  Meter thread(Scope::kThread, 0, true, {});
  Meter process(Scope::kProcess, getpid(), true, {});
  double counters[kCounters];
  thread.read(counters);
  CHECK(std::isnan(counters[kMemory]) && std::isnan(counters[kMemoryPeak]) && std::isnan(counters[kNetworkSent]));
  CHECK(!std::isnan(counters[kPageFaults]) && !std::isnan(counters[kContextSwitches]));
  process.read(counters);
  CHECK(counters[kMemoryPeak] > 1e6);
  CHECK(std::isnan(counters[kNetworkReceived]));
}

TEST_CASE("another process is read while it runs, and then by the kernel's last account") {
  int gate[2];
  CHECK(pipe(gate) == 0);
  const pid_t pid = fork();
  if (pid == 0) {
    close(gate[1]);
    char byte;
    burn(30);
    _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
  }
  Meter meter(Scope::kOther, pid, true, stat_of(pid));
  double alive[kCounters], dead[kCounters], gone[kCounters];
  do meter.read(alive);
  while (alive[kCpu] < 30);
  CHECK_EQUAL(alive[kLife], 0.0);
  close(gate[1]);
  siginfo_t info;
  CHECK(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
  meter.read(dead);
  CHECK_EQUAL(dead[kLife], 1.0);
  CHECK(dead[kCpu] >= 30 && dead[kMemoryPeak] > 0);
  rusage usage;
  CHECK(wait4(pid, nullptr, 0, &usage) == pid);
  meter.read(gone);
  CHECK_EQUAL(gone[kLife], 1.0);
  CHECK_EQUAL(gone[kCpu], dead[kCpu]);
  CHECK_EQUAL(gone[kContextSwitches], static_cast<double>(usage.ru_nvcsw + usage.ru_nivcsw));
  CHECK(std::isnan(gone[kMemory]));
  CHECK(!std::isnan(gone[kWall]));
}

TEST_CASE("of a process that was reaped before anybody looked there is nothing but the time") {
  const pid_t pid = fork();
  if (pid == 0) pause();
  Meter meter(Scope::kOther, pid, true, stat_of(pid));
  kill(pid, SIGKILL);
  CHECK(waitpid(pid, nullptr, 0) == pid);
  double counters[kCounters];
  meter.read(counters);
  CHECK_EQUAL(counters[kLife], 2.0);
  for (int i = kCpu; i < kLife; i++) CHECK(std::isnan(counters[i]));
  CHECK(!std::isnan(counters[kWall]));
}

TEST_CASE("what the children used is known once they were waited for") {
  Meter meter(Scope::kChildren, 0, true, {});
  double before[kCounters], after[kCounters];
  meter.read(before);
  const pid_t pid = fork();
  if (pid == 0) {
    burn(20);
    _exit(0);
  }
  CHECK(waitpid(pid, nullptr, 0) == pid);
  meter.read(after);
  CHECK(after[kCpu] - before[kCpu] >= 19);
}

TEST_MAIN()
