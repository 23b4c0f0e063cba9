// A handle whose element is used anew, for another name, between two operations of the one who asks by it.
#include "hooks.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

// Somebody alive is inside a gate, and may leave it.
class Inside {
 public:
  Inside(World& world, ElementIndex index, Member& member) : gate_(world.arena->element(index).gate), index_(index), member_(member) {
    hold(lane_of(member.lane().participant(), Thread::kWaker));
  }
  // As it would leave: not before it has seen to all that came meanwhile.
  void leave() {
    if (left_) return;
    left_ = true;
    hold(0);
    GateKeeper(member_.lane(), index_).visit(true);
  }

 private:
  void hold(LaneId lane) {
    Gate word = Gate::of(gate_.load());
    word.holder = lane;
    gate_.store(word.word());
  }

  atomic<std::uint64_t>& gate_;
  const ElementIndex index_;
  Member& member_;
  bool left_ = false;
};

}  // namespace

TEST_CASE("an old handle gets nothing of the name that has its element next, at whichever moment that comes, the gate busy before") {
  int stale = 0, granted = 0;
  for (long n = 0;; n++) {
    World world(with_elements(1));
    auto asking = world.join(1), inside = world.join(2), other = world.join(3);
    const Handle handle = look_up(*asking, u"x");
    Inside gate(world, handle.index, *inside);
    Request request = on(handle, true);  // through the gate, though the lock is free
    Granted shared, exclusive;
    Answer answer = Answer::kBusy;
    const auto recycle = [&] {
      gate.leave();
      Handle ignored;
      other->lookup(Kind::kLock, u"y", 1, ignored);  // the only element is made anew, unless it is in use by now
    };
    const long made = with_hook(
        n, [&] { answer = asking->lock(request, shared); }, recycle);
    gate.leave();
    const bool anew = Table::name_of(*world.arena, handle.index) == u"y";
    expect(answer == Answer::kOk || answer == Answer::kWait || answer == Answer::kStale, "neither granted, queued nor stale", n);
    expect((answer == Answer::kStale) == anew, anew ? "an old handle was served" : "a handle was stale before its time", n);
    if (answer == Answer::kStale) {
      stale++;
      expect(asking->waiting() == 0 && asking->slots_in_use() == 0, "something of the request is left", n);
      const Handle next = look_up(*other, u"y");
      expect(other->try_lock(on(next), exclusive) == Answer::kOk, "the new name's lock is not free", n);
      expect(settled(*asking) == 0, "a stale request was granted", n);
    } else {
      granted++;
      expect(answer == Answer::kOk || settled(*asking) == 1, "the request was never served", n);
    }
    if (made <= n) break;
  }
  CHECK(stale > 0 && granted > 0);  // both sides of the moment were tried
}

TEST_MAIN()
