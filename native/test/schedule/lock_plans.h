// What two or three participants do to one lock: the configurations that lock.cc explores without deaths and death.cc
// with.
#pragma once

#include "core_world.h"

namespace model {

inline Program everybody_acquires(int actors) {
  Program plan;
  plan.actors = actors;
  for (int id = 1; id <= actors; id++) plan.threads.push_back({id, [id] { acquire_and_release(id); }});
  return plan;
}

// A holds since set-up and gives back while B asks.
inline Program release_against_acquire() {
  Program plan;
  plan.set_up = [] { hold(1); };
  plan.threads = {{1, [] { give_back_prepared(1); }}, {2, [] { acquire_and_release(2); }}};
  return plan;
}

// The poke: one gives back while two come in, so that whoever is inside the gate must see the others.
inline Program release_against_two() {
  Program plan;
  plan.actors = 3;
  plan.set_up = [] { hold(1); };
  plan.threads = {{1, [] { give_back_prepared(1); }}, {2, [] { acquire_and_release(2); }}, {3, [] { acquire_and_release(3); }}};
  return plan;
}

inline void give_up_or_release(int id) {
  Member& member = world().actor(id).member;
  member.abort(prepared().grant[id].waiter);
  // An abort ends the wait in the call, whatever was on its way; no grant may come after it.
  if (member.lane().own_wake) member.collect();
  check(!member.has_settled(), "a wait settled after its abort");
}

inline Program abort_against_hand_off() {
  Program plan;
  plan.set_up = [] {
    hold(1);
    queue_up(2);
  };
  plan.threads = {{1, [] { give_back_prepared(1); }}, {2, [] { give_up_or_release(2); }}};
  return plan;
}

// The one who gives up is in the middle; the one behind must be served by somebody.
inline Program abort_before_another() {
  Program plan;
  plan.actors = 3;
  plan.set_up = [] {
    hold(1);
    queue_up(2);
    queue_up(3);
  };
  plan.threads = {{1, [] { give_back_prepared(1); }}, {2, [] { give_up_or_release(2); }}, {3, [] { await_and_release(3); }}};
  return plan;
}

inline Program try_against_release() {
  Program plan;
  plan.set_up = [] { hold(1); };
  plan.threads = {{1, [] { give_back_prepared(1); }}, {2, [] {
                                                         Granted grant;
                                                         const Answer answer = world().actor(2).member.try_lock(request(), grant);
                                                         check(answer == Answer::kOk || answer == Answer::kBusy,
                                                               "try_lock answered neither ok nor busy");
                                                         if (answer == Answer::kOk) use_and_give_back(2, grant);
                                                       }}};
  return plan;
}

inline Program try_against_hand_off() {
  Program plan = try_against_release();
  plan.actors = 3;
  plan.set_up = [] {
    hold(1);
    queue_up(3);
  };
  plan.threads.push_back({3, [] { await_and_release(3); }});
  return plan;
}

inline Program hand_off_chain() {
  Program plan;
  plan.actors = 3;
  plan.set_up = [] {
    hold(1);
    queue_up(2);
    queue_up(3);
  };
  plan.threads = {{1, [] { give_back_prepared(1); }}, {2, [] { await_and_release(2); }}, {3, [] { await_and_release(3); }}};
  return plan;
}

inline Program sharing(bool second_shares) {
  Program plan;
  plan.threads = {{1, [] { acquire_and_release(1, true); }}, {2, [=] { acquire_and_release(2, second_shares); }}};
  return plan;
}

// Two hold shared, one waits to write; both give back at once.
inline Program two_shared_releases() {
  Program plan;
  plan.actors = 3;
  plan.set_up = [] {
    hold(1, true);
    hold(2, true);
    queue_up(3);
  };
  plan.threads = {{1, [] { give_back_prepared(1, true); }}, {2, [] { give_back_prepared(2, true); }}, {3, [] { await_and_release(3); }}};
  return plan;
}

// The holder writes; two wait to read and are let in together.
inline Program readers_behind_a_writer() {
  Program plan;
  plan.actors = 3;
  plan.set_up = [] {
    hold(1);
    queue_up(2, true);
    queue_up(3, true);
  };
  plan.threads = {{1, [] { give_back_prepared(1); }}, {2, [] { await_and_release(2, true); }}, {3, [] { await_and_release(3, true); }}};
  return plan;
}

inline Program upgrade_against_release() {
  Program plan;
  plan.actors = 3;
  plan.set_up = [] {
    hold(1);
    queue_up(2);
    queue_up(3, false, 1);
  };
  plan.threads = {{1, [] { give_back_prepared(1); }},
                  {2,
                   [] {
                     world().actor(2).member.upgrade(prepared().grant[2].waiter, 2);
                     await_and_release(2);
                   }},
                  {3, [] { await_and_release(3); }}};
  return plan;
}

// Ends its grant and begins the next at once, where it may; the old one is over then. Returns the answer.
inline Answer pass_and_release(int id) {
  Member& member = world().actor(id).member;
  const Granted& held = prepared().grant[id];
  use_exclusively(held);
  Granted next;
  const Answer answer = member.pass(world().lock.index, held.sequence, 0, kStart, next);
  check(answer == Answer::kOk || answer == Answer::kBusy, "a holder's pass was answered neither ok nor busy");
  check(member.holds(world().lock.index, held.sequence) == (answer == Answer::kBusy), "two grants at once, or none");
  if (answer == Answer::kOk) {
    use_and_give_back(id, next);
  } else {
    give_back(id, held, false);
  }
  return answer;
}

// A passes on to itself while B asks: B's queued bit is there before, and it is refused, or after, and the release sees it.
inline Program pass_against_acquire(int actors) {
  Program plan;
  plan.actors = actors;
  plan.set_up = [] { hold(1); };
  plan.threads = {{1, [] { pass_and_release(1); }}};
  for (int id = 2; id <= actors; id++) plan.threads.push_back({id, [id] { acquire_and_release(id); }});
  return plan;
}

inline Program pass_before_a_waiter() {
  Program plan;
  plan.set_up = [] {
    hold(1);
    queue_up(2);
  };
  plan.threads = {{1, [] { check(pass_and_release(1) == Answer::kBusy, "a grant was passed on before somebody who waits"); }},
                  {2, [] { await_and_release(2); }}};
  return plan;
}

// The waiter gives up, so the queued bit goes: there may be nobody to wait for, or somebody new.
inline Program pass_against_abort() {
  Program plan;
  plan.set_up = [] {
    hold(1);
    queue_up(2);
  };
  plan.threads = {{1, [] { pass_and_release(1); }}, {2, [] {
                                                       give_up_or_release(2);
                                                       acquire_and_release(2);
                                                     }}};
  return plan;
}

// The lock is stolen, which no pass may undo.
inline Program pass_against_steal() {
  Program plan;
  plan.set_up = [] { hold(1); };
  plan.threads = {{1,
                   [] {
                     Member& member = world().actor(1).member;
                     Granted held = prepared().grant[1], next;
                     if (member.pass(world().lock.index, held.sequence, 0, kStart, next) == Answer::kOk) held = next;
                     member.release(world().lock.index, held.sequence);
                   }},
                  {2, [] {
                     Request steal = request();
                     steal.steal = true;
                     Granted grant;
                     const Answer answer = world().actor(2).member.lock(steal, grant);
                     if (answer == Answer::kWait) grant = wait_for_one(2).grant;
                     use_and_give_back(2, grant);
                   }}};
  return plan;
}

inline Program steal_against_release() {
  Program plan;
  plan.set_up = [] { hold(1); };
  plan.threads = {{1,
                   [] {
                     // The release may come too late; then the lock is the thief's.
                     world().actor(1).member.release(world().lock.index, prepared().grant[1].sequence);
                   }},
                  {2, [] {
                     Request steal = request();
                     steal.steal = true;
                     Granted grant;
                     const Answer answer = world().actor(2).member.lock(steal, grant);
                     if (answer == Answer::kWait) grant = wait_for_one(2).grant;
                     use_and_give_back(2, grant);
                   }}};
  return plan;
}

// One asks again as soon as it has given back: slots and wake lists are used anew.
inline Program twice_against_once() {
  Program plan;
  plan.threads = {{1,
                   [] {
                     acquire_and_release(1);
                     acquire_and_release(1);
                   }},
                  {2, [] { acquire_and_release(2); }}};
  return plan;
}

// One participant waits for two locks that two others give back: the rings of both are on their way at once, and a slot
// may be taken off the wake list a moment before it is ready.
inline Program two_waits_of_one() {
  struct Second {
    Handle handle;
    Granted grant;
  };
  static Second second;
  Program plan;
  plan.actors = 3;
  plan.elements = 2;
  plan.set_up = [] {
    hold(1);
    queue_up(2);
    second.handle = world().look_up(3, u"second");
    Granted wait;
    check(world().actor(3).member.lock({.handle = second.handle}, second.grant) == Answer::kOk, "set-up: lock");
    check(world().actor(2).member.lock({.handle = second.handle}, wait) == Answer::kWait, "set-up: wait");
  };
  plan.threads = {{1, [] { give_back_prepared(1); }},
                  {3, [] { world().actor(3).member.release(second.handle.index, second.grant.sequence); }},
                  {2, [] {
                     for (int i = 0; i < 2; i++) {
                       const Settled settled = wait_for_one(2);
                       check(settled.outcome == Outcome::kGranted, "a wait ended without a grant");
                       const bool is_first = settled.waiter == prepared().grant[2].waiter;
                       const ElementIndex index = is_first ? world().lock.index : second.handle.index;
                       check(world().actor(2).member.release(index, settled.grant.sequence) == Answer::kOk, "a release was refused");
                     }
                   }}};
  return plan;
}

}  // namespace model
