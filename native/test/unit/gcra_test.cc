#include "core/gcra.h"

#include <cmath>
#include <deque>
#include <random>
#include <vector>

#include "test/check.h"

using namespace forelock::core;

namespace {

constexpr Nanos kSecond = 1'000'000'000;
constexpr Nanos kDay = 86'400 * kSecond;
constexpr Nanos kYear = 365 * kDay;

struct Rate {
  double rate, per, burst;
};

// From one a century to 100 million a second, and numbers that no power of two divides.
const std::vector<Rate> kRates = {{1, 36525.0 * 86'400'000, 1},
                                  {1, 86'400'000, 1},
                                  {1, 86'400'000, 1000},
                                  {3, 1000, 1},
                                  {7, 1000, 5},
                                  {500, 1000, 100},
                                  {1000.0 / 3, 1000, 2.5},
                                  {12345, 777, 9999},
                                  {1e6, 1000, 1},
                                  {3'900'000, 1000, 50},
                                  {4'000'001, 1000, 64},
                                  {1e7, 1000, 1},
                                  {1e8, 1000, 1},
                                  {1e8, 1000, 1e9},
                                  {99'999'999, 1000, 12},
                                  {0.1, 1, 1}};

Pace pace_of(const Rate& given) {
  Pace pace{};
  CHECK(Pace::of(given.rate, given.per, given.burst, pace));
  CHECK(pace.sound());
  return pace;
}

long double units_exactly(const Pace& pace, Nanos nanos) {
  return static_cast<long double>(nanos) * std::ldexp(static_cast<long double>(pace.rate), static_cast<int>(pace.k)) /
         (static_cast<long double>(pace.per) * 1e6L);
}

// One bucket and its clock.
struct Tested {
  explicit Tested(const Rate& given, Nanos from = 0) : pace(pace_of(given)), now(from) {}

  bool take(std::uint64_t amount) {
    const Taken taken = forelock::core::take(pace, tat, pace.units(now), amount);
    tat = taken.tat;
    ready = taken.ok ? now : pace.when(taken.ready, now);
    return taken.ok;
  }

  Pace pace;
  Nanos now;
  std::uint64_t tat = 0;
  Nanos ready = 0;
};

}  // namespace

TEST_CASE("a rate is refused when its numbers are nonsense or beyond the word") {
  Pace pace{};
  pace.k = 77;
  const double nan = std::nan("");
  const double inf = INFINITY;
  for (const Rate& bad : std::vector<Rate>{{0, 1000, 1},
                                           {-1, 1000, 1},
                                           {nan, 1000, 1},
                                           {inf, 1000, 1},
                                           {1, 0, 1},
                                           {1, -5, 1},
                                           {1, nan, 1},
                                           {1, inf, 1},
                                           {1, 1000, 0},
                                           {1, 1000, 0.5},
                                           {1, 1000, -1},
                                           {1, 1000, nan},
                                           {1, 1000, inf},
                                           {1e8 + 1, 1000, 1},
                                           {1, 1e300, 1},
                                           {1e-300, 1, 1},
                                           {1e308, 1e308, 1e308},
                                           {1, 36525.0 * 86'400'000, 1000},
                                           {1e8, 1000, 1e18}}) {
    CHECK(!Pace::of(bad.rate, bad.per, bad.burst, pace));
  }
  CHECK_EQUAL(pace.k, 77u);
}

TEST_CASE("a token is 2^k units, of a microsecond at most and of a sixteenth of its period at most") {
  for (const Rate& given : kRates) {
    const Pace pace = pace_of(given);
    const double period = given.per * 1e6 / given.rate;
    CHECK(std::ldexp(period, -static_cast<int>(pace.k)) <= 1000);
    CHECK(pace.k >= 4);
    CHECK_EQUAL(pace.units_of(1), 1ull << pace.k);
    CHECK_EQUAL(pace.tokens_of(1ull << pace.k), 1.0);
    CHECK_EQUAL(pace.rate, given.rate);
    CHECK_EQUAL(pace.per, given.per);
    CHECK_EQUAL(pace.size, given.burst);
  }
}

TEST_CASE("a part of a token costs what it is, rounded up, and too much or nothing is 0 units") {
  const Pace pace = pace_of({500, 1000, 100});
  CHECK_EQUAL(pace.units_of_whole(3), 3ull << pace.k);
  for (const double not_whole : {0.5, 1.0000001, 0.0, -1.0, 1e300, std::nan("")}) CHECK_EQUAL(pace.units_of_whole(not_whole), 0u);
  CHECK_EQUAL(pace.units_of(0.5), 1ull << (pace.k - 1));
  CHECK_EQUAL(pace.units_of(1e-9), 1u);
  CHECK_EQUAL(pace.units_of(1.0000001), (1ull << pace.k) + 1);
  CHECK_EQUAL(pace.units_of(3), 3ull << pace.k);
  for (const double bad : {0.0, -0.0, -1.0, 1e300, static_cast<double>(INFINITY), -static_cast<double>(INFINITY), std::nan("")}) {
    CHECK_EQUAL(pace.units_of(bad), 0u);
  }
}

TEST_CASE("the clock in units rises with the time, and is right within one unit for decades") {
  std::mt19937_64 random(1);
  for (const Rate& given : kRates) {
    const Pace pace = pace_of(given);
    for (int i = 0; i < 20'000; i++) {
      const Nanos at = random() % (20 * kYear) >> random() % 60;
      const Nanos later = at + (random() >> random() % 64) % kYear;
      CHECK(pace.units(at) <= pace.units(later));
      const long double exactly = units_exactly(pace, at);
      const long double got = static_cast<long double>(pace.units(at));
      CHECK(got <= exactly + 1 && got > exactly - 1);
    }
  }
}

TEST_CASE("the clock in units is what 128 bits say, to the last of them") {
  std::mt19937_64 random(4);
  for (const Rate& given : kRates) {
    const Pace pace = pace_of(given);
    const auto exactly = [&](Nanos at) {
      const forelock::core::Wide units = (static_cast<forelock::core::Wide>(at) * pace.scale) >> pace.shift;
      return units > Pace::kEnd ? Pace::kEnd : static_cast<std::uint64_t>(units);
    };
    for (int i = 0; i < 20'000; i++) {
      const Nanos at = random() >> random() % 64;
      CHECK_EQUAL(pace.units(at), exactly(at));
    }
    for (const Nanos at : {(1ull << 62) - 1, 1ull << 62, (1ull << 62) + 1}) CHECK_EQUAL(pace.units(at), exactly(at));
  }
}

TEST_CASE("after a whole number of periods the units are those of as many tokens, where a period is whole nanoseconds") {
  std::mt19937_64 random(2);
  for (const Rate& given : std::vector<Rate>{
           {500, 1000, 1}, {1, 86'400'000, 1}, {7, 7000, 1}, {1e7, 1000, 1}, {1e8, 1000, 1}, {5, 3, 1}, {1, 36525.0 * 86'400'000, 1}}) {
    const Pace pace = pace_of(given);
    const auto period = static_cast<Nanos>(given.per * 1e6 / given.rate);
    for (int i = 0; i < 10'000; i++) {
      const Nanos tokens = random() % (20 * kYear / period + 2);
      CHECK_EQUAL(pace.units(tokens * period), tokens << pace.k);
      CHECK_EQUAL(pace.when(tokens << pace.k, 0), tokens * period);
    }
  }
}

TEST_CASE("when() is the very first nanosecond, and never before the time it is asked at") {
  std::mt19937_64 random(3);
  for (const Rate& given : kRates) {
    const Pace pace = pace_of(given);
    for (int i = 0; i < 20'000; i++) {
      const Nanos from = (random() >> random() % 64) % (20 * kYear);
      const std::uint64_t wanted = pace.units(from) + (random() >> (4 + random() % 60)) % (1ull << 58);
      if (wanted > Pace::kEnd) continue;
      const Nanos at = pace.when(wanted, from);
      CHECK(at >= from);
      if (at >= Pace::kForever) continue;
      CHECK(pace.units(at) >= wanted);
      CHECK(at == from || pace.units(at - 1) < wanted);
    }
    CHECK_EQUAL(pace.when(0, 17), 17u);
  }
}

TEST_CASE("at the ends of 64 bits the clock stands still, and what it does not reach comes never") {
  constexpr Nanos kLast = ~0ull;
  for (const Rate& given : kRates) {
    const Pace pace = pace_of(given);
    CHECK_EQUAL(pace.units(0), 0u);
    CHECK(pace.units(kLast) <= Pace::kEnd);
    CHECK(pace.units(kLast) >= pace.units(kLast - 1));
    CHECK_EQUAL(pace.when(~0ull, 5), Pace::kForever);
    CHECK_EQUAL(pace.when(Pace::kEnd + 1, 5), Pace::kForever);
    CHECK_EQUAL(pace.when(~0ull, kLast), kLast);
    CHECK_EQUAL(pace.when(pace.units(kLast), kLast), kLast);
    const std::uint64_t last = pace.units(Pace::kForever - 1);
    const Nanos at = pace.when(last, 0);
    CHECK(pace.units(at) == last && (at == 0 || pace.units(at - 1) < last));
  }
}

TEST_CASE("a pace that no version of forelock writes is told, and asking it ends") {
  Pace pace = pace_of({500, 1000, 100});
  std::mt19937_64 random(4);
  for (int i = 0; i < 100'000; i++) {
    Pace bad = pace;
    bad.scale = random() >> random() % 64;
    bad.shift = static_cast<std::uint32_t>(random() % 128);
    bad.k = static_cast<std::uint32_t>(random() % 64);
    bad.burst = random() >> random() % 64;
    const Nanos now = random() >> random() % 64;
    const Taken taken = take(bad, random(), bad.units(now), random());
    (void)bad.when(taken.ready, now);
    (void)convert(bad, pace, random(), now);
  }
  pace.scale = 0;
  CHECK(!pace.sound());
}

// The bound itself: in every window between two grants, as time and as units.
TEST_CASE("over any window no more is admitted than the rate times the window, and a burst") {
  std::mt19937_64 random(5);
  for (const Rate& given : kRates) {
    Tested bucket(given, random() % kYear);
    const double period = given.per * 1e6 / given.rate;
    struct Grant {
      Nanos at;
      std::uint64_t units;
    };
    std::deque<Grant> grants;
    for (int i = 0; i < 3'000; i++) {
      // Bursts, steps of about a period, steps of a nanosecond, and pauses that fill the bucket.
      const std::uint64_t kind = random() % 8;
      const double step = kind < 3 ? 0 : kind < 5 ? 1 : kind < 7 ? period * (0.001 * (random() % 2000)) : period * given.burst * 1.5;
      if (bucket.now + step < 15.0 * kYear) bucket.now += static_cast<Nanos>(step);
      const std::uint64_t most = bucket.pace.burst < (5ull << bucket.pace.k) ? bucket.pace.burst : 5ull << bucket.pace.k;
      std::uint64_t amount = random() % 2 == 0 ? bucket.pace.units_of(1) : 1 + random() % most;
      if (random() % 50 == 0) amount = bucket.pace.burst;
      if (bucket.take(amount)) grants.push_back({bucket.now, amount});
      if (grants.size() > 400) grants.pop_front();
      Wide sum = 0;
      for (auto from = grants.rbegin(); from != grants.rend(); ++from) {
        sum += from->units;
        const std::uint64_t window = bucket.pace.units(bucket.now) - bucket.pace.units(from->at);
        CHECK(sum <= static_cast<Wide>(window) + bucket.pace.burst);
        const long double exactly = units_exactly(bucket.pace, bucket.now - from->at) + static_cast<long double>(bucket.pace.burst) + 2;
        CHECK(static_cast<long double>(sum) < exactly);
      }
    }
  }
}

TEST_CASE("a caller without competitors is granted exactly when its refusal said, and not a nanosecond earlier") {
  std::mt19937_64 random(6);
  for (const Rate& given : kRates) {
    int refusals = 0;
    for (int round = 0; round < 400; round++) {
      Tested bucket(given, random() % kYear);
      while (bucket.take(bucket.pace.burst - random() % (bucket.pace.burst / 2 + 1))) {
      }
      const std::uint64_t amount = 1 + random() % bucket.pace.burst;
      const Nanos asked = bucket.now;
      if (bucket.take(amount)) continue;
      const Nanos ready = bucket.ready;
      CHECK(ready > asked);
      if (ready >= 20 * kYear) continue;  // the word's end is tested by itself
      refusals++;
      const std::uint64_t before = bucket.tat;
      bucket.now = ready - 1;
      CHECK(!bucket.take(amount));
      CHECK_EQUAL(bucket.ready, ready);
      CHECK_EQUAL(bucket.tat, before);
      bucket.now = ready;
      CHECK(bucket.take(amount));
    }
    CHECK(refusals > 100 || given.per > 1e9);  // one a century cannot be waited for
  }
}

TEST_CASE("a burst is had at once, and not one token more") {
  for (const Rate& given : {Rate{500, 1000, 100}, Rate{3, 1000, 1}, Rate{1e8, 1000, 7}, Rate{1, 86'400'000, 365}}) {
    for (const Nanos from : {0ull, 1ull, 976ull, 123'456'789ull}) {
      Tested bucket(given, from);
      for (int i = 0; i < given.burst; i++) {
        CHECK_EQUAL(left(bucket.pace, bucket.tat, bucket.pace.units(from)) >> bucket.pace.k, static_cast<std::uint64_t>(given.burst) - i);
        CHECK(bucket.take(bucket.pace.units_of(1)));
      }
      CHECK(!bucket.take(1));
      CHECK_EQUAL(left(bucket.pace, bucket.tat, bucket.pace.units(from)), 0u);
    }
  }
}

TEST_CASE("a unit is 16 ns or less where the burst leaves room, and never more than a microsecond") {
  for (const Rate& given : {Rate{500, 1000, 100}, Rate{1e8, 1000, 7}, Rate{1, 86'400'000, 365}, Rate{1, 3.1e12, 1}}) {
    const double period = given.per * 1e6 / given.rate;
    for (double burst = 1; burst < 1e18; burst *= 16) {
      Pace pace{};
      if (!Pace::of(given.rate, given.per, burst, pace)) break;
      const double unit = std::ldexp(period, -static_cast<int>(pace.k));
      CHECK(unit <= 1'000);
      CHECK(unit <= 16 || pace.burst > Pace::kMaxBurst / 2);
    }
  }
}

TEST_CASE("the largest burst that fits is had, and the next one is none") {
  for (const Rate& given : {Rate{500, 1000, 1}, Rate{1e8, 1000, 1}, Rate{1, 86'400'000, 1}}) {
    double most = std::ldexp(1.0, 59 - static_cast<int>(pace_of(given).k));
    Pace none{};
    while (Pace::of(given.rate, given.per, 2 * most, none)) most *= 2;
    Tested bucket({given.rate, given.per, most});
    CHECK(bucket.take(bucket.pace.burst));
    CHECK(!bucket.take(1));
    CHECK(!Pace::of(given.rate, given.per, std::nextafter(most, INFINITY), none));
  }
}

TEST_CASE("what is given back can be taken again, and a full bucket takes nothing more") {
  std::mt19937_64 random(7);
  for (const Rate& given : kRates) {
    Tested bucket(given, kSecond);
    const std::uint64_t now = bucket.pace.units(bucket.now);
    CHECK(bucket.take(bucket.pace.burst));
    const std::uint64_t amount = 1 + random() % bucket.pace.burst;
    bucket.tat = refund(bucket.tat, amount);
    CHECK_EQUAL(left(bucket.pace, bucket.tat, now), amount);
    CHECK(bucket.take(amount));
    CHECK(!bucket.take(1));
    bucket.tat = refund(bucket.tat, bucket.pace.burst);
    bucket.tat = refund(bucket.tat, bucket.pace.burst);
    bucket.tat = refund(bucket.tat, ~0ull);
    CHECK_EQUAL(left(bucket.pace, bucket.tat, now), bucket.pace.burst);
    CHECK(bucket.take(bucket.pace.burst));
    CHECK(!bucket.take(1));
  }
}

TEST_CASE("another pace keeps the debt in tokens, rounded up, and never gives any away") {
  std::mt19937_64 random(8);
  for (const Rate& one : kRates) {
    for (const Rate& other : kRates) {
      const Pace from = pace_of(one);
      const Pace to = pace_of(other);
      for (int i = 0; i < 50; i++) {
        const Nanos at = random() % (10 * kYear);
        const std::uint64_t debt = random() % (from.burst + 1) >> random() % 60;
        const std::uint64_t tat = convert(from, to, from.units(at) + debt, at);
        const std::uint64_t kept = tat - to.units(at);
        CHECK(tat >= to.units(at) && tat <= Tat::kTimeMask);
        const Wide exactly = static_cast<Wide>(debt) << 60;  // in a unit that both divide
        const Wide converted = static_cast<Wide>(kept) << 60 >> to.k << from.k;
        if (kept < 2 * Pace::kMaxBurst - 1) {
          CHECK(converted >= exactly);
          CHECK(from.k > to.k || converted == exactly);
          CHECK(converted - exactly < static_cast<Wide>(1) << 60 >> to.k << from.k);
        } else {
          CHECK_EQUAL(left(to, tat, to.units(at)), 0u);  // more than any burst
        }
        CHECK(convert(from, to, from.units(at), at) == to.units(at));
        CHECK(convert(from, to, 0, at) == to.units(at));
      }
    }
  }
}

TEST_CASE("back and forth between two paces no debt is lost") {
  const Pace slow = pace_of({3, 1000, 50});
  const Pace fast = pace_of({1e6, 1000, 5000});
  for (std::uint64_t debt = 0; debt < 50ull << slow.k; debt += 99'991) {
    const std::uint64_t there = convert(slow, fast, slow.units(kDay) + debt, kDay);
    const std::uint64_t back = convert(fast, slow, there, kDay);
    CHECK(back - slow.units(kDay) >= debt);
  }
}

TEST_CASE("nothing drifts over ten million takes") {
  for (const Rate& given : {Rate{3, 1000, 1}, Rate{7, 1000, 4}, Rate{1e7, 1000, 1}, Rate{12345, 777, 100}}) {
    Tested bucket(given, 123'456);
    const Nanos begin = bucket.now;
    const std::uint64_t one = bucket.pace.units_of(1);
    constexpr std::uint64_t kTakes = 10'000'000;
    for (std::uint64_t i = 0; i < kTakes; i++) {
      if (bucket.take(one)) continue;
      bucket.now = bucket.ready;
      CHECK(bucket.take(one));
    }
    // The burst at the beginning, then one after the other: as if computed at once.
    CHECK_EQUAL(bucket.tat, bucket.pace.units(begin) + kTakes * one);
    const long double wanted = (kTakes - static_cast<long double>(given.burst)) * given.per * 1e6L / given.rate;
    const long double unit = given.per * 1e6L / given.rate / static_cast<long double>(one);
    CHECK(std::abs(static_cast<long double>(bucket.now - begin) - wanted) < 2 * unit + 2);
  }
}

TEST_CASE("a clock that jumps forward by years fills the bucket once") {
  for (const Rate& given : kRates) {
    Tested bucket(given, 5);
    for (int jump = 0; jump < 4; jump++) {
      if (bucket.pace.units(bucket.now) >= Pace::kEnd) break;
      std::uint64_t had = 0;
      while (bucket.take(bucket.pace.burst)) had += bucket.pace.burst;
      CHECK(had <= bucket.pace.burst);
      CHECK(!bucket.take(bucket.pace.burst));
      bucket.now += 5 * kYear;
    }
  }
}

TEST_CASE("at the end of the word a bucket gives what it has left, and then refuses for ever") {
  for (const Rate& given : kRates) {
    Tested bucket(given, ~0ull);
    Tested before(given, 0);
    CHECK(before.take(before.pace.burst));
    bucket.tat = before.tat;
    if (bucket.pace.units(bucket.now) < Pace::kEnd) continue;  // units too coarse for 64 bits of nanoseconds to reach it
    CHECK(bucket.take(bucket.pace.burst));
    for (int i = 0; i < 100; i++) CHECK(!bucket.take(1));
    CHECK(bucket.tat <= Tat::kTimeMask);
    CHECK_EQUAL(bucket.ready, ~0ull);
  }
}

TEST_MAIN()
