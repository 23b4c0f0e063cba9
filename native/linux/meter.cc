#include "linux/meter.h"

#include <linux/perf_event.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace forelock::os {

namespace {

constexpr double kBlock = 512;  // of ru_inblock and ru_oublock, whatever the file system's
constexpr double kKiB = 1024;

constexpr PerfCounter::Event kInstructionsEvent{PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS};
constexpr PerfCounter::Event kCyclesEvent{PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES};

double ms(const timespec& time) { return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6; }
double ms(const timeval& time) { return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3; }

double clock_ms(clockid_t clock) {
  timespec time;
  return clock_gettime(clock, &time) == 0 ? ms(time) : kAbsent;
}

// Without its accounting of I/O (CONFIG_TASK_IO_ACCOUNTING) the kernel says 0 blocks whatever was done.
bool counts_blocks() {
  static const bool counts = access("/proc/self/io", F_OK) == 0;
  return counts;
}

// One call for what would be a file each: blocks are what /proc/PID/io has in bytes.
void write_rusage(const rusage& usage, double* counters) {
  counters[kCpuUser] = ms(usage.ru_utime);
  counters[kCpuSystem] = ms(usage.ru_stime);
  counters[kContextSwitches] = static_cast<double>(usage.ru_nvcsw) + static_cast<double>(usage.ru_nivcsw);
  counters[kPageFaults] = static_cast<double>(usage.ru_minflt) + static_cast<double>(usage.ru_majflt);
  if (!counts_blocks()) return;
  counters[kDiskRead] = static_cast<double>(usage.ru_inblock) * kBlock;
  counters[kDiskWritten] = static_cast<double>(usage.ru_oublock) * kBlock;
}

void write_peak(const rusage& usage, double* counters) { counters[kMemoryPeak] = static_cast<double>(usage.ru_maxrss) * kKiB; }

}  // namespace

Meter::Meter(Scope scope, pid_t pid, bool all, std::vector<AccountFile> files)
    : scope_(scope), pid_(pid), all_(all), files_(std::move(files)) {
  if (scope == Scope::kOther) child_.emplace(pid);
  if (scope == Scope::kOtherThread) thread_ = ThreadAccount::of(static_cast<std::uint32_t>(pid));
  if (!all) return;
  if (scope == Scope::kThread) {
    instructions_ = PerfCounter::of_this_thread(kInstructionsEvent);
    cycles_ = PerfCounter::of_this_thread(kCyclesEvent);
  } else if (scope == Scope::kProcess || scope == Scope::kOther) {
    instructions_ = PerfCounter::of_process(pid, kInstructionsEvent);
    cycles_ = PerfCounter::of_process(pid, kCyclesEvent);
  }
}

void Meter::read(double* counters) {
  read_all(counters);
  last_wall_ = counters[kWall];
  last_cpu_ = counters[kCpu];
}

bool Meter::is_young(double& wall, double& cpu) const {
  wall = clock_ms(CLOCK_MONOTONIC);
  const double since = wall - last_wall_;
  cpu = scope_ == Scope::kThread || scope_ == Scope::kProcess ? last_cpu_ + since : last_cpu_;
  return since <= kTick;
}

void Meter::read_all(double* counters) {
  std::fill(counters, counters + kCounters, kAbsent);
  counters[kWall] = clock_ms(CLOCK_MONOTONIC);
  counters[kLife] = static_cast<double>(Life::kRuns);
  if (thread_) {
    thread_->read(counters);
    if (!all_) std::fill(counters + kCpuUser, counters + kLife, kAbsent);
    return;
  }
  if (child_) child_->look();
  if (gone_ || (child_ && child_->account())) return read_end(counters);
  read_clock(counters);
  if (all_) read_rusage(counters);
  for (const AccountFile& file : files_) file.begin(counters);
  bool there = true;
  for (const AccountFile& file : files_) {
    const bool readable = file.add_to(counters);
    if (&file == &files_.front()) there = readable;
  }
  // Last, because the clock of a pid is that of whoever has it: only now is it known that it was the one meant.
  if (scope_ == Scope::kOther && !there) {
    gone_ = true;
    std::fill(counters + kCpu, counters + kLife, kAbsent);
    return read_end(counters);
  }
  if (!all_) return;
  counters[kInstructions] = instructions_.read();
  counters[kCycles] = cycles_.read();
}

void Meter::read_clock(double* counters) const {
  clockid_t clock;
  switch (scope_) {
    case Scope::kThread:
      counters[kCpu] = clock_ms(CLOCK_THREAD_CPUTIME_ID);
      return;
    case Scope::kProcess:
      counters[kCpu] = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
      return;
    case Scope::kOther:
      if (clock_getcpuclockid(pid_, &clock) == 0) counters[kCpu] = clock_ms(clock);
      return;
    case Scope::kChildren: {
      rusage usage;
      if (getrusage(RUSAGE_CHILDREN, &usage) == 0) counters[kCpu] = ms(usage.ru_utime) + ms(usage.ru_stime);
      return;
    }
    case Scope::kFiles:
    case Scope::kOtherThread:
      return;
  }
}

void Meter::read_rusage(double* counters) const {
  const bool has_one = scope_ == Scope::kThread || scope_ == Scope::kProcess || scope_ == Scope::kChildren;
  const int who = scope_ == Scope::kThread ? RUSAGE_THREAD : scope_ == Scope::kProcess ? RUSAGE_SELF : RUSAGE_CHILDREN;
  rusage usage;
  if (!has_one || getrusage(who, &usage) != 0) return;
  write_rusage(usage, counters);
  // Of a thread the kernel says that of its process.
  if (scope_ != Scope::kThread) write_peak(usage, counters);
}

void Meter::read_end(double* counters) {
  const std::optional<rusage>& account = child_->account();
  counters[kLife] = static_cast<double>(account ? Life::kEnded : Life::kGone);
  if (!account) return;
  counters[kCpu] = ms(account->ru_utime) + ms(account->ru_stime);
  if (!all_) return;
  write_rusage(*account, counters);
  write_peak(*account, counters);
}

}  // namespace forelock::os
