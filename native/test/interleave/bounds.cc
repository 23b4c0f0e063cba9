// What must end, and end soon, whatever the arena says. Bounds are counts of operations, never of time.
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "hooks.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

constexpr long kLimit = 10'000'000;

// In a child, so that a walk out of the arena fails one case and not the program.
template <typename Body>
void ends_well(Body body) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    bool endless = true;
    try {
      endless = stop_before(kLimit, body);
    } catch (const Corrupt&) {
      endless = false;  // told as what it is
    }
    _exit(endless ? 1 : 0);
  }
  int status = 0;
  CHECK_EQUAL(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) throw Failure("ended by signal " + std::to_string(WTERMSIG(status)));
  CHECK_EQUAL(WEXITSTATUS(status), 0);
}

}  // namespace

TEST_CASE("a sweep stays inside an arena that claims more elements than it has") {
  World world;
  auto dying = world.join(1), sweeper = world.join(2);
  world.kill(1);
  world.arena->header().backed_elements.store(0xffffffff);
  ends_well([&] { sweep_all(sweeper->lane()); });
}

TEST_CASE("a sweep stays inside such an arena when nothing but zeroes lies in it") {
  World world;
  auto dying = world.join(1), sweeper = world.join(2);
  world.kill(1);
  world.arena->header().backed_elements.store(0xffffffff);
  const Layout& layout = world.arena->layout();
  char* base = static_cast<char*>(world.base);
  std::memset(base + layout.held, 0, layout.texts - layout.held);
  std::memset(base + layout.elements, 0, layout.slots - layout.elements);
  ends_well([&] { sweep_all(sweeper->lane()); });
}

TEST_CASE("raising the tiers of enclosing grants ends though their list runs in a ring") {
  World world;
  auto waiter = world.join(1), holder = world.join(2);
  const Handle wanted = look_up(*waiter, u"x"), enclosing = look_up(*waiter, u"y");
  Granted outer, held, waiting;
  CHECK(waiter->lock(on(enclosing), outer) == Answer::kOk);
  CHECK(holder->lock(on(wanted), held) == Answer::kOk);
  const EnclosingGrant grant{enclosing.index, outer.sequence, kNoWaiter};
  Request request = on(wanted);
  request.enclosing = &grant;
  request.enclosing_count = 1;
  CHECK(waiter->lock(request, waiting) == Answer::kWait);
  const SlotId extension = world.arena->slot(waiter->slot_of(waiting.waiter)).enclosing.get();
  world.arena->extension(extension).next.set(extension);
  ends_well([&] { waiter->inherit_tiers(); });
}

TEST_CASE("grants with a ttl cost the same after thousands were given back") {
  World world;
  auto member = world.join(1);
  const Handle handle = look_up(*member, u"x");
  Request request = on(handle);
  request.ttl = 3'600'000;
  const auto rounds = [&](int count) {
    return operations([&] {
      for (int i = 0; i < count; i++) {
        Granted granted;
        CHECK(member->lock(request, granted) == Answer::kOk);
        CHECK(member->release(handle.index, granted.sequence) == Answer::kOk);
      }
    });
  };
  const long first = rounds(1'000);
  const long later = rounds(19'000);
  CHECK(later < 3 * 19 * first);
}

TEST_MAIN()
