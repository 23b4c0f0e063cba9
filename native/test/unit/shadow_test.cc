#include "core/shadow.h"

#include <cstring>
#include <random>

#include "core/stats.h"
#include "test/check.h"
#include "test/supply.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

constexpr Nanos kSecond = 1'000 * kNanosPerMilli;
constexpr Nanos kAgeing = 30 * kSecond;

bool find(const World& world, Kind kind, const std::u16string& name, Handle& out) {
  return find_element(*world.arena, kind, name.data(), name.size(), out);
}

ShadowView look_at(const World& world, Kind kind, const std::u16string& name) {
  Handle handle{};
  ShadowView view;
  CHECK(find(world, kind, name, handle));
  CHECK(look(*world.arena, kind, handle, world.host.time, view));
  return view;
}

Answer lock(Member& member, Handle handle, std::uint32_t tier, Granted& out, bool shared = false) {
  Request request;
  request.handle = handle;
  request.tier = tier;
  request.shared = shared;
  return member.lock(request, out);
}

Granted wait_for(Member& member, const Request& request) {
  Granted granted;
  CHECK((request.kind == Kind::kBucket ? member.tokens(request, granted) : member.units(request, granted)) == Answer::kWait);
  return granted;
}

// A bucket, all of whose tokens have just been taken.
Handle make_emptied(Member& member, const std::u16string& name, double rate, double burst) {
  const Handle handle = make_bucket(member, name, pace_of(rate, 1'000, burst));
  Tokens out;
  CHECK(member.try_tokens(tokens(handle, burst), out) == Answer::kOk);
  return handle;
}

// The arena before, to be compared word by word.
class Copy {
 public:
  explicit Copy(const World& world) : world_(world), bytes_(world.size) { std::memcpy(bytes_.data(), world.base, world.size); }
  bool is_unchanged() const { return std::memcmp(bytes_.data(), world_.base, world_.size) == 0; }

 private:
  const World& world_;
  std::vector<unsigned char> bytes_;
};

template <typename Body>
bool is_corrupt(Body body) {
  try {
    body();
  } catch (const Corrupt&) {
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a name that nobody has used is not found, and not made") {
  World world;
  const auto one = world.join(1);
  look_up(*one, u"there");
  const Copy before(world);
  Handle handle{};
  CHECK(!find(world, Kind::kLock, u"not there", handle));
  CHECK(!find(world, Kind::kBucket, u"there", handle));
  CHECK(find(world, Kind::kLock, u"there", handle));
  CHECK(before.is_unchanged());
}

TEST_CASE("a look at a lock shows its owner and who waits, each tier in its order") {
  World world;
  const auto one = world.join(1), two = world.join(2);
  const Handle handle = look_up(*one, u"a");
  Granted held, low, first, second;
  CHECK(lock(*one, handle, 2, held) == Answer::kOk);
  CHECK(lock(*two, handle, 0, low) == Answer::kWait);
  world.host.time += kSecond;
  CHECK(lock(*two, handle, 3, first) == Answer::kWait);
  CHECK(lock(*one, handle, 3, second) == Answer::kWait);
  const Copy before(world);
  const ShadowView view = look_at(world, Kind::kLock, u"a");
  CHECK(before.is_unchanged());
  CHECK(view.consistent);
  CHECK_EQUAL(view.holders.size(), 1u);
  CHECK_EQUAL(view.holders[0].participant, 1u);
  CHECK_EQUAL(view.holders[0].tier, 2u);
  CHECK_EQUAL(view.holders[0].since, world.host.time - kSecond);
  CHECK_EQUAL(view.waiters[0].size(), 1u);
  CHECK_EQUAL(view.waiters[0][0].since, world.host.time - kSecond);
  CHECK_EQUAL(view.waiters[3].size(), 2u);
  CHECK_EQUAL(view.waiters[3][0].participant, 2u);
  CHECK_EQUAL(view.waiters[3][1].participant, 1u);
  const auto order = order_of(view, kAgeing);
  CHECK_EQUAL(order.size(), 3u);
  CHECK(order[0].tier == 3 && order[0].place == 0 && order[1].place == 1 && order[2].tier == 0);
}

TEST_CASE("one that has waited for longer than the tiers are apart comes before a higher one") {
  World world;
  const auto one = world.join(1), two = world.join(2);
  const Handle handle = look_up(*one, u"a");
  Granted held, low, high;
  CHECK(lock(*one, handle, 1, held) == Answer::kOk);
  CHECK(lock(*two, handle, 0, low) == Answer::kWait);
  world.host.time += 3 * kAgeing + 1;
  CHECK(lock(*two, handle, 3, high) == Answer::kWait);
  CHECK_EQUAL(order_of(look_at(world, Kind::kLock, u"a"), kAgeing)[0].tier, 0u);
  CHECK_EQUAL(order_of(look_at(world, Kind::kLock, u"a"), 0)[0].tier, 3u);
}

TEST_CASE("those who are dead neither hold nor wait") {
  World world;
  const auto one = world.join(1), two = world.join(2), three = world.join(3);
  const Handle handle = look_up(*one, u"a");
  Granted held, waits, other;
  CHECK(lock(*one, handle, 1, held) == Answer::kOk);
  CHECK(lock(*two, handle, 1, waits) == Answer::kWait);
  CHECK(lock(*three, handle, 1, other) == Answer::kWait);
  world.kill(1);
  world.kill(2);
  const ShadowView view = look_at(world, Kind::kLock, u"a");
  CHECK(view.holders.empty());
  CHECK_EQUAL(view.waiters[1].size(), 1u);
  CHECK_EQUAL(view.waiters[1][0].participant, 3u);
}

TEST_CASE("what came in while somebody is inside is seen where it will stand") {
  World world;
  const auto one = world.join(1), two = world.join(2), three = world.join(3);
  const Handle handle = look_up(*one, u"a");
  Granted held, first, second, third;
  CHECK(lock(*one, handle, 1, held) == Answer::kOk);
  CHECK(lock(*two, handle, 1, first) == Answer::kWait);
  // As if participant 3 stood in the gate.
  auto& word = world.arena->element(handle.index).gate;
  Gate gate = Gate::of(word.load());
  gate.holder = lane_of(3, Thread::kScript);
  word.store(gate.word());
  CHECK(lock(*one, handle, 1, second) == Answer::kWait);
  CHECK(lock(*two, handle, 3, third) == Answer::kWait);
  const Copy before(world);
  const ShadowView view = look_at(world, Kind::kLock, u"a");
  CHECK(before.is_unchanged());
  CHECK_EQUAL(view.waiters[1].size(), 2u);
  CHECK_EQUAL(view.waiters[1][0].participant, 2u);
  CHECK_EQUAL(view.waiters[1][1].participant, 1u);
  CHECK_EQUAL(view.waiters[3].size(), 1u);
  gate = Gate::of(word.load());
  gate.holder = 0;
  gate.poke = false;
  word.store(gate.word());
}

TEST_CASE("a grant of a pool is as old as the grant, not as the request") {
  World world(with_heap());
  const auto one = world.join(1), two = world.join(2);
  const Handle handle = make_pool(*one, u"p", pool_plan({4}));
  Granted held;
  CHECK(one->try_units(units(handle, {4}), held) == Answer::kOk);
  const Nanos began = world.host.time;
  wait_for(*two, units(handle, {3}, 2));
  world.host.time += kSecond;
  ShadowView view = look_at(world, Kind::kPool, u"p");
  CHECK_EQUAL(view.holders.size(), 1u);
  CHECK_EQUAL(view.holders[0].since, began);
  CHECK_EQUAL(view.waiters[2][0].amounts[0], 3u);
  CHECK(one->release_shared(held.waiter, held.sequence) == Answer::kOk);
  world.host.time += kSecond;
  view = look_at(world, Kind::kPool, u"p");
  CHECK_EQUAL(view.holders.size(), 1u);
  CHECK_EQUAL(view.holders[0].tier, 2u);
  CHECK_EQUAL(view.holders[0].since, world.host.time - kSecond);
}

TEST_CASE("tokens are foreseen to the nanosecond, behind those who wait") {
  World world(with_heap());
  const auto one = world.join(1), two = world.join(2);
  const Handle handle = make_emptied(*one, u"b", 10, 5);
  wait_for(*two, tokens(handle, 2, 1));
  wait_for(*two, tokens(handle, 1, 0));
  const Copy before(world);
  const ShadowView view = look_at(world, Kind::kBucket, u"b");
  const Nanos now = world.host.time;
  const ShadowTokens between = foresee_tokens(*world.arena, view, 3, 1, {}, now);
  CHECK(between.possible);
  CHECK_EQUAL(between.ready, now + kSecond / 2);
  CHECK_EQUAL(between.waiters.size(), 2u);
  CHECK(between.waiters[0].ahead && !between.waiters[1].ahead);
  CHECK_EQUAL(between.waiters[0].with, now + kSecond / 5);
  CHECK_EQUAL(between.waiters[1].without, now + 3 * kSecond / 10);
  CHECK_EQUAL(between.waiters[1].with, now + 6 * kSecond / 10);
  CHECK_EQUAL(foresee_tokens(*world.arena, view, 1, 3, {}, now).ready, now + kSecond / 10);
  CHECK(!foresee_tokens(*world.arena, view, 6, 1, {}, now).possible);
  CHECK(before.is_unchanged());
}

TEST_CASE("one that comes later does not stand in the way of those served before it comes") {
  World world(with_heap());
  const auto one = world.join(1), two = world.join(2);
  const Handle handle = make_emptied(*one, u"b", 10, 5);
  wait_for(*two, tokens(handle, 2, 0));
  wait_for(*two, tokens(handle, 2, 0));
  const ShadowView view = look_at(world, Kind::kBucket, u"b");
  const Nanos now = world.host.time;
  const ShadowTokens later = foresee_tokens(*world.arena, view, 1, 3, {}, now, now + 3 * kSecond / 10);
  CHECK(later.waiters[0].ahead && !later.waiters[1].ahead);
  CHECK_EQUAL(later.ready, now + 3 * kSecond / 10);
  CHECK_EQUAL(later.waiters[1].with, now + kSecond / 2);
  CHECK_EQUAL(foresee_tokens(*world.arena, view, 1, 3, {}, now, now + 100 * kSecond).ready, now + 100 * kSecond);
}

TEST_CASE("a bucket above is waited for too, and its reserve is for whom the plan names") {
  World world(with_heap());
  const auto one = world.join(1);
  const Handle above = make_emptied(*one, u"above", 1, 1);
  make_bucket(*one, u"b", pace_of(100, 1'000, 100), &above);
  const ShadowView view = look_at(world, Kind::kBucket, u"b");
  CHECK_EQUAL(foresee_tokens(*world.arena, view, 1, 1, {}, world.host.time).ready, world.host.time + kSecond);
  CHECK(!foresee_tokens(*world.arena, view, 2, 1, {}, world.host.time).possible);
}

TEST_CASE(
    "tokens that a plan keeps from a tier are foreseen when there are enough besides, or the plan is over, as they are granted then") {
  World world(with_heap());
  const auto one = world.join(1), two = world.join(2);
  const Handle handle = make_emptied(*one, u"b", 10, 10);
  const Nanos now = world.host.time;
  Plan plan;
  plan.kind = PlanKind::kKeep;
  plan.what = handle.index + 1;
  plan.tier = 2;
  plan.amount = 0.2;
  plan.until = now + 5 * kSecond / 10;
  PlanId id{};
  CHECK(one->write_plan(plan, id) == Written::kOk);
  wait_for(*two, tokens(handle, 2, 1));
  const ShadowView view = look_at(world, Kind::kBucket, u"b");
  const ShadowTokens low = foresee_tokens(*world.arena, view, 1, 1, {}, now);
  CHECK_EQUAL(low.waiters[0].with, now + 4 * kSecond / 10);
  CHECK_EQUAL(low.ready, now + 5 * kSecond / 10);
  const ShadowTokens high = foresee_tokens(*world.arena, view, 1, 2, {}, now);
  CHECK_EQUAL(high.ready, now + kSecond / 10);
  CHECK_EQUAL(high.waiters[0].without, now + 4 * kSecond / 10);
  CHECK_EQUAL(high.waiters[0].with, now + 5 * kSecond / 10);
  wait_for(*two, tokens(handle, 1, 1));
  for (const Nanos at : {4 * kSecond / 10, 5 * kSecond / 10}) {
    world.host.time = now + at - 1;
    two->expire();
    CHECK_EQUAL(ended(*two).size(), 0u);
    world.host.time = now + at;
    two->expire();
    CHECK_EQUAL(ended(*two).size(), 1u);
  }
}

TEST_CASE("lists that lead nowhere, never end, or lead through the slots of others are damage, and said to be") {
  World world;
  const auto one = world.join(1), two = world.join(2);
  const Handle handle = look_up(*one, u"a"), other = look_up(*one, u"b");
  Granted held, wait, held_other, wait_other;
  CHECK(lock(*one, handle, 1, held) == Answer::kOk);
  CHECK(lock(*two, handle, 1, wait) == Answer::kWait);
  CHECK(lock(*one, other, 1, held_other) == Answer::kOk);
  CHECK(lock(*two, other, 1, wait_other) == Answer::kWait);
  Element& element = world.arena->element(handle.index);
  const SlotId id = element.heads[1].load();
  const auto looks = [&] { look_at(world, Kind::kLock, u"a"); };
  world.arena->slot(id).next.store(id);
  CHECK(is_corrupt(looks));
  world.arena->slot(id).next.store(0xffffff);
  CHECK(is_corrupt(looks));
  world.arena->slot(id).next.store(world.arena->element(other.index).heads[1].load());
  CHECK(is_corrupt(looks));
  world.arena->slot(id).next.store(0);
  looks();
  element.fast.store(Fast::word(true, 0x1fff, 1));
  CHECK(is_corrupt(looks));
}

TEST_CASE("whatever stands in the arena, a look ends, with an answer or as damage, and writes nothing") {
  std::mt19937_64 random(4);
  for (int round = 0; round < 300; round++) {
    World world(with_heap());
    const auto one = world.join(1), two = world.join(2);
    const Handle bucket = make_bucket(*one, u"b", pace_of(10, 1'000, 2));
    const Handle pool = make_pool(*one, u"p", pool_plan({4, 4}));
    const Handle plain = look_up(*one, u"a");
    Granted out;
    Tokens spent;
    for (int i = 0; i < 4; i++) {
      lock(*one, plain, random() % 4, out, random() % 2 == 0);
      CHECK(two->tokens(tokens(bucket, 1 + random() % 2, random() % 4), out) != Answer::kStale);
      two->units(units(pool, {1 + random() % 4, random() % 3}, random() % 4), out);
    }
    auto* words = static_cast<std::uint64_t*>(world.base);
    const Layout& layout = world.arena->layout();
    // Not the header: that is checked when an arena is opened.
    for (int i = 0; i < 40; i++) {
      const std::size_t from[] = {layout.participants, layout.elements, layout.slots, layout.heap, layout.buckets};
      const std::size_t at = from[random() % 5] / 8 + random() % 512;
      if (at >= world.size / 8) continue;
      words[at] = random() % 3 == 0 ? random() : words[at] ^ (1ull << (random() % 64));
    }
    const Copy before(world);
    for (const Kind kind : {Kind::kLock, Kind::kBucket, Kind::kPool}) {
      is_corrupt([&] {
        Handle handle{};
        ShadowView view;
        const std::u16string name = kind == Kind::kLock ? u"a" : kind == Kind::kBucket ? u"b" : u"p";
        if (!find(world, kind, name, handle) || !look(*world.arena, kind, handle, world.host.time, view)) return;
        order_of(view, kAgeing);
        counted_of(*world.arena, handle, 1);
        if (kind == Kind::kBucket && Bucket::is(*world.arena, handle.index)) {
          foresee_tokens(*world.arena, view, 1, 1, {}, world.host.time);
        }
      });
    }
    CHECK(before.is_unchanged());
  }
}

TEST_MAIN()
