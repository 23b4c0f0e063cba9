// An arena whose participants are model threads, and what every configuration over the core has in common: how a thread
// waits, what it does with a lock, what its death does, and what must hold when nothing can happen any more.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/init.h"
#include "core/member.h"
#include "core/participants.h"
#include "core/sweep.h"
#include "suite.h"

namespace model {

using namespace forelock::core;
using scheduled::check;
using scheduled::Model;
using scheduled::Suite;
using scheduled::ThreadSpec;

// Time stands still unless a configuration moves it before it starts. Waking is the only thing that reaches outside.
class ModelHost : public Host {
 public:
  bool back(std::size_t, std::size_t) override { return true; }
  void wake(ParticipantId who) override;
  Nanos now() override { return time; }
  Nanos time = 0;
};

// A participant's script thread, with its waker thread folded into it: it sleeps on the ring word as shm/waker.cc does
// and collects as the binding does.
struct Actor {
  Actor(Arena& arena, ParticipantId id, std::uint32_t incarnation) : member(arena, id, incarnation), id(id) {}
  Member member;
  const ParticipantId id;
  std::uint32_t quiet_ring = 0;
};

inline constexpr int kMaxActors = 5;
inline constexpr Nanos kStart = 10'000 * kNanosPerMilli;

class CoreWorld {
 public:
  static CoreWorld& instance() {
    static CoreWorld world;
    return world;
  }

  // A new arena with actors 1..count and one element; each actor has claimed its slots already, so that exploring
  // begins where the interesting part does.
  void make(int count, std::uint32_t elements = 1, bool warm = true, std::uint32_t heap = 0) {
    actors_count = count;
    const Capacity capacity{elements, kChunkSlots * kMaxActors, static_cast<std::uint32_t>(kMaxActors), 1, heap};
    size_ = Layout::of(capacity).size;
    if (size_ > sizeof memory_) scheduled::give_up("the arena is too large: raise CoreWorld::memory_");
    std::memset(memory_, 0, size_);
    host.time = kStart;
    Origin origin{};
    origin.capacity = capacity;
    origin.seed[0] = 1;
    origin.seed[1] = 2;
    origin.now = kStart / 2;
    origin.wall_ms = 1'000;
    origin.ageing = 30'000 * kNanosPerMilli;
    initialise(memory_, origin);
    arena.emplace(memory_, host);
    arena->ensure(0, size_);
    std::memset(static_cast<void*>(&guarded), 0, sizeof guarded);
    for (ParticipantId id = 1; id <= static_cast<ParticipantId>(count); id++) {
      std::uint32_t incarnation = 0;
      if (!begin_join(*arena, id, incarnation) || !finish_join(*arena, id, incarnation)) scheduled::give_up("join");
      scheduled::Heap::instance().use(static_cast<int>(id));
      actor_[id] = new Actor(*arena, id, incarnation);
    }
    lock = look_up(1, u"lock");
    if (warm) {
      for (int id = 1; id <= count; id++) claim_slots(id);
    }
    first_token = token_of(lock.index, Fast::of(arena->element(lock.index).fast.load(memory_order_relaxed)).sequence);
    name_things();
  }

  // In set-up, what is done in an actor's name goes to its part of the heap.
  Actor& actor(int id) {
    if (scheduled::self() < 0) scheduled::Heap::instance().use(id);
    return *actor_[id];
  }
  Handle look_up(int id, const std::u16string& name) {
    Handle handle{};
    if (actor(id).member.lookup(Kind::kLock, name.data(), name.size(), handle) != Found::kOk) check(false, "lookup failed");
    return handle;
  }

  std::uint64_t token_of(ElementIndex index, std::uint64_t sequence) { return arena->element(index).base.load() + sequence; }

  ModelHost host;
  std::optional<Arena> arena;
  Handle lock{};
  int actors_count = 0;
  std::uint64_t first_token = 0;
  // What the lock guards: the highest token seen. A race on it is two at once, or a grant that does not order them.
  plain<std::uint64_t> guarded;

 private:
  void claim_slots(int id) {
    const int other = id == 1 ? 2 : 1;
    if (other > actors_count) return;
    Granted grant, wait;
    check(actor(other).member.lock({.handle = lock}, grant) == Answer::kOk, "set-up: lock");
    check(actor(id).member.lock({.handle = lock}, wait) == Answer::kWait, "set-up: wait");
    actor(id).member.abort(wait.waiter);
    check(actor(other).member.release(lock.index, grant.sequence) == Answer::kOk, "set-up: release");
  }
  void name_things();

  alignas(4096) unsigned char memory_[512 * 1024];
  std::size_t size_ = 0;
  Actor* actor_[kMaxActors + 1] = {};
};

inline CoreWorld& world() { return CoreWorld::instance(); }

inline void ModelHost::wake(ParticipantId who) { scheduled::futex_wake(world().arena->participant(who).ring); }

// ---- what the threads do
// ----------------------------------------------------------------------------------------------

// Until one of this actor's waits has ended. It looks only when rung: a wake that is missing leaves it asleep for ever,
// and the explorer reports that.
inline Settled wait_for_one(int id) {
  Actor& self = world().actor(id);
  Participant& participant = world().arena->participant(static_cast<ParticipantId>(id));
  for (;;) {
    if (self.member.lane().own_wake) self.member.collect();
    if (self.member.has_settled()) return self.member.next_settled();
    std::uint32_t seen = participant.ring.load(memory_order_acquire);
    if ((seen | 1) != (self.quiet_ring | 1)) {
      self.quiet_ring = seen;
      // Whatever the wake list says: a slot taken from it before it was ready is ready by now.
      self.member.collect();
      continue;
    }
    if (participant.ring.compare_exchange_strong(seen, seen | 1, memory_order_acq_rel)) {
      const bool timed_out = scheduled::futex_wait(participant.ring, seen | 1);
      participant.ring.fetch_and(~1u, memory_order_acq_rel);
      // The tick: whoever should have rung may have died before.
      if (timed_out && (participant.wake.load(memory_order_acquire) != 0 || participant.notice.load(memory_order_acquire) != 0)) {
        self.member.collect();
      }
    }
  }
}

inline void use_exclusively(const Granted& grant) {
  CoreWorld& w = world();
  const std::uint64_t token = w.token_of(w.lock.index, grant.sequence);
  check(token > w.guarded.get(), "a token did not grow");
  check(token > w.first_token, "a token did not grow over set-up");
  w.guarded.set(token);
}
inline void use_shared(const Granted& grant) {
  check(world().token_of(world().lock.index, grant.sequence) > world().guarded.get(), "a token did not grow");
}

inline void give_back(int id, const Granted& grant, bool shared) {
  Member& member = world().actor(id).member;
  const Answer answer = shared ? member.release_shared(grant.waiter, grant.sequence) : member.release(world().lock.index, grant.sequence);
  check(answer == Answer::kOk, "a release was refused");
}

inline void use_and_give_back(int id, const Granted& grant, bool shared = false) {
  shared ? use_shared(grant) : use_exclusively(grant);
  give_back(id, grant, shared);
}

inline Request request(bool shared = false, std::uint32_t tier = 0) { return {.handle = world().lock, .tier = tier, .shared = shared}; }

inline void acquire_and_release(int id, bool shared = false, std::uint32_t tier = 0) {
  Granted grant;
  const Answer answer = world().actor(id).member.lock(request(shared, tier), grant);
  check(answer == Answer::kOk || answer == Answer::kWait, "lock answered neither ok nor wait");
  if (answer == Answer::kWait) {
    const Settled settled = wait_for_one(id);
    check(settled.outcome == Outcome::kGranted, "a wait ended without a grant");
    grant = settled.grant;
  }
  use_and_give_back(id, grant, shared);
}

// Waits that set-up began.
inline void await_and_release(int id, bool shared = false) {
  const Settled settled = wait_for_one(id);
  check(settled.outcome == Outcome::kGranted, "a wait ended without a grant");
  use_and_give_back(id, settled.grant, shared);
}

// Sweeps the dead until nothing is left of them. Where somebody alive is in the way it comes back later, as the tick
// does.
inline void sweep_until_clean(int id) {
  Lane& lane = world().actor(id).member.lane();
  while (!sweep_all(lane)) scheduled::when_idle();
}

// ---- configurations
// -----------------------------------------------------------------------------------------------------

// What set-up hands to the threads; constant while they run.
struct Prepared {
  Granted grant[kMaxActors + 1];
};
inline Prepared& prepared() {
  static Prepared values;
  return values;
}
inline void hold(int id, bool shared = false) {
  check(world().actor(id).member.lock(request(shared), prepared().grant[id]) == Answer::kOk, "set-up: lock");
}
inline void queue_up(int id, bool shared = false, std::uint32_t tier = 0) {
  check(world().actor(id).member.lock(request(shared, tier), prepared().grant[id]) == Answer::kWait, "set-up: wait");
}
inline void give_back_prepared(int id, bool shared = false) { use_and_give_back(id, prepared().grant[id], shared); }

inline void check_free(const Element& element) {
  const Fast fast = Fast::of(element.fast.load(memory_order_relaxed));
  const Gate gate = Gate::of(element.gate.load(memory_order_relaxed));
  // Not in use: its fast path stays shut until it is made anew.
  if (Meta::state(element.meta.load(memory_order_relaxed)) == Meta::kFree) return;
  const bool to_be_told = (element.meta.load(memory_order_relaxed) & Meta::kDied) != 0;
  const bool is_bucket = Meta::kind(element.meta.load(memory_order_relaxed)) == Kind::kBucket;
  check(is_bucket || fast.owner == 0, "at the end somebody holds the lock");
  // Somebody who died may have left the bit alone behind: it costs one visit, which the next acquire pays.
  check(!fast.queued || to_be_told || scheduled::deaths() > 0, "at the end the queued bit is set");
  if (gate.head != Gate::kClosed) {
    check(gate.holder == 0, "at the end somebody is inside the gate");
    check(gate.head == 0, "at the end something is in the inbox");
    check(!gate.poke, "at the end a poke is left");
  }
  for (const auto& head : element.heads) check(head.load(memory_order_relaxed) == 0, "at the end a list is not empty");
  check(element.holders.load(memory_order_relaxed) == 0, "at the end somebody shares the lock");
}

// Everything was given back, by whoever had it or by the sweep.
inline void check_nothing_left() {
  const Arena& arena = *world().arena;
  for (ElementIndex i = 0; i < arena.capacity().elements; i++) check_free(arena.element(i));
  for (SlotId id = 1; id <= arena.layout().chunk_count * kChunkSlots; id++) {
    const SlotState state = SlotState::of(arena.slot(id).state.load(memory_order_relaxed));
    // What a request was for is freed with its slot, which its owner may free late.
    const bool kept = state.status == Status::kExtension && arena.capacity().heap != 0;
    check(state.status == Status::kFree || kept, "at the end a slot is not free");
  }
  for (int id = 1; id <= world().actors_count; id++) {
    const LifeWord life = LifeWord::of(arena.participant(static_cast<ParticipantId>(id)).life.load(memory_order_relaxed));
    check(life.life != Life::kDead, "at the end a dead participant is not swept");
    if (life.life != Life::kAlive) continue;
    check(arena.hint(lane_of(static_cast<ParticipantId>(id), Thread::kScript)).load(memory_order_relaxed) == 0,
          "at the end a hint is left");
    check(arena.held(static_cast<ParticipantId>(id))[0].load(memory_order_relaxed) == 0, "at the end a held bit is left");
  }
  // And it works: the next one gets it at once, in a tier that no plan keeps waiting.
  Actor& last = world().actor(world().actors_count);
  const Handle lock = world().look_up(world().actors_count, u"lock");
  Granted grant;
  check(last.member.lock({.handle = lock, .tier = kTiers - 1}, grant) == Answer::kOk, "at the end the lock cannot be had");
  check(world().token_of(lock.index, grant.sequence) > world().guarded.get(), "at the end the token did not grow");
  check(last.member.release(lock.index, grant.sequence) == Answer::kOk, "at the end it cannot be given back");
  check(!Fast::of(world().arena->element(lock.index).fast.load(memory_order_relaxed)).queued, "the queued bit stays set");
}

// Dead before exploring begins.
inline void kill(int id) {
  Arena& arena = *world().arena;
  const auto who = static_cast<ParticipantId>(id);
  mark_dead(arena, who, arena.participant(who).life.load(memory_order_relaxed));
}

struct Program {
  int actors = 2;
  std::function<void()> set_up;
  std::vector<std::pair<int, std::function<void()>>> threads;  // actor, what it does
  int crashes = 0;
  std::uint32_t elements = 1;
  bool warm = true;
  int immortal = 0;  // an actor who does not die
  std::uint32_t heap = 0;
  std::function<void()> at_end;  // besides what always holds
};

// With deaths, one more actor for each sweeps after it; the last of them cannot die. Without, one more stands by for
// the checks at the end.
inline Model model_of(Program plan) {
  Model m;
  m.crashes = plan.crashes;
  const int actors = plan.actors + (plan.crashes > 0 ? plan.crashes : 1);
  m.prepare = [=] {
    world().make(actors, plan.elements, plan.warm, plan.heap);
    if (plan.set_up) plan.set_up();
  };
  std::vector<int> who;
  const auto add = [&](ThreadSpec thread, int actor, std::function<void()> body) {
    thread.heap = actor;
    thread.body = [body = std::move(body), actor]() -> std::uint64_t {
      body();
      check(world().actor(actor).member.waiting() == 0, "a participant still waits at its end");
      return 0;
    };
    who.push_back(actor);
    m.threads.push_back(std::move(thread));
  };
  for (const auto& [actor, body] : plan.threads) {
    ThreadSpec thread;
    thread.name = std::string(1, static_cast<char>('A' + actor - 1));
    thread.may_crash = actor != plan.immortal;
    add(std::move(thread), actor, body);
  }
  for (int death = 1; death <= plan.crashes; death++) {
    const int sweeper = plan.actors + death;
    ThreadSpec thread;
    thread.name = std::string(1, static_cast<char>('A' + sweeper - 1)) + "(sweeper)";
    thread.may_crash = death < plan.crashes;
    thread.after_crashes = death;
    add(std::move(thread), sweeper, [sweeper] { sweep_until_clean(sweeper); });
  }
  m.on_crash = [who](int thread) { kill(who[static_cast<std::size_t>(thread)]); };
  m.at_end = [at_end = plan.at_end] {
    check_nothing_left();
    if (at_end) at_end();
  };
  return m;
}

// ---- names for traces
// ---------------------------------------------------------------------------------------------------

inline std::string show_fast(std::uint64_t word) {
  const Fast f = Fast::of(word);
  return std::string("{") + (f.queued ? "Q " : "") + (f.owner ? "owner " + std::to_string(f.owner) + " " : "free ") + "seq " +
         std::to_string(f.sequence) + "}";
}
inline std::string show_gate(std::uint64_t word) {
  const Gate g = Gate::of(word);
  return "{" + (g.holder ? "lane " + std::to_string(g.holder) : std::string("free")) + (g.poke ? " poke" : "") +
         (g.head == Gate::kClosed ? " closed" : " head " + std::to_string(g.head)) + " pushes " + std::to_string(g.pushes) + "}";
}
inline std::string show_state(std::uint64_t word) {
  static const char* const names[] = {"free",      "prepared", "queued",           "offered",
                                      "ready",     "held",     "aborted in inbox", "aborted in queue",
                                      "abandoned", "released", "revoked",          "extension"};
  const SlotState s = SlotState::of(word);
  return std::string("{") + (s.status <= Status::kLast ? names[static_cast<int>(s.status)] : "?") + " gen " + std::to_string(s.generation) +
         " seq " + std::to_string(s.sequence) + "}";
}
inline std::string show_hint(std::uint64_t word) {
  const Hint h = Hint::of(word);
  if (h.element_plus_one == 0) return "none";
  return "{element " + std::to_string(h.element_plus_one - 1) + ", slot " +
         (h.slot == Hint::kMaking ? std::string("making") : std::to_string(h.slot)) + "}";
}
inline std::string show_meta(std::uint64_t word) {
  static const char* const states[] = {"free", "init", "live", "?"};
  return std::string("{") + states[Meta::state(word)] + " gen " + std::to_string(Meta::generation(word)) +
         (word & Meta::kUsed ? " used" : "") + (word & Meta::kDied ? " died" : "") + (word & Meta::kDirty ? " dirty" : "") + "}";
}
inline std::string show_life(std::uint64_t word) {
  static const char* const names[] = {"free", "joining", "alive", "dead"};
  return names[static_cast<int>(LifeWord::of(word).life) & 3];
}
inline std::string show_ring(std::uint64_t word) { return "{" + std::to_string(word >> 1) + (word & 1 ? " sleeping" : "") + "}"; }

inline void CoreWorld::name_things() {
  auto& s = *scheduled::Scheduler::current();
  const auto name = [&](const auto& location, const std::string& text, scheduled::Format format = nullptr) {
    s.name(&location, text, format);
  };
  for (ElementIndex i = 0; i < arena->capacity().elements; i++) {
    Element& e = arena->element(i);
    const std::string at = "element" + std::to_string(i) + ".";
    name(e.fast, at + "fast", &show_fast);
    name(e.gate, at + "gate", &show_gate);
    name(e.meta, at + "meta", &show_meta);
    name(e.base, at + "base");
    for (int t = 0; t < kTiers; t++) name(e.heads[t], at + "heads[" + std::to_string(t) + "]");
    name(e.holders, at + "holders");
    name(e.ttl, at + "ttl");
    name(e.since, at + "since");
    name(e.maker, at + "maker");
    name(e.link, at + "link");
    name(e.hash[0], at + "hash[0]");
    name(e.hash[1], at + "hash[1]");
  }
  for (ParticipantId id = 1; id <= static_cast<ParticipantId>(actors_count); id++) {
    Participant& p = arena->participant(id);
    const std::string at = std::string(1, static_cast<char>('A' + id - 1)) + ".";
    name(p.life, at + "life", &show_life);
    name(p.hint[0], at + "hint", &show_hint);
    name(p.hint[1], at + "waker's hint", &show_hint);
    name(p.ring, at + "ring", &show_ring);
    name(p.notice, at + "notice");
    name(p.wake, at + "wake");
    name(arena->held(id)[0], at + "held");
  }
  for (std::uint32_t chunk = 0; chunk < arena->layout().chunk_count; chunk++) {
    name(arena->chunk_owner(chunk), "chunk" + std::to_string(chunk) + ".owner");
    for (std::uint32_t i = 1; i <= 4; i++) {
      const SlotId id = chunk * kChunkSlots + i;
      Slot& slot = arena->slot(id);
      const std::string at = "slot" + std::to_string(id) + ".";
      name(slot.state, at + "state", &show_state);
      name(slot.link, at + "link");
      name(slot.next, at + "next");
      name(slot.prev, at + "prev");
      name(slot.tail, at + "tail");
      name(slot.element, at + "element");
      name(slot.element_generation, at + "element_generation");
      name(slot.arrival, at + "arrival");
      name(slot.deadline, at + "deadline");
      name(slot.flags, at + "flags");
      name(slot.ttl, at + "ttl");
      name(slot.enclosing, at + "enclosing");
      name(slot.wish, at + "wish");
    }
  }
  name(guarded, "guarded");
  Header& header = arena->header();
  name(header.token_floor, "token_floor");
  name(header.element_hand, "element_hand");
  s.statistic(&header.counters, sizeof header.counters);
  s.forbidden(&header.counters[static_cast<int>(Counter::kTakeovers)], "a takeover while nobody had died");
  s.forbidden(&header.counters[static_cast<int>(Counter::kRescans)], "a rescan while nobody had died");
  s.forbidden(&header.counters[static_cast<int>(Counter::kProbeHandoffs)], "a hand-off found by probing while nobody had died");
}

}  // namespace model
