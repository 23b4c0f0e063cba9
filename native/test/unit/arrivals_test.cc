#include "predict/arrivals.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "test/check.h"

using namespace forelock::predict;

namespace {

constexpr std::uint64_t kSteady = 1;
constexpr std::uint64_t kRandom = 2;
constexpr std::uint64_t kLeader = 3;
constexpr std::uint64_t kFollower = 4;

// One key each 4 s to the moment, one at random once in 4 s, and one that follows another by 0.2 s, for some hours.
struct World {
  explicit World(Arrivals& arrivals) : arrivals(arrivals) {}

  void run(double seconds) {
    const double end = now + seconds;
    while (now < end) {
      const double next = std::min({steady, random, leader, follower});
      now = next;
      if (next == steady) {
        arrivals.arrived(kSteady, now, 3, 7);
        steady += 4;
      } else if (next == random) {
        arrivals.arrived(kRandom, now, 0, 7);
        random = now + gap(engine);
      } else if (next == leader) {
        arrivals.arrived(kLeader, now, 1, 8);
        follower = now + 0.2;
        leader = now + 5 + gap(engine);
      } else {
        arrivals.arrived(kFollower, now, 1, 8);
        follower = 1e18;
      }
    }
  }

  Arrivals& arrivals;
  std::mt19937 engine{5};
  std::exponential_distribution<double> gap{0.25};
  double now = 0;
  double steady = 1, random = 1.5, leader = 2, follower = 1e18;
};

}  // namespace

TEST_CASE("a key asked for at equal times is likely just before the next and unlikely just after the last") {
  Arrivals arrivals({100, 0.5, 1});
  World world(arrivals);
  world.run(8'000);
  // The last one was at world.steady - 4.
  const double last = world.steady - 4;
  World after(arrivals);
  if (last + 0.5 > world.now) CHECK(arrivals.score(kSteady, last + 0.5) < 0.05);
  CHECK(arrivals.score(kSteady, world.steady - 0.25) > 0.8);
}

TEST_CASE("a key asked for at random is as likely at any time") {
  Arrivals arrivals({100, 0.5, 1});
  World world(arrivals);
  world.run(8'000);
  const double expected = 1 - std::exp(-0.5 / 4);
  double sum = 0;
  for (int i = 0; i < 200; i++) {
    world.run(3.7);
    sum += arrivals.score(kRandom, world.now) / 200;
  }
  CHECK(std::fabs(sum - expected) < 0.04);
}

TEST_CASE("what follows another is likely as soon as that one came") {
  Arrivals arrivals({100, 0.5, 1});
  World world(arrivals);
  world.run(8'000);
  const double before = arrivals.score(kFollower, world.now + 4);
  arrivals.arrived(kLeader, world.now + 4.01, 1, 8);
  const double after = arrivals.score(kFollower, world.now + 4.02);
  CHECK(after > 0.8);
  CHECK(before < 0.4);
}

TEST_CASE("what follows inside of a run is likely there, and not behind the same key in another kind of run") {
  Arrivals arrivals({100, 0.5, 1});
  double now = 0;
  std::mt19937 engine(4);
  std::uniform_real_distribution<double> pause(4, 8);
  // Two kinds of run: 10 leads to 11 and 12, and 20 to 11 and 22, each by 0.2 s; two at once.
  std::uint32_t run = 0;
  for (int i = 0; i < 2'000; i++, now += pause(engine)) {
    const std::uint32_t one = ++run;
    const std::uint32_t other = ++run;
    arrivals.arrived(10, now, 0, 0, one);
    arrivals.arrived(11, now + 0.2, 0, 0, one);
    arrivals.arrived(12, now + 0.4, 0, 0, one);
    arrivals.arrived(20, now + 1, 0, 0, other);
    arrivals.arrived(11, now + 1.2, 0, 0, other);
    arrivals.arrived(22, now + 1.4, 0, 0, other);
  }
  arrivals.arrived(10, now, 0, 0, ++run);
  arrivals.arrived(11, now + 0.2, 0, 0, run);
  CHECK(arrivals.score(12, now + 0.25) > 0.8);
  CHECK(arrivals.score(22, now + 0.25) < 0.2);
}

TEST_CASE("scores are true: of what is said to come in so many of a hundred cases, about as many come") {
  Arrivals arrivals({100, 0.5, 1});
  World world(arrivals);
  world.run(4'000);
  double said = 0;
  double came = 0;
  std::mt19937 engine(1);
  for (int i = 0; i < 4'000; i++) {
    world.run(std::uniform_real_distribution<double>(0.3, 1.5)(engine));
    const double next[] = {world.steady, world.random, world.leader, world.follower};
    const std::uint64_t keys[] = {kSteady, kRandom, kLeader, kFollower};
    for (int k = 0; k < 4; k++) {
      said += arrivals.score(keys[k], world.now);
      came += next[k] <= world.now + 0.5 ? 1 : 0;
    }
  }
  CHECK(std::fabs(said / came - 1) < 0.1);
}

TEST_CASE("a tier has the part that its requests had") {
  Arrivals arrivals({100, 0.5, 1});
  World world(arrivals);
  world.run(1'000);
  const double any = arrivals.score(kSteady, world.now);
  CHECK_EQUAL(arrivals.score(kSteady, world.now, 3), any);
  CHECK_EQUAL(arrivals.score(kRandom, world.now, 1), 0.0);
  CHECK(arrivals.score(kRandom, world.now, 0) > 0);
}

TEST_CASE("the likeliest come first, and none that is less likely than asked") {
  Arrivals arrivals({100, 0.5, 1});
  World world(arrivals);
  world.run(4'000);
  Arrivals::Likely out[8];
  const std::size_t all = arrivals.likely(world.now, 0, out);
  CHECK_EQUAL(all, std::size_t{4});
  for (std::size_t i = 1; i < all; i++) CHECK(out[i - 1].score >= out[i].score);
  for (std::size_t i = 0; i < all; i++) CHECK_EQUAL(out[i].score, arrivals.score(out[i].key, world.now));
  const double least = out[1].score;
  CHECK_EQUAL(arrivals.likely(world.now, least, out), std::size_t{2});
  CHECK_EQUAL(arrivals.likely(world.now, 0, std::span(out).first(2)), std::size_t{2});
  CHECK_EQUAL(out[1].score, least);
  CHECK_EQUAL(arrivals.likely(world.now, 0, {}), std::size_t{0});
}

TEST_CASE("of the likely, those that were asked for a moment ago can be left out") {
  Arrivals arrivals({100, 0.5, 1});
  for (std::uint64_t round = 0; round < 3; round++) {
    for (std::uint64_t key = 1; key <= 4; key++) arrivals.arrived(key, static_cast<double>(100 * round + 10 * key), 0, 0);
  }
  Arrivals::Likely out[8];
  CHECK_EQUAL(arrivals.likely(241, 0, out), std::size_t{4});
  CHECK_EQUAL(arrivals.likely(241, 0, out, 2), std::size_t{3});
  for (std::size_t i = 0; i < 3; i++) CHECK(out[i].key != 4);
  CHECK_EQUAL(arrivals.likely(243, 0, out, 2), std::size_t{4});
}

TEST_CASE("a key whose gaps are equal is as likely just before the next one after ten thousand of them") {
  Arrivals arrivals({100, 0.5, 1});
  World world(arrivals);
  world.run(40'000);
  CHECK(arrivals.score(kSteady, world.steady - 0.25) > 0.8);
}

TEST_CASE("of more keys than there is room for, those asked for most stay") {
  Arrivals arrivals({64, 0.5, 1});
  double now = 0;
  std::mt19937_64 engine(2);
  for (int round = 0; round < 3'000; round++) {
    for (std::uint64_t key = 0; key < 16; key++) arrivals.arrived(key, now += 0.001, 0, 0);
    arrivals.arrived(1'000 + engine() % 100'000, now += 0.001, 0, 0);
  }
  CHECK_EQUAL(arrivals.tracked(), std::size_t{64});
  int kept = 0;
  for (std::uint64_t key = 0; key < 16; key++) kept += arrivals.score(key, now) > 0 ? 1 : 0;
  CHECK_EQUAL(kept, 16);
}

TEST_CASE("what was learnt is carried over, and what is none is refused") {
  Arrivals taught({100, 0.5, 1});
  World world(taught);
  world.run(4'000);
  std::vector<float> saved = taught.save();
  CHECK_EQUAL(saved.size(), Arrivals::kSaved);
  Arrivals heir({100, 0.5, 1});
  CHECK(heir.load(saved));
  CHECK(heir.save() == saved);
  for (const std::size_t spoilt : {std::size_t{0}, std::size_t{1}, saved.size() - 1}) {
    auto broken = saved;
    broken[spoilt] = std::numeric_limits<float>::quiet_NaN();
    CHECK(!heir.load(broken));
  }
  auto negative = saved;
  negative[1] = -1;
  CHECK(!heir.load(negative));
  CHECK(!heir.load(std::span(saved).first(10)));
  CHECK(heir.save() == saved);
}

TEST_CASE("a clock that goes back, leaps or stands still gives probabilities all the same") {
  Arrivals arrivals({32, 0.5, 1});
  std::mt19937_64 engine(9);
  double now = 0;
  for (int i = 0; i < 20'000; i++) {
    switch (engine() % 100) {
      case 0:
        now -= 1e6;
        break;
      case 1:
        now += 1e9;
        break;
      case 2:
        now = 1e300;
        break;
      case 3:
        now = 0;
        break;
      default:
        now += 1e-3 * static_cast<double>(engine() % 1000);
    }
    arrivals.arrived(engine() % 100, now, static_cast<std::uint32_t>(engine()), static_cast<std::uint32_t>(engine()));
    const double score = arrivals.score(engine() % 100, now);
    CHECK(score >= 0 && score <= 1);
  }
}

TEST_CASE("a key that nobody asked for is not expected") {
  Arrivals arrivals({8, 0.5, 1});
  CHECK_EQUAL(arrivals.score(1, 0), 0.0);
  CHECK_EQUAL(arrivals.score(1, 0, 2), 0.0);
  Arrivals::Likely out[1];
  CHECK_EQUAL(arrivals.likely(0, 0, out), std::size_t{0});
}

TEST_MAIN()
