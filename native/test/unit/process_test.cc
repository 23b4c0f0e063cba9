#include "shm/process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "check.h"

using namespace forelock::shm;

TEST_CASE("this process is not gone") {
  const ProcessId self = this_process();
  CHECK_EQUAL(self.pid, static_cast<std::uint32_t>(getpid()));
  CHECK(self.start != 0 && self.pid_namespace != 0);
  CHECK(!is_gone(self));
}

TEST_CASE("a zombie is gone, and so is a process that was reaped") {
  int ready[2];
  CHECK(pipe(ready) == 0);
  const pid_t pid = fork();
  if (pid == 0) {
    const ProcessId self = this_process();
    if (write(ready[1], &self, sizeof self) != static_cast<ssize_t>(sizeof self)) _exit(1);
    _exit(0);
  }
  ProcessId child;
  CHECK(read(ready[0], &child, sizeof child) == static_cast<ssize_t>(sizeof child));
  siginfo_t info;
  CHECK(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
  CHECK(is_gone(child));
  waitpid(pid, nullptr, 0);
  CHECK(is_gone(child));
}

TEST_CASE("a pid that was used again is gone, one of another namespace cannot be told") {
  ProcessId self = this_process();
  self.start++;
  CHECK(is_gone(self));
  ProcessId elsewhere = this_process();
  elsewhere.pid_namespace++;
  elsewhere.start++;
  CHECK(!is_gone(elsewhere));
  CHECK(!is_gone({0, 0, 0}));
}

TEST_CASE("the boot id is the same at each reading, and random bytes are not") {
  std::uint64_t one[2], two[2];
  boot_id(one);
  boot_id(two);
  CHECK(one[0] == two[0] && one[1] == two[1]);
  CHECK(one[0] != 0 || one[1] != 0);
  unsigned char a[32], b[32];
  random_bytes(a, sizeof a);
  random_bytes(b, sizeof b);
  CHECK(std::memcmp(a, b, sizeof a) != 0);
}

TEST_MAIN()
