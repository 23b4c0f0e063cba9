#include "core/gate.h"

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

// Makes it look as if this lane stood in the gate, and takes it away again.
struct Inside {
  Inside(World& world, ElementIndex index, LaneId lane) : gate(world.arena->element(index).gate) { set(lane); }
  ~Inside() { set(0); }
  void set(LaneId lane) {
    Gate word = Gate::of(gate.load());
    word.holder = lane;
    if (lane == 0) word.poke = false;
    gate.store(word.word());
  }
  atomic<std::uint64_t>& gate;
};

}  // namespace

TEST_CASE("who finds somebody inside leaves a poke if asked to, and goes away") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*a, u"x");
  Lane waker(*world.arena, 1, Thread::kWaker);
  const Inside inside(world, handle.index, lane_of(2, Thread::kWaker));
  CHECK(GateKeeper(waker, handle.index).visit(false) == Visit::kBusy);
  CHECK(!Gate::of(inside.gate.load()).poke);
  CHECK(GateKeeper(waker, handle.index).visit(true) == Visit::kBusy);
  CHECK(Gate::of(inside.gate.load()).poke);
  CHECK_EQUAL(Gate::of(inside.gate.load()).holder, lane_of(2, Thread::kWaker));
  CHECK_EQUAL(world.arena->hint(waker.id).load(), 0u);
}

TEST_CASE("what is pushed while somebody is inside waits in the inbox, and is served in its order afterwards") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*a, u"x");
  Granted first, second;
  {
    const Inside inside(world, handle.index, lane_of(2, Thread::kWaker));
    Request request = on(handle);
    request.ttl = 1'000;  // through the gate
    CHECK(a->lock(request, first) == Answer::kWait);
    CHECK(a->lock(request, second) == Answer::kWait);
    CHECK_EQUAL(Gate::of(inside.gate.load()).head, a->slot_of(second.waiter));
  }
  Lane waker(*world.arena, 2, Thread::kWaker);
  CHECK(GateKeeper(waker, handle.index).visit(true) == Visit::kDone);
  const auto served = ended(*a);
  CHECK_EQUAL(served.size(), 1u);
  CHECK_EQUAL(served[0].waiter, first.waiter);
}

TEST_CASE("an idle element is closed, one in use or poked is not") {
  World world;
  auto a = world.join(1);
  const Handle handle = look_up(*a, u"x");
  Lane waker(*world.arena, 1, Thread::kWaker);
  Granted granted;
  CHECK(a->lock(on(handle), granted) == Answer::kOk);
  CHECK(!GateKeeper(waker, handle.index).close());
  a->release(handle.index, granted.sequence);
  CHECK(a->lock(on(handle, true), granted) == Answer::kOk);
  CHECK(!GateKeeper(waker, handle.index).close());
  a->release_shared(granted.waiter, granted.sequence);
  CHECK(GateKeeper(waker, handle.index).close());
  CHECK(GateKeeper(waker, handle.index).visit(true) == Visit::kClosed);
  CHECK(a->lock(on(handle), granted) == Answer::kStale);
  CHECK(a->try_lock(on(handle), granted) == Answer::kStale);
}

TEST_CASE("closing raises the floor of tokens above all that the element gave") {
  World world;
  auto a = world.join(1);
  const Handle handle = look_up(*a, u"x");
  Granted granted;
  for (int i = 0; i < 5; i++) {
    CHECK(a->lock(on(handle), granted) == Answer::kOk);
    a->release(handle.index, granted.sequence);
  }
  Lane waker(*world.arena, 1, Thread::kWaker);
  CHECK(GateKeeper(waker, handle.index).close());
  CHECK_EQUAL(world.arena->header().token_floor.load(), world.arena->element(handle.index).base.load() + granted.sequence);
}

TEST_CASE("one visit makes 64 grants at most, and says that there is more") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*a, u"x");
  Granted held, wait;
  CHECK(a->lock(on(handle), held) == Answer::kOk);
  for (int i = 0; i < 100; i++) CHECK(b->lock(on(handle, true), wait) == Answer::kWait);
  CHECK(a->release(handle.index, held.sequence) == Answer::kOk);
  CHECK_EQUAL(ended(*b).size(), 64u);
  CHECK((a->take_leftovers() == std::vector<ElementIndex>{handle.index}));
  Lane waker(*world.arena, 1, Thread::kWaker);
  CHECK(GateKeeper(waker, handle.index).visit(true) == Visit::kDone);
  CHECK_EQUAL(ended(*b).size(), 36u);
}

TEST_CASE("a death inside a gate is repaired by the next visitor, and everybody looks at what they hold") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  auto c = world.join(3);
  const Handle handle = look_up(*a, u"x");
  Granted held, first, second;
  CHECK(a->lock(on(handle), held) == Answer::kOk);
  CHECK(b->lock(on(handle), first) == Answer::kWait);
  CHECK(b->lock(on(handle), second) == Answer::kWait);
  // Participant 3 has given the lock of 1 away and died before it told: the commit stands, the rest is missing.
  Element& element = world.arena->element(handle.index);
  Slot& slot = world.arena->slot(b->slot_of(first.waiter));
  const SlotState waiting = SlotState::of(slot.state.load());
  const auto sequence = static_cast<std::uint32_t>(held.sequence + 1);
  Lane dying(*world.arena, 3, Thread::kScript);
  dying.note(handle.index, b->slot_of(first.waiter));
  Inside inside(world, handle.index, dying.id);
  slot.state.store(waiting.with(Status::kOffered, sequence).word());
  element.fast.store(Fast::word(true, 2, sequence));
  world.kill(3);
  Lane waker(*world.arena, 1, Thread::kWaker);
  CHECK(GateKeeper(waker, handle.index).visit(true) == Visit::kDone);
  const auto served = ended(*b);
  CHECK_EQUAL(served.size(), 1u);
  CHECK_EQUAL(served[0].waiter, first.waiter);
  CHECK_EQUAL(served[0].grant.sequence, held.sequence + 1);
  CHECK_EQUAL(world.counter(Counter::kTakeovers), 1u);
  a->collect();
  CHECK(a->take_revoked());
  CHECK(b->release(handle.index, served[0].grant.sequence) == Answer::kOk);
  CHECK_EQUAL(ended(*b).size(), 1u);
}

TEST_CASE("a shared grant that is taken away before it was looked at ends its wait as a grant that is lost") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*a, u"x");
  Granted held, wait, stolen;
  CHECK(a->lock(on(handle), held) == Answer::kOk);
  CHECK(b->lock(on(handle, true), wait) == Answer::kWait);
  CHECK(a->release(handle.index, held.sequence) == Answer::kOk);
  Request steal = on(handle);
  steal.steal = true;
  CHECK(a->lock(steal, stolen) == Answer::kOk);
  const auto served = ended(*b);
  CHECK_EQUAL(served.size(), 1u);
  CHECK(served[0].outcome == Outcome::kGranted);
  CHECK(b->take_revoked());
  CHECK(!b->holds_shared(served[0].grant.waiter, served[0].grant.sequence));
  CHECK(b->release_shared(served[0].grant.waiter, served[0].grant.sequence) == Answer::kLost);
  CHECK_EQUAL(b->waiting(), 0u);
}

TEST_CASE("a ttl runs from the grant, and its end is looked at however late the grant was taken") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*a, u"x");
  Granted held, wait;
  CHECK(a->lock(on(handle), held) == Answer::kOk);
  Request limited = on(handle);
  limited.ttl = 100;
  CHECK(b->lock(limited, wait) == Answer::kWait);
  world.host.time += 50 * kNanosPerMilli;  // b knows nothing of it yet
  CHECK(a->release(handle.index, held.sequence) == Answer::kOk);
  const auto served = ended(*b);
  CHECK_EQUAL(served.size(), 1u);
  world.host.time += 99 * kNanosPerMilli;
  b->expire();
  CHECK(b->holds(handle.index, served[0].grant.sequence));
  world.host.time = b->next_deadline();
  b->expire();
  CHECK(!b->holds(handle.index, served[0].grant.sequence));
}

TEST_CASE("a waiter that gives up a grant that was to tell of a death leaves the telling to the next") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  auto c = world.join(3);
  const Handle handle = look_up(*a, u"x");
  Granted held, wait, next;
  CHECK(a->lock(on(handle), held) == Answer::kOk);
  CHECK(b->lock(on(handle), wait) == Answer::kWait);
  world.kill(1);
  Lane waker(*world.arena, 3, Thread::kWaker);
  CHECK(sweep(waker, 1));
  CHECK(b->abort(wait.waiter) == Answer::kOk);
  CHECK(c->lock(on(handle), next) == Answer::kOk);
  CHECK(next.owner_died);
}

TEST_CASE("lists that lead in a circle or to a slot of another element are reported") {
  World world;
  auto a = world.join(1);
  const Handle x = look_up(*a, u"x");
  const Handle y = look_up(*a, u"y");
  Granted held, wait, other;
  CHECK(a->lock(on(x), held) == Answer::kOk);
  CHECK(a->lock(on(y), other) == Answer::kOk);
  CHECK(a->lock(on(x), wait) == Answer::kWait);
  const SlotId id = a->slot_of(wait.waiter);
  const auto corrupt = [&](ElementIndex index) {
    Lane lane(*world.arena, 2, Thread::kWaker);
    world.arena->element(index).meta.fetch_or(Meta::kDirty);
    try {
      GateKeeper(lane, index).visit(true);
    } catch (const Corrupt&) {
      Inside(world, index, 0);
      return true;
    }
    return false;
  };
  world.arena->slot(id).next.store(id);
  CHECK(corrupt(x.index));
  world.arena->slot(id).next.store(0xfffffe);
  CHECK(corrupt(x.index));
  world.arena->slot(id).next.store(0);
  world.arena->element(y.index).heads[1].store(id);
  CHECK(corrupt(y.index));
}

TEST_MAIN()
