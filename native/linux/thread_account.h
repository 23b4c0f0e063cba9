// What a thread of this process used, asked for by others: by the number that it is known by, while it runs and after its end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <mutex>

#include "linux/counters.h"

namespace forelock::os {

class ThreadAccount {
 public:
  // The account of that number, made where there is none: who asks may be earlier than the thread.
  static std::shared_ptr<ThreadAccount> of(std::uint32_t number);
  // The calling thread is that number, until its end(). False: some thread is that already.
  static bool begin(std::uint32_t number);
  static void end(std::uint32_t number);

  ~ThreadAccount();
  // CPU time while it runs, and all that there is of a thread after its end; the rest is absent, and all of one that never began.
  void read(double* counters);

 private:
  explicit ThreadAccount(std::uint32_t number) : number_(number) {}

  const std::uint32_t number_;
  std::mutex mutex_;  // it does not end while its clock is read: that would be the clock of nobody, or of another
  pid_t thread_ = 0;
  bool ended_ = false;
  double last_[kCounters];
};

}  // namespace forelock::os
