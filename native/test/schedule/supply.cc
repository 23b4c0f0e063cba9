// Buckets, their reserves, pools and plans.
#include "core_world.h"

using namespace model;

namespace {

constexpr std::uint32_t kWorkflow = 9;

// What set-up makes, and what the threads found; of one run.
struct Supply {
  Handle bucket{}, above{}, pool{};
  plain<std::uint64_t> taken[kMaxActors + 1];
  PlanId written{};
};
Supply& supply() {
  static Supply values;
  return values;
}

Pace pace_of(double rate, double burst) {
  Pace pace{};
  check(Pace::of(rate, 1'000, burst, pace), "a pace");
  return pace;
}

Handle look_up_kind(Kind kind, const std::u16string& name) {
  Handle handle{};
  check(world().actor(1).member.lookup(kind, name.data(), name.size(), handle) == Found::kOk, "set-up: lookup");
  return handle;
}

Handle make_bucket(const std::u16string& name, double burst, const Handle* parent = nullptr) {
  const Handle handle = look_up_kind(Kind::kBucket, name);
  BucketTerms terms;
  terms.pace = pace_of(10, burst);
  terms.has_parent = parent != nullptr;
  if (parent != nullptr) terms.parent = parent->index;
  check(define_bucket(*world().arena, handle.index, terms) == Defined::kMade, "set-up: bucket");
  return handle;
}

void make_pool(std::uint64_t capacity) {
  PoolPlan plan;
  plan.dimensions = 1;
  plan.names[0][0] = 'a';
  plan.capacity[0] = capacity;
  for (auto& tier : plan.tiers) tier.ceiling[0] = capacity;
  supply().pool = look_up_kind(Kind::kPool, u"pool");
  check(define_pool(*world().arena, supply().pool.index, plan) == Defined::kMade, "set-up: pool");
}

void forget() {
  for (auto& taken : supply().taken) std::memset(static_cast<void*>(&taken), 0, sizeof taken);
}

Request tokens(double count) {
  Request request;
  request.handle = supply().bucket;
  request.kind = Kind::kBucket;
  request.workflow = kWorkflow;
  request.amounts[0] = std::bit_cast<std::uint64_t>(count);
  return request;
}

void take(int id, double count) {
  Tokens out;
  const Answer answer = world().actor(id).member.try_tokens(tokens(count), out);
  check(answer == Answer::kOk || answer == Answer::kBusy, "a take answered neither ok nor busy");
  if (answer == Answer::kOk) supply().taken[id].set(static_cast<std::uint64_t>(count));
}

std::uint64_t taken_by_all() {
  std::uint64_t sum = 0;
  for (const auto& taken : supply().taken) sum += taken.get();
  return sum;
}

std::uint64_t left_in(Handle handle) {
  Tokens out;
  Bucket(*world().arena, handle.index).peek(1, world().host.time, out);
  return out.remaining;
}

Program of(int actors, std::function<void()> set_up, std::function<void()> at_end) {
  Program plan;
  plan.actors = actors;
  plan.elements = 5;
  plan.heap = 40;
  plan.set_up = [=] {
    forget();
    set_up();
  };
  plan.at_end = std::move(at_end);
  return plan;
}

// Three of five and three of five: one of them.
Program two_takes() {
  Program plan = of(
      2, [] { supply().bucket = make_bucket(u"bucket", 5); },
      [] {
        check(taken_by_all() == 3, "not exactly one take was granted");
        check(left_in(supply().bucket) == 2, "what is left and what was taken are not all");
      });
  plan.threads = {{1, [] { take(1, 3); }}, {2, [] { take(2, 3); }}};
  return plan;
}

// A refusal above gives back below, all of it.
Program two_takes_of_two_levels() {
  Program plan = of(
      2,
      [] {
        supply().above = make_bucket(u"above", 3);
        supply().bucket = make_bucket(u"bucket", 4, &supply().above);
      },
      [] {
        check(taken_by_all() <= 2, "more was taken than the bucket above has");
        check(left_in(supply().above) == 3 - taken_by_all(), "above: what is left and what was taken are not all");
        check(left_in(supply().bucket) == 4 - taken_by_all(), "below: what is left and what was taken are not all");
      });
  plan.threads = {{1, [] { take(1, 2); }}, {2, [] { take(2, 2); }}};
  return plan;
}

// Into units of another size: the debt stays the same.
Program takes_against_a_change(int takers) {
  Program plan = of(
      3, [] { supply().bucket = make_bucket(u"bucket", 5); },
      [] { check(left_in(supply().bucket) == 7 - taken_by_all(), "a debt was lost or made in a change of the pace"); });
  for (int id = 1; id <= takers; id++) plan.threads.push_back({id, [id] { take(id, 2); }});
  plan.threads.push_back({3, [] {
                            const Answer answer = world().actor(3).member.change_pace(supply().bucket.index, pace_of(1'000'000, 7));
                            check(answer == Answer::kOk, "a change found somebody in the gate");
                          }});
  return plan;
}

// One waits, another gives back: who waits is served, by whoever is last.
Program wait_against_refund() {
  Program plan = of(
      2,
      [] {
        supply().bucket = make_bucket(u"bucket", 2);
        Tokens out;
        check(world().actor(1).member.try_tokens(tokens(2), out) == Answer::kOk, "set-up: take");
      },
      [] { check(left_in(supply().bucket) == 0, "a token is left, or was made"); });
  plan.threads = {{1, [] { world().actor(1).member.give_back_tokens(supply().bucket.index, 1); }},
                  {2, [] {
                     Granted granted;
                     const Answer answer = world().actor(2).member.tokens(tokens(1), granted);
                     check(answer == Answer::kOk || answer == Answer::kWait, "a wait for tokens was refused");
                     if (answer == Answer::kWait) check(wait_for_one(2).outcome == Outcome::kGranted, "a wait ended without tokens");
                   }}};
  return plan;
}

Plan plan_of(PlanKind kind, Handle of, std::uint32_t tier, Nanos lasts) {
  Plan plan;
  plan.kind = kind;
  plan.what = of.index + 1;
  plan.tier = tier;
  plan.from = world().host.time;
  plan.until = world().host.time + lasts;
  return plan;
}

// A full bucket has discarded two tokens. Two look at the same time: they are kept once.
void set_up_reserve() {
  supply().bucket = make_bucket(u"bucket", 2);
  Plan plan = plan_of(PlanKind::kReserve, supply().bucket, 0, 60'000 * kNanosPerMilli);
  plan.amount = 5;
  check(world().actor(1).member.write_plan(plan, supply().written) == Written::kOk, "set-up: plan");
  world().host.time += 200 * kNanosPerMilli;
  for (int id = 1; id <= world().actors_count; id++) world().actor(id).member.lane().refresh();
}

Program two_fill_a_reserve() {
  Program plan = of(2, set_up_reserve, [] {
    const Bucket bucket(*world().arena, supply().bucket.index);
    const std::uint64_t all = taken_by_all() + bucket.reserved(world().host.time) + left_in(supply().bucket);
    check(all <= 4, "more than the burst and what was discarded");
    check(all == 4 || taken_by_all() == 0, "something discarded was lost though nobody died");
  });
  plan.threads = {{1, [] { take(1, 1); }}, {2, [] { take(2, 2); }}};
  return plan;
}

Program reserve_against_a_change() {
  Program plan = of(3, set_up_reserve, [] {
    const Bucket bucket(*world().arena, supply().bucket.index);
    check(taken_by_all() + bucket.reserved(world().host.time) + left_in(supply().bucket) <= 4, "tokens were made in a change of the pace");
  });
  plan.threads = {{1, [] { take(1, 2); }}, {3, [] { world().actor(3).member.change_pace(supply().bucket.index, pace_of(1'000'000, 2)); }}};
  return plan;
}

// ---- plans

void check_whole(const Plan& plan) {
  const Nanos lasts = plan.until - plan.from;
  check(plan.kind == PlanKind::kHold && plan.what == world().lock.index + 1, "a plan of another thing");
  check(lasts == (plan.who + 1) * kNanosPerMilli && plan.amount == static_cast<double>(plan.who), "a plan that nobody wrote");
}

Plan whole(std::uint32_t variant) {
  Plan plan = plan_of(PlanKind::kHold, world().lock, 3, 0);
  plan.who = variant;
  plan.amount = variant;
  plan.until = plan.from + (variant + 1) * kNanosPerMilli;
  return plan;
}

// Directly into the table: what follows in the gate is proved with the locks.
bool put(int id, const Plan& plan, PlanId& out) {
  return Plans(*world().arena).write(world().actor(id).member.lane(), plan, out) == Written::kOk;
}

// Read while it is replaced twice: the one before or the one after, never a mixture.
Program write_against_read() {
  Program plan = of(
      2,
      [] {
        Plan first = whole(1);
        check(put(1, first, supply().written), "set-up: plan");
      },
      nullptr);
  plan.threads = {
      {1,
       [] {
         PlanId id{};
         Plan was;
         check(Plans(*world().arena).withdraw(world().actor(1).member.lane(), supply().written, was), "a plan was gone");
         check(put(1, whole(2), id), "a plan was refused");
         check(Plans(*world().arena).withdraw(world().actor(1).member.lane(), id, was), "a plan was gone");
         check(put(1, whole(3), id), "a plan was refused");
       }},
      {2, [] {
         Plans(*world().arena).for_each_of(PlanKind::kHold, world().lock.index + 1, world().host.time, [](PlanEntry&, const Plan& seen) {
           check_whole(seen);
         });
       }}};
  return plan;
}

// Two new plans of one thing: both are there afterwards, whatever place each has found first.
Program two_writes() {
  Program plan = of(
      2,
      [] {
        PlanId id{};
        Plan was;
        check(put(1, whole(1), id), "set-up: plan");
        check(Plans(*world().arena).withdraw(world().actor(1).member.lane(), id, was), "set-up: plan");
      },
      [] {
        std::uint32_t seen = 0;
        Plans(*world().arena).for_each_of(PlanKind::kHold, world().lock.index + 1, world().host.time, [&](PlanEntry&, const Plan& one) {
          check_whole(one);
          seen |= 1u << one.who;
        });
        check(seen == 12u || scheduled::deaths() > 0, "a plan was lost");
        Lane& lane = world().actor(world().actors_count).member.lane();
        Plans(*world().arena).sweep(lane, world().host.time + 1'000 * kNanosPerMilli, [](const Plan&) {});
      });
  const auto write = [](int id) {
    PlanId written{};
    check(put(id, whole(static_cast<std::uint32_t>(id) + 1), written), "a plan was refused");
  };
  plan.threads = {{1, [write] { write(1); }}, {2, [write] { write(2); }}};
  return plan;
}

// Two planners write one plan: neither is refused, and one plan is there afterwards.
Program one_plan_twice() {
  Program plan = of(
      2,
      [] {
        PlanId id{};
        Plan was;
        check(put(1, whole(1), id), "set-up: plan");
        check(Plans(*world().arena).withdraw(world().actor(1).member.lane(), id, was), "set-up: plan");
      },
      [] {
        int there = 0;
        Plans(*world().arena).for_each_of(PlanKind::kHold, world().lock.index + 1, world().host.time, [&](PlanEntry&, const Plan& one) {
          check_whole(one);
          there++;
        });
        check(there == 1 || scheduled::deaths() > 0, "not one plan");
        check(there != 0, "no plan");
        Lane& lane = world().actor(world().actors_count).member.lane();
        Plans(*world().arena).sweep(lane, world().host.time + 1'000 * kNanosPerMilli, [](const Plan&) {});
      });
  const auto write = [](int id) {
    PlanId written{};
    check(put(id, whole(2), written), "a plan was refused");
  };
  plan.threads = {{1, [write] { write(1); }}, {2, [write] { write(2); }}};
  return plan;
}

// A hold is written while somebody in the gate takes the marks of one that has ended off the lock: they are there afterwards, or a lower
// tier would take the lock past it.
Program marks_against_a_visit() {
  Program plan = of(
      2,
      [] {
        PlanId id{};
        Plan was;
        check(world().actor(1).member.write_plan(whole(1), id) == Written::kOk, "set-up: plan");
        check(Plans(*world().arena).withdraw(world().actor(1).member.lane(), id, was), "set-up: plan");
      },
      [] {
        const std::uint64_t meta = world().arena->element(world().lock.index).meta.load(memory_order_acquire);
        const bool marked = (meta & Meta::kPlanned) != 0 && Meta::hold_tier(meta) == 3;
        check(marked || scheduled::deaths() > 0, "a hold that no mark tells of");
      });
  plan.threads = {{1,
                   [] {
                     PlanId id{};
                     check(world().actor(1).member.write_plan(whole(2), id) == Written::kOk, "a plan was refused");
                   }},
                  {2, [] { GateKeeper(world().actor(2).member.lane(), world().lock.index).visit(true); }}};
  return plan;
}

// A lock is taken and given back past the hold of another while that is written: whatever comes first, it is free afterwards.
Program fast_against_a_hold() {
  Program plan = of(
      2, [] {}, nullptr);
  plan.threads = {{1,
                   [] {
                     PlanId id{};
                     check(world().actor(1).member.write_plan(whole(2), id) == Written::kOk, "a plan was refused");
                   }},
                  {2, [] {
                     Granted granted;
                     Member& member = world().actor(2).member;
                     check(member.try_fast(world().lock, 3, world().host.time, granted) == Answer::kOk, "the lock was not to be had");
                     check(member.release(world().lock.index, granted.sequence) == Answer::kOk, "a release was refused");
                   }}};
  return plan;
}

// ---- pools

void use_units(int id, std::uint64_t amount) {
  Request request;
  request.handle = supply().pool;
  request.kind = Kind::kPool;
  request.shared = true;
  request.amounts[0] = amount;
  Granted grant;
  const Answer answer = world().actor(id).member.units(request, grant);
  check(answer == Answer::kOk || answer == Answer::kWait, "units were refused");
  if (answer == Answer::kWait) {
    const Settled settled = wait_for_one(id);
    check(settled.outcome == Outcome::kGranted, "a wait ended without units");
    grant = settled.grant;
  }
  supply().taken[id].set(1);
  check(world().actor(id).member.release_shared(grant.waiter, grant.sequence) == Answer::kOk, "a release was refused");
}

void check_pool() {
  const PoolRecord& record = Pool(*world().arena, supply().pool.index).record();
  check(record.used[0].get() == 0, "at the end units are missing");
  for (const auto& tier : record.by_tier) check(tier[0].get() == 0, "at the end units of a tier are missing");
  for (const auto& waiting : record.tenants_waiting) check(waiting.get() == 0, "at the end somebody is counted as waiting");
}

// Two that do not fit together: one waits for the other. With room for both neither does.
Program two_allocate(std::uint64_t capacity) {
  Program plan = of(
      2, [capacity] { make_pool(capacity); }, check_pool);
  plan.threads = {{1, [] { use_units(1, 2); }}, {2, [] { use_units(2, 2); }}};
  return plan;
}

Model bounded(Model m, int preemptions) {
  m.preemptions = preemptions;
  return m;
}

Model with_deaths(Program plan) {
  plan.crashes = 1;
  return model_of(plan);
}

}  // namespace

int main(int argc, char** argv) {
  Suite suite(argc, argv);
  suite.holds("bucket: take/take", model_of(two_takes()));
  suite.holds("bucket: take/take of two levels", model_of(two_takes_of_two_levels()));
  suite.holds("bucket: take/change of the pace", model_of(takes_against_a_change(1)));
  suite.holds("bucket: take/take/change of the pace", model_of(takes_against_a_change(2)));
  suite.holds("bucket: wait/refund", model_of(wait_against_refund()));
  suite.holds("reserve: two fill it and draw", model_of(two_fill_a_reserve()));
  suite.holds("reserve: fill/change of the pace", model_of(reserve_against_a_change()));
  suite.holds("plan: write/read", model_of(write_against_read()));
  suite.holds("plan: write/write", model_of(two_writes()));
  suite.holds("plan: write/write", bounded(with_deaths(two_writes()), 1));
  suite.holds("plan: write/write of one plan", model_of(one_plan_twice()));
  suite.holds("plan: write/write of one plan", bounded(with_deaths(one_plan_twice()), 1));
  suite.holds("plan: marks of a hold/a visit that takes them off", bounded(model_of(marks_against_a_visit()), 2));
  suite.holds("plan: marks of a hold/a visit that takes them off", bounded(with_deaths(marks_against_a_visit()), 1));
  suite.holds("plan: a lock taken past a hold that is written", bounded(model_of(fast_against_a_hold()), 2));
  suite.holds("plan: a lock taken past a hold that is written", bounded(with_deaths(fast_against_a_hold()), 1));
  suite.holds("pool: allocate/allocate, one fits", model_of(two_allocate(3)));
  suite.holds("pool: allocate/allocate, both fit", model_of(two_allocate(4)));
  return suite.finish();
}
