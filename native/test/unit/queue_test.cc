#include "core/queue.h"

#include <cstring>
#include <set>
#include <thread>

#include "test/check.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

Capacity with_heap(std::uint32_t pages = 64) {
  Capacity capacity = World::small();
  capacity.heap = pages;
  return capacity;
}

QueueId attach(Member& member, QueueConfig wanted = {4, 64}, const std::u16string& name = u"q") {
  QueueId id = 0;
  QueueConfig stored{};
  const Attached attached = member.attach(name.data(), name.size(), wanted, id, stored);
  CHECK_EQUAL(static_cast<int>(attached), static_cast<int>(Attached::kOk));
  return id;
}

Answer offer(Member& member, QueueId id, const std::string& text, std::uint32_t tier = 1) {
  return member.offer(id, tier, text.data(), static_cast<std::uint32_t>(text.size()));
}

std::string text_of(Member& member, QueueId id, const Granted& granted) {
  Item item;
  CHECK(member.look(id, granted.sequence, item));
  return {reinterpret_cast<const char*>(item.bytes), item.length};
}

std::uint32_t attempt_of(Member& member, QueueId id, const Granted& granted) {
  Item item;
  CHECK(member.look(id, granted.sequence, item));
  return item.attempt;
}

// The text of the next record, acknowledged; empty when there is none.
std::string next(Member& member, QueueId id) {
  Granted granted;
  if (member.poll(id, granted) != Answer::kOk) return "";
  const std::string text = text_of(member, id, granted);
  CHECK(member.acknowledge(id, granted.sequence) == Answer::kOk);
  return text;
}

Request plain_wait(std::uint32_t tier = 1, Nanos deadline = 0) {
  Request request;
  request.tier = tier;
  request.deadline = deadline;
  return request;
}

// All of its room can be used, and nothing is left in it.
void expect_sound(Member& member, QueueId id) {
  while (!next(member, id).empty()) {
  }
  const std::uint32_t capacity = member.queue(id).config().capacity;
  for (std::uint32_t lap = 0; lap < 3; lap++) {
    for (std::uint32_t i = 0; i < capacity; i++) CHECK(offer(member, id, "r" + std::to_string(i)) == Answer::kOk);
    CHECK(offer(member, id, "over") == Answer::kBusy);
    CHECK_EQUAL(member.queue(id).size(), capacity);
    for (std::uint32_t i = 0; i < capacity; i++) CHECK_EQUAL(next(member, id), "r" + std::to_string(i));
    CHECK_EQUAL(next(member, id), "");
  }
}

}  // namespace

TEST_CASE("records come out in the order in which they went in, lap after lap") {
  World world(with_heap());
  auto a = world.join(1);
  const QueueId q = attach(*a, {3, 64});  // rings have four places
  for (int i = 0; i < 50; i++) {
    CHECK(offer(*a, q, "x" + std::to_string(i)) == Answer::kOk);
    CHECK(offer(*a, q, "y" + std::to_string(i)) == Answer::kOk);
    CHECK_EQUAL(next(*a, q), "x" + std::to_string(i));
    CHECK_EQUAL(next(*a, q), "y" + std::to_string(i));
  }
  CHECK_EQUAL(next(*a, q), "");
  expect_sound(*a, q);
}

TEST_CASE("a queue of one record works") {
  World world(with_heap());
  auto a = world.join(1);
  const QueueId q = attach(*a, {1, 8});
  for (int i = 0; i < 20; i++) {
    CHECK(offer(*a, q, std::to_string(i)) == Answer::kOk);
    CHECK(offer(*a, q, "no") == Answer::kBusy);
    CHECK_EQUAL(next(*a, q), std::to_string(i));
  }
}

TEST_CASE("higher tiers first, FIFO inside a tier") {
  World world(with_heap());
  auto a = world.join(1);
  const QueueId q = attach(*a, {8, 64});
  for (const char* text : {"1a", "3a", "0a", "3b", "1b", "2a"})
    CHECK(offer(*a, q, text, static_cast<std::uint32_t>(text[0] - '0')) == Answer::kOk);
  CHECK_EQUAL(a->queue(q).size(), 6u);
  CHECK_EQUAL(a->queue(q).size(3), 2u);
  for (const char* text : {"3a", "3b", "2a", "1a", "1b", "0a"}) CHECK_EQUAL(next(*a, q), text);
  CHECK_EQUAL(a->queue(q).size(), 0u);
}

TEST_CASE("records in hand take room until they are acknowledged") {
  World world(with_heap());
  auto a = world.join(1);
  const QueueId q = attach(*a, {2, 64});
  CHECK(offer(*a, q, "a") == Answer::kOk);
  CHECK(offer(*a, q, "b") == Answer::kOk);
  Granted first;
  CHECK(a->poll(q, first) == Answer::kOk);
  CHECK_EQUAL(a->queue(q).size(), 1u);
  CHECK(offer(*a, q, "c") == Answer::kBusy);
  CHECK(a->acknowledge(q, first.sequence) == Answer::kOk);
  CHECK(a->acknowledge(q, first.sequence) == Answer::kLost);
  CHECK(offer(*a, q, "c") == Answer::kOk);
  CHECK(a->acknowledge(q, first.sequence) == Answer::kLost);  // the cell is another's record by now
}

TEST_CASE("what is given back comes first of its tier, with one attempt more") {
  World world(with_heap());
  auto a = world.join(1);
  const QueueId q = attach(*a);
  for (const char* text : {"a", "b", "c"}) CHECK(offer(*a, q, text) == Answer::kOk);
  CHECK(offer(*a, q, "low", 0) == Answer::kOk);
  Granted first, again;
  CHECK(a->poll(q, first) == Answer::kOk);
  CHECK_EQUAL(attempt_of(*a, q, first), 1u);
  CHECK(a->put_back(q, first.sequence) == Answer::kOk);
  CHECK(a->put_back(q, first.sequence) == Answer::kLost);
  CHECK_EQUAL(a->queue(q).size(), 4u);
  CHECK(a->poll(q, again) == Answer::kOk);
  CHECK_EQUAL(text_of(*a, q, again), "a");
  CHECK_EQUAL(attempt_of(*a, q, again), 2u);
  CHECK(a->acknowledge(q, again.sequence) == Answer::kOk);
  for (const char* text : {"b", "c", "low"}) CHECK_EQUAL(next(*a, q), text);
  expect_sound(*a, q);
}

TEST_CASE("the first opener's room stands; another that asks for other room is told") {
  World world(with_heap());
  auto a = world.join(1);
  auto b = world.join(2);
  attach(*a, {4, 100});
  QueueId id = 9;
  QueueConfig stored{};
  CHECK(b->attach(u"q", 1, {5, 0}, id, stored) == Attached::kConfig);
  CHECK_EQUAL(stored.capacity, 4u);
  CHECK_EQUAL(stored.max_bytes, 100u);
  CHECK(b->attach(u"q", 1, {0, 64}, id, stored) == Attached::kConfig);
  CHECK(b->attach(u"q", 1, {0, 0}, id, stored) == Attached::kOk);
  CHECK(b->attach(u"q", 1, {4, 100}, id, stored) == Attached::kOk);
  CHECK_EQUAL(id, 0u);
  CHECK(b->attach(u"other", 5, {0, 0}, id, stored) == Attached::kNoHeap);  // 1024 records of 1024 bytes
  CHECK(b->attach(u"other", 5, {2, 0}, id, stored) == Attached::kOk);
  CHECK_EQUAL(id, 1u);
  CHECK_EQUAL(stored.max_bytes, kDefaultItemBytes);
}

TEST_CASE("what is too long, or of no tier, is refused before anything happens") {
  World world(with_heap());
  auto a = world.join(1);
  const QueueId q = attach(*a);
  CHECK(offer(*a, q, std::string(65, 'x')) == Answer::kBadArgument);
  CHECK(offer(*a, q, "x", 4) == Answer::kBadArgument);
  CHECK(offer(*a, q, std::string(64, 'x')) == Answer::kOk);
  CHECK_EQUAL(next(*a, q), std::string(64, 'x'));
  CHECK(offer(*a, q, "") == Answer::kOk);
  Granted granted;
  CHECK(a->poll(q, granted) == Answer::kOk);
  CHECK_EQUAL(text_of(*a, q, granted), "");
  CHECK(a->acknowledge(q, granted.sequence) == Answer::kOk);
  expect_sound(*a, q);
}

TEST_CASE("nobody but its taker can look at a record, acknowledge it or give it back") {
  World world(with_heap());
  auto a = world.join(1);
  auto b = world.join(2);
  const QueueId q = attach(*a);
  const QueueId other = attach(*b, {0, 0});
  CHECK(offer(*a, q, "a") == Answer::kOk);
  Granted granted;
  CHECK(a->poll(q, granted) == Answer::kOk);
  Item item;
  CHECK(!b->look(other, granted.sequence, item));
  CHECK(b->acknowledge(other, granted.sequence) == Answer::kLost);
  CHECK(b->put_back(other, granted.sequence) == Answer::kLost);
  for (const std::uint64_t nonsense : {~0ull, 0ull, 3ull, 1ull << 49}) {
    CHECK(a->acknowledge(q, nonsense) == Answer::kLost);
    CHECK(a->fill(q, nonsense, 1, "x", 1) == Answer::kLost);
  }
  CHECK(a->acknowledge(q, granted.sequence) == Answer::kOk);
}

TEST_CASE("a consumer that waits is given the record that comes, and is rung") {
  World world(with_heap());
  auto a = world.join(1);
  auto b = world.join(2);
  const QueueId q = attach(*a);
  const QueueId other = attach(*b, {0, 0});
  Granted wait;
  CHECK(b->wait_for_item(other, plain_wait(), wait) == Answer::kWait);
  const std::uint32_t ring = world.arena->participant(2).ring.load();
  CHECK(offer(*a, q, "a") == Answer::kOk);
  CHECK(world.arena->participant(2).ring.load() != ring);
  Granted stolen;
  CHECK(a->poll(q, stolen) == Answer::kBusy);  // it is the waiter's
  const auto settled = ended(*b);
  CHECK_EQUAL(settled.size(), 1u);
  CHECK_EQUAL(settled[0].waiter, wait.waiter);
  CHECK_EQUAL(text_of(*b, other, settled[0].grant), "a");
  CHECK_EQUAL(attempt_of(*b, other, settled[0].grant), 1u);
  CHECK(b->acknowledge(other, settled[0].grant.sequence) == Answer::kOk);
  CHECK_EQUAL(b->waiting(), 0u);
  expect_sound(*a, q);
}

TEST_CASE("consumers are served by tier and arrival, one record each") {
  World world(with_heap());
  auto a = world.join(1);
  const QueueId q = attach(*a);
  Granted low, first, second, high;
  CHECK(a->wait_for_item(q, plain_wait(0), low) == Answer::kWait);
  world.host.time += 10;
  CHECK(a->wait_for_item(q, plain_wait(1), first) == Answer::kWait);
  world.host.time += 10;
  CHECK(a->wait_for_item(q, plain_wait(1), second) == Answer::kWait);
  world.host.time += 10;
  CHECK(a->wait_for_item(q, plain_wait(3), high) == Answer::kWait);
  for (const char* text : {"a", "b", "c", "d"}) CHECK(offer(*a, q, text) == Answer::kOk);
  const auto settled = ended(*a);
  CHECK_EQUAL(settled.size(), 4u);
  CHECK_EQUAL(settled[0].waiter, high.waiter);
  CHECK_EQUAL(settled[1].waiter, first.waiter);
  CHECK_EQUAL(settled[2].waiter, second.waiter);
  CHECK_EQUAL(settled[3].waiter, low.waiter);
  CHECK_EQUAL(text_of(*a, q, settled[0].grant), "a");
  CHECK_EQUAL(text_of(*a, q, settled[3].grant), "d");
  for (const Settled& one : settled) CHECK(a->acknowledge(q, one.grant.sequence) == Answer::kOk);
  expect_sound(*a, q);
}

TEST_CASE("a producer that waits is given the room that comes, and those that come later do not pass it") {
  World world(with_heap());
  auto a = world.join(1);
  auto b = world.join(2);
  const QueueId q = attach(*a, {1, 64});
  const QueueId other = attach(*b, {0, 0});
  CHECK(offer(*a, q, "a") == Answer::kOk);
  Granted first, second, taken;
  CHECK(b->wait_for_room(other, plain_wait(), first) == Answer::kWait);
  CHECK(a->wait_for_room(q, plain_wait(), second) == Answer::kWait);
  CHECK(a->poll(q, taken) == Answer::kOk);
  CHECK(a->acknowledge(q, taken.sequence) == Answer::kOk);
  CHECK(offer(*a, q, "passes") == Answer::kBusy);
  const auto settled = ended(*b);
  CHECK_EQUAL(settled.size(), 1u);
  CHECK(b->fill(other, settled[0].grant.sequence, 2, "b", 1) == Answer::kOk);
  CHECK(b->fill(other, settled[0].grant.sequence, 2, "b", 1) == Answer::kLost);
  CHECK_EQUAL(next(*a, q), "b");
  const auto then = ended(*a);
  CHECK_EQUAL(then.size(), 1u);
  CHECK(a->put_back(q, then[0].grant.sequence) == Answer::kOk);  // its environment wants it no more
  expect_sound(*a, q);
}

TEST_CASE("who does not wait passes nobody, even while another is busy in the gate") {
  World world(with_heap());
  auto a = world.join(1);
  auto b = world.join(2);
  const QueueId q = attach(*a, {1, 64});
  const QueueId other = attach(*b, {0, 0});
  const auto inside = [&](ElementIndex index, LaneId lane) {
    auto& gate = world.arena->element(index).gate;
    forelock::core::Gate word = forelock::core::Gate::of(gate.load());
    word.holder = lane;
    if (lane == 0) word.poke = false;
    gate.store(word.word());
  };
  Granted wait, taken;
  CHECK(b->wait_for_item(other, plain_wait(), wait) == Answer::kWait);
  inside(a->queue(q).items(), lane_of(2, Thread::kWaker));
  CHECK(offer(*a, q, "theirs") == Answer::kOk);
  CHECK(a->poll(q, taken) == Answer::kBusy);
  inside(a->queue(q).items(), 0);
  CHECK(a->poll(q, taken) == Answer::kBusy);
  auto settled = ended(*b);
  CHECK_EQUAL(settled.size(), 1u);
  CHECK(a->wait_for_room(q, plain_wait(), wait) == Answer::kWait);
  inside(a->queue(q).room(), lane_of(2, Thread::kWaker));
  CHECK(b->acknowledge(other, settled[0].grant.sequence) == Answer::kOk);
  CHECK(b->offer(other, 1, "x", 1) == Answer::kBusy);
  inside(a->queue(q).room(), 0);
  CHECK(b->offer(other, 1, "x", 1) == Answer::kBusy);
  CHECK_EQUAL(ended(*a).size(), 1u);
}

TEST_CASE("a wait that is given up takes nothing with it") {
  World world(with_heap());
  auto a = world.join(1);
  auto b = world.join(2);
  const QueueId q = attach(*a);
  const QueueId other = attach(*b, {0, 0});
  Granted one, two;
  CHECK(b->wait_for_item(other, plain_wait(), one) == Answer::kWait);
  CHECK(a->wait_for_item(q, plain_wait(), two) == Answer::kWait);
  CHECK(b->abort(one.waiter) == Answer::kOk);
  CHECK(offer(*a, q, "a") == Answer::kOk);
  CHECK(b->wait_for_item(other, plain_wait(), one) == Answer::kWait);
  const auto settled = ended(*a);
  CHECK_EQUAL(settled.size(), 1u);
  CHECK(a->acknowledge(q, settled[0].grant.sequence) == Answer::kOk);
  // Given up after it was served, before it was told: the record is the next one's, as if it had never been delivered.
  CHECK(offer(*a, q, "b") == Answer::kOk);
  CHECK(b->abort(one.waiter) == Answer::kOk);
  Granted granted;
  CHECK(a->poll(q, granted) == Answer::kOk);
  CHECK_EQUAL(text_of(*a, q, granted), "b");
  CHECK_EQUAL(attempt_of(*a, q, granted), 1u);
  CHECK(a->acknowledge(q, granted.sequence) == Answer::kOk);
  expect_sound(*a, q);
}

TEST_CASE("a wait past its deadline ends, and is not served") {
  World world(with_heap());
  auto a = world.join(1);
  const QueueId q = attach(*a);
  Granted wait;
  CHECK(a->wait_for_item(q, plain_wait(1, world.host.time + 100), wait) == Answer::kWait);
  world.host.time += 200;
  CHECK(offer(*a, q, "a") == Answer::kOk);
  a->expire();
  const auto settled = ended(*a);
  CHECK_EQUAL(settled.size(), 1u);
  CHECK(settled[0].outcome == Outcome::kTimedOut);
  CHECK_EQUAL(next(*a, q), "a");
}

TEST_CASE("what a dead consumer had in hand goes to another, first, with its attempts counted") {
  World world(with_heap());
  auto a = world.join(1);
  auto b = world.join(2);
  const QueueId q = attach(*a);
  const QueueId other = attach(*b, {0, 0});
  for (const char* text : {"a", "b", "c", "d"}) CHECK(offer(*a, q, text) == Answer::kOk);
  Granted granted;
  CHECK(b->poll(other, granted) == Answer::kOk);
  CHECK(b->poll(other, granted) == Answer::kOk);
  world.kill(2);
  Lane waker(*world.arena, 1, Thread::kWaker);
  CHECK(sweep_all(waker));
  for (const char* text : {"a", "b"}) {
    CHECK(a->poll(q, granted) == Answer::kOk);
    CHECK_EQUAL(text_of(*a, q, granted), text);
    CHECK_EQUAL(attempt_of(*a, q, granted), 2u);
    CHECK(a->acknowledge(q, granted.sequence) == Answer::kOk);
  }
  for (const char* text : {"c", "d"}) CHECK_EQUAL(next(*a, q), text);
  expect_sound(*a, q);
  CHECK(world.join(2) != nullptr);
}

TEST_CASE("what a dead consumer had in hand goes to those who wait") {
  World world(with_heap());
  auto a = world.join(1);
  auto b = world.join(2);
  const QueueId q = attach(*a);
  const QueueId other = attach(*b, {0, 0});
  CHECK(offer(*a, q, "a") == Answer::kOk);
  Granted granted, wait;
  CHECK(b->poll(other, granted) == Answer::kOk);
  CHECK(a->wait_for_item(q, plain_wait(), wait) == Answer::kWait);
  world.kill(2);
  Lane waker(*world.arena, 1, Thread::kWaker);
  CHECK(sweep_all(waker));
  const auto settled = ended(*a);
  CHECK_EQUAL(settled.size(), 1u);
  CHECK_EQUAL(attempt_of(*a, q, settled[0].grant), 2u);
}

TEST_CASE("a record that was being written by one that died is never seen, and its room comes back") {
  World world(with_heap());
  auto a = world.join(1);
  auto b = world.join(2);
  const QueueId q = attach(*a, {1, 64});
  const QueueId other = attach(*b, {0, 0});
  Granted room;
  CHECK(b->wait_for_room(other, plain_wait(), room) == Answer::kOk);
  CHECK(offer(*a, q, "a") == Answer::kBusy);
  Granted wait;
  CHECK(a->wait_for_room(q, plain_wait(), wait) == Answer::kWait);
  world.kill(2);
  Lane waker(*world.arena, 1, Thread::kWaker);
  CHECK(sweep_all(waker));
  const auto settled = ended(*a);
  CHECK_EQUAL(settled.size(), 1u);
  CHECK(a->fill(q, settled[0].grant.sequence, 1, "a", 1) == Answer::kOk);
  CHECK_EQUAL(next(*a, q), "a");
  expect_sound(*a, q);
}

TEST_CASE("what was given to a wait of one that died before it looked goes to another as a first delivery") {
  World world(with_heap());
  auto a = world.join(1);
  auto b = world.join(2);
  const QueueId q = attach(*a);
  const QueueId other = attach(*b, {0, 0});
  Granted wait;
  CHECK(b->wait_for_item(other, plain_wait(), wait) == Answer::kWait);
  CHECK(offer(*a, q, "a") == Answer::kOk);
  world.kill(2);
  Lane waker(*world.arena, 1, Thread::kWaker);
  CHECK(sweep_all(waker));
  Granted granted;
  CHECK(a->poll(q, granted) == Answer::kOk);
  CHECK_EQUAL(attempt_of(*a, q, granted), 1u);
  CHECK(a->acknowledge(q, granted.sequence) == Answer::kOk);
  expect_sound(*a, q);
}

TEST_CASE("what an environment has in hand when it leaves goes back at once") {
  World world(with_heap());
  auto a = world.join(1);
  auto b = world.join(2);
  const QueueId q = attach(*a);
  const QueueId other = attach(*b, {0, 0});
  CHECK(offer(*a, q, "a") == Answer::kOk);
  Granted granted, wait;
  CHECK(b->poll(other, granted) == Answer::kOk);
  CHECK(b->wait_for_item(other, plain_wait(), wait) == Answer::kWait);
  b->abandon_all();
  CHECK(a->poll(q, granted) == Answer::kOk);
  CHECK_EQUAL(attempt_of(*a, q, granted), 2u);
}

TEST_CASE("a queue stays where it is when the table is full, or text runs out") {
  Capacity capacity = with_heap();
  capacity.elements = 8;
  World world(capacity);
  auto a = world.join(1);
  const std::u16string name(100, u'l');
  const QueueId q = attach(*a, {4, 64}, name);
  CHECK(offer(*a, q, "a") == Answer::kOk);
  for (char16_t c = 0; c < 30; c++) {
    const std::u16string other = std::u16string(1000, static_cast<char16_t>(u'a' + c));
    Handle handle{};
    a->lookup(Kind::kLock, other.data(), other.size(), handle);
    world.host.time += 2'000'000'000;
  }
  auto b = world.join(2);
  CHECK_EQUAL(next(*b, attach(*b, {0, 0}, name)), "a");
}

TEST_CASE("a sweep leaves what is in order as it is") {
  World world(with_heap());
  auto a = world.join(1);
  const QueueId q = attach(*a, {3, 64});
  for (int turn = 0; turn < 4; turn++) {
    auto b = world.join(2);
    attach(*b, {0, 0});
    for (const char* text : {"a", "b", "c"}) CHECK(offer(*a, q, text) == Answer::kOk);
    world.kill(2);
    Lane waker(*world.arena, 1, Thread::kWaker);
    CHECK(sweep_all(waker));
    for (const char* text : {"a", "b", "c"}) CHECK_EQUAL(next(*a, q), text);
    CHECK(offer(*a, q, "turns the cells round") == Answer::kOk);
    next(*a, q);
  }
}

TEST_CASE("a head that its taker did not move is moved, even when its place is in use again") {
  World world(with_heap());
  auto a = world.join(1);
  const QueueId q = attach(*a, {2, 64});  // as many places as records
  for (const char* text : {"a", "b"}) CHECK(offer(*a, q, text) == Answer::kOk);
  for (const char* text : {"a", "b"}) CHECK_EQUAL(next(*a, q), text);
  auto& head = a->queue(q).record().rings[fresh_ring(1)].head;
  head.store(head.load() - 1);  // the taker of b died right after it had it
  for (const char* text : {"c", "d"}) CHECK(offer(*a, q, text) == Answer::kOk);
  for (const char* text : {"c", "d"}) CHECK_EQUAL(next(*a, q), text);
  expect_sound(*a, q);
}

TEST_CASE("heads and tails that were set back by many laps cost neither a record, nor room, nor the order") {
  for (const std::uint64_t laps : {1, 2, 9}) {
    World world(with_heap());
    auto a = world.join(1);
    const QueueId q = attach(*a, {4, 64});
    for (int i = 0; i < 41; i++) {
      CHECK(offer(*a, q, "before") == Answer::kOk);
      next(*a, q);
    }
    for (const char* text : {"a", "b", "c"}) CHECK(offer(*a, q, text) == Answer::kOk);
    // As by those who were stopped just before they moved them, and went on so much later.
    QueueRecord& record = a->queue(q).record();
    for (const std::uint32_t ring : {kFreeRing, fresh_ring(1)}) {
      for (auto* position : {&record.rings[ring].head, &record.rings[ring].tail}) position->store(position->load() - 4 * laps + 1);
    }
    CHECK_EQUAL(a->queue(q).size(), 3u);
    auto b = world.join(2);
    const QueueId there = attach(*b, {0, 0});
    CHECK(offer(*b, there, "d") == Answer::kOk);
    CHECK(offer(*b, there, "over") == Answer::kBusy);
    for (const char* text : {"a", "b", "c", "d"}) CHECK_EQUAL(next(*a, q), text);
    CHECK_EQUAL(next(*b, there), "");
    expect_sound(*b, there);
  }
}

TEST_CASE("a cell that was given a ticket under which another was linked meanwhile is put all the same") {
  World world(with_heap());
  auto a = world.join(1);
  auto b = world.join(2);
  const QueueId q = attach(*a, {4, 64});
  attach(*b, {0, 0});
  for (const char* text : {"a", "b"}) CHECK(offer(*a, q, text) == Answer::kOk);
  Granted first, second;
  CHECK(a->poll(q, first) == Answer::kOk && b->poll(0, second) == Answer::kOk);
  // b has given its cell the next ticket, and stands before the link; a's comes in under that ticket.
  const Queue& queue = b->queue(0);
  auto& state = queue.cell(CellHandle::cell(second.sequence)).state;
  state.store(CellWord{CellStatus::kFree, kFreeRing, 0, queue.record().rings[kFreeRing].tail.load()}.word());
  CHECK(a->acknowledge(q, first.sequence) == Answer::kOk);
  CHECK(queue.put_anyhow({CellHandle::cell(second.sequence), state.load()}, kFreeRing));
  expect_sound(*a, q);
}

TEST_CASE("a put that a sweeper goes on with is over only when its cell is linked, though the sweeper stopped before") {
  World world(with_heap());
  auto a = world.join(1);
  const QueueId q = attach(*a, {2, 64});
  for (const char* text : {"a", "b"}) CHECK(offer(*a, q, text) == Answer::kOk);
  Granted first, second;
  CHECK(a->poll(q, first) == Answer::kOk && a->poll(q, second) == Answer::kOk);
  const Queue& queue = a->queue(q);
  const std::uint64_t ticket = queue.record().rings[kFreeRing].tail.load();
  const auto given = [](std::uint64_t under) { return CellWord{CellStatus::kFree, kFreeRing, 0, under}.word(); };
  // The second is given back, as far as its ticket; the first comes in under that, and a sweeper gives the second the next one.
  const std::uint32_t cell = CellHandle::cell(second.sequence);
  queue.cell(cell).state.store(given(ticket));
  CHECK(a->acknowledge(q, first.sequence) == Answer::kOk);
  queue.cell(cell).state.store(given(ticket + 1));
  CHECK(queue.put_anyhow({cell, given(ticket)}, kFreeRing));
  for (const char* text : {"c", "d"}) CHECK(offer(*a, q, text) == Answer::kOk);
  for (const char* text : {"c", "d"}) CHECK_EQUAL(next(*a, q), text);
  expect_sound(*a, q);
}

TEST_CASE("damaged rings and cells are told, and nothing is read outside of the record") {
  for (int what = 0; what < 5; what++) {
    World world(with_heap());
    auto a = world.join(1);
    const QueueId q = attach(*a);
    CHECK(offer(*a, q, "a") == Answer::kOk);
    const std::uint64_t offset = world.arena->element(a->queue(q).items()).base.load();
    QueueRecord& record = world.arena->record<QueueRecord>(offset);
    auto* entries = reinterpret_cast<atomic<std::uint64_t>*>(reinterpret_cast<unsigned char*>(&record) + sizeof(QueueRecord));
    bool told = false;
    try {
      if (what == 0) entries[4 * fresh_ring(1)].store(entries[4 * fresh_ring(1)].load() | 0xfffff);
      if (what == 1) record.capacity.set(1u << 30);
      if (what == 2) record.max_bytes.set(0);
      if (what == 3) a->queue(q).cell(0).length.set(1u << 20);
      if (what == 4) a->queue(q).cell(2).state.store(~0ull);
      if (what == 1 || what == 2) (void)Queue(*world.arena, offset);
      if (what == 4) a->queue(q).recover({1, 1}, true);
      Granted granted;
      Item item;
      if (what == 0 || what == 3) CHECK(a->poll(q, granted) == Answer::kOk && a->look(q, granted.sequence, item));
    } catch (const Corrupt&) {
      told = true;
    }
    CHECK(told);
  }
}

TEST_CASE("threads that produce, consume, wait and give back lose nothing, double nothing and keep each producer's order") {
  constexpr int kEach = 20'000;
  World world(with_heap());
  auto first = world.join(1);
  attach(*first, {8, 64});
  std::atomic<int> acknowledged{0};
  std::mutex guard;
  std::map<int, std::vector<int>> seen;  // by producer
  std::string trouble;
  const auto produce = [&](ParticipantId id) {
    auto member = world.join(id);
    const QueueId q = attach(*member, {0, 0});
    for (int i = 0; i < kEach;) {
      const int record[2] = {static_cast<int>(id), i};
      if (member->offer(q, 1, record, sizeof(record)) == Answer::kOk) {
        i++;
      } else {
        std::this_thread::yield();
      }
    }
  };
  const auto consume = [&](ParticipantId id) {
    try {
      auto member = world.join(id);
      const QueueId q = attach(*member, {0, 0});
      std::map<int, std::vector<int>> mine;
      while (acknowledged.load() < 2 * kEach) {
        Granted granted;
        if (member->poll(q, granted) != Answer::kOk) {
          std::this_thread::yield();
          continue;
        }
        Item item;
        if (!member->look(q, granted.sequence, item) || item.length != 8) throw Failure("not in hand");
        int record[2];
        std::memcpy(record, item.bytes, 8);
        if (member->acknowledge(q, granted.sequence) != Answer::kOk) throw Failure("not acknowledged");
        mine[record[0]].push_back(record[1]);
        acknowledged++;
      }
      const std::lock_guard lock(guard);
      for (auto& [producer, numbers] : mine) {
        if (!std::is_sorted(numbers.begin(), numbers.end())) trouble = "out of order";
        seen[producer].insert(seen[producer].end(), numbers.begin(), numbers.end());
      }
    } catch (const std::exception& error) {
      const std::lock_guard lock(guard);
      trouble = error.what();
      acknowledged = 2 * kEach;
    }
  };
  std::thread threads[] = {std::thread(produce, 2), std::thread(produce, 3), std::thread(consume, 4), std::thread(consume, 5)};
  for (auto& thread : threads) thread.join();
  CHECK_EQUAL(trouble, "");
  for (const int producer : {2, 3}) {
    CHECK_EQUAL(seen[producer].size(), static_cast<std::size_t>(kEach));
    CHECK_EQUAL(std::set<int>(seen[producer].begin(), seen[producer].end()).size(), static_cast<std::size_t>(kEach));
  }
  expect_sound(*first, 0);
}

TEST_MAIN()
