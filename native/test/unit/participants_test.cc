#include "core/participants.h"

#include "test/check.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

LifeWord life_of(const World& world, ParticipantId id) { return LifeWord::of(world.arena->participant(id).life.load()); }

}  // namespace

TEST_CASE("joining takes a free place once, with an incarnation of its own") {
  World world;
  std::uint32_t incarnation = 0;
  CHECK(begin_join(*world.arena, 3, incarnation));
  CHECK_EQUAL(incarnation, 1u);
  CHECK(life_of(world, 3).life == Life::kJoining);
  std::uint32_t other = 0;
  CHECK(!begin_join(*world.arena, 3, other));
  CHECK(finish_join(*world.arena, 3, incarnation));
  CHECK(life_of(world, 3).life == Life::kAlive);
  CHECK(!begin_join(*world.arena, 3, other));
}

TEST_CASE("one that died is dead until it is swept, and its place then has the next incarnation") {
  World world;
  world.join(3);
  auto sweeper = world.join(1);
  world.kill(3);
  std::uint32_t incarnation = 0;
  CHECK(!begin_join(*world.arena, 3, incarnation));
  CHECK(world.arena->is_dead(3));
  Lane lane(*world.arena, 1, Thread::kWaker);
  CHECK(sweep(lane, 3));
  CHECK(begin_join(*world.arena, 3, incarnation));
  CHECK_EQUAL(incarnation, 2u);
}

TEST_CASE("who reads a place before it changes hands cannot declare its next user dead") {
  World world;
  world.join(3);
  auto sweeper = world.join(1);
  const std::uint64_t seen = world.arena->participant(3).life.load();
  CHECK(mark_dead(*world.arena, 3, seen));
  CHECK(!mark_dead(*world.arena, 3, seen));
  Lane lane(*world.arena, 1, Thread::kWaker);
  CHECK(sweep(lane, 3));
  world.join(3);
  CHECK(!mark_dead(*world.arena, 3, seen));
  CHECK(life_of(world, 3).life == Life::kAlive);
}

TEST_CASE("a place that is free or dead is not declared dead") {
  World world;
  CHECK(!mark_dead(*world.arena, 3, world.arena->participant(3).life.load()));
  world.join(3);
  world.kill(3);
  CHECK(!mark_dead(*world.arena, 3, world.arena->participant(3).life.load()));
}

TEST_CASE("a death while joining is a death like any other") {
  World world;
  auto sweeper = world.join(1);
  std::uint32_t incarnation = 0;
  CHECK(begin_join(*world.arena, 3, incarnation));
  world.kill(3);
  Lane lane(*world.arena, 1, Thread::kWaker);
  CHECK(sweep(lane, 3));
  CHECK(life_of(world, 3).life == Life::kFree);
}

TEST_CASE("joining clears what the last user of the place left") {
  World world;
  auto sweeper = world.join(1);
  world.join(3);
  Participant& place = world.arena->participant(3);
  place.hint[0].store(Hint::word(5, 6));
  place.wake.store(7);
  place.notice.store(Notice::kRescan);
  place.ring.store(8);
  world.arena->held(3)[0].store(9);
  std::uint32_t incarnation = 0;
  place.life.store(LifeWord{Life::kFree, 1}.word());
  CHECK(begin_join(*world.arena, 3, incarnation));
  CHECK(finish_join(*world.arena, 3, incarnation));
  CHECK_EQUAL(place.hint[0].load(), 0u);
  CHECK_EQUAL(place.wake.load(), 0u);
  CHECK_EQUAL(place.notice.load(), 0u);
  CHECK_EQUAL(place.ring.load(), 0u);
  CHECK_EQUAL(world.arena->held(3)[0].load(), 0u);
}

TEST_CASE("without memory for its bitmap nobody joins") {
  World world;
  world.host.backing = false;
  std::uint32_t incarnation = 0;
  CHECK(begin_join(*world.arena, 3, incarnation));
  CHECK(!finish_join(*world.arena, 3, incarnation));
  CHECK(life_of(world, 3).life == Life::kJoining);
}

TEST_MAIN()
