#include "linux/child_account.h"

#include <poll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

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

TEST_CASE("the account of a child that has ended is the one that its parent gets, and is left to it") {
  int gate[2];
  const pid_t pid = child_of(gate, 30);
  ChildAccount child(pid);
  child.look();
  CHECK(!child.account().has_value());
  close(gate[1]);
  pollfd ended{child.descriptor(), POLLIN, 0};
  while (poll(&ended, 1, -1) == -1 && errno == EINTR) {  // a signal
  }
  CHECK((ended.revents & POLLIN) != 0);
  child.look();
  CHECK(child.account().has_value());
  rusage usage;
  CHECK(wait4(pid, nullptr, 0, &usage) == pid);
  child.look();
  CHECK(ms(usage.ru_utime) + ms(usage.ru_stime) >= 30);
  CHECK_EQUAL(ms(child.account()->ru_utime) + ms(child.account()->ru_stime), ms(usage.ru_utime) + ms(usage.ru_stime));
  CHECK_EQUAL(child.account()->ru_maxrss, usage.ru_maxrss);
}

TEST_CASE("of one that was reaped there is none") {
  int gate[2];
  const pid_t pid = child_of(gate, 0);
  ChildAccount child(pid);
  close(gate[1]);
  CHECK(waitpid(pid, nullptr, 0) == pid);
  child.look();
  CHECK(!child.account().has_value());
  ChildAccount after(pid);
  after.look();
  CHECK(!after.account().has_value());
}

TEST_CASE("of a process that is no child there is none") {
  ChildAccount parent(getppid());
  parent.look();
  CHECK(!parent.account().has_value());
}

TEST_MAIN()
