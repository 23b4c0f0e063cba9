#include "linux/exit_watch.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace forelock::os {

ExitWatch::ExitWatch(pid_t pid)
    : process_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))), stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!process_.is_open() || !stop_.is_open()) return;
  // Signals are for the threads of the program.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread(&ExitWatch::watch, this);
  } catch (const std::system_error&) {
    // No thread to be had: there will be no account.
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ExitWatch::~ExitWatch() { stop(); }

void ExitWatch::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  while (write(stop_.number(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
}

void ExitWatch::watch() {
  pollfd watched[] = {{process_.number(), POLLIN, 0}, {stop_.number(), POLLIN, 0}};
  while (poll(watched, 2, -1) < 0) {
    if (errno != EINTR) return;
  }
  // Also when told to stop: whoever asks for the account knows that the child has ended, perhaps before this thread does.
  siginfo_t info{};
  rusage usage{};
  // glibc's waitid() leaves out what the system call has: the account. WNOWAIT: it stays for its parent to reap.
  if (syscall(SYS_waitid, P_PIDFD, process_.number(), &info, WEXITED | WNOWAIT | WNOHANG, &usage) == 0 && info.si_pid != 0) {
    account_ = usage;
  }
}

const std::optional<rusage>& ExitWatch::account() {
  stop();
  return account_;
}

}  // namespace forelock::os
