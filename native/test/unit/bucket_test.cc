#include "core/bucket.h"

#include <random>

#include "test/check.h"
#include "test/supply.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

constexpr Nanos kSecond = 1'000 * kNanosPerMilli;
constexpr Nanos kYear = 365ull * 24 * 3600 * kSecond;

// An arena with two members and, in most tests, one bucket.
struct Shop {
  explicit Shop(std::uint32_t slots = 16 * kChunkSlots) : world(with_heap(slots)), a(world.join(1)), b(world.join(2)) {}

  Handle bucket(double rate, double per, double burst) { return make_bucket(*a, u"bucket", pace_of(rate, per, burst)); }
  Answer take(Handle handle, double count = 1, std::uint32_t tier = 1) { return a->try_tokens(tokens(handle, count, tier), last); }
  Granted wait(Member& member, const Request& request) {
    Granted granted;
    CHECK(member.tokens(request, granted) == Answer::kWait);
    return granted;
  }
  // The members' timers, as their wakers keep them: at the next time at which anybody has something to do. False: nobody has.
  bool next_event() {
    Nanos at = 0;
    for (Member* member : {a.get(), b.get()}) {
      const Nanos due = member->next_deadline();
      if (due != 0 && (at == 0 || due < at)) at = due;
    }
    if (at == 0) return false;
    world.host.time = std::max(world.host.time, at);
    a->expire();
    b->expire();
    return true;
  }

  World world;
  std::unique_ptr<Member> a, b;
  Tokens last;
};

}  // namespace

TEST_CASE("a bucket gives its burst at once, then as much as its rate, and never more") {
  Shop shop;
  const Handle handle = shop.bucket(10, 1'000, 5);
  for (int i = 0; i < 5; i++) {
    CHECK(shop.take(handle) == Answer::kOk);
    CHECK_EQUAL(shop.last.remaining, 4u - static_cast<unsigned>(i));
  }
  CHECK(shop.take(handle) == Answer::kBusy);
  CHECK_EQUAL(shop.last.ready, shop.world.host.time + kSecond / 10);
  shop.world.host.time += 3 * kSecond;
  CHECK(shop.take(handle, 5) == Answer::kOk);
  CHECK(shop.take(handle) == Answer::kBusy);
}

TEST_CASE("without competitors it says yes exactly when its refusal said it would, at every rate") {
  struct Of {
    double rate, per, burst;
  };
  for (const Of of : {Of{1, 86'400'000, 3}, {10'000'000, 1'000, 50}, {3, 1'000, 7}, {7, 13, 2}, {0.001, 1'000, 1}, {1e6, 60'000, 1.5}}) {
    Shop shop;
    const Handle handle = shop.bucket(of.rate, of.per, of.burst);
    std::mt19937_64 random(7);
    for (int i = 0; i < 300; i++) {
      const double count = std::min(of.burst, 0.25 * static_cast<double>(1 + random() % 12));
      const Answer answer = shop.take(handle, count);
      if (answer == Answer::kBusy) {
        const Nanos ready = shop.last.ready;
        CHECK(ready > shop.world.host.time);
        shop.world.host.time = ready - 1;
        CHECK(shop.take(handle, count) == Answer::kBusy);
        CHECK_EQUAL(shop.last.ready, ready);
        shop.world.host.time = ready;
        CHECK(shop.take(handle, count) == Answer::kOk);
      } else {
        CHECK(answer == Answer::kOk);
      }
      if (i % 5 == 0) shop.world.host.time += random() % static_cast<Nanos>(of.per * 1e6);
    }
  }
}

TEST_CASE("tokens taken at once are those that would be taken otherwise; where there is more to it nothing is taken") {
  Shop shop;
  const Handle handle = shop.bucket(10, 1'000, 5);
  std::uint64_t told = 0;
  const auto at_once = [&](double count) {
    shop.a->lane().refresh();
    const std::uint64_t there = shop.a->spend_at_once(handle.index, count, shop.a->lane().now());
    if (there != Bucket::kNotAtOnce) told = there;
    return there != Bucket::kNotAtOnce;
  };
  const auto left = [&] {
    Tokens seen;
    Bucket(*shop.world.arena, handle.index).peek(1, shop.world.host.time, seen);
    return seen.remaining;
  };
  CHECK(at_once(2));
  CHECK_EQUAL(left(), 3u);
  CHECK_EQUAL(told, 3u);
  for (const double not_plain : {0.5, 1.5, 6.0, 0.0, -1.0, 1e300}) CHECK(!at_once(not_plain));
  CHECK(!at_once(4));
  CHECK_EQUAL(left(), 3u);
  CHECK(at_once(3));
  CHECK_EQUAL(told, 0u);
  CHECK(!at_once(1));
  shop.wait(*shop.b, tokens(handle, 2, 1));
  shop.world.host.time += kSecond / 10;
  CHECK(!at_once(1));  // it is there, and for who came first
  shop.world.host.time += kSecond / 10;
  shop.b->expire();
  shop.world.host.time += kSecond;
  CHECK(at_once(5));
  BucketTerms terms{pace_of(10, 1'000, 5), handle.index, true};
  Handle below;
  CHECK(shop.a->lookup(Kind::kBucket, u"below", 5, below) == Found::kOk);
  CHECK(define_bucket(*shop.world.arena, below.index, terms) == Defined::kMade);
  shop.a->lane().refresh();
  CHECK_EQUAL(shop.a->spend_at_once(below.index, 1, shop.a->lane().now()), Bucket::kNotAtOnce);  // the one above has nothing
}

TEST_CASE("a million tokens later the next one still comes within a nanosecond of its time") {
  Shop shop;
  const Handle handle = shop.bucket(7, 1'000, 2);
  const Nanos start = shop.world.host.time;
  CHECK(shop.take(handle, 2) == Answer::kOk);  // the rest is debt, so that being late by a part of a nanosecond costs nothing
  for (Nanos i = 1; i < 1'000'000; i++) {
    const Nanos at = start + (i * kSecond + 6) / 7;
    shop.world.host.time = at - 1;
    CHECK(shop.take(handle) == Answer::kBusy);
    CHECK(shop.last.ready == at || shop.last.ready == at + 1);
    shop.world.host.time = shop.last.ready;
    CHECK(shop.take(handle) == Answer::kOk);
  }
}

TEST_CASE("over any time no more is admitted than rate x time + burst, whatever is asked, given back by nobody, and waited for") {
  Shop shop;
  const double rate = 250;
  const double burst = 20;
  const Handle handle = shop.bucket(rate, 1'000, burst);
  std::mt19937_64 random(3);
  std::vector<std::pair<Nanos, double>> admitted;
  std::map<WaiterId, double> waits;
  for (int i = 0; i < 4'000; i++) {
    const double count = 1 + static_cast<double>(random() % 6);
    if (random() % 3 != 0) {
      if (shop.take(handle, count) == Answer::kOk) admitted.emplace_back(shop.world.host.time, count);
    } else {
      Granted granted;
      const Answer answer = shop.a->tokens(tokens(handle, count, random() % kTiers), granted);
      if (answer == Answer::kOk) admitted.emplace_back(shop.world.host.time, count);
      if (answer == Answer::kWait) waits[granted.waiter] = count;
    }
    if (random() % 4 == 0) shop.world.host.time += random() % (20 * kNanosPerMilli);
    shop.a->expire();
    for (const Settled& settled : ended(*shop.a)) admitted.emplace_back(shop.world.host.time, waits.at(settled.waiter));
  }
  CHECK(admitted.size() > 500);
  for (std::size_t from = 0; from < admitted.size(); from += 7) {
    double sum = 0;
    for (std::size_t to = from; to < admitted.size(); to++) {
      sum += admitted[to].second;
      const double seconds = static_cast<double>(admitted[to].first - admitted[from].first) / 1e9;
      CHECK(sum <= rate * seconds + burst + 1e-6);
    }
  }
}

TEST_CASE("more than a burst is never given, here or above, and takes nothing") {
  Shop shop;
  const Handle top = make_bucket(*shop.a, u"top", pace_of(10, 1'000, 5));
  const Handle below = make_bucket(*shop.a, u"below", pace_of(10, 1'000, 50), &top);
  CHECK(shop.take(top, 6) == Answer::kNever);
  CHECK(shop.take(below, 6) == Answer::kNever);
  Granted granted;
  CHECK(shop.a->tokens(tokens(below, 6), granted) == Answer::kNever);
  CHECK(shop.take(below, 0) == Answer::kNever);
  CHECK(shop.take(below, -1) == Answer::kNever);
  CHECK(shop.take(below, std::nan("")) == Answer::kNever);
  Tokens out;
  CHECK(Bucket(*shop.world.arena, below.index).peek(6, shop.world.host.time, out) == Spent::kNever);
  CHECK(Bucket(*shop.world.arena, below.index).peek(5, shop.world.host.time, out) == Spent::kOk);
  CHECK_EQUAL(out.remaining, 50u);
}

TEST_CASE("what will never be given is never, not later, also behind those who wait") {
  Shop shop;
  const Handle top = make_bucket(*shop.a, u"top", pace_of(10, 1'000, 5));
  const Handle below = make_bucket(*shop.a, u"below", pace_of(10, 1'000, 50), &top);
  const Handle lowest = make_bucket(*shop.a, u"lowest", pace_of(10, 1'000, 50), &below);
  for (const Handle waited_for : {top, below, lowest}) {
    CHECK(shop.take(top, 5) == Answer::kOk);
    const Granted waits = shop.wait(*shop.b, tokens(waited_for, 5));
    Granted granted;
    for (const Handle handle : {below, lowest}) {
      CHECK(shop.take(handle, 20) == Answer::kNever);
      CHECK(shop.take(handle, 20, 3) == Answer::kNever);
      CHECK(shop.a->tokens(tokens(handle, 20), granted) == Answer::kNever);
    }
    CHECK_EQUAL(shop.a->waiting(), 0u);
    CHECK_EQUAL(shop.a->slots_in_use(), 0u);
    // Whoever waits is served as if nobody had asked.
    CHECK(ended(*shop.b).empty());
    shop.world.host.time += kSecond;
    shop.b->expire();
    const auto served = ended(*shop.b);
    CHECK_EQUAL(served.size(), 1u);
    CHECK_EQUAL(served[0].waiter, waits.waiter);
    CHECK(served[0].outcome == Outcome::kGranted);
    shop.world.host.time += 10 * kSecond;
  }
}

TEST_CASE("three buckets above each other give all or nothing") {
  Shop shop;
  const Handle top = make_bucket(*shop.a, u"top", pace_of(1, 1'000, 4));
  const Handle middle = make_bucket(*shop.a, u"middle", pace_of(1, 1'000, 10), &top);
  const Handle leaf = make_bucket(*shop.a, u"leaf", pace_of(1, 1'000, 6), &middle);
  const auto left = [&](Handle handle) {
    Tokens out;
    Bucket(*shop.world.arena, handle.index).peek(1, shop.world.host.time, out);
    return out.remaining;
  };
  CHECK(shop.take(leaf, 3) == Answer::kOk);
  CHECK_EQUAL(left(leaf), 3u);
  CHECK_EQUAL(left(middle), 7u);
  CHECK_EQUAL(left(top), 1u);
  CHECK(shop.take(leaf, 2) == Answer::kBusy);  // the top refuses
  CHECK_EQUAL(shop.last.ready, shop.world.host.time + kSecond);
  CHECK_EQUAL(left(leaf), 3u);
  CHECK_EQUAL(left(middle), 7u);
  CHECK_EQUAL(left(top), 1u);
  shop.a->give_back_tokens(leaf.index, 3);
  CHECK_EQUAL(left(leaf), 6u);
  CHECK_EQUAL(left(middle), 10u);
  CHECK_EQUAL(left(top), 4u);
}

TEST_CASE("a refund comes back once, and never fills a bucket above its burst") {
  Shop shop;
  const Handle handle = shop.bucket(1, 1'000, 5);
  CHECK(shop.take(handle, 5) == Answer::kOk);
  shop.a->give_back_tokens(handle.index, 2);
  CHECK(shop.take(handle, 3) == Answer::kBusy);
  CHECK(shop.take(handle, 2) == Answer::kOk);
  shop.a->give_back_tokens(handle.index, 1e9);
  CHECK(shop.take(handle, 5) == Answer::kOk);
  CHECK(shop.take(handle, 1) == Answer::kBusy);
}

TEST_CASE("a waiter is served at the nanosecond at which its tokens are there, by whoever's timer fires") {
  for (const bool by_other : {false, true}) {
    Shop shop;
    const Handle handle = shop.bucket(3, 1'000, 4);
    CHECK(shop.take(handle, 4) == Answer::kOk);
    const Nanos start = shop.world.host.time;
    const Granted first = shop.wait(*shop.a, tokens(handle, 2));
    if (by_other) shop.wait(*shop.b, tokens(handle, 1));
    Member& timer = by_other ? *shop.b : *shop.a;
    const Nanos due = timer.next_deadline();
    CHECK_EQUAL(due, start + (2 * kSecond + 2) / 3);
    shop.world.host.time = due - 1;
    timer.expire();
    CHECK(ended(*shop.a).empty());
    shop.world.host.time = due;
    timer.expire();
    const auto served = ended(*shop.a);
    CHECK_EQUAL(served.size(), 1u);
    CHECK_EQUAL(served[0].waiter, first.waiter);
    CHECK(served[0].outcome == Outcome::kGranted);
  }
}

TEST_CASE("who waits comes in the order of arrival in a tier, a higher tier first, and nobody who only tries goes before them") {
  Shop shop;
  const Handle handle = shop.bucket(1, 1'000, 2);
  CHECK(shop.take(handle, 2) == Answer::kOk);
  const Granted low = shop.wait(*shop.b, tokens(handle, 1, 0));
  const Granted first = shop.wait(*shop.b, tokens(handle, 1, 1));
  const Granted second = shop.wait(*shop.b, tokens(handle, 1, 1));
  const Granted high = shop.wait(*shop.b, tokens(handle, 1, 3));
  std::vector<WaiterId> order;
  for (int i = 0; i < 4; i++) {
    CHECK(shop.take(handle, 1, 0) == Answer::kBusy);
    shop.world.host.time += kSecond;
    CHECK(shop.take(handle, 1, 0) == Answer::kBusy);  // what there is goes to who waits
    for (const Settled& settled : ended(*shop.b)) order.push_back(settled.waiter);
  }
  CHECK((order == std::vector<WaiterId>{high.waiter, first.waiter, second.waiter, low.waiter}));
  shop.world.host.time += kSecond;
  CHECK(shop.take(handle) == Answer::kOk);
  CHECK(!Bucket(*shop.world.arena, handle.index).has_waiters());
}

TEST_CASE("who waits for long rises, so that higher tiers do not keep it out for ever") {
  Shop shop;
  const Handle handle = shop.bucket(1, 10'000, 1);
  CHECK(shop.take(handle) == Answer::kOk);
  const Granted low = shop.wait(*shop.b, tokens(handle, 1, 0));
  bool served = false;
  int others = 0;
  for (; !served && others < 100; others++) {
    shop.wait(*shop.b, tokens(handle, 1, 3));
    shop.world.host.time += 10 * kSecond;
    shop.b->expire();
    for (const Settled& settled : ended(*shop.b)) served |= settled.waiter == low.waiter;
  }
  CHECK_EQUAL(others, 10);  // 90 s of three tiers
}

TEST_CASE("one who gives up leaves its place to the next, wherever in the line it stood") {
  Shop shop;
  const Handle handle = shop.bucket(1, 1'000, 1);
  CHECK(shop.take(handle) == Answer::kOk);
  std::vector<Granted> waits;
  for (int i = 0; i < 5; i++) waits.push_back(shop.wait(*shop.b, tokens(handle)));
  for (const int gone : {2, 0, 4}) CHECK(shop.b->abort(waits[gone].waiter) == Answer::kOk);
  std::vector<WaiterId> order;
  while (shop.next_event()) {
    for (const Settled& settled : ended(*shop.b)) order.push_back(settled.waiter);
  }
  CHECK((order == std::vector<WaiterId>{waits[1].waiter, waits[3].waiter}));
  CHECK_EQUAL(shop.b->slots_in_use(), 0u);
}

TEST_CASE("a wait whose time is over ends so, and spends nothing") {
  Shop shop;
  const Handle handle = shop.bucket(1, 10'000, 1);
  CHECK(shop.take(handle) == Answer::kOk);
  Request request = tokens(handle);
  request.deadline = shop.world.host.time + kSecond;
  const Granted late = shop.wait(*shop.a, request);
  shop.wait(*shop.b, tokens(handle));
  CHECK(shop.next_event());
  auto outcomes = ended(*shop.a);
  CHECK_EQUAL(outcomes.size(), 1u);
  CHECK_EQUAL(outcomes[0].waiter, late.waiter);
  CHECK(outcomes[0].outcome == Outcome::kTimedOut);
  while (ended(*shop.b).empty()) CHECK(shop.next_event());
  CHECK_EQUAL(shop.world.host.time, 1 * kSecond + 10 * kSecond);
  CHECK_EQUAL(shop.a->slots_in_use(), 0u);
}

TEST_CASE("the tokens of one who gives up when they are there already go to the next") {
  Shop shop;
  const Handle handle = shop.bucket(1, 10'000, 3);
  CHECK(shop.take(handle, 3) == Answer::kOk);
  const Granted first = shop.wait(*shop.a, tokens(handle, 2));
  const Granted second = shop.wait(*shop.b, tokens(handle, 2));
  shop.world.host.time += 20 * kSecond;
  shop.b->expire();
  CHECK_EQUAL(static_cast<int>(SlotState::of(shop.world.arena->slot(shop.a->slot_of(first.waiter)).state.load()).status),
              static_cast<int>(Status::kReady));
  CHECK(shop.a->abort(first.waiter) == Answer::kOk);
  const auto served = ended(*shop.b);
  CHECK_EQUAL(served.size(), 1u);
  CHECK_EQUAL(served[0].waiter, second.waiter);
  CHECK(ended(*shop.a).empty());
  CHECK_EQUAL(shop.a->slots_in_use(), 0u);
}

TEST_CASE("the tokens of one who gives up come back to every bucket above") {
  Shop shop;
  const Handle top = make_bucket(*shop.a, u"top", pace_of(1, 10'000, 2));
  const Handle leaf = make_bucket(*shop.a, u"leaf", pace_of(1, 10'000, 2), &top);
  CHECK(shop.take(leaf, 2) == Answer::kOk);
  const Granted waits = shop.wait(*shop.a, tokens(leaf, 2));
  shop.world.host.time += 20 * kSecond;
  shop.a->expire();
  CHECK(shop.a->abort(waits.waiter) == Answer::kOk);
  CHECK(shop.take(top, 2) == Answer::kOk);
  shop.a->give_back_tokens(top.index, 2);
  CHECK(shop.take(leaf, 2) == Answer::kOk);
}

TEST_CASE("a burst made smaller than what somebody waits for ends that wait: never") {
  Shop shop;
  const Handle handle = shop.bucket(1, 1'000, 10);
  CHECK(shop.take(handle, 10) == Answer::kOk);
  const Granted large = shop.wait(*shop.b, tokens(handle, 8));
  shop.wait(*shop.b, tokens(handle, 1));
  CHECK(shop.a->change_pace(handle.index, pace_of(1, 1'000, 4)) == Answer::kOk);
  auto outcomes = ended(*shop.b);
  CHECK_EQUAL(outcomes.size(), 1u);
  CHECK_EQUAL(outcomes[0].waiter, large.waiter);
  CHECK(outcomes[0].outcome == Outcome::kNever);
  while (ended(*shop.b).empty()) CHECK(shop.next_event());
  CHECK_EQUAL(shop.world.host.time, kSecond + 7 * kSecond);  // ten were taken, three are still owed at a burst of four
  CHECK_EQUAL(shop.b->slots_in_use(), 0u);
}

TEST_CASE("a burst above made smaller than what somebody waits for ends that wait at its next look") {
  Shop shop;
  const Handle top = make_bucket(*shop.a, u"top", pace_of(1, 86'400'000, 10));
  const Handle leaf = make_bucket(*shop.a, u"leaf", pace_of(1, 1'000, 10), &top);
  CHECK(shop.take(leaf, 10) == Answer::kOk);
  shop.wait(*shop.b, tokens(leaf, 8));
  CHECK(shop.a->change_pace(top.index, pace_of(1, 86'400'000, 4)) == Answer::kOk);
  CHECK(shop.b->next_deadline() <= shop.world.host.time);
  shop.b->expire();
  const auto outcomes = ended(*shop.b);
  CHECK_EQUAL(outcomes.size(), 1u);
  CHECK(outcomes[0].outcome == Outcome::kNever);
}

TEST_CASE("another rate holds from now on, with the debt there is") {
  Shop shop;
  const Handle handle = shop.bucket(1, 1'000, 10);
  CHECK(shop.take(handle, 10) == Answer::kOk);
  CHECK(shop.a->change_pace(handle.index, pace_of(1'000, 1'000, 10)) == Answer::kOk);
  CHECK(shop.take(handle) == Answer::kBusy);
  CHECK_EQUAL(shop.last.ready, shop.world.host.time + kSecond / 1'000);
  CHECK(shop.a->change_pace(handle.index, pace_of(1, 86'400'000, 20)) == Answer::kOk);
  CHECK(shop.take(handle, 10) == Answer::kOk);  // a larger burst is there at once
  CHECK(shop.take(handle) == Answer::kBusy);
  CHECK_EQUAL(shop.last.ready, shop.world.host.time + 86'400 * kSecond);
  const Pace pace = Bucket(*shop.world.arena, handle.index).pace();
  CHECK_EQUAL(pace.rate, 1.0);
  CHECK_EQUAL(pace.per, 86'400'000.0);
  CHECK_EQUAL(pace.size, 20.0);
}

TEST_CASE("who waits learns of another rate, here or above, and sets its timer anew") {
  Shop shop;
  const Handle top = make_bucket(*shop.a, u"top", pace_of(1, 86'400'000, 1));
  const Handle leaf = make_bucket(*shop.a, u"leaf", pace_of(10, 1'000, 1), &top);
  CHECK(shop.take(leaf) == Answer::kOk);
  shop.wait(*shop.b, tokens(leaf));
  CHECK_EQUAL(shop.b->next_deadline(), shop.world.host.time + 86'400 * kSecond);
  const std::uint32_t ring = shop.world.arena->participant(2).ring.load() >> 1;
  CHECK(shop.a->change_pace(top.index, pace_of(5, 1'000, 1)) == Answer::kOk);
  CHECK((shop.world.arena->participant(2).ring.load() >> 1) != ring);
  CHECK_EQUAL(shop.b->next_deadline(), shop.world.host.time + kSecond / 5);
}

TEST_CASE("who is refused because another waits is told when that one is to be served") {
  Shop shop;
  const Handle handle = shop.bucket(10, 1'000, 5);
  CHECK(shop.take(handle, 5) == Answer::kOk);
  shop.wait(*shop.b, tokens(handle, 5));
  shop.world.host.time += kSecond / 5;  // two are there
  CHECK(shop.take(handle, 1) == Answer::kBusy);
  CHECK_EQUAL(shop.last.ready, shop.world.host.time + 3 * kSecond / 10);
  CHECK(shop.take(handle, 1, 2) == Answer::kOk);  // before that one
}

TEST_CASE("who becomes first in line learns of it, for it may need less than the one before") {
  Shop shop;
  const Handle handle = shop.bucket(1, 1'000, 10);
  CHECK(shop.take(handle, 10) == Answer::kOk);
  const Granted large = shop.wait(*shop.a, tokens(handle, 10));
  shop.wait(*shop.b, tokens(handle, 1));
  CHECK_EQUAL(shop.b->next_deadline(), shop.world.host.time + 10 * kSecond);
  const std::uint32_t ring = shop.world.arena->participant(2).ring.load() >> 1;
  CHECK(shop.a->abort(large.waiter) == Answer::kOk);
  CHECK((shop.world.arena->participant(2).ring.load() >> 1) != ring);
  CHECK_EQUAL(shop.b->next_deadline(), shop.world.host.time + kSecond);
}

TEST_CASE("a refund below serves who waits above, and hurries who is first in line") {
  Shop shop;
  const Handle top = make_bucket(*shop.a, u"top", pace_of(1, 1'000, 4));
  const Handle leaf = make_bucket(*shop.a, u"leaf", pace_of(1, 1'000, 4), &top);
  CHECK(shop.take(leaf, 4) == Answer::kOk);
  shop.wait(*shop.b, tokens(top, 2));
  shop.wait(*shop.b, tokens(top, 2));
  const std::uint32_t ring = shop.world.arena->participant(2).ring.load() >> 1;
  shop.a->give_back_tokens(leaf.index, 3);
  CHECK_EQUAL(ended(*shop.b).size(), 1u);
  CHECK((shop.world.arena->participant(2).ring.load() >> 1) != ring);
  CHECK_EQUAL(shop.b->next_deadline(), shop.world.host.time + kSecond);
}

TEST_CASE("a faster rate serves at once whom it can") {
  Shop shop;
  const Handle handle = shop.bucket(1, 86'400'000, 1);
  CHECK(shop.take(handle) == Answer::kOk);
  const Granted waits = shop.wait(*shop.b, tokens(handle));
  CHECK(shop.a->change_pace(handle.index, pace_of(1, 86'400'000, 2)) == Answer::kOk);
  const auto served = ended(*shop.b);
  CHECK_EQUAL(served.size(), 1u);
  CHECK_EQUAL(served[0].waiter, waits.waiter);
}

TEST_CASE("the pace may be changed any number of times: each holds from then on") {
  Shop shop;
  const Handle handle = shop.bucket(1, 1'000, 10);
  for (int i = 0; i < 9; i++) {
    CHECK(shop.a->change_pace(handle.index, pace_of(1 + i, 1'000, 10 + i)) == Answer::kOk);
    CHECK(shop.take(handle, 10 + i) == Answer::kOk);
    CHECK(shop.take(handle) == Answer::kBusy);
    shop.a->give_back_tokens(handle.index, 10 + i);
  }
}

TEST_CASE("the clock may jump by years: the burst is there, no more") {
  for (const double per : {1.0, 1'000.0, 86'400'000.0}) {
    Shop shop;
    const Handle handle = shop.bucket(1, per, 3);
    for (int i = 0; i < 4; i++) {
      CHECK(shop.take(handle, 3) == Answer::kOk);
      CHECK(shop.take(handle, 1) == Answer::kBusy);
      const Nanos ready = shop.last.ready;
      shop.world.host.time = ready - 1;
      CHECK(shop.take(handle, 1) == Answer::kBusy);
      shop.world.host.time += 5 * kYear;
    }
  }
}

TEST_CASE("at the end of the clock nothing wraps into plenty, and every call ends") {
  for (const double rate : {1e7, 1.0, 1e-3}) {
    Shop shop;
    const Handle handle = shop.bucket(rate, 1'000, 2);
    CHECK(shop.take(handle, 2) == Answer::kOk);
    for (const Nanos at : {1ull << 60, 1ull << 61, 1ull << 62, 1ull << 63, ~0ull - kSecond, ~0ull}) {
      shop.world.host.time = at;
      int taken = 0;
      while (taken < 10 && shop.take(handle) == Answer::kOk) taken++;
      CHECK(taken <= 2);
      Granted granted;
      CHECK(shop.a->tokens(tokens(handle), granted) == Answer::kWait);
      shop.a->next_deadline();
      CHECK(shop.a->abort(granted.waiter) == Answer::kOk);
    }
  }
}

TEST_CASE("waiters through a jump of years are all served, each once") {
  Shop shop;
  const Handle handle = shop.bucket(1, 1'000, 2);
  CHECK(shop.take(handle, 2) == Answer::kOk);
  for (int i = 0; i < 5; i++) shop.wait(*shop.b, tokens(handle));
  shop.world.host.time += 3 * kYear;
  shop.b->expire();
  CHECK_EQUAL(ended(*shop.b).size(), 2u);  // the burst
  std::size_t later = 0;
  while (shop.next_event()) later += ended(*shop.b).size();
  CHECK_EQUAL(later, 3u);
}

TEST_CASE("a dead waiter is passed over, and the bucket goes on") {
  Shop shop;
  const Handle handle = shop.bucket(1, 1'000, 1);
  CHECK(shop.take(handle) == Answer::kOk);
  shop.wait(*shop.b, tokens(handle));
  const Granted mine = shop.wait(*shop.a, tokens(handle));
  shop.world.kill(2);
  shop.world.host.time += kSecond;
  shop.a->expire();
  const auto served = ended(*shop.a);
  CHECK_EQUAL(served.size(), 1u);
  CHECK_EQUAL(served[0].waiter, mine.waiter);
  CHECK(sweep_all(shop.a->lane()));
  CHECK(shop.world.join(2) != nullptr);
}

TEST_CASE("a wait moved to a higher tier goes before those of its old one") {
  Shop shop;
  const Handle handle = shop.bucket(1, 1'000, 1);
  CHECK(shop.take(handle) == Answer::kOk);
  shop.wait(*shop.b, tokens(handle));
  const Granted moved = shop.wait(*shop.a, tokens(handle));
  CHECK(shop.a->upgrade(moved.waiter, 3) == Answer::kOk);
  CHECK(shop.next_event());
  CHECK_EQUAL(ended(*shop.a).size(), 1u);
  CHECK(ended(*shop.b).empty());
}

TEST_CASE("a refund serves who waits for it, at once") {
  Shop shop;
  const Handle handle = shop.bucket(1, 86'400'000, 2);
  CHECK(shop.take(handle, 2) == Answer::kOk);
  shop.wait(*shop.b, tokens(handle, 2));
  shop.a->give_back_tokens(handle.index, 1);
  CHECK(ended(*shop.b).empty());
  shop.a->give_back_tokens(handle.index, 1);
  CHECK_EQUAL(ended(*shop.b).size(), 1u);
}

TEST_CASE("a request for whom a slot is missing is told so, and takes none with it") {
  Shop shop(kChunkSlots);
  const Handle handle = shop.bucket(1, 1'000, 1);
  CHECK(shop.take(handle) == Answer::kOk);
  const Handle lock = look_up(*shop.a, u"lock");
  Granted granted;
  CHECK(shop.b->lock({.handle = lock}, granted) == Answer::kOk);
  for (std::uint32_t i = 0; i + 1 < kChunkSlots; i++) CHECK(shop.a->lock({.handle = lock}, granted) == Answer::kWait);
  Request request = tokens(handle);
  request.tenant = 3;  // one slot is left, and it needs two
  CHECK(shop.a->tokens(request, granted) == Answer::kNoSlots);
  CHECK_EQUAL(shop.a->slots_in_use(), kChunkSlots - 1);
  CHECK(shop.a->lock({.handle = lock}, granted) == Answer::kWait);
}

TEST_CASE("what a bucket is made of is compared, never changed, by whoever finds it") {
  Shop shop;
  const Handle top = make_bucket(*shop.a, u"top", pace_of(1, 1'000, 1));
  const Handle handle = make_bucket(*shop.a, u"bucket", pace_of(1, 1'000, 1), &top);
  BucketTerms terms;
  terms.pace = pace_of(1, 1'000, 1);
  terms.has_parent = true;
  terms.parent = top.index;
  CHECK(define_bucket(*shop.world.arena, handle.index, terms) == Defined::kSame);
  terms.pace = pace_of(2, 1'000, 1);
  CHECK(define_bucket(*shop.world.arena, handle.index, terms) == Defined::kOther);
  terms.parent = handle.index;
  CHECK(define_bucket(*shop.world.arena, handle.index, terms) == Defined::kBadArgument);
  terms.parent = 60;
  CHECK(define_bucket(*shop.world.arena, handle.index, terms) == Defined::kBadArgument);
  Handle above = top;
  for (std::uint32_t depth = 1; depth < kBucketDepth; depth++) {
    above = make_bucket(*shop.a, u"deep" + std::u16string(1, static_cast<char16_t>(u'0' + depth)), pace_of(1, 1'000, 1), &above);
  }
  terms.parent = above.index;
  const Handle deepest = look_up(*shop.a, Kind::kBucket, u"too deep");
  CHECK(define_bucket(*shop.world.arena, deepest.index, terms) == Defined::kBadArgument);
  CHECK(shop.take(above) == Answer::kOk);
  CHECK(shop.take(above) == Answer::kBusy);
}

namespace {

// Elements that were locks for long: what they are next begins with their words.
struct Reused {
  explicit Reused(std::uint32_t texts = 32) : world(capacity(texts)), a(world.join(1)) {
    for (std::uint32_t i = 0; i < world.arena->capacity().elements; i++) {
      old.push_back(look_up(*a, u"lock" + std::u16string(1, static_cast<char16_t>(u'a' + i))));
      Granted granted;
      for (int j = 0; j < 1'000; j++) {
        CHECK(a->lock({.handle = old.back()}, granted) == Answer::kOk);
        a->release(old.back().index, granted.sequence);
      }
    }
    world.host.time += 10 * kSecond;
  }
  static Capacity capacity(std::uint32_t texts) {
    return {.elements = 8, .slots = kChunkSlots, .participants = 3, .texts = texts, .heap = 16};
  }

  World world;
  std::unique_ptr<Member> a;
  std::vector<Handle> old;
};

}  // namespace

TEST_CASE("a bucket in the place of a lock begins full, and who still has the lock's handle does not touch it") {
  Reused reused;
  const Handle handle = make_bucket(*reused.a, u"bucket", pace_of(1, 1'000, 5));
  Tokens out;
  CHECK(reused.a->try_tokens(tokens(handle, 5), out) == Answer::kOk);
  CHECK(reused.a->try_tokens(tokens(handle, 1), out) == Answer::kBusy);
  for (int changes = 0; changes < 5; changes++) {
    for (const Handle& old : reused.old) {
      if (old.index != handle.index) continue;
      const std::uint64_t word = reused.world.arena->element(handle.index).fast.load();
      Granted granted;
      CHECK(reused.a->try_fast(old, 1, 0, granted) != Answer::kOk);
      CHECK(reused.a->try_lock({.handle = old}, granted) == Answer::kStale);
      CHECK(reused.a->lock({.handle = old}, granted) == Answer::kStale);
      CHECK_EQUAL(reused.world.arena->element(handle.index).fast.load(), word);
    }
    CHECK(reused.a->change_pace(handle.index, pace_of(1, 1'000, 5)) == Answer::kOk);
  }
}

TEST_CASE("buckets and pools are not recycled, neither for their place nor for the text of their names") {
  Reused reused(8);
  const std::u16string long_name(100, u'b');
  const Handle bucket = make_bucket(*reused.a, long_name, pace_of(1, 1'000, 5));
  const Handle pool = make_pool(*reused.a, std::u16string(100, u'p'), pool_plan({4}));
  Handle handle;
  for (char16_t c = u'a'; c < u'z'; c++) {
    const std::u16string name(100, c);
    CHECK(reused.a->lookup(Kind::kLock, name.data(), name.size(), handle) != Found::kOutOfMemory);
    reused.world.host.time += 10 * kSecond;
  }
  CHECK_EQUAL(look_up(*reused.a, Kind::kBucket, long_name).generation, bucket.generation);
  CHECK_EQUAL(look_up(*reused.a, Kind::kPool, std::u16string(100, u'p')).generation, pool.generation);
  CHECK(Pool::is(*reused.world.arena, pool.index));
}

TEST_CASE("numbers that no bucket can keep are refused") {
  Pace pace;
  for (const double bad : {0.0, -1.0, std::nan(""), static_cast<double>(INFINITY)}) {
    CHECK(!Pace::of(bad, 1'000, 1, pace));
    CHECK(!Pace::of(1, bad, 1, pace));
    CHECK(!Pace::of(1, 1'000, bad, pace));
  }
  CHECK(!Pace::of(1e9, 1'000, 1, pace));
  CHECK(!Pace::of(1, 1e14, 1, pace));
  CHECK(!Pace::of(1, 1'000, 1e18, pace));
  CHECK(Pace::of(1e7, 1'000, 1e6, pace));
  CHECK(Pace::of(1, 86'400'000, 1, pace));
}

TEST_CASE("a damaged record is damage or a wrong answer, never an endless walk") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 400; round++) {
    Shop shop;
    const Handle top = make_bucket(*shop.a, u"top", pace_of(1, 1'000, 4));
    const Handle handle = make_bucket(*shop.a, u"bucket", pace_of(3, 1'000, 4), &top);
    auto* words =
        reinterpret_cast<std::uint64_t*>(&shop.world.arena->record<BucketRecord>(shop.world.arena->element(handle.index).base.load()));
    for (int i = 0; i < 3; i++) {
      const std::uint64_t kinds[] = {random(), 0, ~0ull, random() % 8, 1ull << (random() % 64)};
      words[random() % (sizeof(BucketRecord) / 8)] = kinds[random() % 5];
    }
    if (round % 2 == 0) shop.world.arena->element(handle.index).fast.store(random());
    try {
      for (int i = 0; i < 6; i++) {
        shop.take(handle);
        Tokens out;
        Bucket(*shop.world.arena, handle.index).peek(1, shop.world.host.time, out);
        Bucket(*shop.world.arena, handle.index).full_at(shop.world.host.time);
        Granted granted;
        if (shop.a->tokens(tokens(handle, 2), granted) == Answer::kWait) shop.a->next_deadline();
        shop.a->change_pace(handle.index, pace_of(5, 1'000, 9));
        shop.a->give_back_tokens(handle.index, 1);
        shop.world.host.time += kSecond;
        shop.a->expire();
      }
    } catch (const Corrupt&) {
    }
  }
}

TEST_MAIN()
