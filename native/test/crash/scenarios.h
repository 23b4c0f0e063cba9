// What is stepped: for each scenario what the arena looks like before, and what participant 1 then does.
#pragma once

#include "test/crash/scene.h"

namespace forelock::test {

struct Scenario {
  const char* name;
  std::function<void(Scene&)> prepare;
  std::function<void(Scene&)> act;
  bool revokes = false;                // grants may be taken away
  bool timed = false;                  // waits may time out
  std::vector<Scene::Id> dead = {};    // died before
  std::vector<Scene::Id> dying = {1};  // the one that acts
  bool holds_on = false;               // it has X exclusively from before to after: whoever is next is told of its death
  bool supplied = false;               // of a bucket and a pool
  bool planned = false;                // and of plans
};

inline const std::u16string X = u"x";
inline const std::u16string Y = u"y";
inline const std::u16string kLong = std::u16string(100, u'l');   // three blocks of text
inline const std::u16string kWide = std::u16string(60, 0x4e00);  // UTF-16: three blocks too
inline constexpr Ask kShared{.shared = true};

inline void wait_in_all_tiers(Scene& s) {
  s.lock(3, X, {.tier = 1});
  s.lock(4, X, {.tier = 3});
  s.lock(2, X, {.tier = 0});
  s.lock(3, X, {.tier = 1});
  s.lock(4, X, {.tier = 1, .shared = true});
  s.lock(2, X, {.tier = 1, .shared = true});
  s.lock(3, X, {.tier = 3});
}

// Leaves what `pushed` does in the inbox: somebody seems to be inside the gate meanwhile.
inline void undrained(Scene& s, core::ElementIndex index, const std::function<void()>& pushed) {
  auto& gate = s.world.arena->element(index).gate;
  core::Gate word = core::Gate::of(gate.load());
  word.holder = core::lane_of(Scene::kFresh, core::Thread::kWaker);
  gate.store(word.word());
  pushed();
  word = core::Gate::of(gate.load());
  word.holder = 0;
  word.poke = false;
  gate.store(word.word());
}

inline void undrained(Scene& s, const std::u16string& name, const std::function<void()>& pushed) {
  undrained(s, s.handle(2, name).index, pushed);
}

// All places of the element table are taken by idle names.
inline void fill_table(Scene& s, const std::u16string& stem) {
  for (std::uint32_t i = 0; i < s.world.arena->capacity().elements; i++) {
    const std::u16string name = stem + std::u16string(1, static_cast<char16_t>(u'0' + i));
    core::Handle handle{};
    if (s.actors[2].member->lookup(core::Kind::kLock, name.data(), name.size(), handle) != core::Found::kOk) break;
    core::Request request;
    request.handle = handle;
    core::Granted granted;
    CHECK(s.actors[2].member->lock(request, granted) == core::Answer::kOk);
    CHECK(s.actors[2].member->release(handle.index, granted.sequence) == core::Answer::kOk);
  }
  s.pass_time(3'000);
}

// What participant `by` does when the grant of `of` has been ready for too long.
inline void reclaim(Scene& s, Scene::Id by, Scene::Id of) {
  core::Lane waker(*s.world.arena, by, core::Thread::kWaker);
  for (const Scene::Wait& wait : s.actors[of].waits) {
    core::GateKeeper(waker, wait.handle.index).reclaim(s.actors[of].member->slot_of(wait.waiter));
  }
}

// `by` observes, and the lane of participant 1 is full already.
inline void observed(Scene& s, Scene::Id by) {
  core::observe(*s.world.arena, by, true);
  CHECK(core::back_lane(*s.world.arena, by));
  for (std::uint32_t i = 0; i <= Scene::kRecords; i++) {
    s.try_lock(1, X);
    s.release(1);
  }
}

inline void note(Scene& s, std::uint32_t length) {
  const std::vector<unsigned char> bytes(length, static_cast<unsigned char>(length));
  CHECK(core::NoteRing(*s.world.arena, 1).write(length, s.world.host.time, bytes.data(), length));
}

inline std::vector<Scenario> all_scenarios() {
  const auto nothing = [](Scene&) {};
  const auto made = [](Scene& s) { s.handle(2, X); };
  const auto held_by_2 = [](Scene& s) { s.lock(2, X); };
  return {
      // ---- acquire
      {"fast acquire and release", made,
       [](Scene& s) {
         s.try_lock(1, X);
         s.release(1);
       }},
      {"fast acquire of a lock that is held", held_by_2, [](Scene& s) { s.try_lock(1, X); }},
      {"acquire, queued first", held_by_2, [](Scene& s) { s.lock(1, X); }},
      {"acquire, queued behind others",
       [](Scene& s) {
         s.lock(2, X);
         wait_in_all_tiers(s);
       },
       [](Scene& s) { s.lock(1, X); }},
      {"acquire with enclosing grants, queued",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(1, Y);
       },
       [](Scene& s) {
         std::vector<core::EnclosingGrant> in(6, {s.actors[1].holds[0].handle.index, s.actors[1].holds[0].grant.sequence, core::kNoWaiter});
         core::Request request;
         request.handle = s.handle(1, X);
         request.enclosing = in.data();
         request.enclosing_count = static_cast<std::uint32_t>(in.size());
         core::Granted granted;
         const core::Answer answer = s.actors[1].member->lock(request, granted);
         CHECK(answer == core::Answer::kWait || answer == core::Answer::kOk);
         if (answer == core::Answer::kWait) CHECK(s.actors[1].member->abort(granted.waiter) == core::Answer::kOk);
         if (answer == core::Answer::kOk) CHECK(s.actors[1].member->release(request.handle.index, granted.sequence) == core::Answer::kOk);
       }},
      {"acquire with an inbox of others to drain",
       [](Scene& s) {
         s.lock(2, X);
         undrained(s, X, [&] {
           wait_in_all_tiers(s);
           s.abort(3, 1);
         });
       },
       [](Scene& s) { s.lock(1, X); }},
      {"acquire of a free lock through the gate (ttl)", made,
       [](Scene& s) {
         s.lock(1, X, {.ttl = 50});
         s.release(1);
       },
       true, true},
      {"shared acquire of a free lock", made, [](Scene& s) { s.lock(1, X, kShared); }},
      {"shared acquire and release beside another", [](Scene& s) { s.lock(2, X, kShared); },
       [](Scene& s) {
         s.lock(1, X, kShared);
         s.release(1);
       }},
      {"shared acquire, queued behind a writer",
       [](Scene& s) {
         s.lock(2, X, kShared);
         s.lock(3, X);
         s.lock(4, X, kShared);
       },
       [](Scene& s) { s.lock(1, X, kShared); }},
      {"shared try without waiting, refused", held_by_2, [](Scene& s) { s.try_lock(1, X, kShared); }},
      {"fast acquire and fast release", made,
       [](Scene& s) {
         s.try_lock(1, X);
         s.release_fast(1);
       }},
      // ---- the next grant of the same participant
      {.name = "pass with nobody there",
       .prepare = [](Scene& s) { s.lock(1, X); },
       .act =
           [](Scene& s) {
             s.pass(1);
             s.pass(1);
           },
       .holds_on = true},
      {.name = "pass while another waits",
       .prepare =
           [](Scene& s) {
             s.lock(1, X);
             s.lock(3, X);
           },
       .act = [](Scene& s) { s.pass(1); },
       .holds_on = true},
      {"pass and release, with nobody there", [](Scene& s) { s.lock(1, X); },
       [](Scene& s) {
         s.pass(1);
         s.release(1);
       }},
      {"pass and release, while others wait",
       [](Scene& s) {
         s.lock(1, X);
         s.lock(3, X);
         s.lock(4, X, kShared);
       },
       [](Scene& s) {
         s.pass(1);
         s.release(1);
       }},
      {"pass of a grant that others no longer wait for",
       [](Scene& s) {
         s.lock(1, X);
         s.lock(3, X);
         s.abort(3);
       },
       [](Scene& s) {
         s.pass(1);
         s.release_fast(1);
       }},
      // ---- release
      {"release with one waiter",
       [](Scene& s) {
         s.lock(1, X);
         s.lock(3, X);
       },
       [](Scene& s) { s.release(1); }},
      {"release with waiters in all tiers and modes",
       [](Scene& s) {
         s.lock(1, X);
         wait_in_all_tiers(s);
       },
       [](Scene& s) { s.release(1); }},
      {"release to readers",
       [](Scene& s) {
         s.lock(1, X);
         s.lock(2, X, kShared);
         s.lock(3, X, kShared);
         s.lock(4, X, kShared);
         s.lock(2, X);
       },
       [](Scene& s) { s.release(1); }},
      {"release with an inbox of aborted and waiting",
       [](Scene& s) {
         s.lock(1, X);
         undrained(s, X, [&] {
           wait_in_all_tiers(s);
           s.abort(3, 0);
           s.abort(2, 1);
         });
       },
       [](Scene& s) { s.release(1); }},
      {"release to a waiter of its own",
       [](Scene& s) {
         s.lock(1, X);
         s.lock(1, X);
         s.lock(3, X);
       },
       [](Scene& s) {
         s.release(1);
         s.collect(1);
         s.release(1);
       }},
      {"hand-off taken and given on",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(1, X);
         s.lock(3, X);
         s.release(2);
       },
       [](Scene& s) {
         s.collect(1);
         s.release(1);
       }},
      {"shared release, the last of two, no waiter",
       [](Scene& s) {
         s.lock(1, X, kShared);
         s.lock(2, X, kShared);
         s.release(2);
       },
       [](Scene& s) { s.release(1); }},
      {"shared release, one of three holders, a writer waits",
       [](Scene& s) {
         s.lock(2, X, kShared);
         s.lock(1, X, kShared);
         s.lock(3, X, kShared);
         s.lock(4, X);
         s.lock(2, X, kShared);
       },
       [](Scene& s) { s.release(1); }},
      {"shared release, the last holder, writers and readers wait",
       [](Scene& s) {
         s.lock(1, X, kShared);
         s.lock(3, X);
         s.lock(4, X, kShared);
         s.lock(2, X, {.tier = 3});
       },
       [](Scene& s) { s.release(1); }},
      {"late release of a lock that was stolen",
       [](Scene& s) {
         s.lock(1, X);
         s.lock(2, X, {.steal = true});
         s.lock(3, X);
       },
       [](Scene& s) { s.release(1); }, true},
      // ---- the end of a wait
      {"abort in the inbox",
       [](Scene& s) {
         s.lock(2, X);
         undrained(s, X, [&] {
           s.lock(3, X);
           s.lock(1, X);
           s.lock(4, X);
         });
       },
       [](Scene& s) { s.abort(1); }},
      {"abort in the queue",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(3, X);
         s.lock(1, X);
         s.lock(4, X);
       },
       [](Scene& s) { s.abort(1); }},
      {"abort at the head and at the tail",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(1, X);
         s.lock(3, X);
         s.lock(1, X);
       },
       [](Scene& s) {
         s.abort(1, 0);
         s.abort(1, 0);
         s.lock(1, X);
       }},
      {"abort of a grant that is ready",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(1, X);
         s.lock(3, X);
         s.release(2);
       },
       [](Scene& s) { s.abort(1); }},
      {"abort of a shared grant that is ready",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(1, X, kShared);
         s.lock(3, X, kShared);
         s.lock(4, X);
         s.release(2);
       },
       [](Scene& s) { s.abort(1); }},
      {"timeout of a wait",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(3, X);
         s.lock(1, X, {.timeout = 20});
         s.lock(4, X);
         s.pass_time(50);
       },
       [](Scene& s) {
         s.actors[1].member->expire();
         s.collect(1);
       },
       false, true},
      {"release to waiters past their deadline",
       [](Scene& s) {
         s.lock(1, X);
         s.lock(2, X, {.timeout = 20});
         s.lock(3, X, {.timeout = 20});
         s.lock(4, X);
         s.pass_time(50);
       },
       [](Scene& s) { s.release(1); }, false, true},
      {"a wait moved to a higher tier",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(3, X, {.tier = 2});
         s.lock(1, X);
         s.lock(4, X);
         s.lock(3, X, {.tier = 2});
       },
       [](Scene& s) { s.upgrade(1, 0, 2); }},
      {"a wait moved to another tier while in the inbox",
       [](Scene& s) {
         s.lock(2, X);
         undrained(s, X, [&] {
           s.lock(3, X);
           s.lock(1, X);
           s.lock(4, X, {.tier = 3});
         });
       },
       [](Scene& s) { s.upgrade(1, 0, 3); }},
      {"acquire that finds waits of others to be moved",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(3, X, {.tier = 0});
         s.lock(4, X, {.tier = 2});
         s.lock(3, X, {.tier = 1});
         undrained(s, X, [&] {
           s.upgrade(3, 0, 2);
           s.upgrade(3, 1, 3);
         });
       },
       [](Scene& s) { s.lock(1, X); }},
      // ---- grants that end by themselves
      {"ttl of an exclusive grant runs out",
       [](Scene& s) {
         s.lock(2, X, {.ttl = 20});
         s.lock(3, X);
         s.lock(4, X, kShared);
         s.pass_time(50);
       },
       [](Scene& s) { s.lock(1, X); }, true, true},
      {"ttl of its own grant runs out",
       [](Scene& s) {
         s.lock(1, X, {.ttl = 20});
         s.lock(3, X);
         s.lock(4, X, kShared);
         s.pass_time(50);
       },
       [](Scene& s) { s.actors[1].member->expire(); }, true, true},
      {"ttl of shared grants runs out",
       [](Scene& s) {
         s.lock(2, X, {.shared = true, .ttl = 20});
         s.lock(3, X, {.shared = true, .ttl = 40});
         s.lock(4, X, {.shared = true, .ttl = 500});
         s.lock(2, X);
         s.pass_time(60);
       },
       [](Scene& s) { s.lock(1, X); }, true, true},
      {"steal of a free lock", made,
       [](Scene& s) {
         s.lock(1, X, {.steal = true});
         s.release(1);
       },
       true},
      {"steal over an exclusive holder",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(3, X);
         s.lock(4, X, {.tier = 3});
       },
       [](Scene& s) { s.lock(1, X, {.steal = true}); }, true},
      {"steal over shared holders",
       [](Scene& s) {
         s.lock(2, X, kShared);
         s.lock(3, X, kShared);
         s.lock(4, X, kShared);
         s.lock(3, X);
       },
       [](Scene& s) {
         s.lock(1, X, {.steal = true});
         s.release(1);
       },
       true},
      {"steal over shared grants that nobody has taken yet",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(3, X, kShared);
         s.lock(4, X, kShared);
         s.release(2);
         s.lock(2, X);
       },
       [](Scene& s) {
         s.lock(1, X, {.steal = true});
         s.release(1);
       },
       true},
      {"steal over an exclusive grant that nobody has taken yet",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(3, X);
         s.release(2);
         s.lock(4, X);
       },
       [](Scene& s) {
         s.lock(1, X, {.steal = true});
         s.release(1);
       },
       true},
      {"a grant that its owner does not take goes to the next",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(3, X);
         s.lock(4, X);
         s.lock(2, X, {.tier = 2});
         s.lock(4, X, kShared);
         s.release(2);
       },
       [](Scene& s) { reclaim(s, 1, 2); }},
      {"a grant that its owner does not take, and nobody else waits",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(3, X);
         s.release(2);
       },
       [](Scene& s) { reclaim(s, 1, 3); }},
      // ---- names
      {"look-up of a name that is there", made, [](Scene& s) { s.handle(1, X); }},
      {"look-up that makes an element", [](Scene& s) { s.remember(X); },
       [](Scene& s) {
         s.handle(1, X);
         s.try_lock(1, X);
       }},
      {"look-up that makes an element with a long name", [](Scene& s) { s.remember(kLong); }, [](Scene& s) { s.handle(1, kLong); }},
      {"look-up that makes an element with a name of two-byte units", [](Scene& s) { s.remember(kWide); },
       [](Scene& s) { s.handle(1, kWide); }},
      {"look-up that recycles an idle element",
       [](Scene& s) {
         s.lock(3, Y);
         fill_table(s, u"idle");
         s.remember(X);
       },
       [](Scene& s) { s.handle(1, X); }},
      {"look-up that recycles for want of text",
       [](Scene& s) {
         s.lock(3, kLong);
         fill_table(s, std::u16string(60, u'f'));
         s.remember(kWide);
       },
       [](Scene& s) {
         core::Handle handle{};
         s.find(1, kWide, handle);
       }},
      {"look-up in vain: no element is idle",
       [](Scene& s) {
         for (char16_t c = u'a'; c < u'a' + 8; c++) s.lock(3, std::u16string(1, c));
       },
       [](Scene& s) {
         core::Handle handle{};
         s.find(1, u"none", handle);
       }},
      {"look-up in vain: no text is left",
       [](Scene& s) {
         s.lock(3, kLong);
         s.lock(3, kWide);
       },
       [](Scene& s) {
         core::Handle handle{};
         s.find(1, std::u16string(50, u'n'), handle);
       }},
      // ---- coming and going
      {"join", nothing, [](Scene& s) { CHECK(s.world.join(Scene::kNewcomer) != nullptr); }, false, false, {}, {Scene::kNewcomer}},
      {"join at a place that was another's",
       [](Scene& s) {
         auto gone = s.world.join(Scene::kNewcomer);
         gone->lane().note(3, 7);
         s.world.kill(Scene::kNewcomer);
         s.sweep_all(2);
       },
       [](Scene& s) { CHECK(s.world.join(Scene::kNewcomer) != nullptr); },
       false,
       false,
       {},
       {Scene::kNewcomer}},
      {"leave with grants and waits",
       [](Scene& s) {
         s.lock(1, X);
         s.lock(3, X);
         s.lock(2, Y);
         s.lock(1, Y);
         s.lock(4, Y, kShared);
       },
       [](Scene& s) {
         s.actors[1].member->abandon_all();
         s.world.kill(1);
       }},
      // ---- sweeping those who died before
      {"sweep of a dead holder with waiters",
       [](Scene& s) {
         s.lock(4, X);
         s.lock(3, X);
         s.lock(2, X, {.tier = 3});
         s.lock(1, X);
         s.world.kill(4);
       },
       [](Scene& s) {
         s.sweep_all(1);
         s.collect(1);
       },
       false,
       false,
       {4}},
      {"sweep of a dead waiter in the middle",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(3, X);
         s.lock(4, X);
         s.lock(1, X);
         s.world.kill(4);
       },
       [](Scene& s) { s.sweep_all(1); },
       false,
       false,
       {4}},
      {"sweep of a dead shared holder and its waits",
       [](Scene& s) {
         s.lock(3, X, kShared);
         s.lock(4, X, kShared);
         s.lock(2, X);
         s.lock(4, X, kShared);
         s.lock(4, Y);
         s.lock(3, Y);
         s.world.kill(4);
       },
       [](Scene& s) { s.sweep_all(1); },
       false,
       false,
       {4}},
      {"sweep of one that died with a grant ready",
       [](Scene& s) {
         s.lock(2, X);
         s.lock(4, X);
         s.lock(3, X);
         s.release(2);
         s.world.kill(4);
       },
       [](Scene& s) { s.sweep_all(1); },
       false,
       false,
       {4}},
      {"acquire that meets a dead holder",
       [](Scene& s) {
         s.lock(4, X);
         s.lock(3, X);
         s.world.kill(4);
       },
       [](Scene& s) { s.lock(1, X); },
       false,
       false,
       {4}},
      // ---- telemetry
      {"a lock taken and given back while somebody observes", [](Scene& s) { observed(s, 2); },
       [](Scene& s) {
         s.actors[1].member->telemetry().asking = {5, 5, 5};
         s.try_lock(1, X);
         s.release(1);
       }},
      {"a wait that is recorded",
       [](Scene& s) {
         observed(s, 2);
         s.lock(2, X);
       },
       [](Scene& s) { s.lock(1, X); }},
      {"beginning to observe, and ending it", made,
       [](Scene& s) {
         core::observe(*s.world.arena, 1, true);
         s.try_lock(1, X);
         s.release(1);
         core::observe(*s.world.arena, 1, false);
       }},
      {"a note that overwrites others",
       [](Scene& s) {
         for (std::uint32_t i = 0; i < 6; i++) note(s, 8);
       },
       [](Scene& s) { note(s, 13); }},
      {"sweep of an observer",
       [](Scene& s) {
         observed(s, 4);
         s.lock(4, X);
         s.world.kill(4);
       },
       [](Scene& s) { s.sweep_all(1); },
       false,
       false,
       {4}},
      {"try that meets a dead holder",
       [](Scene& s) {
         s.lock(4, X);
         s.world.kill(4);
       },
       [](Scene& s) { s.try_lock(1, X); },
       false,
       false,
       {4}},
  };
}

}  // namespace forelock::test
