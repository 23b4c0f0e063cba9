#include "core/deadlock.h"

#include "test/check.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

// Participants that hold one lock each and wait for that of another from inside it.
struct Circle {
  explicit Circle(int count) {
    for (int i = 0; i < count; i++) {
      members.push_back(world.join(static_cast<ParticipantId>(i + 1)));
      handles.push_back(look_up(*members.back(), std::u16string(1, static_cast<char16_t>(u'a' + i))));
      grants.emplace_back();
      waits.emplace_back();
    }
  }
  void hold(std::size_t who, bool shared = false) {
    Request request;
    request.handle = handles[who];
    request.shared = shared;
    CHECK(members[who]->lock(request, grants[who]) == Answer::kOk);
    world.host.time += 1000;
  }
  void wait(std::size_t who, std::size_t whose, bool inside = true, bool shared = false) {
    const EnclosingGrant enclosing{handles[who].index, grants[who].sequence, grants[who].waiter};
    Request request;
    request.handle = handles[whose];
    request.shared = shared;
    if (inside) {
      request.enclosing = &enclosing;
      request.enclosing_count = 1;
    }
    CHECK(members[who]->lock(request, waits[who]) == Answer::kWait);
    world.host.time += 1000;
  }
  std::vector<CycleStep> cycle_of(std::size_t who) { return find_cycle(*world.arena, members[who]->slot_of(waits[who].waiter)); }

  World world;
  std::vector<std::unique_ptr<Member>> members;
  std::vector<Handle> handles;
  std::vector<Granted> grants, waits;
};

}  // namespace

TEST_CASE("a cycle of three is found from each of its waits, and the youngest is the same") {
  Circle circle(3);
  for (std::size_t i = 0; i < 3; i++) circle.hold(i);
  circle.wait(0, 1);
  circle.wait(1, 2);
  for (std::size_t i = 0; i < 2; i++) CHECK(circle.cycle_of(i).empty());
  circle.wait(2, 0);
  for (std::size_t i = 0; i < 3; i++) {
    const auto cycle = circle.cycle_of(i);
    CHECK_EQUAL(cycle.size(), 3u);
    CHECK_EQUAL(cycle[0].slot, circle.members[i]->slot_of(circle.waits[i].waiter));
    CHECK_EQUAL(youngest(cycle), circle.members[2]->slot_of(circle.waits[2].waiter));
  }
}

TEST_CASE("a shared grant closes a cycle as an exclusive one does") {
  Circle circle(2);
  circle.hold(0, true);
  circle.hold(1, true);
  circle.wait(0, 1);
  circle.wait(1, 0);
  CHECK_EQUAL(circle.cycle_of(0).size(), 2u);
}

TEST_CASE("waits that no grant encloses close no cycle") {
  Circle circle(2);
  circle.hold(0);
  circle.hold(1);
  circle.wait(0, 1);
  circle.wait(1, 0, false);
  CHECK(circle.cycle_of(0).empty());
  CHECK(circle.cycle_of(1).empty());
}

TEST_CASE("a wait behind a cycle is not of it") {
  Circle circle(3);
  for (std::size_t i = 0; i < 3; i++) circle.hold(i);
  circle.wait(0, 1);
  circle.wait(1, 0);
  circle.wait(2, 0);
  CHECK(circle.cycle_of(2).empty());
  CHECK_EQUAL(circle.cycle_of(0).size(), 2u);
}

TEST_CASE("there is no cycle any more when one of its waits has ended") {
  Circle circle(2);
  circle.hold(0);
  circle.hold(1);
  circle.wait(0, 1);
  circle.wait(1, 0);
  CHECK(circle.members[1]->abort(circle.waits[1].waiter) == Answer::kOk);
  CHECK(circle.cycle_of(0).empty());
}

TEST_CASE("a grant that was given back and had again encloses nothing of before") {
  Circle circle(2);
  circle.hold(0);
  circle.hold(1);
  circle.wait(0, 1);
  CHECK(circle.members[0]->release(circle.handles[0].index, circle.grants[0].sequence) == Answer::kOk);
  circle.hold(0);
  circle.wait(1, 0);
  CHECK(circle.cycle_of(0).empty());
  CHECK(circle.cycle_of(1).empty());
}

TEST_CASE("the youngest of a cycle is the one that came last, by slot when they came together") {
  const CycleStep a{7, 0, 0, 100}, b{3, 0, 0, 200}, c{5, 0, 0, 200};
  CHECK_EQUAL(youngest({a, b, c}), 5u);
  CHECK_EQUAL(youngest({c, a}), 5u);
  CHECK_EQUAL(youngest({a}), 7u);
}

TEST_MAIN()
