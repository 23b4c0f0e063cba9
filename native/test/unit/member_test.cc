#include "test/check.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

Request on(Handle handle, std::uint32_t tier = 1) {
  Request request;
  request.handle = handle;
  request.tier = tier;
  return request;
}

Request shared(Handle handle, std::uint32_t tier = 1) {
  Request request = on(handle, tier);
  request.shared = true;
  return request;
}

struct Outcomes {
  explicit Outcomes(Member& member) {
    member.collect();
    while (member.has_settled()) all.push_back(member.next_settled());
  }
  std::vector<Settled> all;
};

template <typename Call>
bool is_corrupt(Call call) {
  try {
    call();
  } catch (const Corrupt&) {
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("an uncontended lock is taken and given back, and its token grows") {
  World world;
  auto a = world.join(1);
  const Handle handle = look_up(*a, u"x");
  Granted first, second;
  CHECK(a->try_lock(on(handle), first) == Answer::kOk);
  CHECK(a->try_lock(on(handle), second) == Answer::kBusy);
  CHECK(a->release(handle.index, first.sequence) == Answer::kOk);
  CHECK(a->release(handle.index, first.sequence) == Answer::kLost);
  CHECK(a->try_lock(on(handle), second) == Answer::kOk);
  CHECK(second.sequence > first.sequence);
}

TEST_CASE("a waiter of another participant is handed the lock on release and rung") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*a, u"x");
  Granted held, wait;
  CHECK(a->lock(on(handle), held) == Answer::kOk);
  CHECK(b->lock(on(look_up(*b, u"x")), wait) == Answer::kWait);
  const auto ring = world.arena->participant(2).ring.load();
  CHECK(a->release(handle.index, held.sequence) == Answer::kOk);
  CHECK(world.arena->participant(2).ring.load() != ring);
  const Outcomes outcomes(*b);
  CHECK_EQUAL(outcomes.all.size(), 1u);
  CHECK(outcomes.all[0].outcome == Outcome::kGranted);
  CHECK_EQUAL(outcomes.all[0].grant.sequence, held.sequence + 1);
  CHECK(b->release(handle.index, outcomes.all[0].grant.sequence) == Answer::kOk);
  CHECK_EQUAL(b->waiting(), 0u);
  CHECK_EQUAL(b->slots_in_use(), 0u);
  CHECK_EQUAL(world.counter(Counter::kRescans), 0u);
  CHECK_EQUAL(Fast::of(world.arena->element(handle.index).fast.load()).queued, false);
}

TEST_CASE("a pass ends a grant and begins the next of the same participant, with the next sequence and its own tier") {
  World world;
  auto a = world.join(1);
  const Handle handle = look_up(*a, u"x");
  const Element& element = world.arena->element(handle.index);
  Granted first, second;
  CHECK(a->lock(on(handle, 1), first) == Answer::kOk);
  const std::uint64_t held = world.arena->held(1)[handle.index / 64].load();
  CHECK(held != 0);
  world.host.time += 1'000 * kNanosPerMilli;
  CHECK(a->pass(handle.index, first.sequence, 3, world.host.time, second) == Answer::kOk);
  CHECK_EQUAL(second.sequence, first.sequence + 1);
  CHECK(!second.owner_died);
  CHECK(!a->holds(handle.index, first.sequence));
  CHECK(a->holds(handle.index, second.sequence));
  CHECK_EQUAL(world.arena->held(1)[handle.index / 64].load(), held);
  CHECK_EQUAL(element.since.load(), since_word(world.arena->header(), world.host.time, 3));
  CHECK(a->release(handle.index, first.sequence) == Answer::kLost);
  CHECK(a->release(handle.index, second.sequence) == Answer::kOk);
  CHECK_EQUAL(world.arena->held(1)[handle.index / 64].load(), 0u);
  CHECK_EQUAL(a->slots_in_use(), 0u);
}

TEST_CASE("a pass of what is not held is refused as lost and changes nothing") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*a, u"x");
  const Element& element = world.arena->element(handle.index);
  Granted held, next;
  CHECK(a->pass(handle.index, 0, 1, world.host.time, next) == Answer::kLost);
  CHECK(a->lock(on(handle), held) == Answer::kOk);
  const std::uint64_t word = element.fast.load();
  CHECK(a->pass(handle.index, held.sequence - 1, 1, world.host.time, next) == Answer::kLost);
  CHECK(a->pass(handle.index, held.sequence + 1, 1, world.host.time, next) == Answer::kLost);
  CHECK(b->pass(handle.index, held.sequence, 1, world.host.time, next) == Answer::kLost);
  CHECK_EQUAL(element.fast.load(), word);
  Request steal = on(handle);
  steal.steal = true;
  Granted stolen;
  CHECK(b->lock(steal, stolen) == Answer::kOk);
  CHECK(a->pass(handle.index, held.sequence, 1, world.host.time, next) == Answer::kLost);
  CHECK(b->holds(handle.index, stolen.sequence));
}

TEST_CASE("a pass is refused as busy while another waits, who is then served on release") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*a, u"x");
  Granted held, wait, next;
  CHECK(a->lock(on(handle), held) == Answer::kOk);
  CHECK(a->holds_alone(handle.index));
  CHECK(!b->holds_alone(handle.index));
  CHECK(b->lock(on(handle), wait) == Answer::kWait);
  CHECK(!a->holds_alone(handle.index));
  CHECK(a->pass(handle.index, held.sequence, 1, world.host.time, next) == Answer::kBusy);
  CHECK(a->holds(handle.index, held.sequence));
  CHECK(!a->release_fast(handle.index, held.sequence));
  CHECK(a->holds(handle.index, held.sequence));
  CHECK(a->release(handle.index, held.sequence) == Answer::kOk);
  const Outcomes outcomes(*b);
  CHECK_EQUAL(outcomes.all.size(), 1u);
  CHECK_EQUAL(outcomes.all[0].grant.sequence, held.sequence + 1);
  CHECK(b->pass(handle.index, held.sequence + 1, 1, world.host.time, next) == Answer::kOk);  // nobody waits any more
  CHECK(b->release_fast(handle.index, held.sequence + 1) == false);
  CHECK(b->release_fast(handle.index, next.sequence));
}

TEST_CASE("a pass is refused as busy while the grant has a ttl") {
  World world;
  auto a = world.join(1);
  const Handle handle = look_up(*a, u"x");
  Request request = on(handle);
  request.ttl = 100;
  Granted held, next;
  CHECK(a->lock(request, held) == Answer::kOk);
  CHECK(a->pass(handle.index, held.sequence, 1, world.host.time, next) == Answer::kBusy);
  CHECK(a->release(handle.index, held.sequence) == Answer::kOk);
}

TEST_CASE("a fast release frees the lock at once, and leaves a lock alone that is another's") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*a, u"x");
  Granted held, next;
  CHECK(a->lock(on(handle), held) == Answer::kOk);
  CHECK(!b->release_fast(handle.index, held.sequence));
  CHECK(!a->release_fast(handle.index, held.sequence + 1));
  CHECK(a->release_fast(handle.index, held.sequence));
  CHECK_EQUAL(world.arena->held(1)[handle.index / 64].load(), 0u);
  CHECK(!a->release_fast(handle.index, held.sequence));
  CHECK(b->try_lock(on(handle), next) == Answer::kOk);
  CHECK(!a->release_fast(handle.index, next.sequence));
  CHECK(b->holds(handle.index, next.sequence));
}

TEST_CASE("tiers are served highest first and FIFO inside a tier") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*a, u"x");
  Granted held, wait;
  a->lock(on(handle), held);
  std::vector<WaiterId> ids;
  for (const std::uint32_t tier : {0u, 2u, 1u, 2u, 3u, 0u}) {
    world.host.time += 1000;
    CHECK(b->lock(on(handle, tier), wait) == Answer::kWait);
    ids.push_back(wait.waiter);
  }
  std::vector<WaiterId> served;
  std::uint64_t sequence = held.sequence;
  Member* holder = a.get();
  for (int i = 0; i < 6; i++) {
    holder->release(handle.index, sequence);
    const Outcomes outcomes(*b);
    CHECK_EQUAL(outcomes.all.size(), 1u);
    served.push_back(outcomes.all[0].waiter);
    sequence = outcomes.all[0].grant.sequence;
    holder = b.get();
  }
  CHECK((served == std::vector<WaiterId>{ids[4], ids[1], ids[3], ids[2], ids[0], ids[5]}));
}

TEST_CASE("shared holders share, a writer waits for them and later readers wait for the writer") {
  World world;
  auto a = world.join(1);
  const Handle handle = look_up(*a, u"x");
  Granted r1, r2, w, r3;
  CHECK(a->lock(shared(handle), r1) == Answer::kOk);
  CHECK(a->try_lock(shared(handle), r2) == Answer::kOk);
  CHECK(r2.sequence > r1.sequence);
  world.host.time += 1000;
  CHECK(a->lock(on(handle), w) == Answer::kWait);
  world.host.time += 1000;
  CHECK(a->lock(shared(handle), r3) == Answer::kWait);
  CHECK(a->release_shared(r1.waiter, r1.sequence) == Answer::kOk);
  CHECK_EQUAL(Outcomes(*a).all.size(), 0u);
  CHECK(a->release_shared(r2.waiter, r2.sequence) == Answer::kOk);
  const Outcomes writer(*a);
  CHECK_EQUAL(writer.all.size(), 1u);
  CHECK_EQUAL(writer.all[0].waiter, w.waiter);
  a->release(handle.index, writer.all[0].grant.sequence);
  const Outcomes reader(*a);
  CHECK_EQUAL(reader.all.size(), 1u);
  CHECK_EQUAL(reader.all[0].waiter, r3.waiter);
  CHECK(a->release_shared(reader.all[0].grant.waiter, reader.all[0].grant.sequence) == Answer::kOk);
  CHECK_EQUAL(a->slots_in_use(), 0u);
}

TEST_CASE("an aborted waiter is unlinked at once and passed over") {
  World world;
  auto a = world.join(1);
  const Handle handle = look_up(*a, u"x");
  Granted held, w1, w2, w3;
  a->lock(on(handle), held);
  a->lock(on(handle), w1);
  a->lock(on(handle), w2);
  a->lock(on(handle), w3);
  CHECK(a->abort(w2.waiter) == Answer::kOk);
  CHECK(a->abort(w2.waiter) == Answer::kLost);
  CHECK(a->abort(w1.waiter) == Answer::kOk);
  a->release(handle.index, held.sequence);
  const Outcomes outcomes(*a);
  CHECK_EQUAL(outcomes.all.size(), 1u);
  CHECK_EQUAL(outcomes.all[0].waiter, w3.waiter);
  a->release(handle.index, outcomes.all[0].grant.sequence);
  CHECK_EQUAL(a->slots_in_use(), 0u);
}

TEST_CASE("the lock of a dead holder passes on and the next holder is told") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*a, u"x");
  Granted held, wait;
  a->lock(on(handle), held);
  b->lock(on(handle), wait);
  world.kill(1);
  Lane waker(*world.arena, 2, Thread::kWaker);
  CHECK(sweep(waker, 1));
  const Outcomes outcomes(*b);
  CHECK_EQUAL(outcomes.all.size(), 1u);
  CHECK(outcomes.all[0].grant.owner_died);
  b->release(handle.index, outcomes.all[0].grant.sequence);
  Granted again;
  CHECK(b->try_lock(on(handle), again) == Answer::kOk);
  CHECK(!again.owner_died);
  auto reborn = world.join(1);
  CHECK(reborn != nullptr);
  CHECK_EQUAL(reborn->incarnation(), 2u);
}

TEST_CASE("a ttl ends a grant and the lock passes on") {
  World world;
  auto a = world.join(1);
  const Handle handle = look_up(*a, u"x");
  Request request = on(handle);
  request.ttl = 100;
  Granted held, wait;
  CHECK(a->lock(request, held) == Answer::kOk);
  CHECK(a->lock(on(handle), wait) == Answer::kWait);
  world.host.time += 99 * kNanosPerMilli;
  a->expire();
  CHECK_EQUAL(Outcomes(*a).all.size(), 0u);
  world.host.time += 3 * kNanosPerMilli;
  a->expire();
  const Outcomes outcomes(*a);
  CHECK_EQUAL(outcomes.all.size(), 1u);
  CHECK(a->take_revoked());
  CHECK(!a->holds(handle.index, held.sequence));
  CHECK(a->release(handle.index, held.sequence) == Answer::kLost);
  CHECK(a->holds(handle.index, outcomes.all[0].grant.sequence));
}

TEST_CASE("a deadline ends a wait") {
  World world;
  auto a = world.join(1);
  const Handle handle = look_up(*a, u"x");
  Granted held, wait;
  a->lock(on(handle), held);
  Request request = on(handle);
  request.deadline = world.host.time + 50 * kNanosPerMilli;
  CHECK(a->lock(request, wait) == Answer::kWait);
  world.host.time += 50 * kNanosPerMilli;
  a->expire();
  const Outcomes outcomes(*a);
  CHECK_EQUAL(outcomes.all.size(), 1u);
  CHECK(outcomes.all[0].outcome == Outcome::kTimedOut);
  CHECK_EQUAL(a->slots_in_use(), 0u);
}

TEST_CASE("steal takes the lock from holders of both modes and leaves the queue as it is") {
  World world;
  auto a = world.join(1);
  const Handle handle = look_up(*a, u"x");
  Granted r1, r2, w, s;
  a->lock(shared(handle), r1);
  a->lock(shared(handle), r2);
  a->lock(on(handle), w);
  Request steal = on(handle);
  steal.steal = true;
  CHECK(a->lock(steal, s) == Answer::kOk);
  Outcomes nothing(*a);
  CHECK_EQUAL(nothing.all.size(), 0u);
  CHECK(a->take_revoked());
  CHECK(!a->holds_shared(r1.waiter, r1.sequence));
  CHECK(a->release_shared(r1.waiter, r1.sequence) == Answer::kLost);
  CHECK(a->release_shared(r2.waiter, r2.sequence) == Answer::kLost);
  Granted s2;
  CHECK(a->lock(steal, s2) == Answer::kOk);
  CHECK(a->release(handle.index, s.sequence) == Answer::kLost);
  CHECK(a->release(handle.index, s2.sequence) == Answer::kOk);
  const Outcomes outcomes(*a);
  CHECK_EQUAL(outcomes.all.size(), 1u);
  CHECK_EQUAL(outcomes.all[0].waiter, w.waiter);
}

TEST_CASE("a waiter moved to a higher tier is served before those it left behind") {
  World world;
  auto a = world.join(1);
  const Handle handle = look_up(*a, u"x");
  Granted held, w1, w2;
  a->lock(on(handle), held);
  a->lock(on(handle, 1), w1);
  world.host.time += 1000;
  a->lock(on(handle, 0), w2);
  CHECK(a->upgrade(w2.waiter, 3) == Answer::kOk);
  a->release(handle.index, held.sequence);
  const Outcomes outcomes(*a);
  CHECK_EQUAL(outcomes.all[0].waiter, w2.waiter);
}

TEST_CASE("a low tier that has waited long enough goes before a newcomer of a high tier") {
  World world;
  auto a = world.join(1);
  const Handle handle = look_up(*a, u"x");
  Granted held, w1, w2;
  a->lock(on(handle), held);
  a->lock(on(handle, 1), w1);
  world.host.time += 60'001 * kNanosPerMilli;
  a->lock(on(handle, 3), w2);
  a->release(handle.index, held.sequence);
  CHECK_EQUAL(Outcomes(*a).all[0].waiter, w1.waiter);
}

TEST_CASE("endless distinct names recycle idle elements and tokens still grow per name") {
  World world;
  auto a = world.join(1);
  std::uint64_t last = 0;
  for (int i = 0; i < 5000; i++) {
    const std::u16string name = u"n" + std::u16string(1, static_cast<char16_t>('a' + i % 100)) + std::u16string(i % 70, u'z');
    const Handle handle = look_up(*a, name);
    Granted granted;
    CHECK(a->try_lock(on(handle), granted) == Answer::kOk);
    const std::uint64_t token = world.arena->element(handle.index).base.load() + granted.sequence;
    if (name == u"na") {
      CHECK(token > last);
      last = token;
    }
    CHECK(Table::name_of(*world.arena, handle.index) == name);
    a->release(handle.index, granted.sequence);
    world.host.time += 10 * kNanosPerMilli;
  }
  CHECK(world.counter(Counter::kRecycled) > 1000);
}

TEST_CASE("a handle of a recycled element is stale") {
  World world;
  auto a = world.join(1);
  const Handle first = look_up(*a, u"first");
  for (int i = 0; i < 500; i++) {
    look_up(*a, u"other" + std::u16string(1, static_cast<char16_t>(0x100 + i)));
    world.host.time += 2'000 * kNanosPerMilli;
  }
  Granted granted;
  CHECK(a->try_lock(on(first), granted) == Answer::kStale);
  CHECK(a->lock(shared(first), granted) == Answer::kStale);
  CHECK_EQUAL(a->slots_in_use(), 0u);
}

TEST_CASE("a full table refuses a new name and serves again when one is let go") {
  World world;
  auto a = world.join(1);
  std::vector<std::pair<Handle, Granted>> held;
  for (int i = 0; i < 64; i++) {
    const Handle handle = look_up(*a, std::u16string(1, static_cast<char16_t>(0x200 + i)));
    Granted granted;
    CHECK(a->try_lock(on(handle), granted) == Answer::kOk);
    held.emplace_back(handle, granted);
  }
  Handle handle;
  CHECK(a->lookup(Kind::kLock, u"more", 4, handle) == Found::kNoElements);
  a->release(held[5].first.index, held[5].second.sequence);
  CHECK(a->lookup(Kind::kLock, u"more", 4, handle) == Found::kOk);
}

TEST_CASE("a cycle of enclosed waits is found and its youngest wait named") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle x = look_up(*a, u"x");
  const Handle y = look_up(*a, u"y");
  Granted hx, hy, wy, wx;
  a->lock(on(x), hx);
  b->lock(on(y), hy);
  EnclosingGrant in_x{x.index, hx.sequence, kNoWaiter};
  EnclosingGrant in_y{y.index, hy.sequence, kNoWaiter};
  Request ry = on(y);
  ry.enclosing = &in_x;
  ry.enclosing_count = 1;
  CHECK(a->lock(ry, wy) == Answer::kWait);
  CHECK(find_cycle(*world.arena, a->slot_of(wy.waiter)).empty());
  world.host.time += 10;
  Request rx = on(x);
  rx.enclosing = &in_y;
  rx.enclosing_count = 1;
  CHECK(b->lock(rx, wx) == Answer::kWait);
  const auto cycle = find_cycle(*world.arena, a->slot_of(wy.waiter));
  CHECK_EQUAL(cycle.size(), 2u);
  CHECK_EQUAL(youngest(cycle), b->slot_of(wx.waiter));
  b->refuse(wx.waiter, SlotState::of(world.arena->slot(b->slot_of(wx.waiter)).state.load()).generation, Outcome::kDeadlock);
  const Outcomes outcomes(*b);
  CHECK_EQUAL(outcomes.all.size(), 1u);
  CHECK(outcomes.all[0].outcome == Outcome::kDeadlock);
  CHECK_EQUAL(b->slots_in_use(), 0u);
}

TEST_CASE("ten thousand waiters in one environment are all served in order") {
  Capacity capacity = World::small();
  capacity.slots = 128 * kChunkSlots;
  World world(capacity);
  auto a = world.join(1);
  const Handle handle = look_up(*a, u"x");
  Granted held;
  a->lock(on(handle), held);
  std::vector<WaiterId> ids;
  for (int i = 0; i < 10'000; i++) {
    Granted wait;
    CHECK(a->lock(on(handle), wait) == Answer::kWait);
    ids.push_back(wait.waiter);
  }
  for (int i = 0; i < 10'000; i++) {
    CHECK(a->release(handle.index, held.sequence) == Answer::kOk);
    const Outcomes outcomes(*a);
    CHECK_EQUAL(outcomes.all.size(), 1u);
    CHECK_EQUAL(outcomes.all[0].waiter, ids[static_cast<std::size_t>(i)]);
    held = outcomes.all[0].grant;
  }
  a->release(handle.index, held.sequence);
  CHECK_EQUAL(a->slots_in_use(), 0u);
  CHECK_EQUAL(world.counter(Counter::kRescans), 0u);
}

TEST_CASE("a grant that nobody took is taken back and offered to the next, and the sleeper stays at the head") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  auto c = world.join(3);
  const Handle handle = look_up(*a, u"x");
  Granted held, wb, wc, wc2;
  a->lock(on(handle), held);
  world.host.time += 1000;
  b->lock(on(handle), wb);
  world.host.time += 1000;
  c->lock(on(handle), wc);
  world.host.time += 1000;
  c->lock(on(handle), wc2);
  a->release(handle.index, held.sequence);  // b has it and sleeps
  Lane waker(*world.arena, 3, Thread::kWaker);
  GateKeeper(waker, handle.index).reclaim(b->slot_of(wb.waiter));
  const Outcomes next(*c);
  CHECK_EQUAL(next.all.size(), 1u);
  CHECK_EQUAL(next.all[0].waiter, wc.waiter);
  CHECK(next.all[0].grant.sequence > held.sequence + 1);
  CHECK_EQUAL(Outcomes(*b).all.size(), 0u);
  c->release(handle.index, next.all[0].grant.sequence);
  CHECK_EQUAL(Outcomes(*c).all.size(), 0u);
  const Outcomes woken(*b);
  CHECK_EQUAL(woken.all.size(), 1u);
  GateKeeper(waker, handle.index).reclaim(b->slot_of(wb.waiter));  // taken: nothing happens
  CHECK(b->holds(handle.index, woken.all[0].grant.sequence));
  b->release(handle.index, woken.all[0].grant.sequence);
  const Outcomes last(*c);
  CHECK_EQUAL(last.all.size(), 1u);
  c->release(handle.index, last.all[0].grant.sequence);
  CHECK_EQUAL(b->slots_in_use(), 0u);
  CHECK_EQUAL(c->slots_in_use(), 0u);
}

TEST_CASE("a grant that nobody took is kept when nobody else waits, or its waiter gives up") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const Handle handle = look_up(*a, u"x");
  Granted held, wb;
  a->lock(on(handle), held);
  b->lock(on(handle), wb);
  a->release(handle.index, held.sequence);
  Lane waker(*world.arena, 1, Thread::kWaker);
  GateKeeper(waker, handle.index).reclaim(b->slot_of(wb.waiter));
  CHECK_EQUAL(Fast::of(world.arena->element(handle.index).fast.load()).owner, 2u);  // offered to it once more
  CHECK(b->abort(wb.waiter) == Answer::kOk);
  CHECK_EQUAL(Fast::of(world.arena->element(handle.index).fast.load()).owner, 0u);
  Granted again;
  CHECK(a->try_lock(on(handle), again) == Answer::kOk);
}

// What a wait in an arena that turns out to be damaged in the middle of its end comes to.
struct Interrupted {
  World world;
  std::unique_ptr<Member> a = world.join(1), b = world.join(2);
  Handle handle = look_up(*a, u"x");
  Granted held, wait;

  Interrupted() {
    Request request = on(handle);
    request.deadline = world.host.time + 50 * kNanosPerMilli;
    CHECK(a->lock(on(handle), held) == Answer::kOk);
    CHECK(b->lock(request, wait) == Answer::kWait);
    // Its own slot in place of the grants that enclose it: found out when the slot is let go.
    world.arena->slot(b->slot_of(wait.waiter)).enclosing.set(b->slot_of(wait.waiter));
  }
  std::vector<Settled> told() {
    b->fail_all(Outcome::kCorrupt);
    std::vector<Settled> all;
    while (b->has_settled()) all.push_back(b->next_settled());
    return all;
  }
};

TEST_CASE("a wait that is granted while its slot is damaged is told so, once") {
  Interrupted it;
  CHECK(it.a->release(it.handle.index, it.held.sequence) == Answer::kOk);
  CHECK(is_corrupt([&] { it.b->collect(); }));
  const auto told = it.told();
  CHECK_EQUAL(told.size(), 1u);
  CHECK_EQUAL(told[0].waiter, it.wait.waiter);
  CHECK(told[0].outcome == Outcome::kCorrupt);
}

TEST_CASE("a wait whose time is over while its slot is damaged is told so, once, granted meanwhile or not") {
  for (const bool granted : {false, true}) {
    Interrupted it;
    if (granted) CHECK(it.a->release(it.handle.index, it.held.sequence) == Answer::kOk);
    it.world.host.time += 50 * kNanosPerMilli;
    CHECK(is_corrupt([&] { it.b->expire(); }));
    const auto told = it.told();
    CHECK_EQUAL(told.size(), 1u);
    CHECK_EQUAL(told[0].waiter, it.wait.waiter);
  }
}

TEST_CASE("a wait that its caller gave up is told nothing when the arena turns out to be damaged") {
  Interrupted it;
  CHECK(is_corrupt([&] { it.b->abort(it.wait.waiter); }));
  CHECK_EQUAL(it.told().size(), 0u);
}

TEST_CASE("a grant to a slot that says it is ours, and is not, is called damage") {
  Interrupted it;
  const std::uint32_t chunk = (it.b->slot_of(it.wait.waiter) - 1) / kChunkSlots;
  it.world.arena->chunk_owner(chunk).store(ChunkOwner{1, it.a->incarnation()}.word());
  CHECK(it.a->release(it.handle.index, it.held.sequence) == Answer::kOk);
  CHECK(is_corrupt([&] { it.a->collect(); }));
}

TEST_MAIN()
