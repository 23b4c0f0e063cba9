#include "core/pool.h"

#include <random>

#include "test/check.h"
#include "test/supply.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

constexpr Nanos kSecond = 1'000 * kNanosPerMilli;
constexpr Nanos kAgeing = 30 * kSecond;

struct Yard {
  explicit Yard(const PoolPlan& plan, std::uint32_t slots = 16 * kChunkSlots)
      : world(with_heap(slots)), a(world.join(1)), b(world.join(2)) {
    handle = make_pool(*a, u"pool", plan);
  }
  ~Yard() noexcept(false) {
    if (std::uncaught_exceptions() == 0) check_books(*world.arena, handle);
  }

  Request ask(std::initializer_list<std::uint64_t> list, std::uint32_t tier = 1, std::uint32_t tenant = 0) {
    return units(handle, list, tier, tenant);
  }
  // What is had at once.
  Granted take(Member& member, const Request& request) {
    Granted granted;
    CHECK(member.try_units(request, granted) == Answer::kOk);
    return granted;
  }
  bool refused(const Request& request) {
    Granted granted;
    return a->try_units(request, granted) == Answer::kBusy;
  }
  Granted wait(Member& member, const Request& request) {
    Granted granted;
    CHECK(member.units(request, granted) == Answer::kWait);
    return granted;
  }
  void release(Member& member, const Granted& granted) { CHECK(member.release_shared(granted.waiter, granted.sequence) == Answer::kOk); }
  std::uint64_t used(int d = 0) { return Pool(*world.arena, handle.index).record().used[d].get(); }
  std::vector<WaiterId> served(Member& member) {
    std::vector<WaiterId> all;
    for (const Settled& settled : ended(member)) {
      CHECK(settled.outcome == Outcome::kGranted);
      all.push_back(settled.waiter);
    }
    return all;
  }

  World world;
  std::unique_ptr<Member> a, b;
  Handle handle{};
};

using Waiters = std::vector<WaiterId>;

}  // namespace

TEST_CASE("three dimensions are had together or not at all") {
  Yard yard(pool_plan({8, 100, 5}));
  const Granted first = yard.take(*yard.a, yard.ask({6, 10, 1}));
  CHECK(yard.refused(yard.ask({3, 1, 1})));
  CHECK(yard.refused(yard.ask({1, 91, 1})));
  CHECK(yard.refused(yard.ask({1, 1, 5})));
  CHECK_EQUAL(yard.used(0), 6u);
  CHECK_EQUAL(yard.used(1), 10u);
  CHECK_EQUAL(yard.used(2), 1u);
  const Granted second = yard.take(*yard.a, yard.ask({2, 90, 4}));
  CHECK(yard.refused(yard.ask({0, 0, 1})));
  yard.release(*yard.a, first);
  yard.release(*yard.a, second);
  for (int d = 0; d < 3; d++) CHECK_EQUAL(yard.used(d), 0u);
  CHECK_EQUAL(yard.a->slots_in_use(), 0u);
}

TEST_CASE("what there never is is said at once") {
  Yard yard(pool_plan({8, 100}));
  Granted granted;
  CHECK(yard.a->try_units(yard.ask({9, 1}), granted) == Answer::kNever);
  CHECK(yard.a->units(yard.ask({1, 101}), granted) == Answer::kNever);
  CHECK(yard.a->units(yard.ask({1, 1, 1}), granted) == Answer::kNever);  // there is no third dimension
  CHECK(yard.a->units(yard.ask({~0ull, 1}), granted) == Answer::kNever);
  CHECK_EQUAL(yard.a->slots_in_use(), 0u);
}

TEST_CASE("a capacity of 0 is a pause: requests wait for it to end") {
  Yard yard(pool_plan({8}));
  CHECK(change_pool(*yard.a, yard.handle, pool_plan({0})) == Answer::kOk);
  Granted granted;
  CHECK(yard.a->try_units(yard.ask({8}), granted) == Answer::kBusy);
  const Granted waits = yard.wait(*yard.b, yard.ask({8}));
  CHECK(change_pool(*yard.a, yard.handle, pool_plan({8})) == Answer::kOk);
  CHECK((yard.served(*yard.b) == Waiters{waits.waiter}));
}

TEST_CASE("a waiter is served when enough was given back, and its slots come back with its units") {
  Yard yard(pool_plan({4}));
  const Granted held = yard.take(*yard.a, yard.ask({3}));
  const Granted waits = yard.wait(*yard.b, yard.ask({2}));
  yard.release(*yard.a, held);
  CHECK((yard.served(*yard.b) == Waiters{waits.waiter}));
  CHECK_EQUAL(yard.used(), 2u);
  yard.b->release_shared(waits.waiter, Fast::of(yard.world.arena->element(yard.handle.index).fast.load()).sequence);
  CHECK_EQUAL(yard.used(), 0u);
  CHECK_EQUAL(yard.b->slots_in_use(), 0u);
}

TEST_CASE("a floor is never lent, not even when nobody wants it") {
  PoolPlan plan = pool_plan({10});
  plan.tiers[3].floor[0] = 4;
  Yard yard(plan);
  yard.take(*yard.a, yard.ask({6}, 1));
  CHECK(yard.refused(yard.ask({1}, 1)));
  CHECK(yard.refused(yard.ask({1}, 2)));
  const Granted own = yard.take(*yard.a, yard.ask({3}, 3));
  CHECK(yard.refused(yard.ask({1}, 1)));  // one of the four is still kept
  yard.release(*yard.a, own);
  CHECK(yard.refused(yard.ask({1}, 1)));
  Granted granted;
  CHECK(yard.a->units(yard.ask({7}, 1), granted) == Answer::kNever);
}

TEST_CASE("a share is lent while its tier does not want it, and given back first on release") {
  PoolPlan plan = pool_plan({10});
  plan.tiers[0].share[0] = 5;
  Yard yard(plan);
  std::vector<Granted> lent;
  for (int i = 0; i < 10; i++) lent.push_back(yard.take(*yard.a, yard.ask({1}, 3)));  // all of it
  const Granted high = yard.wait(*yard.b, yard.ask({1}, 3));
  std::vector<Granted> low;
  for (int i = 0; i < 6; i++) low.push_back(yard.wait(*yard.b, yard.ask({1}, 0)));
  Waiters order;
  for (int i = 0; i < 7; i++) {
    yard.release(*yard.a, lent[static_cast<std::size_t>(i)]);
    for (const WaiterId waiter : yard.served(*yard.b)) order.push_back(waiter);
  }
  // Five are the lower tier's own; then the higher one goes first.
  CHECK((order == Waiters{low[0].waiter, low[1].waiter, low[2].waiter, low[3].waiter, low[4].waiter, high.waiter, low[5].waiter}));
}

TEST_CASE("a ceiling holds whatever else is free") {
  PoolPlan plan = pool_plan({10});
  plan.tiers[1].ceiling[0] = 3;
  Yard yard(plan);
  yard.take(*yard.a, yard.ask({3}, 1));
  CHECK(yard.refused(yard.ask({1}, 1)));
  yard.take(*yard.a, yard.ask({7}, 2));
}

TEST_CASE("inside a tenant it is first come, first served: a small request does not go before a large one") {
  Yard yard(pool_plan({10}));
  const Granted held = yard.take(*yard.a, yard.ask({8}));
  const Granted large = yard.wait(*yard.b, yard.ask({5}, 1, 7));
  const Granted small = yard.wait(*yard.b, yard.ask({1}, 1, 7));
  CHECK(ended(*yard.b).empty());
  yard.release(*yard.a, held);
  CHECK((yard.served(*yard.b) == Waiters{large.waiter, small.waiter}));
}

TEST_CASE("of another tenant a small request passes a large one that does not fit") {
  Yard yard(pool_plan({10}));
  yard.take(*yard.a, yard.ask({8}));
  yard.wait(*yard.b, yard.ask({5}, 1, 7));
  const Granted other = yard.wait(*yard.b, yard.ask({3}, 1, 8));
  CHECK(ended(*yard.b).empty());
  const Granted small = yard.take(*yard.a, yard.ask({2}, 1, 9));
  yard.release(*yard.a, small);
  CHECK(ended(*yard.b).empty());
  CHECK(yard.b->abort(other.waiter) == Answer::kOk);
}

TEST_CASE("dominant resource fairness: the example of the paper, 9 CPUs and 18 GB") {
  for (const bool a_first : {true, false}) {
    Yard yard(pool_plan({9, 18}));
    const Granted all = yard.take(*yard.a, yard.ask({9, 18}));
    std::map<WaiterId, char> whose;
    for (int i = 0; i < 8; i++) {
      for (const char who : std::string(a_first ? "AB" : "BA")) {
        const Granted wait = who == 'A' ? yard.wait(*yard.b, yard.ask({1, 4}, 1, 101)) : yard.wait(*yard.b, yard.ask({3, 1}, 1, 102));
        whose[wait.waiter] = who;
      }
    }
    yard.release(*yard.a, all);
    int of_a = 0;
    int of_b = 0;
    for (const WaiterId waiter : yard.served(*yard.b)) (whose.at(waiter) == 'A' ? of_a : of_b)++;
    CHECK_EQUAL(of_a, 3);
    CHECK_EQUAL(of_b, 2);
    CHECK_EQUAL(yard.used(0), 9u);
    CHECK_EQUAL(yard.used(1), 14u);
  }
}

TEST_CASE("dominant resource fairness with weights: shares stand to each other as the weights do") {
  PoolPlan plan = pool_plan({100});
  plan.tenants = 2;
  plan.tenant[0] = 101;
  plan.weight[0] = 3;
  plan.tenant[1] = 102;
  plan.weight[1] = 1;
  Yard yard(plan);
  const Granted all = yard.take(*yard.a, yard.ask({100}));
  std::map<WaiterId, int> whose;
  for (int i = 0; i < 100; i++) {
    whose[yard.wait(*yard.b, yard.ask({1}, 1, 102)).waiter] = 1;
    whose[yard.wait(*yard.b, yard.ask({1}, 1, 101)).waiter] = 0;
  }
  yard.release(*yard.a, all);
  int count[2] = {0, 0};
  const auto collect = [&] {
    for (const WaiterId waiter : yard.served(*yard.b)) count[whose.at(waiter)]++;
  };
  collect();
  for (const ElementIndex index : yard.a->take_leftovers()) GateKeeper::serve_all(yard.a->lane(), index);
  collect();
  CHECK_EQUAL(count[0], 75);
  CHECK_EQUAL(count[1], 25);
}

TEST_CASE("a tenant that has little gets before one that has much, whoever came first") {
  Yard yard(pool_plan({10}));
  const Granted held = yard.take(*yard.a, yard.ask({6}, 1, 101));
  const Granted rest = yard.take(*yard.a, yard.ask({4}, 1, 103));
  yard.wait(*yard.b, yard.ask({2}, 1, 101));
  const Granted poor = yard.wait(*yard.b, yard.ask({2}, 1, 102));
  yard.a->shrink(rest.waiter, rest.sequence, amounts({2}));
  CHECK((yard.served(*yard.b) == Waiters{poor.waiter}));
  yard.release(*yard.a, held);
}

TEST_CASE("more tenants than there are rows share one, and nothing is lost") {
  Yard yard(pool_plan({200}));
  std::vector<Granted> held;
  for (std::uint32_t tenant = 1; tenant <= 150; tenant++) held.push_back(yard.take(*yard.a, yard.ask({1}, 1, tenant)));
  check_books(*yard.world.arena, yard.handle);
  CHECK(yard.a->shrink(held[0].waiter, held[0].sequence, amounts({0})) == Answer::kOk);  // made anew: rows are given out again
  check_books(*yard.world.arena, yard.handle);
  CHECK_EQUAL(yard.used(), 149u);
  for (const Granted& granted : held) yard.release(*yard.a, granted);
  CHECK_EQUAL(yard.used(), 0u);
  for (std::uint32_t tenant = 1'001; tenant <= 1'063; tenant++) held.push_back(yard.take(*yard.a, yard.ask({1}, 1, tenant)));
  const PoolRecord& record = Pool(*yard.world.arena, yard.handle.index).record();
  CHECK_EQUAL(record.rows[kOtherTenants].grants.get(), 0u);  // the rows of those who went are had by others
}

TEST_CASE("a configured tenant keeps its row and its weight through recounts") {
  PoolPlan plan = pool_plan({100});
  plan.tenants = 1;
  plan.tenant[0] = 5;
  plan.weight[0] = 4;
  Yard yard(plan);
  for (std::uint32_t tenant = 100; tenant < 163; tenant++) yard.take(*yard.a, yard.ask({1}, 1, tenant));
  const Granted granted = yard.take(*yard.a, yard.ask({2}, 1, 5));
  yard.a->shrink(granted.waiter, granted.sequence, amounts({1}));
  const PoolRecord& record = Pool(*yard.world.arena, yard.handle.index).record();
  std::uint64_t used = 0;
  for (const TenantRow& row : record.rows) {
    if (row.tenant.get() == 5) used += row.used[0].get();
  }
  CHECK_EQUAL(used, 1u);
}

TEST_CASE("a large request that has outlived the tiers stops what would delay it") {
  Yard yard(pool_plan({10, 10}));
  std::vector<Granted> held;
  for (int i = 0; i < 8; i++) held.push_back(yard.take(*yard.a, yard.ask({1, 0}, 2)));
  const Granted large = yard.wait(*yard.b, yard.ask({8, 0}, 2));
  CHECK(ended(*yard.b).empty());
  yard.take(*yard.a, yard.ask({1, 0}, 3));  // not yet
  yard.world.host.time += 2 * kAgeing;
  CHECK(yard.refused(yard.ask({1, 0}, 3)));
  yard.take(*yard.a, yard.ask({0, 5}, 0));  // of what it does not want everybody may have
  for (int i = 0; i < 6; i++) yard.release(*yard.a, held[static_cast<std::size_t>(i)]);
  CHECK(ended(*yard.b).empty());
  CHECK(yard.refused(yard.ask({1, 0}, 3)));
  yard.release(*yard.a, held[6]);
  CHECK((yard.served(*yard.b) == Waiters{large.waiter}));
}

TEST_CASE("a request that has outlived the tiers stops nobody who leaves it enough") {
  Yard yard(pool_plan({10, 4}));
  yard.take(*yard.a, yard.ask({1, 4}, 2));
  yard.wait(*yard.b, yard.ask({5, 1}, 2));  // it waits for the second dimension alone
  yard.world.host.time += 2 * kAgeing;
  yard.take(*yard.a, yard.ask({4, 0}, 1));
  CHECK(yard.refused(yard.ask({1, 0}, 1)));  // now it would
}

TEST_CASE("a request that has outlived the tiers is not delayed by what floors make scarce") {
  PoolPlan plan = pool_plan({10});
  plan.tiers[3].floor[0] = 4;
  Yard yard(plan);
  yard.take(*yard.a, yard.ask({1}, 1));
  const Granted aged = yard.wait(*yard.b, yard.ask({6}, 1, 7));  // 1 + 6, and 4 are kept: one too many
  yard.world.host.time += 3 * kAgeing;
  CHECK(yard.refused(yard.ask({2}, 2)));  // what it waits for
  yard.take(*yard.a, yard.ask({4}, 3));   // the floor is not what it waits for
  CHECK(yard.b->abort(aged.waiter) == Answer::kOk);
}

TEST_CASE("those who come now do not keep an aged request out: its wait is bounded by what is held") {
  Yard yard(pool_plan({4}));
  std::vector<Granted> held;
  for (int i = 0; i < 4; i++) held.push_back(yard.take(*yard.a, yard.ask({1}, 3, 10)));
  const Granted large = yard.wait(*yard.b, yard.ask({4}, 0, 20));
  bool served = false;
  Nanos waited = 0;
  for (; !served && waited < 100 * kAgeing; waited += kSecond) {
    yard.world.host.time += kSecond;
    if (!held.empty()) {
      yard.release(*yard.a, held.front());
      held.erase(held.begin());
    }
    for (const WaiterId waiter : yard.served(*yard.b)) served |= waiter == large.waiter;
    Granted more;
    while (!served && yard.a->try_units(yard.ask({1}, 3, 10), more) == Answer::kOk) held.push_back(more);
  }
  CHECK(served);
  CHECK(waited <= 4 * kAgeing + 10 * kSecond);
}

TEST_CASE("less is had back at once, and more is not had that way") {
  Yard yard(pool_plan({10, 10}));
  const Granted held = yard.take(*yard.a, yard.ask({8, 8}));
  const Granted waits = yard.wait(*yard.b, yard.ask({5, 1}));
  CHECK(yard.a->shrink(held.waiter, held.sequence, amounts({9, 1})) == Answer::kBadArgument);
  CHECK(yard.a->shrink(held.waiter, held.sequence + 1, amounts({1, 1})) == Answer::kLost);
  CHECK(yard.a->shrink(held.waiter, held.sequence, amounts({5, 8})) == Answer::kOk);
  CHECK((yard.served(*yard.b) == Waiters{waits.waiter}));
  CHECK_EQUAL(yard.used(0), 10u);
  CHECK_EQUAL(yard.used(1), 9u);
  check_books(*yard.world.arena, yard.handle);
  yard.release(*yard.a, held);
  CHECK(yard.a->shrink(held.waiter, held.sequence, amounts({1, 1})) == Answer::kLost);
  CHECK_EQUAL(yard.used(0), 5u);
}

TEST_CASE("a capacity below what is held takes nothing away and gives nothing out until there is room") {
  Yard yard(pool_plan({10}));
  const Granted first = yard.take(*yard.a, yard.ask({4}));
  const Granted second = yard.take(*yard.a, yard.ask({4}));
  CHECK(change_pool(*yard.a, yard.handle, pool_plan({5})) == Answer::kOk);
  CHECK_EQUAL(yard.used(), 8u);
  CHECK(yard.a->holds_shared(first.waiter, first.sequence));
  const Granted waits = yard.wait(*yard.b, yard.ask({2}));
  yard.release(*yard.a, first);
  CHECK(ended(*yard.b).empty());
  yard.release(*yard.a, second);
  CHECK((yard.served(*yard.b) == Waiters{waits.waiter}));
}

TEST_CASE("a larger capacity serves at once whom it can") {
  Yard yard(pool_plan({4}));
  yard.take(*yard.a, yard.ask({4}));
  const Granted waits = yard.wait(*yard.b, yard.ask({3}));
  CHECK(change_pool(*yard.a, yard.handle, pool_plan({7})) == Answer::kOk);
  CHECK((yard.served(*yard.b) == Waiters{waits.waiter}));
}

TEST_CASE("a capacity below what somebody waits for ends that wait, and those behind it go on") {
  for (const bool dead_waits : {false, true}) {
    Yard yard(pool_plan({10}));
    const Granted held = yard.take(*yard.a, yard.ask({6}));
    const Granted large = yard.wait(*yard.b, yard.ask({8}));
    const Granted small = yard.wait(*yard.b, yard.ask({2}));
    if (dead_waits) {
      auto c = yard.world.join(3);
      Granted granted;
      CHECK(c->units(yard.ask({9}), granted) == Answer::kWait);
      yard.world.kill(3);
    }
    CHECK(change_pool(*yard.a, yard.handle, pool_plan({5})) == Answer::kOk);
    yard.release(*yard.a, held);
    const auto outcomes = ended(*yard.b);
    CHECK_EQUAL(outcomes.size(), 2u);
    CHECK_EQUAL(outcomes[0].waiter, large.waiter);
    CHECK(outcomes[0].outcome == Outcome::kNever);
    CHECK_EQUAL(outcomes[1].waiter, small.waiter);
    CHECK(outcomes[1].outcome == Outcome::kGranted);
    CHECK_EQUAL(yard.used(), 2u);
    CHECK_EQUAL(yard.b->slots_in_use(), 2u);  // of the one that is held
    CHECK_EQUAL(yard.b->waiting(), 0u);
    CHECK(sweep_all(yard.a->lane()));
  }
}

TEST_CASE("one who gives up a wait that can never be granted any more leaves nothing behind") {
  Yard yard(pool_plan({10}));
  const Granted held = yard.take(*yard.a, yard.ask({6}));
  const Granted large = yard.wait(*yard.b, yard.ask({8}));
  CHECK(change_pool(*yard.a, yard.handle, pool_plan({5})) == Answer::kOk);
  CHECK(yard.b->abort(large.waiter) == Answer::kOk);
  CHECK(ended(*yard.b).empty());
  CHECK_EQUAL(yard.used(), 6u);
  CHECK_EQUAL(yard.b->slots_in_use(), 0u);
  yard.release(*yard.a, held);
}

TEST_CASE("the death of an owner returns every unit, and its waits are passed over") {
  Yard yard(pool_plan({10, 10}));
  for (int i = 0; i < 5; i++)
    yard.take(*yard.b, yard.ask({2, 1}, static_cast<std::uint32_t>(i % kTiers), 40u + static_cast<std::uint32_t>(i)));
  yard.wait(*yard.b, yard.ask({1, 1}));
  const Granted waits = yard.wait(*yard.a, yard.ask({10, 10}));
  yard.world.kill(2);
  CHECK(sweep_all(yard.a->lane()));
  CHECK((yard.served(*yard.a) == Waiters{waits.waiter}));
  CHECK_EQUAL(yard.used(0), 10u);
  CHECK_EQUAL(yard.used(1), 10u);
  CHECK(yard.world.join(2) != nullptr);
}

TEST_CASE("a grant that is given up when it is there already goes to the next") {
  Yard yard(pool_plan({4}));
  const Granted held = yard.take(*yard.a, yard.ask({4}));
  const Granted first = yard.wait(*yard.b, yard.ask({4}));
  const Granted second = yard.wait(*yard.a, yard.ask({4}));
  yard.release(*yard.a, held);
  CHECK(yard.b->abort(first.waiter) == Answer::kOk);
  CHECK((yard.served(*yard.a) == Waiters{second.waiter}));
  CHECK(ended(*yard.b).empty());
  CHECK_EQUAL(yard.b->slots_in_use(), 0u);
}

TEST_CASE("a wait whose time is over ends so, and leaves its place") {
  Yard yard(pool_plan({4}));
  yard.take(*yard.a, yard.ask({3}));
  Request request = yard.ask({2});
  request.deadline = yard.world.host.time + kSecond;
  yard.wait(*yard.b, request);
  const Granted small = yard.wait(*yard.b, yard.ask({1}));
  yard.world.host.time += kSecond;
  yard.b->expire();
  const auto outcomes = ended(*yard.b);
  CHECK_EQUAL(outcomes.size(), 2u);
  CHECK(outcomes[0].outcome == Outcome::kTimedOut || outcomes[1].outcome == Outcome::kTimedOut);
  CHECK_EQUAL(yard.used(), 4u);
  CHECK(yard.b->holds_shared(small.waiter,
                             outcomes[0].outcome == Outcome::kGranted ? outcomes[0].grant.sequence : outcomes[1].grant.sequence));
}

TEST_CASE("a wait moved to a higher tier counts there, for its tenant too") {
  Yard yard(pool_plan({4}));
  const Granted held = yard.take(*yard.a, yard.ask({4}));
  const Granted first = yard.wait(*yard.b, yard.ask({4}, 1, 50));
  const Granted moved = yard.wait(*yard.b, yard.ask({4}, 0, 51));
  CHECK(yard.b->upgrade(moved.waiter, 3) == Answer::kOk);
  check_books(*yard.world.arena, yard.handle);
  yard.release(*yard.a, held);
  CHECK((yard.served(*yard.b) == Waiters{moved.waiter}));
  CHECK(yard.b->abort(first.waiter) == Answer::kOk);
}

TEST_CASE("who waits behind another for more than there will be is told at once when the pool is made smaller") {
  Yard yard(pool_plan({8}));
  const Granted held = yard.take(*yard.a, yard.ask({8}));
  const Granted first = yard.wait(*yard.b, yard.ask({2}));
  const Granted behind = yard.wait(*yard.b, yard.ask({6}));
  CHECK(change_pool(*yard.a, yard.handle, pool_plan({5})) == Answer::kOk);
  const std::vector<Settled> told = ended(*yard.b);
  CHECK_EQUAL(told.size(), 1u);
  CHECK_EQUAL(told[0].waiter, behind.waiter);
  CHECK(told[0].outcome == Outcome::kNever);
  yard.release(*yard.a, held);
  CHECK(yard.served(*yard.b) == Waiters{first.waiter});
}

TEST_CASE("a request for whom a slot is missing is told so, and takes none with it") {
  Yard yard(pool_plan({1'000}), kChunkSlots);
  for (std::uint32_t i = 0; i < kChunkSlots / 2 - 1; i++) yard.take(*yard.a, yard.ask({1}));
  const Handle lock = look_up(*yard.a, u"lock");
  Granted granted;
  CHECK(yard.a->lock({.handle = lock, .shared = true}, granted) == Answer::kOk);  // one is left, and it needs two
  for (const std::uint32_t tenant : {0u, 1u, 3u, 200u}) {
    CHECK(yard.a->try_units(yard.ask({1}, 1, tenant), granted) == Answer::kNoSlots);
    CHECK(yard.a->units(yard.ask({1}, 1, tenant), granted) == Answer::kNoSlots);
  }
  CHECK_EQUAL(yard.a->slots_in_use(), kChunkSlots - 1);
}

TEST_CASE("what a pool is made of is compared, never changed, by whoever finds it") {
  PoolPlan plan = pool_plan({4, 5});
  plan.tenants = 1;
  plan.tenant[0] = 9;
  plan.weight[0] = 2;
  plan.labels[0] = 77;
  Yard yard(plan);
  Arena& arena = *yard.world.arena;
  CHECK(define_pool(arena, yard.handle.index, plan) == Defined::kSame);
  for (int which = 0; which < 5; which++) {
    PoolPlan other = plan;
    if (which == 0) other.capacity[1]++;
    if (which == 1) other.names[0][0] = 'z';
    if (which == 2) other.weight[0] = 3;
    if (which == 3) other.labels[0] = 78;
    if (which == 4) other.tiers[2].floor[0] = 1;
    CHECK(define_pool(arena, yard.handle.index, other) == Defined::kOther);
  }
  CHECK(define_pool(arena, yard.handle.index, plan) == Defined::kSame);
}

TEST_CASE("as many tenants as there are rows for keep their weights") {
  PoolPlan plan = pool_plan({4});
  for (std::uint32_t i = 0; i < kTenantRows - 1; i++) {
    plan.tenant[i] = 1'000 + 7 * i;
    plan.weight[i] = 1 + i;
  }
  plan.tenants = kTenantRows - 1;
  Yard yard(plan);
  CHECK(define_pool(*yard.world.arena, yard.handle.index, plan) == Defined::kSame);
  const Granted other = yard.take(*yard.a, yard.ask({1}, 1, 5));
  CHECK_EQUAL(Pool(*yard.world.arena, yard.handle.index).record().rows[kOtherTenants].grants.get(), 1u);
  yard.release(*yard.a, other);
}

// Every step of a long run against a model that knows who holds what: never over the capacity, no floor lent, no ceiling passed, books that
// say what is so; and in the end everybody was served.
TEST_CASE("a long run of everything at once stays within capacity, floors and ceilings at every step") {
  for (const std::uint32_t seed : {1u, 2u, 3u, 4u}) {
    std::mt19937 random(seed);
    PoolPlan plan = pool_plan({20, 40, 12});
    for (int d = 0; d < 3; d++) {
      plan.tiers[3].floor[d] = 2;
      plan.tiers[1].floor[d] = 1;
      plan.tiers[0].ceiling[d] = plan.capacity[d] / 2;
      plan.tiers[2].share[d] = 4;
    }
    Yard yard(plan, 64 * kChunkSlots);
    struct Has {
      Member* member;
      Granted grant;
      Amounts amounts;
      std::uint32_t tier;
    };
    std::vector<Has> holds;
    std::map<std::pair<Member*, WaiterId>, std::pair<Amounts, std::uint32_t>> waits;
    Amounts capacity = plan.capacity;
    std::unique_ptr<Member> c = yard.world.join(3);
    const auto everybody = [&] { return std::vector<Member*>{yard.a.get(), yard.b.get(), c.get()}; };
    const auto collect = [&] {
      for (Member* member : everybody()) {
        for (const ElementIndex index : member->take_leftovers()) GateKeeper::serve_all(member->lane(), index);
      }
      for (Member* member : everybody()) {
        for (const Settled& settled : ended(*member)) {
          const auto wait = waits.find({member, settled.waiter});
          CHECK(wait != waits.end());
          if (settled.outcome == Outcome::kGranted) holds.push_back({member, settled.grant, wait->second.first, wait->second.second});
          CHECK(settled.outcome != Outcome::kNever);
          waits.erase(wait);
        }
      }
    };
    const auto check_model = [&](bool granted_only) {
      Amounts used{}, by_tier[kTiers]{};
      for (const Has& has : holds) {
        CHECK(has.member->holds_shared(has.grant.waiter, has.grant.sequence));
        for (int d = 0; d < kDimensions; d++) {
          used[d] += has.amounts[d];
          by_tier[has.tier][d] += has.amounts[d];
        }
      }
      const Amounts listed = held_units(*yard.world.arena, yard.handle);
      for (int d = 0; d < 3; d++) {
        CHECK_EQUAL(listed[d], used[d]);
        if (!granted_only) continue;
        CHECK(used[d] <= capacity[d]);
        CHECK(by_tier[0][d] <= capacity[d] / 2);
        // Nobody has of a floor but its tier.
        CHECK(used[d] - by_tier[3][d] + 2 <= capacity[d]);
        CHECK(used[d] - by_tier[1][d] + 1 <= capacity[d]);
      }
      check_books(*yard.world.arena, yard.handle);
    };
    for (int step = 0; step < 3'000; step++) {
      Member* member = everybody()[random() % 3];
      const std::uint32_t tier = random() % kTiers;
      Request request = yard.ask({random() % 6, random() % 12, random() % 4}, tier, random() % 9);
      if ((request.amounts[0] | request.amounts[1] | request.amounts[2]) == 0) request.amounts[0] = 1;
      if (random() % 5 == 0) request.deadline = yard.world.host.time + (1 + random() % 50) * kSecond;
      Granted granted;
      switch (random() % 8) {
        case 0:
        case 1: {
          request.deadline = 0;
          if (member->try_units(request, granted) == Answer::kOk) holds.push_back({member, granted, request.amounts, tier});
          break;
        }
        case 2: {
          const Answer answer = member->units(request, granted);
          if (answer == Answer::kOk) holds.push_back({member, granted, request.amounts, tier});
          if (answer == Answer::kWait) waits[{member, granted.waiter}] = {request.amounts, tier};
          break;
        }
        case 3:
        case 4: {
          if (holds.empty()) break;
          const std::size_t at = random() % holds.size();
          yard.release(*holds[at].member, holds[at].grant);
          holds.erase(holds.begin() + static_cast<std::ptrdiff_t>(at));
          break;
        }
        case 5: {
          if (holds.empty()) break;
          Has& has = holds[random() % holds.size()];
          Amounts less = has.amounts;
          for (auto& amount : less) amount -= amount == 0 ? 0 : random() % amount;
          CHECK(has.member->shrink(has.grant.waiter, has.grant.sequence, less) == Answer::kOk);
          has.amounts = less;
          break;
        }
        case 6: {
          if (waits.empty()) break;
          auto wait = waits.begin();
          std::advance(wait, static_cast<std::ptrdiff_t>(random() % waits.size()));
          if (random() % 3 == 0) {
            const std::uint32_t to = random() % kTiers;
            wait->first.first->upgrade(wait->first.second, to);
            const SlotId id = wait->first.first->slot_of(wait->first.second);
            wait->second.second = yard.world.arena->slot(id).flags.get() & SlotFlag::kTierMask;
          } else {
            CHECK(wait->first.first->abort(wait->first.second) == Answer::kOk);
            waits.erase(wait);
          }
          break;
        }
        default: {
          yard.world.host.time += random() % (10 * kSecond);
          for (Member* each : everybody()) each->expire();
          if (step % 500 == 499) {  // death: all of its own is back
            yard.world.kill(3);
            CHECK(sweep_all(yard.a->lane()));
            std::erase_if(holds, [&](const Has& has) { return has.member == c.get(); });
            std::erase_if(waits, [&](const auto& wait) { return wait.first.first == c.get(); });
            c = yard.world.join(3);
            CHECK(c != nullptr);
          }
        }
      }
      collect();
      check_model(true);
    }
    for (int rounds = 0; !waits.empty() || !holds.empty(); rounds++) {
      CHECK(rounds < 1'000);
      std::vector<Has> all;
      all.swap(holds);
      for (const Has& has : all) yard.release(*has.member, has.grant);
      yard.world.host.time += kSecond;
      for (Member* each : everybody()) each->expire();
      collect();
      check_model(false);
    }
    for (int d = 0; d < 3; d++) CHECK_EQUAL(yard.used(d), 0u);
    for (Member* member : everybody()) CHECK_EQUAL(member->slots_in_use(), 0u);
  }
}

TEST_CASE("a damaged record is damage or a wrong answer, never a crash or an endless walk") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 600; round++) {
    World world(with_heap(2 * kChunkSlots));
    auto a = world.join(1);
    auto b = world.join(2);
    const Handle handle = make_pool(*a, u"pool", pool_plan({4, 4}));
    Arena& arena = *world.arena;
    Granted held, wait;
    a->try_units(units(handle, {3, 1}, 1, 4), held);
    b->units(units(handle, {2, 2}, 2, 5), wait);
    auto* words = reinterpret_cast<std::uint64_t*>(&arena.record<PoolRecord>(arena.element(handle.index).base.load()));
    auto* slots = reinterpret_cast<std::uint64_t*>(&arena.slot(1));
    auto* element = reinterpret_cast<std::uint64_t*>(&arena.element(handle.index));
    for (int i = 0; i < 4; i++) {
      const std::uint64_t kinds[] = {random(), 0, ~0ull, random() % 8, random() % 4 << 32};
      const std::uint64_t value = kinds[random() % 5];
      if (round % 3 == 0) words[random() % (sizeof(PoolRecord) / 8)] = value;
      if (round % 3 == 1) slots[random() % (4 * sizeof(Slot) / 8)] = value;
      if (round % 3 == 2) element[random() % (sizeof(Element) / 8)] = value;
    }
    try {
      for (int i = 0; i < 4; i++) {
        Granted granted;
        a->try_units(units(handle, {1, 1}, 0, 6), granted);
        a->shrink(held.waiter, held.sequence, amounts({1, 1}));
        change_pool(*b, handle, pool_plan({5, 5}));
        b->upgrade(wait.waiter, 3);
        world.host.time += 40 * kSecond;
        b->expire();
        b->collect();
        if (i == 2) a->release_shared(held.waiter, held.sequence);
      }
      b->abort(wait.waiter);
      world.kill(1);
      sweep_all(b->lane());
    } catch (const Corrupt&) {
    }
  }
}

TEST_MAIN()
