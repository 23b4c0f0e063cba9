// Elements come and go: an idle element is recycled for another name while somebody still has a handle of it.
#include "lock_plans.h"

using namespace model;

namespace {

// B looks up a name for which there is no room but the idle element; A uses the handle it has had for long.
Program recycling(std::function<void()> old_handle) {
  Program plan;
  plan.set_up = [] {
    // Not granted in the last second, and not looked up since the hand last passed: recycled on the first lap.
    world().host.time += 5'000 * kNanosPerMilli;
    for (int id = 1; id <= 3; id++) world().actor(id).member.lane().refresh();
    world().arena->element(world().lock.index).meta.fetch_and(~Meta::kUsed, memory_order_relaxed);
  };
  plan.threads = {{1, std::move(old_handle)},
                  {2, [] {
                     Handle handle{};
                     const Found found = world().actor(2).member.lookup(Kind::kLock, u"other", 5, handle);
                     check(found == Found::kOk || found == Found::kNoElements, "lookup answered neither ok nor full");
                     if (found != Found::kOk) return;
                     Granted grant;
                     const Answer answer = world().actor(2).member.try_fast(handle, 0, kStart, grant);
                     check(answer == Answer::kOk || answer == Answer::kBusy, "a new handle is stale");
                     if (answer == Answer::kOk)
                       check(world().actor(2).member.release(handle.index, grant.sequence) == Answer::kOk, "release");
                   }}};
  return plan;
}

void try_fast_with_old_handle() {
  Granted grant;
  const Answer answer = world().actor(1).member.try_fast(world().lock, 0, kStart, grant);
  if (answer == Answer::kOk) use_and_give_back(1, grant);
}

void acquire_with_old_handle() {
  Granted grant;
  const Answer answer = world().actor(1).member.lock(request(), grant);
  check(answer == Answer::kOk || answer == Answer::kStale || answer == Answer::kWait, "lock answered something else");
  if (answer == Answer::kStale) return;
  if (answer == Answer::kWait) {
    const Settled settled = wait_for_one(1);
    check(settled.outcome == Outcome::kGranted, "a wait ended without a grant");
    grant = settled.grant;
  }
  check(Table::name_of(*world().arena, world().lock.index) == u"lock", "a grant of one name is of another");
  use_and_give_back(1, grant);
}

// The newcomer visits the gate that it has made anew: what is pushed to it then must be taken back.
Program recycling_with_a_busy_gate() {
  Program plan = recycling(acquire_with_old_handle);
  plan.threads[1].second = [] {
    Member& member = world().actor(2).member;
    Handle handle{};
    if (member.lookup(Kind::kLock, u"other", 5, handle) != Found::kOk) return;
    const Visit visit = GateKeeper(member.lane(), handle.index).visit(true);
    check(visit == Visit::kDone || visit == Visit::kBusy, "a visit of an idle element was not done");
  };
  return plan;
}

// Two look up the same new name: one element, and one of them at a time has it.
Program same_name_twice() {
  Program plan;
  plan.elements = 3;
  const auto look = [](int id) {
    Member& member = world().actor(id).member;
    const Handle handle = world().look_up(id, u"other");
    Granted grant;
    const Answer answer = member.try_fast(handle, 0, kStart, grant);
    check(answer == Answer::kOk || answer == Answer::kBusy, "a new handle is stale");
    if (answer != Answer::kOk) return;
    world().guarded.set(world().token_of(handle.index, grant.sequence));
    check(member.release(handle.index, grant.sequence) == Answer::kOk, "a release was refused");
  };
  plan.threads = {{1, [look] { look(1); }}, {2, [look] { look(2); }}};
  return plan;
}

Model with_deaths(Program plan) {
  plan.crashes = 1;
  return model_of(plan);
}

}  // namespace

int main(int argc, char** argv) {
  Suite suite(argc, argv);
  suite.holds("recycle/try with a stale handle", model_of(recycling(try_fast_with_old_handle)));
  suite.holds("recycle/acquire with a stale handle", model_of(recycling(acquire_with_old_handle)));
  suite.holds("recycle and visit/acquire with a stale handle", model_of(recycling_with_a_busy_gate()));
  suite.holds("look up/look up of one new name", model_of(same_name_twice()));
  suite.holds("look up/look up of one new name, death", with_deaths(same_name_twice()));
  suite.holds("recycle/try with a stale handle, death", with_deaths(recycling(try_fast_with_old_handle)));
  return suite.finish();
}
