// Planners that write the same plan at the same moment, and who stop or die over it.
#include "hooks.h"

#include "core/plan.h"
#include "test/supply.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

struct Office {
  // The table is there already: two would not fit the heap.
  Office() : world(with_heap()), a(world.join(1)), b(world.join(2)), lock(look_up(*a, u"lock")) {
    PlanId id{};
    CHECK(write(*a, 1, id) == Written::kOk && a->withdraw_plan(id));
  }

  Written write(Member& by, int seconds) {
    PlanId id{};
    return write(by, seconds, id);
  }
  Written write(Member& by, int seconds, PlanId& id) {
    Plan plan;
    plan.what = lock.index + 1;
    plan.tier = 3;
    plan.from = plan.until = world.host.time + static_cast<Nanos>(seconds) * 1'000 * kNanosPerMilli;
    return by.write_plan(plan, id);
  }
  std::vector<Nanos> ends() {
    std::vector<Nanos> all;
    Plans(*world.arena).for_each(world.host.time, [&](PlanId, const Plan& plan) {
      all.push_back((plan.until - world.host.time) / (1'000 * kNanosPerMilli));
    });
    return all;
  }

  World world;
  std::unique_ptr<Member> a, b;
  Handle lock;
};

}  // namespace

TEST_CASE("of two planners that write one plan at the same moment neither is refused, and one plan is left") {
  for (const bool there_before : {false, true}) {
    for (long n = 0;; n++) {
      Office office;
      if (there_before) CHECK(office.write(*office.b, 1) == Written::kOk);
      Written one = Written::kFull, other = Written::kFull;
      const long made = with_hook(
          n, [&] { one = office.write(*office.a, 2); }, [&] { other = office.write(*office.b, 3); });
      if (made <= n) break;
      expect(one == Written::kOk && other == Written::kOk, "a planner was refused", n);
      const auto ends = office.ends();
      expect(ends.size() == 1, std::to_string(ends.size()) + " plans are left", n);
      expect(ends[0] == 2 || ends[0] == 3, "neither of the two is left", n);
    }
  }
}

TEST_CASE("a planner that stopped while it wrote keeps nobody from writing the same plan, and leaves no second one when it died") {
  for (const bool there_before : {false, true}) {
    for (long n = 0;; n++) {
      Office office;
      if (there_before) CHECK(office.write(*office.b, 1) == Written::kOk);
      if (!stop_before(n, [&] { office.write(*office.a, 2); })) break;
      expect(office.write(*office.b, 3) == Written::kOk, "a planner was refused", n);
      const auto ends = office.ends();
      expect(std::count(ends.begin(), ends.end(), 3u) == 1 && ends.size() <= 2, "what was written is not there", n);
      office.world.kill(1);
      for (int i = 0; i < 3; i++) sweep_all(office.b->lane());
      expect(office.write(*office.b, 4) == Written::kOk, "a planner was refused after the death", n);
      const auto after = office.ends();
      expect(after.size() == 1 && after[0] == 4, std::to_string(after.size()) + " plans are left", n);
    }
  }
}

TEST_MAIN()
