#include "core/keyed.h"

#include <time.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "test/check.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

constexpr LaneId kLane = lane_of(1, Thread::kScript);

Capacity roomy(std::uint32_t pages = 64) {
  Capacity capacity = World::small();
  capacity.heap = pages;
  return capacity;
}

Pace pace_of(double rate, double per, double burst) {
  Pace pace{};
  CHECK(Pace::of(rate, per, burst, pace));
  return pace;
}

ElementIndex family(World& world, Member& member, const std::u16string& name, const Pace& pace, std::uint64_t keys) {
  Handle handle{};
  CHECK(member.lookup(Kind::kKeyed, name.data(), name.size(), handle) == Found::kOk);
  CHECK(define_keyed(*world.arena, handle.index, pace, keys) == KeyedMade::kMade);
  return handle.index;
}

// A family of its own arena, and keys by number.
struct Family {
  explicit Family(const Pace& pace, std::uint64_t keys = 16, std::uint32_t pages = 64)
      : world(roomy(pages)), member(world.join(1)), index(family(world, *member, u"f", pace, keys)), keyed(*world.arena, index, kLane) {}

  Hash key(std::uint64_t number) const {
    const std::u16string text = u"user:" + std::u16string(1, static_cast<char16_t>(number)) +
                                std::u16string(1, static_cast<char16_t>(number >> 16)) + std::u16string(1, u'x');
    return hash_key(world.arena->header().seed, text.data(), text.size());
  }
  bool take(std::uint64_t number, double tokens = 1) { return keyed.take(key(number), tokens, out) == KeyedAnswer::kOk; }
  KeyedAnswer answer(std::uint64_t number, double tokens = 1) { return keyed.take(key(number), tokens, out); }
  Nanos& now() { return world.host.time; }
  KeyedRecord& record() { return world.arena->record<KeyedRecord>(world.arena->element(index).base.load()); }
  atomic_pair* cells() { return reinterpret_cast<atomic_pair*>(&record() + 1); }

  // How many cells have a bucket, or a claim, of this key.
  int cells_of(std::uint64_t number) {
    int count = 0;
    const std::uint64_t tag = KeyWord::tag(key(number).high);
    for (std::uint64_t i = 0; i < keyed.lines() * kLineCells; i++) count += KeyWord::tag(cells()[i].low()) == tag ? 1 : 0;
    return count;
  }

  World world;
  std::unique_ptr<Member> member;
  ElementIndex index;
  Keyed keyed;
  KeyedTokens out;
};

const Pace kPerSecond = pace_of(10, 1000, 5);
constexpr Nanos kMilli = kNanosPerMilli;

}  // namespace

TEST_CASE("each key has a bucket of its own, that gives a burst and then the rate") {
  Family f(kPerSecond);
  for (std::uint64_t key = 0; key < 3; key++) {
    for (std::uint64_t i = 0; i < 5; i++) {
      CHECK(f.take(key));
      CHECK_EQUAL(f.out.remaining, 4 - i);
    }
    CHECK(f.answer(key) == KeyedAnswer::kRefused);
    CHECK_EQUAL(f.out.remaining, 0u);
    CHECK_EQUAL(f.out.ready, f.now() + 100 * kMilli);
  }
  f.now() += 100 * kMilli;
  for (std::uint64_t key = 0; key < 3; key++) {
    CHECK(f.take(key));
    CHECK(!f.take(key));
  }
}

TEST_CASE("a key is granted exactly when its refusal said") {
  std::mt19937_64 random(1);
  for (const Pace& pace : {pace_of(3, 1000, 2), pace_of(1e8, 1000, 5), pace_of(1, 86'400'000, 3), pace_of(12345, 777, 99)}) {
    Family f(pace);
    f.now() += random() % 1'000'000'007;
    for (int i = 0; i < 200; i++) {
      const auto key = random() % 5;
      const double tokens = 1 + static_cast<double>(random() % static_cast<std::uint64_t>(pace.size));
      while (f.answer(key, tokens) == KeyedAnswer::kOk) {
      }
      const Nanos ready = f.out.ready;
      f.now() = ready - 1;
      CHECK(!f.take(key, tokens));
      CHECK_EQUAL(f.out.ready, ready);
      f.now() = ready;
      CHECK(f.take(key, tokens));
    }
  }
}

TEST_CASE("a look takes nothing, and says when the bucket will be full") {
  Family f(kPerSecond);
  CHECK(f.keyed.peek(f.key(1), 1, f.out) == KeyedAnswer::kOk);
  CHECK_EQUAL(f.out.remaining, 5u);
  CHECK_EQUAL(f.out.full, f.now());
  CHECK(f.take(1, 5));
  CHECK(f.keyed.peek(f.key(1), 2, f.out) == KeyedAnswer::kRefused);
  CHECK_EQUAL(f.out.remaining, 0u);
  CHECK_EQUAL(f.out.ready, f.now() + 200 * kMilli);
  CHECK_EQUAL(f.out.full, f.now() + 500 * kMilli);
  f.now() += 250 * kMilli;
  CHECK(f.keyed.peek(f.key(1), 2, f.out) == KeyedAnswer::kOk);
  CHECK_EQUAL(f.out.remaining, 2u);
  CHECK_EQUAL(f.cells_of(2), 0);
  CHECK(f.keyed.peek(f.key(1), 6, f.out) == KeyedAnswer::kNever);
}

TEST_CASE("what is given back can be taken again, up to the burst") {
  Family f(kPerSecond);
  CHECK(f.take(1, 5));
  CHECK(f.keyed.refund(f.key(1), 2) == KeyedAnswer::kOk);
  CHECK(f.take(1, 2));
  CHECK(!f.take(1));
  for (int i = 0; i < 3; i++) CHECK(f.keyed.refund(f.key(1), 5) == KeyedAnswer::kOk);
  CHECK(f.take(1, 5));
  CHECK(!f.take(1));
  CHECK(f.keyed.refund(f.key(2), 5) == KeyedAnswer::kOk);  // of a key that took nothing
  CHECK(f.take(2, 5));
  CHECK(!f.take(2));
}

TEST_CASE("amounts that no bucket can ever give are told apart from a refusal") {
  Family f(kPerSecond);
  for (const double bad : {0.0, -1.0, 6.0, 5.0001, 1e300, static_cast<double>(INFINITY), std::nan("")}) {
    CHECK(f.answer(1, bad) == KeyedAnswer::kNever);
    CHECK(f.keyed.refund(f.key(1), bad) == KeyedAnswer::kNever);
  }
  CHECK(f.take(1, 0.5));
  CHECK(f.take(1, 4.5));
  CHECK(!f.take(1, 0.001));
}

TEST_CASE("as many keys as were asked for are in debt at once, and none is refused for want of room") {
  for (const std::uint64_t keys : {1ull, 16ull, 20ull, 1000ull, 20'000ull}) {
    Family f(pace_of(1, 86'400'000, 1), keys, 1024);
    for (std::uint64_t key = 0; key < keys; key++) CHECK(f.answer(key) == KeyedAnswer::kOk);
    for (std::uint64_t key = 0; key < keys; key++) CHECK(f.answer(key) == KeyedAnswer::kRefused);
  }
}

TEST_CASE("a full table refuses what is new and forgets nobody; full buckets make room again") {
  Family f(pace_of(1, 1000, 1), 16);
  std::set<std::uint64_t> in;
  std::uint64_t key = 0;
  for (; key < 200; key++) {
    const KeyedAnswer answer = f.answer(key);
    CHECK(answer == KeyedAnswer::kOk || answer == KeyedAnswer::kNoKeys);
    if (answer == KeyedAnswer::kOk) in.insert(key);
  }
  CHECK_EQUAL(in.size(), kKeyedWindow * kLineCells);  // of a table that is one window, every cell
  for (std::uint64_t old = 0; old < 200; old++) {
    CHECK(f.answer(old) == (in.count(old) != 0 ? KeyedAnswer::kRefused : KeyedAnswer::kNoKeys));
  }
  f.now() += 1'000 * kMilli - 1;
  CHECK(f.answer(key) == KeyedAnswer::kNoKeys);
  f.now() += 1;
  for (std::uint64_t i = 0; i < kKeyedWindow * kLineCells; i++) CHECK(f.take(1'000 + i));
  CHECK(f.answer(key) == KeyedAnswer::kNoKeys);
}

TEST_CASE("idle keys are recycled: millions pass through a small table") {
  Family f(pace_of(1000, 1000, 1), 100);
  for (std::uint64_t key = 0; key < 300'000; key++) {
    CHECK(f.take(key));
    CHECK(!f.take(key));
    f.now() += 20'000;  // some fifty are in debt at once
  }
}

TEST_CASE("against a model of one word for each key no answer differs") {
  for (const std::uint64_t keys : {40ull, 4'000ull}) {
    const Pace pace = pace_of(7, 1000, 3);
    Family f(pace, keys);
    const Nanos epoch = f.world.arena->header().epoch;
    std::map<std::uint64_t, std::uint64_t> tats;
    std::mt19937_64 random(keys);
    for (int i = 0; i < 200'000; i++) {
      const std::uint64_t key = random() % (keys * 3 / 2);
      const std::uint64_t amount = pace.units_of(1 + static_cast<double>(random() % 3));
      std::uint64_t& tat = tats[key];
      const std::uint64_t at = pace.units(f.now() - epoch);
      if (random() % 10 == 0) {
        CHECK(f.keyed.refund(f.key(key), pace.tokens_of(amount)) == KeyedAnswer::kOk);
        tat = refund(tat, amount);
      } else {
        const Taken taken = take(pace, tat, at, amount);
        CHECK(f.answer(key, pace.tokens_of(amount)) == (taken.ok ? KeyedAnswer::kOk : KeyedAnswer::kRefused));
        tat = taken.tat;
        CHECK_EQUAL(f.out.remaining, left(pace, tat, at) >> pace.k);
      }
      f.now() += random() % (2'000'000'000 / keys);
    }
  }
}

TEST_CASE("a claim that a dead participant left takes no room for good, and its key comes in over it") {
  Family f(pace_of(1, 1000, 1), 16);
  const auto claim = [&](std::uint64_t cell, std::uint64_t number, std::uint64_t nonce) {
    const std::uint64_t high = f.cells()[cell].high();
    const Pair claimed{KeyWord::word(KeyWord::tag(f.key(number).high), 0), (high & TimeWord::kMore) | TimeWord::kClaimed | nonce};
    CHECK(f.cells()[cell].compare_exchange({f.cells()[cell].low(), high}, claimed));
  };
  for (std::uint64_t cell = 0; cell < kKeyedWindow * kLineCells; cell++) claim(cell, 7, 1'000 + cell);
  CHECK(f.take(7));
  CHECK(!f.take(7));
  CHECK_EQUAL(f.keyed.peek(f.key(7), 1, f.out) == KeyedAnswer::kRefused, true);
  for (std::uint64_t key = 100; key < 99 + kKeyedWindow * kLineCells; key++) CHECK(f.take(key));
  CHECK(f.answer(99) == KeyedAnswer::kNoKeys);
  CHECK_EQUAL(f.cells_of(7), 1);
}

TEST_CASE("another pace keeps the debts, at once and for every key") {
  Family f(pace_of(10, 1000, 10), 50);
  for (std::uint64_t key = 0; key < 50; key++) CHECK(f.take(key, static_cast<double>(1 + key % 10)));
  f.keyed.change(pace_of(1, 1000, 20));
  CHECK_EQUAL(f.keyed.pace().rate, 1.0);
  for (std::uint64_t key = 0; key < 50; key++) {
    CHECK(f.keyed.peek(f.key(key), 1, f.out) == KeyedAnswer::kOk);
    CHECK_EQUAL(f.out.remaining, 19 - key % 10);
    CHECK(f.take(key, static_cast<double>(f.out.remaining)));
    CHECK(!f.take(key));
    CHECK_EQUAL(f.out.ready, f.now() + 1'000 * kMilli);
  }
  f.keyed.change(pace_of(10, 1000, 1));  // less than the debts there are
  for (std::uint64_t key = 0; key < 50; key++) CHECK(!f.take(key));
  f.now() += 1'900 * kMilli - 1'000;  // and a thousandth of a millisecond, for the units of the two paces
  for (std::uint64_t key = 0; key < 50; key++) CHECK(!f.take(key));
  f.now() += 102 * kMilli;
  for (std::uint64_t key = 0; key < 50; key++) CHECK(f.take(key));
}

TEST_CASE("a family changes its pace any number of times, and another view of it follows") {
  Family f(pace_of(10, 1000, 10), 16);
  Keyed other(*f.world.arena, f.index, lane_of(2, Thread::kScript));
  KeyedTokens out;
  CHECK(f.take(1, 10));
  for (int i = 0; i < 70'000; i++) f.keyed.change(i % 2 == 0 ? pace_of(10, 1000, 20) : pace_of(10, 1000, 10));
  CHECK(other.take(f.key(1), 1, out) == KeyedAnswer::kRefused);
  f.keyed.change(pace_of(10, 1000, 11));
  CHECK(other.take(f.key(1), 1, out) == KeyedAnswer::kOk);
  CHECK(other.take(f.key(1), 1, out) == KeyedAnswer::kRefused);
}

TEST_CASE("cells that a dead changer left at the pace before are read right, and the next change sees to them first") {
  Family f(pace_of(10, 1000, 10), 16);
  Family twin(pace_of(10, 1000, 10), 16);
  CHECK(f.take(1, 4));
  f.now() += 1;
  CHECK(f.take(2, 10));
  // As it is when the changer dies after it has shown the pace.
  f.record().paces[1].set(pace_of(1, 1000, 10));
  f.record().version.store(1);
  CHECK(f.take(1, 6));
  CHECK(!f.take(1));
  CHECK(!f.take(2));
  f.keyed.change(pace_of(100, 1000, 11));
  CHECK(f.take(2));
  CHECK(!f.take(2));
  CHECK(f.take(1));
  CHECK(!f.take(1));
}

TEST_CASE("a family is found again, and told when the numbers differ") {
  Family f(kPerSecond, 20);
  CHECK(define_keyed(*f.world.arena, f.index, kPerSecond, 20) == KeyedMade::kSame);
  CHECK(define_keyed(*f.world.arena, f.index, pace_of(10, 1000, 6), 20) == KeyedMade::kOtherPace);
  CHECK(define_keyed(*f.world.arena, f.index, kPerSecond, 21) == KeyedMade::kOtherKeys);
  f.keyed.change(pace_of(10, 1000, 6));
  CHECK(define_keyed(*f.world.arena, f.index, pace_of(10, 1000, 6), 20) == KeyedMade::kSame);
}

TEST_CASE("without room or memory for the table there is no family, and nothing is lost") {
  World world(roomy(4));
  auto member = world.join(1);
  Handle handle{};
  CHECK(member->lookup(Kind::kKeyed, u"f", 1, handle) == Found::kOk);
  CHECK(define_keyed(*world.arena, handle.index, kPerSecond, kMaxKeys) == KeyedMade::kNoHeap);
  CHECK(define_keyed(*world.arena, handle.index, kPerSecond, 1'000) == KeyedMade::kNoHeap);
  CHECK(define_keyed(*world.arena, handle.index, kPerSecond, 10) == KeyedMade::kMade);
  World poor(roomy(1024));
  auto other = poor.join(1);
  CHECK(other->lookup(Kind::kKeyed, u"f", 1, handle) == Found::kOk);
  poor.host.backing = false;
  CHECK(define_keyed(*poor.arena, handle.index, kPerSecond, 50'000) == KeyedMade::kOutOfMemory);
  poor.host.backing = true;
  CHECK(define_keyed(*poor.arena, handle.index, kPerSecond, 50'000) == KeyedMade::kMade);
}

TEST_CASE("what no version of forelock writes into a record is reported") {
  const auto corrupt = [](const std::function<void(Family&)>& damage) {
    Family f(kPerSecond, 20);
    CHECK(f.take(1));
    damage(f);
    try {
      Keyed anew(*f.world.arena, f.index, kLane);
      KeyedTokens out;
      (void)anew.take(f.key(1), 1, out);
    } catch (const Corrupt&) {
      return true;
    }
    return false;
  };
  CHECK(!corrupt([](Family&) {}));
  CHECK(corrupt([](Family& f) { f.record().lines.set(1); }));
  CHECK(corrupt([](Family& f) { f.record().lines.set(~0ull); }));
  CHECK(corrupt([](Family& f) { f.record().lines.set(1'000'000); }));
  CHECK(corrupt([](Family& f) { f.record().version.store(1); }));
  CHECK(corrupt([](Family& f) { f.record().version.store(~0ull); }));
  CHECK(corrupt([](Family& f) { f.record().paces[0].scale.store(0); }));
  CHECK(corrupt([](Family& f) { f.record().paces[0].burst.store(0); }));
  CHECK(corrupt([](Family& f) { f.world.arena->element(f.index).base.store(0); }));
  CHECK(corrupt([](Family& f) { f.world.arena->element(f.index).base.store(96); }));
  CHECK(corrupt([](Family& f) { f.world.arena->element(f.index).base.store(~0ull); }));
}

TEST_CASE("any words in the table: every call ends, with an answer or the report of damage") {
  std::mt19937_64 random(9);
  for (int round = 0; round < 300; round++) {
    Family f(kPerSecond, 20);
    for (std::uint64_t key = 0; key < 20; key++) (void)f.take(key);
    for (int i = 0; i < 200; i++) {
      atomic_pair& cell = f.cells()[random() % (f.keyed.lines() * kLineCells)];
      Pair word{cell.low(), cell.high()};
      if (random() % 2 == 0) word.low = random() % 3 == 0 ? KeyWord::word(random(), random() % 3) : random();
      if (random() % 2 == 0) word.high = random() >> random() % 64;
      (void)cell.compare_exchange({cell.low(), cell.high()}, word);
      try {
        (void)f.answer(random() % 30, 1 + static_cast<double>(random() % 5));
        (void)f.keyed.peek(f.key(random() % 30), 1, f.out);
        (void)f.keyed.refund(f.key(random() % 30), 1);
        if (i % 50 == 0) f.keyed.change(pace_of(10, 1000, 5));
      } catch (const Corrupt&) {
      }
    }
  }
}

// ---- several threads: over all keys, what was granted is within the bound, exactly -----------------------------------------

namespace {

class RealHost : public FakeHost {
 public:
  Nanos now() override {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<Nanos>(t.tv_sec) * 1'000'000'000 + static_cast<Nanos>(t.tv_nsec);
  }
};

struct Storm {
  Pace pace;
  std::uint64_t keys;  // that are used
  std::uint64_t room;  // that the table is for
  bool changing;
};

struct Grant {
  std::uint64_t key;
  Nanos at;
};

// No window between two grants of one key may hold more than its rate and a burst.
void check_windows(const Storm& how, std::vector<Grant>& grants) {
  std::sort(grants.begin(), grants.end(), [](const Grant& a, const Grant& b) { return a.key != b.key ? a.key < b.key : a.at < b.at; });
  const double period = how.pace.per * 1e6 / how.pace.rate;
  const double two_units = 2 * std::ldexp(period, -static_cast<int>(how.pace.k));
  for (std::size_t last = 0; last < grants.size(); last++) {
    for (std::size_t back = 1; back <= last && back < 64 && grants[last - back].key == grants[last].key; back++) {
      const double window = static_cast<double>(grants[last].at - grants[last - back].at);
      CHECK(window > (static_cast<double>(back) + 1 - how.pace.size) * period - two_units);
    }
  }
}

void storm(const Storm& how) {
  constexpr int kThreads = 3;
  constexpr Nanos kFor = 300 * kMilli;
  constexpr std::size_t kEnough = 350;
  World world(roomy(256));
  RealHost clock;
  Arena arena(world.base, clock);
  world.arena->header().epoch = clock.now();
  auto member = world.join(1);
  const ElementIndex index = family(world, *member, u"f", how.pace, how.room);
  std::vector<Hash> hashes;
  for (std::uint64_t key = 0; key < how.keys; key++) {
    const char16_t text[2] = {static_cast<char16_t>(key), u'k'};
    hashes.push_back(hash_key(arena.header().seed, text, 2));
  }
  std::atomic<bool> failed{false};
  std::vector<Grant> grants[kThreads];
  const Nanos begin = clock.now();
  const auto work = [&](int id) {
    Keyed keyed(arena, index, lane_of(static_cast<ParticipantId>(id + 1), Thread::kScript));
    std::mt19937_64 random(static_cast<std::uint64_t>(id));
    KeyedTokens out;
    // For so long, and until it has been granted enough to compare: it may have stood still most of that time.
    // Bounded only so that a failure ends.
    const auto goes_on = [&](Nanos passed) { return passed < kFor || (grants[id].size() < kEnough && passed < 100 * kFor); };
    while (goes_on(clock.now() - begin)) {
      const std::uint64_t key = random() % how.keys;
      const KeyedAnswer answer = keyed.take(hashes[key], 1, out);
      if (answer == KeyedAnswer::kOk) grants[id].push_back({key, out.now});
      if (answer == KeyedAnswer::kNever || answer == KeyedAnswer::kNoKeys) failed = true;
    }
  };
  std::vector<std::thread> threads;
  for (int id = 0; id < kThreads; id++) threads.emplace_back(work, id);
  if (how.changing) {
    Keyed keyed(arena, index, lane_of(9, Thread::kScript));
    while (clock.now() - begin < kFor) {
      keyed.change(pace_of(how.pace.rate * 0.9, how.pace.per, how.pace.size));
      keyed.change(how.pace);
    }
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(!failed);
  for (int id = 1; id < kThreads; id++) grants[0].insert(grants[0].end(), grants[id].begin(), grants[id].end());
  CHECK(grants[0].size() > 1'000);
  check_windows(how, grants[0]);
}

}  // namespace

TEST_CASE("threads on few keys are never granted more than the rate and a burst") { storm({pace_of(20'000, 1000, 1), 3, 16, false}); }
TEST_CASE("threads on keys that are full again at once, so that cells change hands all the time, are not either") {
  storm({pace_of(500'000, 1000, 1), 200, 64, false});
  storm({pace_of(5'000'000, 1000, 3), 64, 16, false});
}
TEST_CASE("nor while the pace changes all the time") { storm({pace_of(20'000, 1000, 2), 8, 16, true}); }

TEST_MAIN()
