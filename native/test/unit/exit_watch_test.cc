#include "linux/exit_watch.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

using namespace forelock::os;

namespace {

double ms(const timeval& time) { return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3; }

// A child that ends when the pipe is closed, after so many ms of CPU time.
pid_t child_of(int pipe_end[2], long cpu) {
  CHECK(pipe(pipe_end) == 0);
  const pid_t pid = fork();
  if (pid != 0) {
    close(pipe_end[0]);
    return pid;
  }
  close(pipe_end[1]);
  char byte;
  if (read(pipe_end[0], &byte, 1) != 0) _exit(1);
  timespec time{};
  while (time.tv_sec * 1000 + time.tv_nsec / 1'000'000 < cpu) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  _exit(0);
}

}  // namespace

TEST_CASE("the account of a child is the one that its parent gets, and is left to it") {
  int gate[2];
  const pid_t pid = child_of(gate, 30);
  ExitWatch watch(pid);
  close(gate[1]);
  siginfo_t info;
  CHECK(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
  // Nobody reaps it meanwhile, so the thread cannot come too late.
  const auto account = watch.account();
  CHECK(account.has_value());
  rusage usage;
  CHECK(wait4(pid, nullptr, 0, &usage) == pid);
  CHECK(ms(usage.ru_utime) + ms(usage.ru_stime) >= 30);
  CHECK_EQUAL(ms(account->ru_utime) + ms(account->ru_stime), ms(usage.ru_utime) + ms(usage.ru_stime));
  CHECK_EQUAL(account->ru_maxrss, usage.ru_maxrss);
}

TEST_CASE("of one that was reaped first there is none") {
  int gate[2];
  const pid_t pid = child_of(gate, 0);
  close(gate[1]);
  CHECK(waitpid(pid, nullptr, 0) == pid);
  ExitWatch watch(pid);
  CHECK(!watch.account().has_value());
}

TEST_CASE("a watch ends before the child that it watches, and the child goes on") {
  int gate[2];
  const pid_t pid = child_of(gate, 0);
  { const ExitWatch watch(pid); }
  CHECK(waitpid(pid, nullptr, WNOHANG) == 0);
  close(gate[1]);
  CHECK(waitpid(pid, nullptr, 0) == pid);
}

TEST_CASE("of a process that is no child there is none") {
  ExitWatch watch(getppid());
  CHECK(!watch.account().has_value());
}

TEST_MAIN()
