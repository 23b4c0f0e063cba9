// The kernel's last account of a child, which is there between its end and the wait() of whoever reaps it (libuv, in Node).
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <optional>

#include "linux/descriptor.h"

namespace forelock::os {

class ChildAccount {
 public:
  explicit ChildAccount(pid_t pid);

  // Readable from the end of the process on; -1 where there is none (before Linux 5.3).
  int descriptor() const { return process_.number(); }
  // Takes the account if the child has ended and nobody has reaped it. It stays for its parent to reap.
  void look();
  const std::optional<rusage>& account() const { return account_; }

 private:
  Descriptor process_;
  std::optional<rusage> account_;
  bool can_have_it_ = true;
};

}  // namespace forelock::os
