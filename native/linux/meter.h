// Readings of what a scope has used: the calling thread, this process, its children, another process, or whatever files say.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <vector>

#include "linux/account_file.h"
#include "linux/child_account.h"
#include "linux/counters.h"
#include "linux/perf_counter.h"

namespace forelock::os {

enum class Scope {
  kThread,    // the one that reads
  kProcess,   // this
  kChildren,  // of this, those that have ended and were waited for, with those of theirs
  kOther,     // another process
  kFiles      // nothing but what files say: a cgroup, the host
};

class Meter {
 public:
  // `all`: every counter, not time alone. The first file of another process tells whether it is still there.
  Meter(Scope scope, pid_t pid, bool all, std::vector<AccountFile> files);

  // Writes kCounters numbers.
  void read(double* counters);
  // Of another process: what may be a child, and be asked for its account as soon as it has ended.
  ChildAccount* child() { return child_ ? &*child_ : nullptr; }
  bool counts_user_only() const { return instructions_.user_only(); }

 private:
  void read_clock(double* counters) const;
  void read_rusage(double* counters) const;
  void read_end(double* counters);

  const Scope scope_;
  const pid_t pid_;
  const bool all_;
  std::vector<AccountFile> files_;
  PerfCounter instructions_;
  PerfCounter cycles_;
  std::optional<ChildAccount> child_;
  bool gone_ = false;
};

}  // namespace forelock::os
