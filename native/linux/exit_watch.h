// The kernel's last account of a child, taken between its end and the wait() of whoever reaps it (libuv, in Node). A thread looks for it
// as soon as the child ends. It may come second: then there is none.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <thread>

#include "linux/descriptor.h"

namespace forelock::os {

class ExitWatch {
 public:
  explicit ExitWatch(pid_t pid);
  ~ExitWatch();
  ExitWatch(const ExitWatch&) = delete;
  ExitWatch& operator=(const ExitWatch&) = delete;

  // To be called after the child has ended, for it waits for the thread's look.
  const std::optional<rusage>& account();

 private:
  void watch();
  void stop();

  Descriptor process_;
  Descriptor stop_;
  std::optional<rusage> account_;  // the thread's until it has ended
  std::thread thread_;
};

}  // namespace forelock::os
