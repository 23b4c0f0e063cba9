// What is stepped of buckets and pools. Tokens of the dead may stay spent, never more are admitted; units of the dead come back.
#pragma once

#include "test/crash/scenarios.h"

namespace forelock::test {

inline Ask tier(std::uint32_t tier) { return {.tier = tier}; }
// Who waits for units for a tenant.
inline Ask tenant(std::uint32_t tenant, std::uint32_t tier = 1) { return {.tier = tier, .ttl = tenant}; }

inline void wait_for_tokens(Scene& s) {
  s.take(3, 1, tier(1));
  s.take(4, 2, tier(3));
  s.take(2, 1, tier(0));
  s.take(3, 1, tier(1));
}

inline void wait_for_units(Scene& s) {
  s.allocate(3, {2, 2}, tenant(1));
  s.allocate(4, {3, 1}, tenant(2));
  s.allocate(2, {1, 1}, tenant(1, 0));
  s.allocate(3, {1, 4}, tenant(1));
  s.allocate(4, {1, 1}, tenant(3, 3));
}

inline std::vector<Scenario> supply_scenarios() {
  const auto nothing = [](Scene&) {};
  const auto all = core::Amounts{7, 14};  // but for the floor of the highest tier
  const auto emptied = [](Scene& s) { s.empty_bucket(); };
  const auto taken_by_2 = [all](Scene& s) { s.allocate(2, all); };
  std::vector<Scenario> scenarios{
      // ---- tokens
      {"tokens taken and refused, in two buckets", nothing,
       [](Scene& s) {
         s.try_take(1, 3);
         s.try_take(1, 3);
       }},
      {"tokens waited for", emptied, [](Scene& s) { s.take(1, 2); }},
      {"tokens waited for behind others",
       [](Scene& s) {
         s.empty_bucket();
         wait_for_tokens(s);
       },
       [](Scene& s) { s.take(1, 1); }},
      {"tokens tried for while others wait, some of whom are served",
       [](Scene& s) {
         s.empty_bucket();
         wait_for_tokens(s);
         s.pass_time(25);
       },
       [](Scene& s) { s.try_take(1, 1); }},
      {"tokens waited for with an inbox of others to drain",
       [](Scene& s) {
         s.empty_bucket();
         undrained(s, s.bucket.index, [&] {
           wait_for_tokens(s);
           s.abort(3, 1);
         });
       },
       [](Scene& s) { s.take(1, 1); }},
      {"a timer serves those who wait for tokens",
       [](Scene& s) {
         s.empty_bucket();
         wait_for_tokens(s);
         s.take(1, 1);
         s.pass_time(35);
       },
       [](Scene& s) {
         s.actors[1].member->expire();
         s.collect(1);
       }},
      {"a wait for tokens given up in the middle",
       [](Scene& s) {
         s.empty_bucket();
         s.take(3, 1);
         s.take(1, 2);
         s.take(4, 1);
       },
       [](Scene& s) { s.abort(1); }},
      {"a wait for tokens given up in the inbox",
       [](Scene& s) {
         s.empty_bucket();
         undrained(s, s.bucket.index, [&] {
           s.take(3, 1);
           s.take(1, 2);
           s.take(4, 1);
         });
       },
       [](Scene& s) { s.abort(1); }},
      {"a wait for tokens given up when they are there",
       [](Scene& s) {
         s.empty_bucket();
         s.take(1, 2);
         s.take(4, 2);
         s.take(3, 1);
         s.pass_time(20);
         s.actors[3].member->expire();
       },
       [](Scene& s) { s.abort(1); }},
      {"a wait for tokens whose time is over",
       [](Scene& s) {
         s.empty_bucket();
         s.take(3, 1);
         s.take(1, 4, {.timeout = 5});
         s.take(4, 1);
         s.pass_time(15);
       },
       [](Scene& s) {
         s.actors[1].member->expire();
         s.collect(1);
       }},
      {"a wait for tokens moved to a higher tier",
       [](Scene& s) {
         s.empty_bucket();
         s.take(3, 1, tier(2));
         s.take(1, 2);
         s.take(4, 1);
       },
       [](Scene& s) { s.upgrade(1, 0, 2); }},
      {"tokens given back to those who wait",
       [](Scene& s) {
         s.refundable = 3;
         s.empty_bucket();
         wait_for_tokens(s);
       },
       [](Scene& s) { s.refund(1, 3); }},
      {"another pace while others wait",
       [](Scene& s) {
         s.burst_limit = 8;
         s.rate_limit = 200;
         s.empty_bucket();
         wait_for_tokens(s);
       },
       [](Scene& s) {
         CHECK(s.actors[1].member->change_pace(s.bucket.index, pace_of(200, 1'000, 8)) == core::Answer::kOk);
         CHECK(s.actors[1].member->change_pace(s.above.index, pace_of(200, 1'000, 8)) == core::Answer::kOk);
       }},
      {"a burst made smaller than what others wait for",
       [](Scene& s) {
         s.nevers = true;
         s.empty_bucket();
         s.take(3, 3);
         s.take(4, 1);
         s.take(1, 4);
       },
       [](Scene& s) {
         CHECK(s.actors[1].member->change_pace(s.bucket.index, pace_of(100, 1'000, 2)) == core::Answer::kOk);
         s.collect(1);
       }},
      // ---- units
      {"units had, refused and given back", nothing,
       [](Scene& s) {
         s.try_allocate(1, {5, 3}, tenant(1));
         s.try_allocate(1, {5, 3}, tenant(1));
         s.release(1);
       }},
      {"units waited for", taken_by_2,
       [](Scene& s) {
         s.allocate(1, {2, 2}, tenant(1));
       }},
      {"units waited for behind others, some of whom pass",
       [](Scene& s) {
         s.allocate(2, {5, 5});
         wait_for_units(s);
       },
       [](Scene& s) {
         s.allocate(1, {4, 1}, tenant(2));
       }},
      {"units waited for with an inbox of others to drain",
       [all](Scene& s) {
         s.allocate(2, all);
         undrained(s, s.pool.index, [&] {
           wait_for_units(s);
           s.abort(3, 1);
         });
       },
       [](Scene& s) {
         s.allocate(1, {1, 1}, tenant(3));
       }},
      {"units given back to those who wait",
       [all](Scene& s) {
         s.allocate(1, all, tenant(2));
         wait_for_units(s);
       },
       [](Scene& s) { s.release(1); }},
      {"units of one of many given back to those who wait",
       [](Scene& s) {
         s.allocate(3, {1, 1}, tenant(1));
         s.allocate(1, {4, 4}, tenant(2));
         s.allocate(4, {1, 1}, tenant(3));
         s.allocate(2, {4, 4}, tenant(1));
         s.allocate(4, {1, 4}, tenant(2, 0));
       },
       [](Scene& s) { s.release(1); }},
      {"units given back to a waiter of its own",
       [all](Scene& s) {
         s.allocate(1, all);
         s.allocate(1, {3, 3}, tenant(1));
         s.allocate(3, {2, 2}, tenant(2));
       },
       [](Scene& s) {
         s.release(1);
         s.collect(1);
         s.release(1);
       }},
      {"a wait for units given up in the middle",
       [all](Scene& s) {
         s.allocate(2, all);
         s.allocate(3, {1, 1}, tenant(1));
         s.allocate(1, {6, 2}, tenant(1));
         s.allocate(4, {1, 1}, tenant(1));
       },
       [](Scene& s) { s.abort(1); }},
      {"a wait for units given up in the inbox",
       [all](Scene& s) {
         s.allocate(2, all);
         undrained(s, s.pool.index, [&] {
           s.allocate(3, {1, 1}, tenant(1));
           s.allocate(1, {6, 2}, tenant(2));
           s.allocate(4, {1, 1}, tenant(1));
         });
       },
       [](Scene& s) { s.abort(1); }},
      {"a wait for units given up when they are there",
       [all](Scene& s) {
         s.allocate(2, all);
         s.allocate(1, {6, 6}, tenant(1));
         s.allocate(3, {4, 4}, tenant(2));
         s.release(2);
       },
       [](Scene& s) { s.abort(1); }},
      {"a wait for units moved to a higher tier",
       [all](Scene& s) {
         s.allocate(2, all);
         s.allocate(3, {2, 2}, tenant(1, 2));
         s.allocate(1, {2, 2}, tenant(2));
         s.allocate(4, {2, 2}, tenant(1));
       },
       [](Scene& s) { s.upgrade(1, 0, 2); }},
      {"a grant made smaller while others wait",
       [](Scene& s) {
         s.allocate(1, {6, 12}, tenant(1));
         s.allocate(3, {4, 4}, tenant(2));
         s.allocate(4, {2, 2}, tenant(1));
       },
       [](Scene& s) {
         s.shrink(1, {2, 5});
       }},
      {"a grant made smaller, and given back",
       [](Scene& s) {
         s.allocate(1, {6, 12}, tenant(1));
         s.allocate(3, {7, 4}, tenant(2));
       },
       [](Scene& s) {
         s.shrink(1, {5, 5});
         s.shrink(1, {4, 0});
         s.release(1);
       }},
      {"a capacity made larger while others wait",
       [all](Scene& s) {
         s.pool_limit = 12;
         s.allocate(2, all);
         wait_for_units(s);
       },
       [](Scene& s) { s.resize(1, 12); }},
      {"a capacity made smaller than what is held",
       [](Scene& s) {
         s.allocate(2, {6, 6}, tenant(1));
         s.allocate(3, {3, 1}, tenant(2));
         s.allocate(4, {1, 1}, tenant(3));
       },
       [](Scene& s) { s.resize(1, 5); }},
      {"a capacity made smaller than what others wait for",
       [all](Scene& s) {
         s.nevers = true;
         s.allocate(2, all, tenant(1));
         s.allocate(3, {6, 2}, tenant(2));
         s.allocate(4, {1, 1}, tenant(3));
         s.allocate(1, {5, 5}, tenant(2));
         s.allocate(3, {1, 12}, tenant(3, 0));
       },
       [](Scene& s) {
         s.resize(1, 4);
         s.collect(1);
       }},
      // ---- several at once
      {"units, tokens and a lock, all had, all given back", nothing,
       [](Scene& s) {
         s.try_allocate(1, {2, 2}, tenant(1));
         s.try_take(1, 1);
         s.try_lock(1, X);
         s.release_all(1);
       }},
      {"units and tokens that are given back because the lock is not free",
       [](Scene& s) {
         s.refundable = 2;
         s.lock(2, X);
         s.allocate(3, {5, 5}, tenant(1));
       },
       [](Scene& s) {
         s.try_allocate(1, {2, 2}, tenant(2));
         s.try_take(1, 2);
         if (s.try_lock(1, X) == core::Answer::kOk) return s.release_all(1);
         s.refund(1, 2);
         s.release_all(1);
       }},
      // ---- names
      {"a bucket and a pool made", nothing,
       [](Scene& s) {
         core::Arena& arena = *s.world.arena;
         core::BucketTerms terms;
         terms.pace = pace_of(1, 1'000, 1);
         terms.has_parent = true;
         terms.parent = s.above.index;
         core::define_bucket(arena, look_up(*s.actors[1].member, core::Kind::kBucket, u"new").index, terms);
         core::Tokens out;
         s.actors[1].member->try_tokens(tokens(look_up(*s.actors[1].member, core::Kind::kBucket, u"new")), out);
       }},
      // ---- coming and going
      {"leave with units and waits",
       [](Scene& s) {
         s.allocate(1, {6, 6}, tenant(1));
         s.allocate(3, {3, 3}, tenant(1));
         s.allocate(1, {3, 3}, tenant(2));
         s.empty_bucket();
         s.take(1, 1);
         s.take(4, 1);
       },
       [](Scene& s) {
         s.actors[1].member->abandon_all();
         s.world.kill(1);
       }},
      {.name = "sweep of one who held units and waited",
       .prepare =
           [](Scene& s) {
             s.allocate(4, {2, 2}, tenant(1));
             s.allocate(3, {2, 2}, tenant(2));
             s.allocate(4, {3, 1}, tenant(3));
             s.allocate(2, {2, 2}, tenant(1));
             s.allocate(4, {5, 2}, tenant(1));
             s.allocate(1, {4, 4}, tenant(1));
             s.empty_bucket();
             s.take(4, 1);
             s.take(3, 1);
             s.world.kill(4);
           },
       .act =
           [](Scene& s) {
             s.sweep_all(1);
             s.collect(1);
           },
       .dead = {4}},
      {.name = "units asked for where one died over making its grant smaller",
       .prepare =
           [](Scene& s) {
             s.allocate(4, {6, 6}, tenant(1));
             s.allocate(3, {4, 4}, tenant(2));
             core::Slot& slot = s.world.arena->slot(s.actors[4].member->slot_of(s.actors[4].holds[0].grant.waiter));
             slot.wish.fetch_or(core::Wish::kShrinking);
             s.world.arena->wants(slot.enclosing.get()).amounts[0].set(3);
             s.world.kill(4);
           },
       .act =
           [](Scene& s) {
             s.allocate(1, {1, 1}, tenant(1));
             s.sweep_all(1);
           },
       .dead = {4}},
  };
  for (Scenario& scenario : scenarios) scenario.supplied = scenario.timed = true;
  return scenarios;
}

}  // namespace forelock::test
