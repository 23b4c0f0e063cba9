// The search for a cycle of waits, while the waits change under it.
#include "hooks.h"

#include "core/deadlock.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

Granted take(Member& member, Handle handle) {
  Granted granted;
  CHECK(member.lock(on(handle), granted) == Answer::kOk);
  return granted;
}

WaiterId wait_within(Member& member, Handle outer, const Granted& held, Handle wanted) {
  const EnclosingGrant enclosing{outer.index, held.sequence, kNoWaiter};
  Request request = on(wanted);
  request.enclosing = &enclosing;
  request.enclosing_count = 1;
  Granted granted;
  CHECK(member.lock(request, granted) == Answer::kWait);
  return granted.waiter;
}

}  // namespace

// `one` waits for x, and no more; then `other`, who holds x, waits for y; then `one`, who holds y, waits for z by the same slot. A look
// that takes the first of these waits and the last for one sees a cycle that there never was.
TEST_CASE("waits that follow each other by one slot are no cycle, at whichever moment of the search they change") {
  bool same_slot = false;
  for (long n = 0;; n++) {
    World world;
    auto one = world.join(1), other = world.join(2), third = world.join(3);
    const Handle x = look_up(*one, u"x"), y = look_up(*one, u"y"), z = look_up(*one, u"z");
    const Granted has_x = take(*other, x), has_y = take(*one, y);
    take(*third, z);
    const WaiterId first = wait_within(*one, y, has_y, x);
    const SlotId slot = one->slot_of(first);
    std::vector<CycleStep> cycle;
    const long made = with_hook(
        n, [&] { cycle = find_cycle(*world.arena, slot); },
        [&] {
          CHECK(one->abort(first) == Answer::kOk);
          // Slots are used again last first, and a wait takes two: after one more it is this one's turn.
          CHECK(one->abort(wait_within(*one, y, has_y, z)) == Answer::kOk);
          wait_within(*other, x, has_x, y);
          same_slot |= one->slot_of(wait_within(*one, y, has_y, z)) == slot;
        });
    expect(cycle.empty(), "a cycle that never was", n);
    if (made <= n) break;
  }
  CHECK(same_slot);
}

TEST_CASE("a cycle that stands is found, whatever else changes meanwhile") {
  for (long n = 0;; n++) {
    World world;
    auto one = world.join(1), other = world.join(2), third = world.join(3);
    const Handle x = look_up(*one, u"x"), y = look_up(*one, u"y"), z = look_up(*one, u"z");
    const Granted has_x = take(*other, x), has_y = take(*one, y);
    take(*third, z);
    const WaiterId first = wait_within(*one, y, has_y, x);
    wait_within(*other, x, has_x, y);
    std::vector<CycleStep> cycle;
    const long made = with_hook(
        n, [&] { cycle = find_cycle(*world.arena, one->slot_of(first)); }, [&] { wait_within(*one, y, has_y, z); });
    expect(cycle.size() == 2, "the cycle was not found", n);
    if (made <= n) break;
  }
}

TEST_MAIN()
