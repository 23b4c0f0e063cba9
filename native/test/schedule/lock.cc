// The exclusive and shared lock of the core between two and three participants while nobody dies.
#include "lock_plans.h"

using namespace model;

namespace {

// Too large to explore in full: every schedule with at most so many switches away from a thread that could go on.
Model bounded(Model m, int preemptions) {
  m.preemptions = preemptions;
  return m;
}
Model sequential(Model m) {
  m.sequential = true;
  return m;
}

}  // namespace

int main(int argc, char** argv) {
  Suite suite(argc, argv);
  suite.holds("acquire/acquire", model_of(everybody_acquires(2)));
  suite.holds("acquire twice/acquire", model_of(twice_against_once()));
  suite.holds("release/acquire", model_of(release_against_acquire()));
  suite.holds("pass/acquire", model_of(pass_against_acquire(2)));
  suite.holds("pass/hand-off", model_of(pass_before_a_waiter()));
  suite.holds("pass/abort, acquire", model_of(pass_against_abort()));
  suite.holds("pass/steal", model_of(pass_against_steal()));
  suite.holds("try_lock/release", model_of(try_against_release()));
  suite.holds("abort/hand-off", model_of(abort_against_hand_off()));
  suite.holds("shared/exclusive", model_of(sharing(false)));
  suite.holds("shared/shared", model_of(sharing(true)));
  suite.holds("steal/release", model_of(steal_against_release()));
  suite.holds("hand-off chain of three", model_of(hand_off_chain()));
  suite.holds("abort/hand-off with another behind", model_of(abort_before_another()));
  suite.holds("try_lock/hand-off", model_of(try_against_hand_off()));
  suite.holds("two shared releases before a writer", model_of(two_shared_releases()));
  suite.holds("two readers behind a writer", model_of(readers_behind_a_writer()));
  suite.holds("upgrade/release", model_of(upgrade_against_release()));
  suite.holds("two waits of one participant", model_of(two_waits_of_one()));
  suite.holds("release/two acquire (the poke)", bounded(model_of(release_against_two()), 2));
  suite.holds("release/two acquire (the poke), order of steps only", bounded(sequential(model_of(release_against_two())), 3));
  suite.holds("pass/acquire/acquire", bounded(model_of(pass_against_acquire(3)), 2));
  suite.holds("acquire/acquire/acquire", bounded(model_of(everybody_acquires(3)), 2));
  suite.holds("acquire/acquire/acquire, order of steps only", bounded(sequential(model_of(everybody_acquires(3))), 3));
  return suite.finish();
}
