// Gates that are taken over from the dead.
#include "hooks.h"

using namespace forelock::core;
using namespace forelock::test;

TEST_CASE("a slow taker-over does not take a gate from a living participant with the id of the dead") {
  for (long n = 0;; n++) {
    World world;
    auto dying = world.join(1), slow = world.join(2), quick = world.join(3);
    const Handle handle = look_up(*dying, u"x");
    const LaneId contested = dying->lane().id;
    const auto inside = [&] { return Gate::of(world.arena->element(handle.index).gate.load()).holder; };
    const auto stop_inside = [&](Member& member) {
      CHECK(stop_when([&] { return inside() == contested; }, [&] { GateKeeper(member.lane(), handle.index).visit(true); }));
    };
    stop_inside(*dying);
    world.kill(1);
    std::unique_ptr<Member> reborn;
    const auto rebirth = [&] {
      if (inside() != contested || !sweep_all(quick->lane())) return;
      reborn = world.join(1);
      if (reborn) stop_inside(*reborn);
    };
    const long made = with_hook(
        n, [&] { GateKeeper(slow->lane(), handle.index).visit(true); }, rebirth);
    if (reborn) expect(inside() == contested, "the gate of a living lane was taken", n);
    if (made <= n) break;
  }
}

TEST_MAIN()
