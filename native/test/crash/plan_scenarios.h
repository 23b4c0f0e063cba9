// What is stepped of plans: a planner that dies leaves the plan as it was or as it is to be, and nobody waits for longer than a plan
// may keep them.
#pragma once

#include "test/crash/supply_scenarios.h"

namespace forelock::test {

// So much is discarded by the full bucket that the reserve is filled.
inline void fill_reserve(Scene& s) {
  s.write(2, s.plan(core::PlanKind::kReserve, s.bucket.index, 0, 2'000));
  s.pass_time(1);
  s.try_take(3, 1);
  s.pass_time(100);
}

inline std::vector<Scenario> plan_scenarios() {
  const auto all = core::Amounts{7, 14};
  const auto held = [](Scene& s) {
    s.expected_holds = 1;
    s.hold(2, X, 3, 2'000);
  };
  const auto kept_waiting = [](Scene& s) {
    s.hold(2, X, 3, 2'000);
    s.lock(3, X, {.tier = 1});
    s.lock(4, X, {.tier = 2});
    s.lock(2, X, {.tier = 1, .shared = true});
  };
  // Of 8 and 16 units a quarter is kept, and somebody waits for one of them.
  const auto kept_units = [](Scene& s) {
    s.allocate(2, {6, 12}, tenant(1));
    s.write(2, s.plan(core::PlanKind::kKeep, s.pool.index, 3, 2'000));
    s.allocate(3, {1, 1}, tenant(2));
  };
  // All but what is kept of the bucket is taken, and somebody waits for one of those tokens.
  const auto kept_tokens = [](Scene& s) {
    s.write(2, s.plan(core::PlanKind::kKeep, s.bucket.index, 3, 2'000));
    while (s.try_take(2, 1, tier(1))) {
    }
    s.take(3, 1, tier(1));
  };
  std::vector<Scenario> scenarios{
      {"the first plan, of a lock that is held and waited for",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(3, X, {.tier = 1});
       },
       [](Scene& s) { s.hold(1, X, 3, 2'000); }},
      {"a plan written anew, by another", held, [](Scene& s) { s.hold(1, X, 3, 1'500, 3); }},
      {"a hold written while others are kept waiting by one", kept_waiting, [](Scene& s) { s.hold(1, X, 2, 2'000); }},
      {"a hold taken back that keeps others waiting", kept_waiting, [](Scene& s) { s.actors[1].member->withdraw_plan(s.written); }},
      {"a lock given back into a hold",
       [](Scene& s) {
         s.lock(1, X, {.tier = 1});
         s.lock(3, X, {.tier = 1});
         s.lock(4, X, {.tier = 2});
         s.hold(2, X, 3, 2'000);
       },
       [](Scene& s) { s.release(1); }},
      {"the expected one comes, uses the hold and gives back", kept_waiting,
       [](Scene& s) {
         s.lock(1, X, {.tier = 3});
         s.release(1);
       }},
      {"a lock taken and given back past a hold of another's",
       [](Scene& s) {
         s.expected_holds = 1;
         core::Plan plan = s.plan(core::PlanKind::kHold, s.handle(2, X).index, 2, 2'000);
         plan.who = Scene::kStranger;
         s.write(2, plan);
       },
       [](Scene& s) {
         s.lock(1, X, {.tier = 2});
         s.release(1);
       }},
      {"one that a hold keeps waiting gives up",
       [](Scene& s) {
         s.hold(2, X, 3, 2'000);
         s.lock(1, X, {.tier = 1});
         s.lock(3, X, {.tier = 1});
       },
       [](Scene& s) { s.abort(1); }},
      {"a hold ends while others wait",
       [kept_waiting](Scene& s) {
         kept_waiting(s);
         s.pass_time(2'000);
       },
       [](Scene& s) {
         s.actors[1].member->sweep_plans();
         s.collect(1);
       }},
      {"tokens drawn from a reserve, and kept for it", fill_reserve,
       [](Scene& s) {
         s.try_take(1, 4);
         s.try_take(1, 2);
         s.try_take(1, 2);
       }},
      {"another pace under a reserve",
       [](Scene& s) {
         s.burst_limit = 8;
         s.rate_limit = 200;
         fill_reserve(s);
         s.try_take(3, 2);
       },
       [](Scene& s) {
         s.actors[1].member->change_pace(s.bucket.index, pace_of(200, 1'000, 8));
         s.try_take(1, 1);
       }},
      {"units asked for by whom a share plan entitles, others are recalled",
       [all](Scene& s) {
         s.write(2, s.plan(core::PlanKind::kShare, s.pool.index, 3, 2'000));
         s.allocate(3, all, tenant(1));
       },
       [](Scene& s) {
         s.allocate(1, {3, 3}, tenant(2, 3));
       }},
      {"units kept, for who comes of a tier below and of the one they are for", kept_units,
       [](Scene& s) {
         s.allocate(1, {1, 1}, tenant(1, 1));
         s.allocate(1, {2, 2}, tenant(1, 3));
       }},
      {"a plan that keeps units is taken back", kept_units, [](Scene& s) { s.actors[1].member->withdraw_plan(s.written); }},
      {"units come back while some are kept",
       [](Scene& s) {
         s.allocate(1, {6, 12}, tenant(1));
         s.write(2, s.plan(core::PlanKind::kKeep, s.pool.index, 3, 2'000));
         s.allocate(3, {1, 1}, tenant(2));
       },
       [](Scene& s) { s.release(1); }},
      {"tokens kept, for who comes of a tier below and of the one they are for", kept_tokens,
       [](Scene& s) {
         s.try_take(1, 1, tier(1));
         s.try_take(1, 1, tier(3));
       }},
      {"a plan that keeps tokens is taken back", kept_tokens, [](Scene& s) { s.actors[1].member->withdraw_plan(s.written); }},
      {"tokens that are kept from who waits come to be enough", kept_tokens,
       [](Scene& s) {
         s.pass_time(2);
         s.collect(1);
       }},
      {"a request that an escalation raises",
       [](Scene& s) {
         s.write(2, s.plan(core::PlanKind::kEscalation, 0, 3, 2'000));
         s.empty_bucket();
         s.take(3, 1);
       },
       [](Scene& s) { s.take(1, 1, tier(0)); }},
      {.name = "sweep of a planner that died over a plan",
       .prepare =
           [held](Scene& s) {
             held(s);
             core::PlanTable& table = s.world.arena->record<core::PlanTable>(s.world.arena->header().plans.load());
             for (core::PlanEntry& entry : table.entries) {
               core::PlanControl control = core::PlanControl::of(entry.control.load());
               if (!control.live) continue;
               control.writer = core::lane_of(4, core::Thread::kScript);
               entry.control.store(control.word());
               entry.cells[control.current ^ 1].what.store(~0ull);
             }
             s.world.kill(4);
           },
       .act = [](Scene& s) { s.sweep_all(1); },
       .dead = {4}},
  };
  for (Scenario& scenario : scenarios) scenario.supplied = scenario.timed = scenario.planned = true;
  return scenarios;
}

}  // namespace forelock::test
