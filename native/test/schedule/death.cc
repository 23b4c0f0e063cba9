// The same, and at any scheduling point one of them may die for good; then a survivor sweeps.
#include "lock_plans.h"

using namespace model;

namespace {

Model with_deaths(Program plan, int deaths = 1) {
  plan.crashes = deaths;
  return model_of(plan);
}

// D died while it held the lock; B waits already. The sweep must hand the lock on.
Program sweep_against_waiter(bool waits_already) {
  Program plan;
  plan.actors = 3;
  plan.set_up = [=] {
    hold(1);
    if (waits_already) queue_up(2);
    kill(1);
  };
  plan.threads = {{2, [=] { waits_already ? await_and_release(2) : acquire_and_release(2); }}, {3, [] { sweep_until_clean(3); }}};
  return plan;
}

// Two survivors find the same dead holder at once.
Program two_sweepers() {
  Program plan;
  plan.actors = 3;
  plan.set_up = [] {
    hold(1);
    kill(1);
  };
  plan.threads = {{2, [] { sweep_until_clean(2); }}, {3, [] { sweep_until_clean(3); }}};
  return plan;
}

// One hands on to a waiter and may die over it, and so may the one who sweeps after it: a takeover of a takeover.
Program hand_off_to_survivor() {
  Program plan;
  plan.set_up = [] {
    hold(1);
    queue_up(2);
  };
  plan.threads = {{1, [] { give_back_prepared(1); }}, {2, [] { await_and_release(2); }}};
  plan.immortal = 2;
  return plan;
}

// Too large to explore in full: every schedule with at most so many switches away from a thread that could go on.
Model bounded(Model m, int preemptions) {
  m.preemptions = preemptions;
  return m;
}

}  // namespace

int main(int argc, char** argv) {
  Suite suite(argc, argv);
  suite.holds("a dead holder: sweep/waiter", model_of(sweep_against_waiter(true)));
  suite.holds("a dead holder: sweep/acquire", model_of(sweep_against_waiter(false)));
  suite.holds("a dead holder: sweep/sweep", model_of(two_sweepers()));
  suite.holds("release/acquire", with_deaths(release_against_acquire()));
  suite.holds("acquire/acquire", with_deaths(everybody_acquires(2)));
  suite.holds("pass/acquire", with_deaths(pass_against_acquire(2)));
  suite.holds("try_lock/release", with_deaths(try_against_release()));
  suite.holds("abort/hand-off", with_deaths(abort_against_hand_off()));
  suite.holds("steal/release", with_deaths(steal_against_release()));
  suite.holds("shared/exclusive", bounded(with_deaths(sharing(false)), 1));
  suite.holds("hand-off chain of three", bounded(with_deaths(hand_off_chain()), 1));
  Model readers = bounded(with_deaths(readers_behind_a_writer()), 1);
  readers.sequential = true;
  suite.holds("two readers behind a writer, order of steps only", readers);
  suite.holds("two shared releases before a writer", bounded(with_deaths(two_shared_releases()), 1));
  suite.holds("hand-off to a survivor, takeover of a takeover", bounded(with_deaths(hand_off_to_survivor(), 2), 1));
  return suite.finish();
}
