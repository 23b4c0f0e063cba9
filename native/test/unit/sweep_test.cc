#include "core/sweep.h"

#include "test/check.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

Request on(Handle handle, bool shared = false) {
  Request request;
  request.handle = handle;
  request.shared = shared;
  return request;
}

int slots_in_use(const World& world) {
  int used = 0;
  for (SlotId id = 1; id <= world.arena->layout().chunk_count * kChunkSlots; id++) {
    if (SlotState::of(world.arena->slot(id).state.load()).status != Status::kFree) used++;
  }
  return used;
}

int chunks_of(const World& world, ParticipantId id) {
  int chunks = 0;
  for (std::uint32_t chunk = 0; chunk < world.arena->layout().chunk_count; chunk++) {
    if (ChunkOwner::of(world.arena->chunk_owner(chunk).load()).participant == id) chunks++;
  }
  return chunks;
}

}  // namespace

TEST_CASE("one that lives is not swept") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*b, u"x");
  Granted granted;
  CHECK(b->lock(on(handle), granted) == Answer::kOk);
  Lane waker(*world.arena, 1, Thread::kWaker);
  CHECK(sweep(waker, 2));
  CHECK(b->holds(handle.index, granted.sequence));
}

TEST_CASE("all that a dead one held, shared and waited for is given back") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle x = look_up(*a, u"x");
  const Handle y = look_up(*a, u"y");
  const Handle z = look_up(*a, u"z");
  Granted ax, bx, by, bz, ay, az;
  CHECK(b->lock(on(y), by) == Answer::kOk);
  CHECK(b->lock(on(z, true), bz) == Answer::kOk);
  CHECK(a->lock(on(x), ax) == Answer::kOk);
  const EnclosingGrant inside{y.index, by.sequence, kNoWaiter};
  Request waiting = on(x);
  waiting.enclosing = &inside;
  waiting.enclosing_count = 1;
  CHECK(b->lock(waiting, bx) == Answer::kWait);
  CHECK(a->lock(on(y), ay) == Answer::kWait);
  CHECK(a->lock(on(z), az) == Answer::kWait);
  world.kill(2);
  Lane waker(*world.arena, 1, Thread::kWaker);
  CHECK(sweep(waker, 2));
  a->collect();
  int granted = 0;
  while (a->has_settled()) {
    const Settled settled = a->next_settled();
    CHECK(settled.outcome == Outcome::kGranted);
    CHECK(settled.grant.owner_died);
    granted++;
  }
  CHECK_EQUAL(granted, 2);
  CHECK_EQUAL(world.arena->element(x.index).heads[0].load(), 0u);
  CHECK_EQUAL(chunks_of(world, 2), 0);
  CHECK_EQUAL(slots_in_use(world), 0);
  CHECK(world.arena->participant(2).life.load() == (LifeWord{Life::kFree, 1}.word()));
  CHECK_EQUAL(world.counter(Counter::kSweeps), 1u);
}

TEST_CASE("a sweep that finds somebody alive inside a gate leaves a poke and is not done") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  auto c = world.join(3);
  const Handle handle = look_up(*b, u"x");
  Granted granted;
  CHECK(b->lock(on(handle), granted) == Answer::kOk);
  world.kill(2);
  auto& gate = world.arena->element(handle.index).gate;
  Gate inside = Gate::of(gate.load());
  inside.holder = lane_of(3, Thread::kScript);
  gate.store(inside.word());
  Lane waker(*world.arena, 1, Thread::kWaker);
  CHECK(!sweep(waker, 2));
  CHECK(world.arena->is_dead(2));
  CHECK(Gate::of(gate.load()).poke);
  inside.holder = 0;
  gate.store(inside.word());
  CHECK(sweep_all(waker));
  CHECK_EQUAL(world.arena->element(handle.index).fast.load() & Fast::kOwnerMask, 0u);
}

TEST_CASE("a dead one that was inside a gate is replaced there") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*b, u"x");
  auto& gate = world.arena->element(handle.index).gate;
  Gate inside = Gate::of(gate.load());
  inside.holder = lane_of(2, Thread::kWaker);
  Lane dying(*world.arena, 2, Thread::kWaker);
  dying.note(handle.index, 0);
  gate.store(inside.word());
  Granted granted;
  CHECK(a->lock(on(handle), granted) == Answer::kOk);  // a gate says nothing of the lock
  CHECK(a->release(handle.index, granted.sequence) == Answer::kOk);
  world.kill(2);
  Lane waker(*world.arena, 1, Thread::kWaker);
  CHECK(sweep(waker, 2));
  CHECK_EQUAL(Gate::of(gate.load()).holder, 0u);
  CHECK_EQUAL(world.counter(Counter::kTakeovers), 1u);
}

TEST_CASE("everybody alive is rung after a sweep, because the dead may owe a ring") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  auto c = world.join(3);
  const std::uint32_t before = world.arena->participant(3).ring.load();
  world.kill(2);
  Lane waker(*world.arena, 1, Thread::kWaker);
  CHECK(sweep(waker, 2));
  CHECK(world.arena->participant(3).ring.load() != before);
}

TEST_CASE("two sweeps of one death do not take from the next user of the place") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  world.kill(2);
  Lane first(*world.arena, 1, Thread::kWaker);
  CHECK(sweep(first, 2));
  auto reborn = world.join(2);
  const Handle handle = look_up(*reborn, u"x");
  Granted granted;
  CHECK(reborn->lock(on(handle), granted) == Answer::kOk);
  CHECK(sweep(first, 2));
  CHECK(reborn->holds(handle.index, granted.sequence));
  CHECK_EQUAL(world.counter(Counter::kSweeps), 1u);
}

TEST_MAIN()
