#include "linux/child_account.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace forelock::os {

ChildAccount::ChildAccount(pid_t pid) : process_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}

void ChildAccount::look() {
  if (account_ || !can_have_it_ || !process_.is_open()) return;
  siginfo_t info{};
  rusage usage{};
  // glibc's waitid() leaves out what the system call has: the account.
  if (syscall(SYS_waitid, P_PIDFD, process_.number(), &info, WEXITED | WNOWAIT | WNOHANG, &usage) != 0) {
    can_have_it_ = errno != ECHILD;  // it is no child of ours, or not any more
  } else if (info.si_pid != 0) {
    account_ = usage;
  }
}

}  // namespace forelock::os
