#include "predict/followers.h"

#include <algorithm>
#include <random>

#include "test/check.h"

using namespace forelock::predict;

namespace {

constexpr std::uint32_t kA = 1, kB = 2, kC = 3, kX = 4, kY = 5;

struct World {
  void came(std::uint32_t run, std::uint32_t item, double now) { followers.arrived(run, item, {item, 0}, now); }

  double chance(std::uint32_t item, double now) {
    for (const auto& one : followers.expected(now)) {
      if (one.item.index == item) return one.chance;
    }
    return 0;
  }

  Followers followers{0.5, 1};
  std::mt19937 engine{3};
};

// Runs of which every second one or so asks for B behind A. The moment after the last.
double half_followed(World& world, double after) {
  std::bernoulli_distribution half(0.5);
  double now = 0;
  for (std::uint32_t run = 1; run < 2'000; run++, now += 30) {
    world.came(run, kA, now);
    if (half(world.engine)) world.came(run, kB, now + after);
  }
  return now;
}

}  // namespace

TEST_CASE("what follows inside of a run is expected behind its leader, whatever other runs do meanwhile") {
  World world;
  double now = 0;
  for (std::uint32_t i = 0; i < 400; i++, now += 30) {
    world.came(2 * i + 1, kA, now);
    world.came(2 * i + 2, kX, now + 0.05);
    world.came(2 * i + 1, kB, now + 0.1);
    world.came(2 * i + 2, kY, now + 0.15);
  }
  CHECK_EQUAL(world.chance(kB, now), 0.0);
  world.came(1'000, kA, now);
  CHECK(world.chance(kB, now + 0.02) > 0.95);
  CHECK(world.chance(kY, now + 0.02) < 0.05);
  CHECK(world.chance(kX, now + 0.02) < 0.05);
}

TEST_CASE("a chance is what it is after the silence so far") {
  World world;
  const double now = half_followed(world, 0.1);
  world.came(5'000, kA, now);
  const double soon = world.chance(kB, now + 0.02);
  CHECK(soon > 0.4 && soon < 0.6);
  CHECK(world.chance(kB, now + 0.3) < 0.05);
}

TEST_CASE("two keys tell more than the last one") {
  World world;
  double now = 0;
  for (std::uint32_t run = 1; run < 600; run++, now += 30) {
    world.came(run, run % 2 == 0 ? kX : kY, now);
    world.came(run, kA, now + 0.1);
    world.came(run, run % 2 == 0 ? kB : kC, now + 0.2);
  }
  world.came(5'000, kX, now);
  world.came(5'000, kA, now + 0.1);
  CHECK(world.chance(kB, now + 0.12) > 0.9);
  CHECK(world.chance(kC, now + 0.12) < 0.1);
}

TEST_CASE("of two runs that may each ask for a key, either will do") {
  World world;
  const double now = half_followed(world, 0.2);
  world.came(5'000, kA, now);
  world.came(5'001, kA, now);
  const double either = world.chance(kB, now + 0.02);
  CHECK(either > 0.65 && either < 0.85);
}

TEST_CASE("a place that another key has taken is not taken for the first") {
  World world;
  double now = 0;
  for (std::uint32_t run = 1; run < 200; run++, now += 30) {
    world.came(run, kA, now);
    world.followers.arrived(run, kB, {kB, run < 100 ? 0u : 1u}, now + 0.1);
  }
  world.came(5'000, kA, now);
  for (const auto& one : world.followers.expected(now + 0.02)) CHECK(one.chance >= 0 && one.chance <= 1);
}

TEST_CASE("more runs, contexts and followers than there is room for leave chances, and take no more room") {
  World world;
  double now = 0;
  for (int i = 0; i < 100'000; i++) {
    now += 0.001;
    world.came(1 + world.engine() % 2'000, world.engine() % 1'000, now);
    if (i % 1'000 != 0) continue;
    for (const auto& one : world.followers.expected(now)) CHECK(one.chance > 0 && one.chance <= 1);
  }
}

TEST_CASE("a clock gone so far that moments are lost in it does not stop what is learnt") {
  for (const double within : {1e-9, 1.0, 3'600.0}) {
    Followers followers(within, 1);
    for (const double now : {0.0, 1.0, 1e12, 1e12, 1e12 + 1, 1e12 + 1e4}) {
      for (std::uint32_t run = 1; run < 4; run++) followers.arrived(run, run, {run, 0}, now);
      for (const auto& one : followers.expected(now)) CHECK(one.chance >= 0 && one.chance <= 1);
    }
  }
}

TEST_MAIN()
