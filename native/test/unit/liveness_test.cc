#include "shm/liveness.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "shm/region.h"
#include "temporary_folder.h"
#include "world.h"

using namespace forelock;
using shm::Region;
using test::TemporaryFolder;

namespace {

shm::Wanted small() {
  shm::Wanted wanted;
  wanted.elements = 64;
  wanted.slots = 128;
  wanted.participants = 8;
  wanted.texts = 16;
  return wanted;
}

core::Life life_of(core::Arena& arena, core::ParticipantId id) { return core::LifeWord::of(arena.participant(id).life.load()).life; }

// A process that joins as `id` and then waits to be killed.
class Child {
 public:
  Child(const std::string& dir, core::ParticipantId id) {
    int ready[2];
    CHECK(pipe(ready) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      const auto region = Region::open_named(dir, "x", small());
      test::FakeHost host;
      core::Arena arena(region->base(), host);
      std::uint32_t incarnation = 0;
      const bool joined = shm::take_byte(region->descriptor(), id) && core::begin_join(arena, id, incarnation);
      const shm::ProcessId self = shm::this_process();
      arena.participant(id).pid.set(self.pid);
      arena.participant(id).pid_start.set(self.start);
      arena.participant(id).pid_namespace.set(self.pid_namespace);
      const char said = joined && core::finish_join(arena, id, incarnation) ? 'y' : 'n';
      if (write(ready[1], &said, 1) != 1) _exit(1);
      for (;;) pause();
    }
    char said = 0;
    CHECK(read(ready[0], &said, 1) == 1 && said == 'y');
    close(ready[0]);
    close(ready[1]);
  }
  ~Child() { end(); }
  void end() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  void stop() {
    kill(pid_, SIGSTOP);
    int status;
    waitpid(pid_, &status, WUNTRACED);
  }

 private:
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("a participant is dead when the kernel has let go of its byte, not before") {
  TemporaryFolder folder;
  const auto region = Region::open_named(folder.path(), "x", small());
  test::FakeHost host;
  core::Arena arena(region->base(), host);
  Child child(folder.path(), 1);
  CHECK(!shm::probe(arena, region->descriptor(), 1));
  CHECK(!shm::take_byte(region->descriptor(), 1));
  child.stop();
  CHECK(!shm::probe(arena, region->descriptor(), 1));
  child.end();
  CHECK(shm::probe(arena, region->descriptor(), 1));
  CHECK(life_of(arena, 1) == core::Life::kDead);
  CHECK(shm::probe(arena, region->descriptor(), 1));
}

TEST_CASE("a free byte alone does not make a visible process dead") {
  TemporaryFolder folder;
  const auto region = Region::open_named(folder.path(), "x", small());
  test::FakeHost host;
  core::Arena arena(region->base(), host);
  std::uint32_t incarnation = 0;
  CHECK(core::begin_join(arena, 2, incarnation) && core::finish_join(arena, 2, incarnation));
  const shm::ProcessId self = shm::this_process();
  arena.participant(2).pid.set(self.pid);
  arena.participant(2).pid_start.set(self.start);
  arena.participant(2).pid_namespace.set(self.pid_namespace);
  CHECK(!shm::probe(arena, region->descriptor(), 2));
  // The same pid, but another process: the pid was used again.
  arena.participant(2).pid_start.set(self.start + 1);
  CHECK(shm::probe(arena, region->descriptor(), 2));
}

TEST_CASE("a process of another pid namespace is dead when its byte is free") {
  TemporaryFolder folder;
  const auto region = Region::open_named(folder.path(), "x", small());
  test::FakeHost host;
  core::Arena arena(region->base(), host);
  std::uint32_t incarnation = 0;
  CHECK(core::begin_join(arena, 2, incarnation) && core::finish_join(arena, 2, incarnation));
  const shm::ProcessId self = shm::this_process();
  arena.participant(2).pid.set(self.pid);
  arena.participant(2).pid_start.set(self.start);
  arena.participant(2).pid_namespace.set(self.pid_namespace + 1);
  CHECK(shm::probe(arena, region->descriptor(), 2));
}

TEST_CASE("a forked child holds none of the bytes that its parent's descriptors hold") {
  TemporaryFolder folder;
  shm::watch_forks();
  auto region = Region::open_named(folder.path(), "x", small());
  CHECK(shm::take_byte(region->descriptor(), 1));
  int hold[2], up[2];
  CHECK(pipe(hold) == 0 && pipe(up) == 0);
  const pid_t pid = fork();
  if (pid == 0) {
    char byte;
    const bool told = shm::in_forked_child() && write(up[1], "x", 1) == 1;
    _exit(told && read(hold[0], &byte, 1) == 1 ? 0 : 1);
  }
  // The child closes them as its first act, which is not yet done when fork returns here.
  char byte;
  CHECK(read(up[0], &byte, 1) == 1);
  region.reset();
  const auto other = Region::open_named(folder.path(), "x", small());
  const bool free = shm::take_byte(other->descriptor(), 1);
  CHECK(write(hold[1], "x", 1) == 1);
  int status = 1;
  waitpid(pid, &status, 0);
  CHECK_EQUAL(status, 0);
  CHECK(free);
}

TEST_MAIN()
