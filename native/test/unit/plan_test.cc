#include "core/plan.h"

#include <limits>
#include <random>

#include "test/check.h"
#include "test/supply.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

constexpr Nanos kSecond = 1'000 * kNanosPerMilli;

// An arena with two members, a lock and whoever waits for it.
struct Office {
  Office() : world(with_heap()), a(world.join(1)), b(world.join(2)), lock(look_up(*a, u"lock")) {}

  Plan hold(std::uint32_t tier, Nanos lasts, std::uint32_t source = 0) const {
    Plan plan;
    plan.what = lock.index + 1;
    plan.tier = tier;
    plan.source = source;
    plan.from = plan.until = world.host.time + lasts;
    return plan;
  }
  PlanId write(const Plan& plan) {
    PlanId id{};
    CHECK(a->write_plan(plan, id) == Written::kOk);
    return id;
  }
  Plans plans() { return Plans(*world.arena); }
  Request ask(std::uint32_t tier, std::uint32_t hold = 0) const {
    Request request;
    request.handle = lock;
    request.tier = tier;
    request.hold = hold;
    return request;
  }
  WaiterId wait(std::uint32_t tier, std::uint32_t hold = 0) {
    Granted granted;
    CHECK(b->lock(ask(tier, hold), granted) == Answer::kWait);
    return granted.waiter;
  }
  // True when it was granted, and given back.
  bool served() {
    bool any = false;
    for (const Settled& settled : ended(*b)) {
      CHECK(settled.outcome == Outcome::kGranted);
      CHECK(b->release(lock.index, settled.grant.sequence) == Answer::kOk);
      any = true;
    }
    return any;
  }
  // The time until the one that waits is served, in steps; 0: not within the limit.
  template <typename Between>
  Nanos until_served(Nanos step, Nanos limit, Between between) {
    for (Nanos passed = step; passed <= limit; passed += step) {
      world.host.time += step;
      between();
      a->sweep_plans();
      if (served()) return passed;
    }
    return 0;
  }
  Nanos until_served(Nanos step, Nanos limit) {
    return until_served(step, limit, [] {});
  }
  std::uint64_t kept(std::uint32_t source) { return plans().loss(source)->nanos.load(); }

  World world;
  std::unique_ptr<Member> a, b;
  Handle lock;
};

struct Well {
  explicit Well(double rate = 10, double burst = 10) : world(with_heap()), a(world.join(1)) {
    bucket = make_bucket(*a, u"bucket", pace_of(rate, 1'000, burst));
  }
  WaiterId wait(double count, std::uint32_t tier) {
    Granted granted;
    CHECK(a->tokens(tokens(bucket, count, tier), granted) == Answer::kWait);
    return granted.waiter;
  }
  // Whoever waits is served when its time has come, as its waker would: after how long the first was. 0: not within the limit.
  Nanos until_served(Nanos limit) {
    const Nanos began = world.host.time;
    for (int look = 0;; look++) {
      CHECK(look < 1'000);
      const Nanos due = a->next_deadline();
      if (due == 0 || due > began + limit) return 0;
      world.host.time = std::max(world.host.time, due);
      a->expire();
      if (!ended(*a).empty()) return world.host.time - began;
    }
  }
  const PlanLoss& loss(std::uint32_t source) const { return *Plans(*world.arena).loss(source); }
  void reserve(double amount, std::uint32_t who, Nanos lasts) {
    Plan plan;
    plan.kind = PlanKind::kReserve;
    plan.what = bucket.index + 1;
    plan.who = who;
    plan.amount = amount;
    plan.from = world.host.time;
    plan.until = world.host.time + lasts;
    PlanId id{};
    CHECK(a->write_plan(plan, id) == Written::kOk);
  }
  PlanId keep(double amount, std::uint32_t tier, Nanos lasts, std::uint32_t source = 0) {
    Plan plan;
    plan.kind = PlanKind::kKeep;
    plan.what = bucket.index + 1;
    plan.tier = tier;
    plan.source = source;
    plan.amount = amount;
    plan.from = world.host.time;
    plan.until = world.host.time + lasts;
    PlanId id{};
    CHECK(a->write_plan(plan, id) == Written::kOk);
    return id;
  }
  // So many of one token each as there are.
  int take_all(std::uint32_t workflow, std::uint32_t tier = 1) {
    int count = 0;
    Tokens out;
    Request request = tokens(bucket, 1, tier);
    request.workflow = workflow;
    while (count < 1'000 && a->try_tokens(request, out) == Answer::kOk) count++;
    return count;
  }

  World world;
  std::unique_ptr<Member> a;
  Handle bucket{};
};

}  // namespace

// ---- holds

TEST_CASE("a hold keeps a free lock from lower tiers until it ends, and its source is charged with the wait and the time") {
  Office office;
  office.write(office.hold(3, kSecond, 5));
  office.wait(1);
  CHECK(!office.served());
  CHECK_EQUAL(office.until_served(kSecond / 10, 5 * kSecond), kSecond);
  CHECK_EQUAL(office.kept(5), kSecond);
  CHECK_EQUAL(office.plans().loss(5)->waits.load(), 1u);
  CHECK_EQUAL(office.kept(0), 0u);
  Granted granted;
  CHECK(office.b->try_lock(office.ask(1), granted) == Answer::kOk);  // as before
}

TEST_CASE("who is expected is granted at once, and the hold is used up by that, once") {
  Office office;
  const PlanId id = office.write(office.hold(3, kSecond, 1));
  office.wait(1);
  Granted granted;
  CHECK(office.a->try_lock(office.ask(3), granted) == Answer::kOk);
  CHECK_EQUAL(office.plans().loss(1)->hits.load(), 1u);
  CHECK(!office.a->withdraw_plan(id));
  CHECK(office.a->release(office.lock.index, granted.sequence) == Answer::kOk);
  CHECK(office.served());
}

TEST_CASE("all holds of a lock together keep it from others for at most max_reserve of ten seconds, whoever writes them") {
  Office office;
  const auto renew = [&] {
    office.write(office.hold(3, 60 * kSecond, 1));
    office.write(office.hold(2, 60 * kSecond, 2));
    office.write(office.hold(3, 60 * kSecond, 3));
  };
  renew();
  office.wait(1);
  CHECK_EQUAL(office.until_served(kSecond / 10, 9 * kSecond, renew), 25 * kSecond / 10);
  CHECK_EQUAL(office.kept(1) + office.kept(2) + office.kept(3), 25 * kSecond / 10);
}

TEST_CASE("two tiers that wait behind two holds are charged for one time, not for two") {
  Office office;
  office.write(office.hold(3, 60 * kSecond, 1));
  office.write(office.hold(2, 60 * kSecond, 2));
  office.wait(2);
  office.wait(1);
  CHECK_EQUAL(office.until_served(kSecond / 10, 9 * kSecond), 25 * kSecond / 10);
}

TEST_CASE("a hold that is taken back and written again goes on where it was") {
  Office office;
  PlanId id = office.write(office.hold(3, 60 * kSecond));
  office.wait(1);
  const auto renew = [&] {
    office.world.host.time += kNanosPerMilli;
    Plan was;
    Plans plans = office.plans();
    CHECK(plans.withdraw(office.a->lane(), id, was));
    id = office.write(office.hold(3, 60 * kSecond));
  };
  const Nanos served = office.until_served(kSecond / 10, 9 * kSecond, renew);
  CHECK(served >= 24 * kSecond / 10 && served <= 25 * kSecond / 10);
}

TEST_CASE("what a hold has kept is forgotten when the window has passed") {
  Office office;
  office.write(office.hold(3, 60 * kSecond));
  office.wait(1);
  CHECK_EQUAL(office.until_served(kSecond / 10, 9 * kSecond), 25 * kSecond / 10);
  office.world.host.time += 10 * kSecond;
  office.a->lane().refresh();
  office.wait(1);
  CHECK(!office.served());
  CHECK_EQUAL(office.until_served(kSecond / 10, 9 * kSecond), 25 * kSecond / 10);
}

TEST_CASE("a lock that nobody waits for is not kept from anybody") {
  Office office;
  office.write(office.hold(3, 60 * kSecond, 1));
  const WaiterId waiter = office.wait(1);
  office.world.host.time += kSecond;
  CHECK(office.b->abort(waiter) == Answer::kOk);
  office.world.host.time += 3 * kSecond;
  office.wait(1);
  CHECK_EQUAL(office.kept(1), kSecond);
  CHECK_EQUAL(office.until_served(kSecond / 10, 9 * kSecond), 15 * kSecond / 10);
}

TEST_CASE("a hold that is taken back is charged no further, and who it kept is served") {
  Office office;
  const PlanId id = office.write(office.hold(3, 60 * kSecond, 1));
  office.wait(1);
  office.world.host.time += kSecond;
  CHECK(office.a->withdraw_plan(id));
  CHECK(office.served());
  CHECK_EQUAL(office.kept(1), kSecond);
  office.world.host.time += kSecond;
  office.write(office.hold(3, 60 * kSecond, 1));
  office.wait(1);
  CHECK_EQUAL(office.until_served(kSecond / 10, 9 * kSecond), 15 * kSecond / 10);
}

TEST_CASE("who says that it will be done in time is let in, also when it is only known how long others hold") {
  Office office;
  office.write(office.hold(3, kSecond));
  Granted granted;
  CHECK(office.b->try_lock(office.ask(1, 1'001), granted) == Answer::kBusy);
  CHECK(office.b->try_lock(office.ask(1, 1'000), granted) == Answer::kOk);
  CHECK(office.b->release(office.lock.index, granted.sequence) == Answer::kOk);
  Plan learnt = office.hold(3, kSecond);
  learnt.amount = 200;
  office.write(learnt);
  CHECK(office.b->try_lock(office.ask(1), granted) == Answer::kOk);
  CHECK(office.b->release(office.lock.index, granted.sequence) == Answer::kOk);
  office.world.host.time += kSecond * 9 / 10;
  CHECK(office.b->try_lock(office.ask(1), granted) == Answer::kBusy);
}

TEST_CASE("a free lock under a hold is taken and given back past the gate by whom it does not keep and is not for") {
  Office office;
  Plan other = office.hold(2, kSecond, 1);
  other.who = 9;
  const PlanId id = office.write(other);
  // Whoever comes through the gate finds it shut by somebody who stands in it.
  const auto is_quick = [&](std::uint32_t tier, std::uint32_t workflow, std::uint32_t hold) {
    auto& gate = office.world.arena->element(office.lock.index).gate;
    const std::uint64_t open = gate.load();
    Gate inside = Gate::of(open);
    inside.holder = office.a->lane().id;
    gate.store(inside.word());
    Request request = office.ask(tier, hold);
    request.workflow = workflow;
    Granted granted;
    const Answer answer = office.b->try_lock(request, granted);
    const bool quick = answer == Answer::kOk && office.b->release(office.lock.index, granted.sequence) == Answer::kOk;
    gate.store(open);
    return quick;
  };
  CHECK(is_quick(2, 0, 0));
  CHECK(is_quick(3, 8, 0));
  CHECK(is_quick(1, 8, 999));
  CHECK(!is_quick(1, 8, 0));
  CHECK(!is_quick(1, 8, 1'001));
  CHECK(!is_quick(2, 9, 0));
  CHECK(!is_quick(0, 9, 999));
  CHECK_EQUAL(office.plans().loss(1)->hits.load(), 0u);
  CHECK(office.a->withdraw_plan(id));
  CHECK(is_quick(0, 0, 0));
  office.write(office.hold(2, kSecond, 1));  // for anybody of the tier
  CHECK(!is_quick(2, 0, 0));
  CHECK(!is_quick(3, 8, 0));
}

TEST_CASE("a hold for anybody of its tier is used by the first who comes, and then lets all pass") {
  Office office;
  office.write(office.hold(2, kSecond, 1));
  Granted granted;
  CHECK(office.b->try_lock(office.ask(2), granted) == Answer::kOk);
  CHECK_EQUAL(office.plans().loss(1)->hits.load(), 1u);
  CHECK(office.b->release(office.lock.index, granted.sequence) == Answer::kOk);
  CHECK(office.b->try_fast(office.lock, 0, 0, granted) == Answer::kOk);
}

TEST_CASE("a lock under a hold is not handed on within its environment, and its place is not given to another name") {
  Office office;
  Plan other = office.hold(2, kSecond);
  other.who = 9;
  Granted granted;
  CHECK(office.b->try_lock(office.ask(1), granted) == Answer::kOk);
  CHECK(office.b->holds_alone(office.lock.index));
  const PlanId id = office.write(other);
  CHECK(!office.b->holds_alone(office.lock.index));
  Granted next;
  CHECK(office.b->pass(office.lock.index, granted.sequence, 1, 0, next) == Answer::kBusy);
  CHECK(office.b->pass(office.lock.index, granted.sequence + 1, 1, 0, next) == Answer::kLost);
  CHECK(office.b->release(office.lock.index, granted.sequence) == Answer::kOk);
  CHECK(!GateKeeper(office.a->lane(), office.lock.index).close());
  CHECK(office.a->withdraw_plan(id));
  CHECK(GateKeeper(office.a->lane(), office.lock.index).close());
}

TEST_CASE("the bound of ageing holds under endlessly renewed holds") {
  Office office;
  office.world.arena->header().max_reserve.store(std::bit_cast<std::uint64_t>(1.0));
  office.world.arena->header().ageing.store(kSecond);
  const auto renew = [&] { office.write(office.hold(3, 60 * kSecond)); };
  renew();
  office.wait(0);
  CHECK_EQUAL(office.until_served(kSecond / 10, 9 * kSecond, renew), 3 * kSecond);
}

TEST_CASE("where nobody ages, too, a hold lets its own tier in") {
  Office office;
  office.world.arena->header().ageing.store(0);
  office.write(office.hold(2, kSecond));
  Granted granted;
  CHECK(office.b->try_lock(office.ask(1), granted) == Answer::kBusy);
  CHECK(office.b->try_lock(office.ask(2), granted) == Answer::kOk);
}

// ---- the table

TEST_CASE("a plan replaces the one of the same kind, thing, tier, who and source, and the old one cannot be taken back") {
  Office office;
  const PlanId first = office.write(office.hold(3, kSecond));
  const PlanId second = office.write(office.hold(3, 2 * kSecond));
  CHECK_EQUAL(first.entry, second.entry);
  CHECK(!office.a->withdraw_plan(first));
  CHECK_EQUAL(office.a->next_plan_end(), office.world.host.time + 2 * kSecond);
  CHECK(office.a->withdraw_plan(second));
  CHECK(!office.a->withdraw_plan(second));
  CHECK_EQUAL(office.a->next_plan_end(), 0u);
}

TEST_CASE("a thing has room for as many plans as its window, and one that has ended makes room") {
  Office office;
  for (std::uint32_t source = 0; source < kPlanWindow; source++) office.write(office.hold(3, (1 + source) * kSecond, source));
  PlanId id{};
  CHECK(office.a->write_plan(office.hold(3, kSecond, 40), id) == Written::kFull);
  office.world.host.time += kSecond;
  CHECK(office.a->write_plan(office.hold(3, kSecond, 40), id) == Written::kOk);
  CHECK(office.a->write_plan(office.hold(3, kSecond, 41), id) == Written::kFull);
}

TEST_CASE("without memory for the table a plan is refused, and nothing has changed") {
  World world(World::small());
  auto member = world.join(1);
  Plan plan;
  plan.what = look_up(*member, u"lock").index + 1;
  plan.tier = 3;
  plan.until = world.host.time + kSecond;
  PlanId id{};
  CHECK(member->write_plan(plan, id) == Written::kNoHeap);
  Granted granted;
  CHECK(member->try_lock({.handle = {plan.what - 1, look_up(*member, u"lock").generation}}, granted) == Answer::kOk);
}

TEST_CASE("a planner that dies over a plan leaves the old one, and others can write it though its place is taken") {
  Office office;
  const PlanId id = office.write(office.hold(3, kSecond, 7));
  auto planner = office.world.join(3);
  PlanEntry& entry = office.world.arena->record<PlanTable>(office.world.arena->header().plans.load()).entries[id.entry];
  PlanControl control = PlanControl::of(entry.control.load());
  control.writer = planner->lane().id;
  entry.control.store(control.word());
  entry.cells[control.current ^ 1].what.store(~0ull);
  entry.cells[control.current ^ 1].until.store(1);
  PlanId other{};
  CHECK(office.a->write_plan(office.hold(3, 2 * kSecond, 7), other) == Written::kOk);
  CHECK(other.entry != id.entry);  // that one is being written
  CHECK_EQUAL(office.a->next_plan_end(), office.world.host.time + kSecond);
  office.world.kill(3);
  Lane waker(*office.world.arena, 1, Thread::kWaker);
  CHECK(sweep_all(waker));
  planner = office.world.join(3);
  CHECK(office.a->write_plan(office.hold(3, 2 * kSecond, 7), other) == Written::kOk);
  CHECK_EQUAL(other.entry, id.entry);
  CHECK_EQUAL(office.a->next_plan_end(), office.world.host.time + 2 * kSecond);
}

namespace {

PlanTable& table_of(const World& world) { return world.arena->record<PlanTable>(world.arena->header().plans.load()); }

// How many places say that a plan is there; each that has one does, and no other.
int used(const World& world) {
  int count = 0;
  const PlanTable& table = table_of(world);
  for (std::uint32_t at = 0; at < kPlans; at++) {
    const bool is_used = (table.used[at / 64].load() >> (at % 64) & 1) == 1;
    CHECK(is_used == PlanControl::of(table.entries[at].control.load()).live);
    count += is_used ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("a place is used from when a plan is there until it has ended, was taken back or was used up") {
  Office office;
  office.write(office.hold(3, kSecond));
  office.write(office.hold(3, 2 * kSecond));  // in place of that one
  CHECK_EQUAL(used(office.world), 1);
  const PlanId other = office.write(office.hold(3, 3 * kSecond, 1));
  const PlanId second = office.write(office.hold(2, 4 * kSecond, 2));
  CHECK_EQUAL(used(office.world), 3);
  CHECK(office.a->withdraw_plan(other));
  CHECK_EQUAL(used(office.world), 2);
  office.world.host.time += 2 * kSecond;
  office.a->sweep_plans();
  CHECK_EQUAL(used(office.world), 1);
  Granted granted;
  CHECK(office.b->lock(office.ask(2), granted) == Answer::kOk);
  CHECK_EQUAL(used(office.world), 0);
  CHECK(!office.a->withdraw_plan(second));
}

TEST_CASE("the plans of a thing are found wherever its places begin") {
  Office office;
  // Of so many things that the windows of some lie in two words.
  for (std::uint32_t what = 1; what <= 100; what++) {
    for (std::uint32_t source = 0; source < 3; source++) {
      Plan plan = office.hold(3, kSecond, source);
      plan.what = what;
      PlanId id{};
      CHECK(office.plans().write(office.a->lane(), plan, id) == Written::kOk);
    }
    int found = 0;
    office.plans().for_each_of(PlanKind::kHold, what, office.world.host.time, [&](PlanEntry&, const Plan&) { found++; });
    CHECK_EQUAL(found, 3);
  }
  CHECK_EQUAL(used(office.world), 300);
}

TEST_CASE("who has looked at all plans sees what another writes later, and what one wrote who died before it said so") {
  Office office;
  CHECK_EQUAL(office.b->next_plan_end(), 0u);
  office.write(office.hold(3, 2 * kSecond, 1));
  CHECK_EQUAL(office.b->next_plan_end(), office.world.host.time + 2 * kSecond);
  auto planner = office.world.join(3);
  PlanId id{};
  const std::uint64_t seen = table_of(office.world).changes.load();
  CHECK(planner->write_plan(office.hold(3, kSecond, 2), id) == Written::kOk);
  table_of(office.world).changes.store(seen);
  office.world.kill(3);
  Lane waker(*office.world.arena, 1, Thread::kWaker);
  CHECK(sweep_all(waker));
  CHECK_EQUAL(office.b->next_plan_end(), office.world.host.time + kSecond);
  office.world.host.time += kSecond;
  office.b->sweep_plans();
  CHECK_EQUAL(office.b->next_plan_end(), office.world.host.time + kSecond);
}

TEST_CASE("a sweep takes away what has ended and leaves the rest") {
  Well well;
  well.reserve(3, 1, kSecond);
  well.reserve(3, 2, 2 * kSecond);
  well.world.host.time += kSecond;
  well.a->sweep_plans();
  int left = 0;
  Plans(*well.world.arena).for_each(0, [&](PlanId, const Plan& plan) {
    CHECK_EQUAL(plan.who, 2u);
    left++;
  });
  CHECK_EQUAL(left, 1);
}

TEST_CASE("the highest escalation of a workflow holds, until it ends") {
  Office office;
  Plan plan;
  plan.kind = PlanKind::kEscalation;
  plan.who = 4;
  plan.tier = 2;
  plan.until = office.world.host.time + 2 * kSecond;
  office.write(plan);
  plan.tier = 3;
  plan.until = office.world.host.time + kSecond;
  office.write(plan);
  Plan found;
  CHECK(office.plans().escalates(4, 0, office.world.host.time, found));
  CHECK_EQUAL(found.tier, 3u);
  CHECK(!office.plans().escalates(5, 0, office.world.host.time, found));
  CHECK(!office.plans().escalates(4, 3, office.world.host.time, found));
  office.world.host.time += kSecond;
  CHECK(office.plans().escalates(4, 0, office.world.host.time, found));
  CHECK_EQUAL(found.tier, 2u);
  CHECK(!office.plans().escalates(4, 0, office.world.host.time + kSecond, found));
}

// ---- shares

// A pool of 100 units with a share of 10 for each tier, all of it held by the lowest.
struct Yard {
  Yard() : world(with_heap()), a(world.join(1)) {
    PoolPlan plan = pool_plan({100});
    for (PoolPlan::Tier& tier : plan.tiers) tier.share[0] = 10;
    pool = make_pool(*a, u"pool", plan);
  }
  void share(std::uint32_t tier, double amount, std::uint32_t source, std::uint32_t tenant = 0) {
    write(PlanKind::kShare, tier, amount, source, tenant);
  }
  void write(PlanKind kind, std::uint32_t tier, double amount, std::uint32_t source, std::uint32_t tenant = 0) {
    Plan plan;
    plan.kind = kind;
    plan.what = pool.index + 1;
    plan.who = tenant;
    plan.tier = tier;
    plan.source = source;
    plan.amount = amount;
    plan.from = world.host.time;
    plan.until = world.host.time + 60 * kSecond;
    PlanId id{};
    CHECK(a->write_plan(plan, id) == Written::kOk);
  }
  // The largest amount that a tier holds within its part.
  std::uint64_t part(std::uint32_t tier) {
    Pool books(*world.arena, pool.index);
    books.look_at_plans(pool.index, world.host.time);
    std::uint64_t least = 101;
    for (std::uint64_t has = 0; has <= 100 && least == 101; has++) {
      books.record().by_tier[tier][0].set(has);
      if (books.beyond_its_part(tier)) least = has;
    }
    books.record().by_tier[tier][0].set(0);
    return least - 1;
  }
  // By the weight that the plans give a tenant, a share of ten units of 100.
  double weighed(std::uint32_t tenant) {
    Pool books(*world.arena, pool.index);
    books.look_at_plans(pool.index, world.host.time);
    TenantRow& row = books.record().rows[1];
    row.tenant.set(tenant);
    row.used[0].set(10);
    const double share = books.dominant_share(1);
    row.used[0].set(0);
    row.tenant.set(0);
    return share;
  }

  World world;
  std::unique_ptr<Member> a;
  Handle pool{};
};

TEST_CASE("keeps of all plans together keep max_reserve of a pool from lower tiers at most, and nothing from their own") {
  Yard yard;
  yard.write(PlanKind::kKeep, 2, 0.9, 1);
  yard.write(PlanKind::kKeep, 3, 0.9, 2);
  Granted granted;
  CHECK(yard.a->try_units(units(yard.pool, {76}, 1), granted) == Answer::kBusy);
  CHECK(yard.a->try_units(units(yard.pool, {75}, 1), granted) == Answer::kOk);
  CHECK(yard.a->try_units(units(yard.pool, {25}, 3), granted) == Answer::kOk);
}

TEST_CASE("a keep is for its tier and those above, and over at its end") {
  Yard yard;
  yard.write(PlanKind::kKeep, 2, 0.1, 1);
  Granted granted;
  CHECK(yard.a->try_units(units(yard.pool, {91}, 1), granted) == Answer::kBusy);
  CHECK(yard.a->try_units(units(yard.pool, {91}, 2), granted) == Answer::kOk);
  CHECK(yard.a->release_shared(granted.waiter, granted.sequence) == Answer::kOk);
  yard.world.host.time += 60 * kSecond;
  CHECK(yard.a->try_units(units(yard.pool, {91}, 1), granted) == Answer::kOk);
}

TEST_CASE("plans of several sources take effect each on the tier that it names") {
  Yard yard;
  yard.share(1, 0.2, 1);
  yard.share(2, 0.15, 2);
  yard.share(0, 0.05, 3);
  CHECK_EQUAL(yard.part(1), 20u);
  CHECK_EQUAL(yard.part(2), 15u);
  CHECK_EQUAL(yard.part(0), 5u);
  CHECK_EQUAL(yard.part(3), 10u);
}

TEST_CASE("a planned share asks revocable grants of lower tiers for their units, the latest first, and no more than are wanted") {
  Yard yard;
  const auto grant = [&yard](std::uint64_t amount, std::uint32_t tier, bool revocable) {
    Request request = units(yard.pool, {amount}, tier);
    request.revocable = revocable;
    Granted granted;
    CHECK(yard.a->try_units(request, granted) == Answer::kOk);
    return granted;
  };
  const auto recalled = [&yard](const Granted& granted) { return yard.a->is_recalled(granted.waiter, granted.sequence); };
  const Granted early = grant(20, 0, true);
  const Granted late = grant(20, 0, true);
  const Granted fixed = grant(20, 0, false);
  const Granted same = grant(10, 2, true);
  const Granted above = grant(30, 3, true);
  yard.share(2, 0.35, 1);
  Granted wanted;
  CHECK(yard.a->units(units(yard.pool, {15}, 2), wanted) == Answer::kWait);
  CHECK(recalled(late));
  for (const Granted& other : {early, fixed, same, above}) CHECK(!recalled(other));
  CHECK(yard.a->release_shared(late.waiter, late.sequence) == Answer::kOk);
  CHECK_EQUAL(ended(*yard.a).size(), 1u);
}

TEST_CASE("of several plans for one tier the largest holds, in whatever order they were written") {
  for (const bool larger_first : {false, true}) {
    Yard yard;
    yard.share(1, larger_first ? 0.3 : 0.2, 1);
    yard.share(1, larger_first ? 0.2 : 0.3, 2);
    CHECK_EQUAL(yard.part(1), 30u);
  }
}

TEST_CASE("all shares together grow by max_reserve of the capacity at most, each by the same part of what it would") {
  Yard yard;
  for (std::uint32_t tier = 1; tier < 4; tier++) yard.share(tier, 0.1 + 0.1 * tier, tier);  // by 10, 20 and 30, and 25 may be
  CHECK_EQUAL(yard.part(0), 10u);
  CHECK_EQUAL(yard.part(1), 14u);
  CHECK_EQUAL(yard.part(2), 18u);
  CHECK_EQUAL(yard.part(3), 22u);
}

TEST_CASE("plans of several sources weigh each the tenant that it names, of several for one the largest") {
  Yard yard;
  yard.share(0, 2, 1, 40);
  yard.share(0, 5, 2, 50);
  yard.share(0, 4, 3, 40);
  CHECK_EQUAL(yard.weighed(40), 0.1 / 4);
  CHECK_EQUAL(yard.weighed(50), 0.1 / 5);
  CHECK_EQUAL(yard.weighed(60), 0.1);
}

TEST_CASE("a pool has room for the weights of as many tenants as there may be plans of it") {
  Yard yard;
  for (std::uint32_t i = 0; i < kPlanWindow; i++) yard.share(0, 2 + i, 1, 40 + i);
  for (std::uint32_t i = 0; i < kPlanWindow; i++) CHECK_EQUAL(yard.weighed(40 + i), 0.1 / (2 + i));
}

// ---- keeps of buckets

TEST_CASE("a keep of a bucket leaves its part to its tier and those above, and is over at its end") {
  Well well;
  well.keep(0.2, 2, kSecond, 7);
  CHECK_EQUAL(well.take_all(0, 1), 8);
  CHECK_EQUAL(well.loss(7).waits.load(), 1u);  // the one that ended it
  CHECK_EQUAL(well.loss(7).hits.load(), 0u);
  CHECK_EQUAL(well.take_all(0, 3), 2);
  CHECK_EQUAL(well.loss(7).hits.load(), 2u);
  CHECK_EQUAL(well.take_all(0, 1), 0);
  CHECK_EQUAL(well.loss(7).waits.load(), 1u);  // there was none
  well.world.host.time += kSecond;
  CHECK_EQUAL(well.take_all(0, 1), 10);
}

TEST_CASE(
    "keeps of all plans of a bucket together keep max_reserve of a full one at most, and none at all where that is less than nothing") {
  Well well;
  well.keep(0.9, 2, 60 * kSecond, 1);
  well.keep(1, 3, 60 * kSecond, 2);
  CHECK_EQUAL(well.take_all(0, 1), 7);
  for (const double damaged : {-1.0, std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity(), 0.0}) {
    Well other;
    other.world.arena->header().max_reserve.store(std::bit_cast<std::uint64_t>(damaged));
    other.keep(0.5, 3, 60 * kSecond);
    CHECK_EQUAL(other.take_all(0, 1), 10);
  }
}

TEST_CASE("an amount that is none keeps nothing, and one beyond all bounds no more than may be") {
  for (const double damaged : {-1.0, std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity(), 1e-12}) {
    Well well;
    well.keep(damaged, 3, 60 * kSecond);
    CHECK_EQUAL(well.take_all(0, 1), 10);
  }
  for (const double damaged : {1e300, std::numeric_limits<double>::infinity()}) {
    Well well;
    well.keep(damaged, 3, 60 * kSecond);
    CHECK_EQUAL(well.take_all(0, 1), 7);
  }
}

TEST_CASE("what needs a full bucket is granted when it is full, whatever is kept") {
  Well well;
  well.keep(0.25, 3, 3'600 * kSecond);
  Tokens out;
  CHECK(well.a->try_tokens(tokens(well.bucket, 1, 3), out) == Answer::kOk);
  CHECK(well.a->try_tokens(tokens(well.bucket, 9, 0), out) == Answer::kBusy);
  CHECK_EQUAL(out.ready, well.world.host.time + kSecond / 10);
  well.world.host.time = out.ready;
  CHECK(well.a->try_tokens(tokens(well.bucket, 10, 0), out) == Answer::kOk);
}

TEST_CASE("a refusal says when a keep lets the request through, to the nanosecond") {
  std::mt19937_64 random(29);
  for (int i = 0; i < 2'000; i++) {
    const std::uint64_t burst = 4 + random() % 30;
    Well well(static_cast<double>(1 + random() % 50), static_cast<double>(burst));
    for (std::uint32_t source = 0; source < 1 + random() % 3; source++) {
      well.keep(static_cast<double>(random() % 40) / 100, 1 + random() % 3, 1 + random() % (2 * kSecond), source);
    }
    Tokens out;
    CHECK(well.a->try_tokens(tokens(well.bucket, static_cast<double>(1 + random() % burst), 3), out) == Answer::kOk);
    const Request request = tokens(well.bucket, static_cast<double>(1 + random() % burst), random() % 4);
    if (well.a->try_tokens(request, out) == Answer::kOk) continue;
    CHECK(out.ready > well.world.host.time);
    well.world.host.time = out.ready - 1;
    Tokens before;
    CHECK(well.a->try_tokens(request, before) == Answer::kBusy);
    CHECK_EQUAL(before.ready, out.ready);
    well.world.host.time = out.ready;
    CHECK(well.a->try_tokens(request, out) == Answer::kOk);
  }
}

TEST_CASE("who waits for kept tokens is served when there are enough besides, and the plan is charged with the time since there were") {
  Well well;
  CHECK_EQUAL(well.take_all(0, 3), 10);
  well.keep(0.2, 2, 60 * kSecond, 5);
  well.wait(1, 1);
  CHECK_EQUAL(well.until_served(kSecond), 3 * kSecond / 10);
  CHECK_EQUAL(well.loss(5).waits.load(), 1u);
  CHECK_EQUAL(well.loss(5).nanos.load(), 2 * kSecond / 10);
  CHECK_EQUAL(well.loss(5).hits.load(), 0u);
}

TEST_CASE("the time that a keep costs somebody counts from when there were enough, or he came, also where nobody looked then") {
  for (const Nanos came : {0 * kSecond, 15 * kSecond / 100}) {
    Well well;
    CHECK_EQUAL(well.take_all(0, 3), 10);
    well.keep(0.2, 2, 60 * kSecond, 5);
    well.world.host.time += came;
    well.wait(1, 1);
    well.world.host.time += 25 * kSecond / 100 - came;
    well.a->expire();
    CHECK_EQUAL(ended(*well.a).size(), 0u);
    CHECK_EQUAL(well.until_served(kSecond), 5 * kSecond / 100);
    CHECK_EQUAL(well.loss(5).nanos.load(), 3 * kSecond / 10 - std::max(came, kSecond / 10));
  }
}

TEST_CASE("who waits for kept tokens is served as soon as the plan is taken back, or is over") {
  for (const bool taken_back : {true, false}) {
    Well well(1, 10);
    const PlanId id = well.keep(0.2, 2, 10 * kSecond / 4);
    CHECK_EQUAL(well.take_all(0, 1), 8);
    well.wait(1, 1);
    CHECK_EQUAL(ended(*well.a).size(), 0u);
    if (taken_back) {
      CHECK(well.a->withdraw_plan(id));
      CHECK_EQUAL(ended(*well.a).size(), 1u);
    } else {
      well.keep(0.2, 2, kSecond / 2);  // in its place
      CHECK_EQUAL(well.until_served(10 * kSecond), kSecond / 2);
    }
  }
}

TEST_CASE("who waits under a keep that is written anew sets its timer anew") {
  Well well(1, 10);
  const auto other = well.world.join(2);
  well.keep(0.2, 2, 60 * kSecond);
  CHECK_EQUAL(well.take_all(0, 3), 10);
  Granted granted;
  CHECK(other->tokens(tokens(well.bucket, 1, 1), granted) == Answer::kWait);
  const std::uint32_t ring = well.world.arena->participant(2).ring.load() >> 1;
  well.keep(0.1, 2, 60 * kSecond);
  CHECK((well.world.arena->participant(2).ring.load() >> 1) != ring);
  well.world.host.time += kSecond;
  other->expire();  // there is one, and it is kept: from now on that counts
  CHECK_EQUAL(ended(*other).size(), 0u);
  CHECK_EQUAL(other->next_deadline(), well.world.host.time + kSecond);
}

TEST_CASE("the bound of ageing holds under endlessly renewed keeps of a bucket") {
  Well well(0.001, 10);
  well.world.arena->header().ageing.store(kSecond);
  well.keep(0.2, 3, kSecond / 2);
  CHECK_EQUAL(well.take_all(0, 1), 8);
  well.wait(1, 1);
  Nanos passed = 0;
  for (int i = 0; i < 100 && passed == 0; i++) {
    well.keep(0.2, 3, kSecond / 2);
    const Nanos began = well.world.host.time;
    if (const Nanos after = well.until_served(kSecond / 10)) passed = static_cast<Nanos>(i) * (kSecond / 10) + after;
    well.world.host.time = began + kSecond / 10;
  }
  CHECK_EQUAL(passed, 2 * kSecond);
}

TEST_CASE("of one tier nobody waits longer for a keep of it, and who it is for passes who it keeps back") {
  Well well;
  well.keep(0.2, 2, 60 * kSecond);
  CHECK_EQUAL(well.take_all(0, 1), 8);
  well.wait(1, 1);
  Tokens out;
  CHECK(well.a->try_tokens(tokens(well.bucket, 1, 1), out) == Answer::kBusy);  // behind that one
  CHECK(well.a->try_tokens(tokens(well.bucket, 1, 2), out) == Answer::kOk);
  CHECK(well.a->try_tokens(tokens(well.bucket, 1, 3), out) == Answer::kOk);
  CHECK(well.a->try_tokens(tokens(well.bucket, 1, 3), out) == Answer::kBusy);
  CHECK_EQUAL(well.until_served(kSecond), 3 * kSecond / 10);
}

TEST_CASE("a workflow that a plan raises has what is kept for its tier") {
  Well well;
  well.keep(0.2, 2, 60 * kSecond);
  Plan plan;
  plan.kind = PlanKind::kEscalation;
  plan.who = 9;
  plan.tier = 2;
  plan.until = well.world.host.time + kSecond;
  PlanId id{};
  CHECK(well.a->write_plan(plan, id) == Written::kOk);
  CHECK_EQUAL(well.take_all(8, 1), 8);
  CHECK_EQUAL(well.take_all(9, 1), 2);
}

TEST_CASE("what is kept of a bucket is kept from those who come by one below it") {
  Well well;
  const Handle leaf = make_bucket(*well.a, u"leaf", pace_of(100, 1'000, 100), &well.bucket);
  well.keep(0.2, 2, 60 * kSecond, 4);
  Tokens out;
  for (int i = 0; i < 8; i++) CHECK(well.a->try_tokens(tokens(leaf, 1, 1), out) == Answer::kOk);
  CHECK(well.a->try_tokens(tokens(leaf, 1, 1), out) == Answer::kBusy);
  CHECK_EQUAL(out.ready, well.world.host.time + kSecond / 10);
  CHECK_EQUAL(well.loss(4).waits.load(), 1u);
  CHECK_EQUAL(Bucket(*well.world.arena, leaf.index).reserved(well.world.host.time), 0u);
  Granted granted;
  CHECK(well.a->tokens(tokens(leaf, 1, 1), granted) == Answer::kWait);
  CHECK_EQUAL(well.until_served(kSecond), kSecond / 10);
  CHECK(well.a->try_tokens(tokens(leaf, 2, 2), out) == Answer::kOk);
}

TEST_CASE("a reserve is drawn on first, and only the rest is looked for beside what is kept") {
  Well well;
  well.reserve(5, 1, 60 * kSecond);
  well.keep(0.2, 2, 60 * kSecond);
  CHECK_EQUAL(well.take_all(2, 3), 10);
  well.world.host.time += kSecond + kSecond * 3 / 10;
  CHECK_EQUAL(well.take_all(1, 1), 3 + 8);
  CHECK_EQUAL(well.take_all(2, 2), 2);
}

// ---- reserves

TEST_CASE("a reserve is what the full bucket discarded since the plan, and is for whom it was kept") {
  Well well;
  well.reserve(5, 1, 60 * kSecond);
  CHECK_EQUAL(well.take_all(2), 10);
  well.world.host.time += kSecond + kSecond * 3 / 10;
  CHECK_EQUAL(well.take_all(2), 10);
  CHECK_EQUAL(Bucket(*well.world.arena, well.bucket.index).reserved(well.world.host.time), 3u);
  CHECK_EQUAL(well.take_all(2), 0);
  CHECK_EQUAL(well.take_all(1), 3);
  CHECK_EQUAL(well.take_all(1), 0);
}

TEST_CASE("a reserve that is written anew goes on, and keeps what was discarded before it was") {
  Well well;
  well.reserve(5, 1, 60 * kSecond);
  CHECK_EQUAL(well.take_all(2), 10);
  well.world.host.time += kSecond + kSecond * 3 / 10;
  well.reserve(5, 1, kSecond);
  CHECK_EQUAL(well.take_all(1), 13);
  // This one has ended by then: a new one begins with nothing.
  well.world.host.time += 3 * kSecond;
  well.reserve(5, 1, kSecond);
  CHECK_EQUAL(well.take_all(1), 10);
}

TEST_CASE("a reserve that is written anew keeps what was counted before, also past the deadline that it had") {
  Well well;
  well.reserve(5, 1, 10 * kSecond);
  CHECK_EQUAL(well.take_all(2), 10);
  well.world.host.time += kSecond + kSecond * 3 / 10;
  CHECK_EQUAL(well.take_all(2), 10);  // and 3 that were discarded are kept
  well.reserve(5, 1, 20 * kSecond);
  for (int i = 0; i < 18; i++) {
    well.world.host.time += kSecond / 2;
    CHECK_EQUAL(well.take_all(2), 5);
  }
  CHECK_EQUAL(well.take_all(1), 3);
}

TEST_CASE("what was discarded is kept once, however many plans there are of it") {
  Well well;
  for (std::uint32_t who = 1; who <= 4; who++) well.reserve(20, who, 60 * kSecond);
  CHECK_EQUAL(well.take_all(9), 10);
  well.world.host.time += kSecond + kSecond / 2;
  int all = well.take_all(1);
  for (std::uint32_t who = 2; who <= 4; who++) all += well.take_all(who);
  CHECK_EQUAL(all, 15);
}

TEST_CASE("all reserves together are at most max_reserve of the tokens of ten seconds") {
  Well well;
  well.reserve(1'000, 1, 600 * kSecond);
  CHECK_EQUAL(well.take_all(2), 10);
  well.world.host.time += 100 * kSecond;
  CHECK_EQUAL(well.take_all(1), 10 + 25);
}

TEST_CASE("a reserve is the same number of tokens at every pace") {
  Well well(10, 10);
  well.reserve(8, 1, 60 * kSecond);
  CHECK_EQUAL(well.take_all(2), 10);
  well.world.host.time += kSecond + kSecond * 8 / 10;
  CHECK_EQUAL(well.take_all(2), 10);
  CHECK(well.a->change_pace(well.bucket.index, pace_of(1'000'000, 1'000, 10)) == Answer::kOk);
  CHECK_EQUAL(Bucket(*well.world.arena, well.bucket.index).reserved(well.world.host.time), 8u);
  CHECK(well.a->change_pace(well.bucket.index, pace_of(4, 1'000, 10)) == Answer::kOk);
  CHECK_EQUAL(well.take_all(1), 8);
}

TEST_CASE("a share of all plans that is none keeps nothing") {
  for (const double damaged : {-1.0, std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity(), 0.0}) {
    Well well;
    well.world.arena->header().max_reserve.store(std::bit_cast<std::uint64_t>(damaged));
    well.reserve(5, 1, 60 * kSecond);
    CHECK_EQUAL(well.take_all(2), 10);
    well.world.host.time += 3 * kSecond;
    CHECK_EQUAL(well.take_all(1), 10);
  }
}

TEST_CASE("a pace that is none is damage, and no division by it") {
  for (const std::uint64_t word : {0ull, ~0ull, 1ull << 40}) {
    for (const int field : {0, 1, 2}) {
      Well well;
      Arena& arena = *well.world.arena;
      PaceCell& cell = arena.record<BucketRecord>(arena.element(well.bucket.index).base.load()).cells[1];
      if ((field == 2 && word == 1ull << 40) || (field == 0 && word == ~0ull)) continue;  // a burst, and a scale that harms nobody
      (field == 0 ? cell.scale : field == 1 ? cell.shape : cell.burst).set(word);
      bool told = false;
      try {
        well.take_all(1);
      } catch (const Corrupt&) {
        told = true;
      }
      CHECK(told);
    }
  }
}

TEST_MAIN()
