// Grants that are taken, revoked, given up or handed on while another lane is between two operations.
#include "hooks.h"

using namespace forelock::core;
using namespace forelock::test;

TEST_CASE("a shared grant that is stolen before its owner takes it still settles the wait") {
  World world;
  auto sharer = world.join(1), holder = world.join(2), thief = world.join(3);
  const Handle handle = look_up(*sharer, u"x");
  Granted held, waiting, stolen;
  CHECK(holder->lock(on(handle), held) == Answer::kOk);
  CHECK(sharer->lock(on(handle, true), waiting) == Answer::kWait);
  CHECK(holder->release(handle.index, held.sequence) == Answer::kOk);
  Request steal = on(handle);
  steal.steal = true;
  CHECK(thief->lock(steal, stolen) == Answer::kOk);
  CHECK_EQUAL(settled(*sharer), 1);
}

TEST_CASE("a shared grant whose ttl ends before its owner takes it still settles the wait") {
  World world;
  auto sharer = world.join(1), holder = world.join(2), next = world.join(3);
  const Handle handle = look_up(*sharer, u"x");
  Granted held, waiting, granted;
  CHECK(holder->lock(on(handle), held) == Answer::kOk);
  Request request = on(handle, true);
  request.ttl = 10;
  CHECK(sharer->lock(request, waiting) == Answer::kWait);
  CHECK(holder->release(handle.index, held.sequence) == Answer::kOk);
  world.host.time += 50 * kNanosPerMilli;
  CHECK(next->lock(on(handle), granted) == Answer::kOk);
  CHECK_EQUAL(settled(*sharer), 1);
}

TEST_CASE("a steal is served at whichever moment the sharer takes its grant") {
  for (long n = 0;; n++) {
    World world;
    auto sharer = world.join(1), holder = world.join(2), thief = world.join(3);
    const Handle handle = look_up(*sharer, u"x");
    Granted held, waiting, stolen;
    CHECK(holder->lock(on(handle), held) == Answer::kOk);
    CHECK(sharer->lock(on(handle, true), waiting) == Answer::kWait);
    CHECK(holder->release(handle.index, held.sequence) == Answer::kOk);
    Request steal = on(handle);
    steal.steal = true;
    Answer answer = Answer::kBusy;
    const long made = with_hook(
        n, [&] { answer = thief->lock(steal, stolen); }, [&] { settled(*sharer); });
    expect(answer == Answer::kOk || settled(*thief) == 1, "the steal was not served", n);
    if (made <= n) break;
  }
}

TEST_CASE("a death is told to the next holder when the one it was granted to gives up") {
  World world;
  auto dying = world.join(1), leaving = world.join(2), next = world.join(3), sweeper = world.join(4);
  const Handle handle = look_up(*dying, u"x");
  Granted held, first, second;
  CHECK(dying->lock(on(handle), held) == Answer::kOk);
  CHECK(leaving->lock(on(handle), first) == Answer::kWait);
  CHECK(next->lock(on(handle), second) == Answer::kWait);
  world.kill(1);
  sweep_all(sweeper->lane());
  leaving->abort(first.waiter);
  next->collect();
  CHECK(next->has_settled());
  CHECK(next->next_settled().grant.owner_died);
}

TEST_CASE("a death is told to the next holder at whichever moment of the sweep a waiter gives up") {
  for (long n = 0;; n++) {
    World world;
    auto dying = world.join(1), leaving = world.join(2), next = world.join(3), sweeper = world.join(4);
    const Handle handle = look_up(*dying, u"x");
    Granted held, waiting, granted;
    CHECK(dying->lock(on(handle), held) == Answer::kOk);
    CHECK(leaving->lock(on(handle), waiting) == Answer::kWait);
    world.kill(1);
    const long made = with_hook(
        n, [&] { sweep_all(sweeper->lane()); }, [&] { leaving->abort(waiting.waiter); });
    if (made <= n) break;
    sweep_all(sweeper->lane());
    expect(next->try_lock(on(handle), granted) == Answer::kOk, "the lock stayed busy", n);
    expect(granted.owner_died, "the death was forgotten", n);
  }
}

TEST_CASE("a slot that is used again for another grant makes no cycle of waits that never was") {
  World world;
  auto first = world.join(1), second = world.join(3);
  const Handle outer = look_up(*first, u"outer"), inner = look_up(*first, u"inner");
  Granted inner_held, shared, waiting, again, last;
  CHECK(second->lock(on(inner), inner_held) == Answer::kOk);
  CHECK(first->lock(on(outer, true), shared) == Answer::kOk);
  const EnclosingGrant in_shared{outer.index, shared.sequence, shared.waiter};
  Request request = on(inner);
  request.enclosing = &in_shared;
  request.enclosing_count = 1;
  CHECK(first->lock(request, waiting) == Answer::kWait);
  first->release_shared(shared.waiter, shared.sequence);
  CHECK(first->lock(on(outer, true), again) == Answer::kOk);
  const EnclosingGrant in_inner{inner.index, inner_held.sequence, kNoWaiter};
  Request back = on(outer);
  back.enclosing = &in_inner;
  back.enclosing_count = 1;
  CHECK(second->lock(back, last) == Answer::kWait);
  CHECK(find_cycle(*world.arena, first->slot_of(waiting.waiter)).empty());
}

TEST_CASE("more sharers than one visit grants are all served when the holder dies on its way into the gate") {
  World world(with_elements(2));
  auto dying = world.join(1), sharers = world.join(2), other = world.join(3);
  const Handle handle = look_up(*dying, u"x");
  Granted held, waiting;
  CHECK(dying->lock(on(handle), held) == Answer::kOk);
  for (int i = 0; i < 100; i++) CHECK(sharers->lock(on(handle, true), waiting) == Answer::kWait);
  const Element& element = world.arena->element(handle.index);
  CHECK(stop_when([&] { return Fast::of(element.fast.load()).owner == 0; }, [&] { dying->release(handle.index, held.sequence); }));
  // The recycling hand is the first visitor: it wants a place, not the grants.
  let_rest(world);
  look_up(*other, u"y");
  for (const char16_t* name : {u"p", u"q", u"r", u"s"}) {
    Handle found{};
    other->lookup(Kind::kLock, name, 1, found);
  }
  world.kill(1);
  for (int i = 0; i < 3; i++) sweep_all(other->lane());
  CHECK_EQUAL(settled(*sharers), 100);
}

TEST_MAIN()
