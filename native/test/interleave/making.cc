// Elements in the making: their makers die, stop or are overtaken at every one of their operations.
#include "hooks.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

std::uint64_t state_of(World& world, ElementIndex index) { return Meta::state(world.arena->element(index).meta.load()); }

LaneId maker_of(World& world, ElementIndex index) { return Maker::lane(world.arena->element(index).maker.load()); }

std::uint64_t token(World& world, Handle handle, const Granted& granted) {
  return world.arena->element(handle.index).base.load() + granted.sequence;
}

// Fills the table until the element of the handle was recycled, or so many names that it never will be.
void crowd_out(World& world, Member& member, Handle handle) {
  const Element& element = world.arena->element(handle.index);
  for (char16_t i = 1; i <= 500; i++) {
    member.lane().refresh();
    look_up(member, std::u16string(u"f") + i);
    const std::uint64_t meta = element.meta.load();
    if (Meta::generation(meta) != handle.generation || Meta::state(meta) == Meta::kFree) return;
  }
}

}  // namespace

TEST_CASE("no death during a lookup leaves an element in the making") {
  for (long n = 0;; n++) {
    World world(with_elements(64));
    auto dying = world.join(1), sweeper = world.join(2);
    if (!stop_before(n, [&] { look_up(*dying, u"x"); })) break;
    world.kill(1);
    for (int i = 0; i < 3; i++) sweep_all(sweeper->lane());
    for (ElementIndex index = 0; index < 64; index++) {
      expect(state_of(world, index) != Meta::kInit, "an element stayed in the making", n);
      expect(world.arena->element(index).maker.load() == 0, "a maker word stayed", n);
    }
  }
}

TEST_CASE("an element of any kind that another beat into the table is used again") {
  for (const Kind kind : {Kind::kLock, Kind::kBucket, Kind::kPool, Kind::kQueue, Kind::kKeyed}) {
    for (long n = 0;; n++) {
      World world(with_elements(2));
      auto slow = world.join(1), quick = world.join(2);
      let_rest(world);
      Handle first{}, second{}, other{};
      const long made = with_hook(
          n, [&] { slow->lookup(kind, u"x", 1, first); }, [&] { quick->lookup(kind, u"x", 1, second); });
      expect(first.index == second.index || made <= n, "one name has two elements", n);
      let_rest(world);
      quick->lane().refresh();
      expect(quick->lookup(Kind::kLock, u"y", 1, other) == Found::kOk, "its place is lost", n);
      if (made <= n) break;
    }
  }
}

TEST_CASE("an element of any kind whose maker died before any name led to it is used again") {
  for (const Kind kind : {Kind::kLock, Kind::kBucket, Kind::kPool, Kind::kQueue, Kind::kKeyed}) {
    for (long n = 0;; n++) {
      World world(with_elements(1));
      auto dying = world.join(1), sweeper = world.join(2);
      Handle made{}, other{};
      if (!stop_before(n, [&] { dying->lookup(kind, u"x", 1, made); })) break;
      world.kill(1);
      for (int i = 0; i < 3; i++) sweep_all(sweeper->lane());
      let_rest(world);
      sweeper->lane().refresh();
      if (Table(sweeper->lane()).has(kind, u"x", 1, made)) continue;
      expect(sweeper->lookup(Kind::kLock, u"y", 1, other) == Found::kOk, "its place is lost", n);
    }
  }
}

TEST_CASE("tokens of a name grow though a maker of it was stopped while the name lived and was recycled") {
  for (long n = 0;; n++) {
    World world(with_elements(64));
    auto slow = world.join(1), quick = world.join(2);
    let_rest(world);
    std::uint64_t last = 0;
    const auto one_life = [&] {
      const Handle handle = look_up(*quick, u"x");
      for (int i = 0; i < 1000; i++) {
        Granted granted;
        CHECK(quick->lock(on(handle), granted) == Answer::kOk);
        last = token(world, handle, granted);
        quick->release(handle.index, granted.sequence);
      }
      let_rest(world);
      crowd_out(world, *quick, handle);
    };
    if (with_hook(
            n, [&] { look_up(*slow, u"x"); }, one_life) <= n)
      break;
    Granted granted;
    const Handle handle = look_up(*slow, u"x");
    CHECK(slow->lock(on(handle), granted) == Answer::kOk);
    expect(token(world, handle, granted) > last, "a token went back", n);
  }
}

TEST_CASE("an element in the making is not recycled for its text, so one name has one lock") {
  const std::u16string first(100, u'a'), second(100, u'b');
  for (long n = 0;; n++) {
    World world(with_elements(64, 4));
    auto maker = world.join(1), rival = world.join(2);
    let_rest(world);
    Handle made{}, other{}, again{};
    Found found = Found::kOk;
    const long count = with_hook(
        n, [&] { found = maker->lookup(Kind::kLock, first.data(), first.size(), made); },
        [&] { rival->lookup(Kind::kLock, second.data(), second.size(), other); });
    if (count <= n) break;
    if (found != Found::kOk) continue;
    Granted one, two;
    const Answer answer = maker->try_fast(made, 1, 0, one);
    if (rival->lookup(Kind::kLock, first.data(), first.size(), again) != Found::kOk) continue;
    expect(rival->try_lock(on(again), two) != Answer::kOk || answer != Answer::kOk, "one name was granted twice", n);
  }
}

// One element only, so that recycler and maker meet at it.
TEST_CASE("a stopped recycler does not close the next life of an element while it is being made") {
  bool beyond = false;
  for (long n = 0; !beyond; n++) {
    for (long m = 0;; m++) {
      World world(with_elements(1));
      auto first = world.join(1), maker = world.join(2), recycler = world.join(3);
      let_rest(world);
      look_up(*first, u"old");
      Handle made{}, other{};
      bool stopped = false, making = false;
      const auto make = [&] {
        stopped = stop_before(m, [&] { maker->lookup(Kind::kLock, u"b", 1, made); });
        making = state_of(world, 0) == Meta::kInit;
      };
      beyond = with_hook(
                   n, [&] { recycler->lookup(Kind::kLock, u"c", 1, other); }, make) <= n;
      if (making && maker_of(world, 0) == maker->lane().id) {
        expect(state_of(world, 0) != Meta::kFree, "freed under its stopped maker, operation " + std::to_string(m), n);
      }
      if (!stopped) break;
    }
  }
}

TEST_CASE("a slow sweeper leaves the making of the next participant with the same id alone") {
  bool beyond = false;
  for (long n = 0; !beyond; n++) {
    for (long m = 5; m < 60 && !beyond; m++) {
      World world(with_elements(64));
      auto dying = world.join(1), slow = world.join(2), quick = world.join(3);
      look_up(*dying, u"z");
      world.kill(1);
      std::unique_ptr<Member> reborn;
      ElementIndex making = 64;
      const auto rebirth = [&] {
        sweep_all(quick->lane());
        reborn = world.join(1);
        if (!reborn) return;
        stop_before(m, [&] { look_up(*reborn, u"n"); });
        for (ElementIndex i = 0; i < 64; i++) {
          if (maker_of(world, i) == reborn->lane().id && state_of(world, i) == Meta::kInit) making = i;
        }
      };
      beyond = with_hook(
                   n, [&] { sweep_all(slow->lane()); }, rebirth) <= n;
      if (making == 64) continue;
      expect(state_of(world, making) != Meta::kFree, "freed under its maker, operation " + std::to_string(m), n);
      expect(maker_of(world, making) != 0, "its maker was forgotten, operation " + std::to_string(m), n);
    }
  }
}

TEST_MAIN()
