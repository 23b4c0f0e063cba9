// Readings of what a scope has used: the calling thread, this process, its children, another process, or whatever files say.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <vector>

#include "linux/account_file.h"
#include "linux/child_account.h"
#include "linux/counters.h"
#include "linux/perf_counter.h"
#include "linux/thread_account.h"

namespace forelock::os {

enum class Scope {
  kThread,      // the one that reads
  kProcess,     // this
  kChildren,    // of this, those that have ended and were waited for, with those of theirs
  kOther,       // another process
  kFiles,       // nothing but what files say: a cgroup, the host
  kOtherThread  // of this process, by its number
};

class Meter {
 public:
  // `pid`: also the number of another thread. `all`: every counter, not time alone. The first file of another process tells whether it is
  // still there.
  Meter(Scope scope, pid_t pid, bool all, std::vector<AccountFile> files);

  // Writes kCounters numbers.
  void read(double* counters);
  // Whether the last reading is so young, kTick at most, that it need not be made again; then `wall` is that of now, and `cpu` as well
  // where it is this thread's or process's: whoever asks is running. It was not on a CPU all the time if the kernel took that away in
  // between, so that `cpu` may be ahead by kTick, and by no more: time on a CPU is no longer than time. (Of a process with other threads it
  // may be behind, by kTick for each of them.) All else is as it was.
  bool is_young(double& wall, double& cpu) const;
  // Of another process: what may be a child, and be asked for its account as soon as it has ended.
  ChildAccount* child() { return child_ ? &*child_ : nullptr; }
  bool counts_user_only() const { return instructions_.user_only(); }

 private:
  void read_all(double* counters);
  void read_clock(double* counters) const;
  void read_rusage(double* counters) const;
  void read_end(double* counters);

  static constexpr double kTick = 0.005;  // ms; a reading of the thread's clock takes 0.5 to 1.2 µs where it was measured

  const Scope scope_;
  const pid_t pid_;
  const bool all_;
  std::vector<AccountFile> files_;
  PerfCounter instructions_;
  PerfCounter cycles_;
  std::optional<ChildAccount> child_;
  std::shared_ptr<ThreadAccount> thread_;
  bool gone_ = false;
  // Of the last reading; before the first the wall time is 0, which is not young.
  double last_wall_ = 0;
  double last_cpu_ = 0;
};

}  // namespace forelock::os
