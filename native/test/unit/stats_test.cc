#include "core/stats.h"

#include <set>

#include "core/member.h"
#include "test/check.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

Capacity counted(std::uint32_t rows = 16) {
  Capacity capacity = World::small();
  capacity.elements = 512;
  capacity.telemetry = 64;
  capacity.rows = rows;
  return capacity;
}

std::u16string name(std::uint32_t i) { return u"n" + std::u16string(1, static_cast<char16_t>(u'\x100' + i)); }

void use(World& world, Member& member, const Handle& handle, Nanos held, std::uint32_t tier = 1) {
  Granted granted;
  CHECK(member.try_fast(handle, tier, world.host.now(), granted) == Answer::kOk);
  world.host.time += held;
  CHECK(member.release_fast(handle.index, granted.sequence));
}

ElementStats stats_of(World& world, Member& member, const Handle& handle) {
  member.telemetry().flush();
  ElementStats stats;
  CHECK(read_stats_of(*world.arena, handle, world.host.time, stats));
  return stats;
}

}  // namespace

TEST_CASE("nothing is counted until somebody asks") {
  World world(counted());
  auto member = world.join(1);
  const Handle handle = look_up(*member, u"x");
  observe(*world.arena, 1, true);
  use(world, *member, handle, 1'000);
  member->telemetry().flush();
  CHECK(read_stats(*world.arena, world.host.time, 10).empty());
  CHECK(read_rest(*world.arena, world.host.time).empty());
}

TEST_CASE("every grant and every hold is counted, however many come in a row") {
  World world(counted());
  auto member = world.join(1);
  CHECK(begin_stats(*world.arena));
  observe(*world.arena, 1, true);
  const Handle x = look_up(*member, u"x");
  const Handle y = look_up(*member, u"y");
  for (int i = 0; i < 1'000; i++) use(world, *member, x, i % 3 == 0 ? 300 : 500'000, i % 2 == 0 ? 1 : 2);
  for (int i = 0; i < 10; i++) use(world, *member, y, 1'000);
  const ElementStats stats = stats_of(world, *member, x);
  CHECK_EQUAL(stats.tiers.size(), 2u);
  std::uint64_t short_holds = 0;
  for (const TierStats& tier : stats.tiers) {
    CHECK_EQUAL(tier.grants, 500u);
    CHECK_EQUAL(tier.hold.count, 500u);
    CHECK_EQUAL(tier.hold.max, 500'000u);
    CHECK_EQUAL(tier.wait.max, 0u);
    short_holds += tier.grants;
  }
  CHECK_EQUAL(short_holds, 1'000u);
  CHECK_EQUAL(stats_of(world, *member, y).tiers[0].grants, 10u);
  CHECK(stats.name == u"x");
}

TEST_CASE("a lock held for half of the time is in use by one half") {
  World world(counted());
  auto member = world.join(1);
  CHECK(begin_stats(*world.arena));
  observe(*world.arena, 1, true);
  const Handle x = look_up(*member, u"x");
  for (int i = 0; i < 100; i++) {
    use(world, *member, x, 2 * kNanosPerMilli);
    world.host.time += 2 * kNanosPerMilli;
  }
  const double in_use = stats_of(world, *member, x).tiers[0].in_use;
  CHECK(in_use > 0.49 && in_use < 0.51);
  // A second observation begins anew.
  observe(*world.arena, 1, false);
  world.host.time += 1'000'000 * kNanosPerMilli;
  observe(*world.arena, 1, true);
  use(world, *member, x, 2 * kNanosPerMilli);
  world.host.time += 6 * kNanosPerMilli;
  const double later = stats_of(world, *member, x).tiers[0].in_use;
  CHECK(later > 0.24 && later < 0.26);
}

TEST_CASE("locks without a row are in use together, by the sum of all of them, in this observation only") {
  World world(counted(1));
  auto member = world.join(1);
  CHECK(begin_stats(*world.arena));
  observe(*world.arena, 1, true);
  use(world, *member, look_up(*member, u"busy"), 1'000);
  member->telemetry().flush();
  world.arena->stat_row(0).weight.store(1ull << 60);  // nobody else gets the only row
  const Handle x = look_up(*member, u"x"), y = look_up(*member, u"y");
  const auto half = [&](int rounds) {
    for (int i = 0; i < rounds; i++) {
      use(world, *member, x, kNanosPerMilli);
      use(world, *member, y, kNanosPerMilli);
      world.host.time += 2 * kNanosPerMilli;
    }
    member->telemetry().flush();
    const auto rest = read_rest(*world.arena, world.host.time);
    CHECK_EQUAL(rest.size(), 1u);
    return rest[0].tiers[0].in_use;
  };
  const double first = half(100);
  CHECK(first > 0.49 && first < 0.51);
  observe(*world.arena, 1, false);
  world.host.time += 1'000'000 * kNanosPerMilli;
  observe(*world.arena, 1, true);
  CHECK_EQUAL(read_rest(*world.arena, world.host.time + kNanosPerMilli)[0].tiers[0].in_use, 0.0);
  const double second = half(100);
  CHECK(second > 0.49 && second < 0.51);
}

TEST_CASE("waits, refusals, timeouts and aborts are counted without an observer, and who waits now is seen") {
  World world(counted());
  auto holder = world.join(1);
  auto other = world.join(2);
  CHECK(begin_stats(*world.arena));
  const Handle x = look_up(*holder, u"x");
  Granted held;
  CHECK(holder->try_fast(x, 1, 0, held) == Answer::kOk);
  Request request;
  request.handle = x;
  request.tier = 2;
  Granted granted;
  CHECK(other->try_lock(request, granted) == Answer::kBusy);
  CHECK(other->lock(request, granted) == Answer::kWait);
  CHECK_EQUAL(stats_of(world, *other, x).tiers[0].waiting, 1u);
  request.deadline = world.host.time + 1'000;
  CHECK(other->lock(request, granted) == Answer::kWait);
  request.deadline = 0;
  CHECK(other->lock(request, granted) == Answer::kWait);
  CHECK(other->abort(granted.waiter) == Answer::kOk);
  world.host.time += 10 * kNanosPerMilli;
  other->expire();
  CHECK(holder->release(x.index, held.sequence) == Answer::kOk);
  other->collect();
  const ElementStats stats = stats_of(world, *other, x);
  CHECK_EQUAL(stats.tiers.size(), 1u);
  const TierStats& tier = stats.tiers[0];
  CHECK_EQUAL(tier.tier, 2u);
  CHECK_EQUAL(tier.grants, 1u);
  CHECK_EQUAL(tier.refusals, 1u);
  CHECK_EQUAL(tier.timeouts, 1u);
  CHECK_EQUAL(tier.aborts, 1u);
  CHECK_EQUAL(tier.waiting, 0u);
  CHECK_EQUAL(tier.wait.max, 10 * kNanosPerMilli);
  CHECK(tier.wait.p50 > 9.3e6 && tier.wait.p50 <= 10e6);
}

TEST_CASE("when rows are short, the busy keep theirs against a stream of elements seen once, and all are counted somewhere") {
  World world(counted(8));
  auto member = world.join(1);
  CHECK(begin_stats(*world.arena));
  observe(*world.arena, 1, true);
  std::vector<Handle> busy;
  for (std::uint32_t i = 0; i < 4; i++) busy.push_back(look_up(*member, name(i)));
  for (int i = 0; i < 2'000; i++) use(world, *member, busy[static_cast<std::size_t>(i) % 4], 1'000);
  for (std::uint32_t i = 0; i < 400; i++) use(world, *member, look_up(*member, name(10 + i)), 1'000);
  std::set<std::u16string> kept;
  for (const ElementStats& stats : read_stats(*world.arena, world.host.time, 100)) kept.insert(stats.name);
  for (std::uint32_t i = 0; i < 4; i++) CHECK(kept.count(name(i)) == 1);
  CHECK(kept.size() <= 8);
  CHECK_EQUAL(stats_of(world, *member, busy[0]).tiers[0].grants, 500u);
  const auto rest = read_rest(*world.arena, world.host.time);
  CHECK_EQUAL(rest.size(), 1u);
  CHECK(rest[0].kind == Kind::kLock);
  CHECK(rest[0].tiers[0].grants > 0 && rest[0].tiers[0].grants <= 400);
}

TEST_CASE("the busiest come first, as many as asked for") {
  World world(counted());
  auto member = world.join(1);
  CHECK(begin_stats(*world.arena));
  observe(*world.arena, 1, true);
  for (std::uint32_t i = 0; i < 8; i++) {
    const Handle handle = look_up(*member, name(i));
    for (std::uint32_t n = 0; n <= i; n++) use(world, *member, handle, 1'000);
  }
  member->telemetry().flush();
  const auto top = read_stats(*world.arena, world.host.time, 3);
  CHECK_EQUAL(top.size(), 3u);
  for (std::uint32_t i = 0; i < 3; i++) CHECK(top[i].name == name(7 - i));
}

TEST_CASE("a row claimed by one that died over it is taken by the next, which counts from nothing") {
  World world(counted(1));
  auto dead = world.join(1);
  auto member = world.join(2);
  CHECK(begin_stats(*world.arena));
  observe(*world.arena, 2, true);
  world.arena->header().stats_hand.store(1);
  world.arena->stat_row(0).key.store(StatKey::claim(1, dead->incarnation()));
  CHECK(world.arena->ensure(world.arena->layout().stat_cells, kTiers * sizeof(StatCell)));
  world.arena->stat_cell(0, 1).refusals.store(7);
  const Handle x = look_up(*member, u"x");
  use(world, *member, x, 1'000);
  ElementStats stats;
  CHECK(!read_stats_of(*world.arena, x, world.host.time, stats));
  world.kill(1);
  world.host.time += 2 * kNanosPerMilli;
  use(world, *member, x, 1'000);
  member->telemetry().flush();
  CHECK(read_stats_of(*world.arena, x, world.host.time, stats));
  CHECK_EQUAL(stats.tiers[0].refusals, 0u);
  CHECK_EQUAL(stats.tiers[0].grants, 1u);
}

TEST_CASE("any bytes in the heads of the rows are bounded") {
  World world(counted());
  auto member = world.join(1);
  CHECK(begin_stats(*world.arena));
  observe(*world.arena, 1, true);
  const Handle x = look_up(*member, u"x");
  for (const std::uint64_t bytes : {0ull, 1ull, ~0ull, 1ull << 63, (1ull << 27) - 1, 0x123456789abcdefull}) {
    for (std::uint32_t row = 0; row < 16; row++) {
      world.arena->stat_row(row).key.store(bytes);
      world.arena->stat_row(row).weight.store(bytes);
      world.arena->stat_cell(row, 1).held_from.store(bytes);
    }
    world.arena->header().stats_hand.store(static_cast<std::uint32_t>(bytes));
    world.arena->stat_row_of(x.index).store(static_cast<std::uint16_t>(bytes));
    for (int i = 0; i < 10; i++) use(world, *member, x, 1'000);
    member->telemetry().flush();
    CHECK(read_stats(*world.arena, world.host.time, 100).size() <= 16);
    ElementStats stats;
    read_stats_of(*world.arena, x, world.host.time, stats);
  }
}

TEST_MAIN()
