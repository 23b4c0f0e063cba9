// A small arena with a few participants that know what they hold and what they wait for, and the judge: whatever has
// been done to the arena, the survivors finish their business, and then nothing may be left of anybody.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/lane_reader.h"
#include "test/check.h"
#include "test/supply.h"
#include "test/world.h"

namespace forelock::test {

struct Ask {
  std::uint32_t tier = 1;
  bool shared = false;
  bool steal = false;
  std::uint32_t ttl = 0;      // ms
  std::uint32_t timeout = 0;  // ms
};

// The clock of a scene, which all its processes see; a copy of the arena may have a copy of it.
class SharedClock {
 public:
  SharedClock() : at(place(nullptr, MAP_SHARED)) {}
  SharedClock(const SharedClock&) = delete;
  ~SharedClock() { munmap(at, kBytes); }

  void become_own(int sharing) {
    const core::Nanos now = *at;
    place(at, sharing | MAP_FIXED);
    *at = now;
  }
  void pass(core::Nanos nanos) { std::atomic_ref<core::Nanos>(*at).fetch_add(nanos); }

  core::Nanos* const at;

 private:
  static constexpr std::size_t kBytes = 4096;
  static core::Nanos* place(void* where, int flags) {
    void* got = mmap(where, kBytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) throw std::runtime_error("mmap");
    return static_cast<core::Nanos*>(got);
  }
};

class Scene {
 public:
  using Id = core::ParticipantId;
  static constexpr Id kActors = 4;    // 1 is the one that dies first, 2 recovers, 3 and 4 look on or recover from that
  static constexpr Id kFresh = 5;     // joins only in the judge
  static constexpr Id kNewcomer = 6;  // joins in the scenarios of joining

  struct Hold {
    std::u16string name;
    core::Handle handle;
    core::Granted grant;
    bool shared;
    std::uint64_t token;
    core::Amounts amounts{};  // of units
  };
  struct Wait {
    std::u16string name;
    core::Handle handle;
    core::WaiterId waiter;
    Ask ask;
    core::Kind kind = core::Kind::kLock;
    core::Amounts amounts{};
  };
  struct Actor {
    Id id = 0;
    std::unique_ptr<core::Member> member;
    std::uint32_t ring = 0;
    std::vector<Hold> holds;
    std::vector<Wait> waits;
    bool revoked = false;  // was told that a grant may be gone
    bool lost = false;     // had a grant that was gone
  };

  explicit Scene(bool supplied = false, bool planned = false)
      : world(capacity(supplied, planned), clock.at), supplied(supplied), planned(planned) {
    for (Id id = 1; id <= kActors; id++) {
      actors[id].id = id;
      actors[id].member = world.join(id);
    }
  }

  static core::Capacity capacity(bool supplied = false, bool planned = false) {
    return {.elements = supplied ? 12u : 8u,
            .slots = 6 * core::kChunkSlots,
            .participants = 6,
            .texts = 6,
            .heap = planned    ? 40u
                    : supplied ? 5u
                               : 0u,
            .telemetry = kRecords};
  }
  static constexpr std::uint32_t kRecords = 8;

  // ---- what participants do

  core::Handle handle(Id id, const std::u16string& name) {
    remember(name);
    return look_up(*actors[id].member, name);
  }
  // False while every place is taken by a name in use.
  bool find(Id id, const std::u16string& name, core::Handle& out) {
    const core::Found found = actors[id].member->lookup(core::Kind::kLock, name.data(), name.size(), out);
    CHECK(found == core::Found::kOk || found == core::Found::kNoElements || found == core::Found::kNoNames);
    if (found == core::Found::kOk) remember(name);
    return found == core::Found::kOk;
  }
  core::Answer lock(Id id, const std::u16string& name, Ask ask = {}) {
    Actor& actor = actors[id];
    core::Request request;
    if (!find(id, name, request.handle)) return core::Answer::kNoSlots;
    request.tier = ask.tier;
    request.shared = ask.shared;
    request.steal = ask.steal;
    request.ttl = ask.ttl;
    if (ask.timeout != 0) request.deadline = world.host.time + ask.timeout * core::kNanosPerMilli;
    core::Granted granted;
    const core::Answer answer = actor.member->lock(request, granted);
    if (answer == core::Answer::kOk) granted_to(actor, name, request.handle, granted, ask.shared);
    if (answer == core::Answer::kWait) actor.waits.push_back({name, request.handle, granted.waiter, ask});
    pass_time(1);
    return answer;
  }
  core::Answer try_lock(Id id, const std::u16string& name, Ask ask = {}) {
    core::Request request;
    if (!find(id, name, request.handle)) return core::Answer::kNoSlots;
    request.tier = ask.tier;
    request.shared = ask.shared;
    request.ttl = ask.ttl;
    core::Granted granted;
    const core::Answer answer = actors[id].member->try_lock(request, granted);
    if (answer == core::Answer::kOk) granted_to(actors[id], name, request.handle, granted, ask.shared);
    return answer;
  }
  // Nothing when it holds nothing: where others interfere a lock may not have been had.
  void release(Id id, std::size_t which = 0) {
    Actor& actor = actors[id];
    if (actor.holds.empty()) return;
    const Hold hold = actor.holds.at(which);
    actor.holds.erase(actor.holds.begin() + static_cast<std::ptrdiff_t>(which));
    const bool held = still_holds(actor, hold);
    const core::Answer answer = hold.shared ? actor.member->release_shared(hold.grant.waiter, hold.grant.sequence)
                                            : actor.member->release(hold.handle.index, hold.grant.sequence);
    CHECK(answer == core::Answer::kOk || answer == core::Answer::kLost);
    if (answer == core::Answer::kOk) return;
    CHECK(revokes);  // nobody took it, and yet it is gone
    if (!held) actor.lost = true;
  }
  // Where nobody waits or is to be told, by one CAS.
  void release_fast(Id id) {
    Actor& actor = actors[id];
    if (actor.holds.empty()) return;
    const Hold hold = actor.holds.front();
    if (!actor.member->release_fast(hold.handle.index, hold.grant.sequence)) return release(id);
    actor.holds.erase(actor.holds.begin());
  }
  // Ends the first of its grants, an exclusive one, and begins the next.
  void pass(Id id) {
    Actor& actor = actors[id];
    CHECK(!actor.holds.empty());
    const Hold hold = actor.holds.front();
    core::Granted granted;
    const core::Answer answer = actor.member->pass(hold.handle.index, hold.grant.sequence, 2, world.host.coarse_now(), granted);
    if (stepped_alone) CHECK((answer == core::Answer::kBusy) == somebody_waits(hold.handle.index));
    if (answer == core::Answer::kBusy) return;
    CHECK(answer == core::Answer::kOk);
    CHECK(!still_holds(actor, hold));
    actor.holds.erase(actor.holds.begin());
    granted_to(actor, hold.name, hold.handle, granted, false);
  }
  void release_all(Id id) {
    while (!actors[id].holds.empty()) release(id);
  }
  void abort(Id id, std::size_t which = 0) {
    Actor& actor = actors[id];
    const Wait wait = actor.waits.at(which);
    actor.waits.erase(actor.waits.begin() + static_cast<std::ptrdiff_t>(which));
    CHECK(actor.member->abort(wait.waiter) == core::Answer::kOk);
  }
  void upgrade(Id id, std::size_t which, std::uint32_t tier) {
    CHECK(actors[id].member->upgrade(actors[id].waits.at(which).waiter, tier) == core::Answer::kOk);
  }
  void pass_time(std::uint64_t ms) { clock.pass(ms * core::kNanosPerMilli); }
  void collect(Id id) {
    Actor& actor = actors[id];
    actor.ring = ring_of(id);
    actor.member->collect();
    while (actor.member->has_settled()) {
      const core::Settled settled = actor.member->next_settled();
      const auto wait = std::find_if(actor.waits.begin(), actor.waits.end(), [&](const Wait& w) { return w.waiter == settled.waiter; });
      CHECK(wait != actor.waits.end());  // settled twice, or after it had been given up
      const Wait ended = *wait;
      actor.waits.erase(wait);
      if (settled.outcome == core::Outcome::kNever) {
        CHECK(nevers);
      } else if (settled.outcome == core::Outcome::kGranted && ended.kind == core::Kind::kPool) {
        allocated_to(actor, ended.handle, settled.grant, ended.amounts);
      } else if (settled.outcome == core::Outcome::kGranted && ended.kind == core::Kind::kBucket) {
        admit(std::bit_cast<double>(ended.amounts[0]));
      } else if (settled.outcome == core::Outcome::kGranted) {
        granted_to(actor, ended.name, ended.handle, settled.grant, ended.ask.shared);
      } else {
        CHECK(settled.outcome == core::Outcome::kTimedOut);
        CHECK(ended.ask.timeout != 0);
      }
    }
    if (actor.member->take_revoked()) actor.revoked = true;
  }
  bool sweep_all(Id id) {
    core::Lane waker(*world.arena, id, core::Thread::kWaker);
    return core::sweep_all(waker);
  }

  // ---- a pool of two dimensions, and a bucket below another

  static constexpr double kBurst = 4;
  static constexpr double kRate = 100;  // tokens a second

  void supply() {
    core::Member& maker = *actors[2].member;
    above = make_bucket(maker, u"above", pace_of(kRate, 1'000, kBurst));
    bucket = make_bucket(maker, u"bucket", pace_of(kRate, 1'000, kBurst), &above);
    pool = make_pool(maker, u"pool", pool_terms(8));
    since_ = world.host.time;
  }
  static core::PoolPlan pool_terms(std::uint64_t capacity) {
    core::PoolPlan plan = pool_plan({capacity, 2 * capacity});
    plan.tiers[3].floor[0] = 1;
    return plan;
  }

  core::Request for_tokens(double count, Ask ask) const {
    core::Request request = tokens(bucket, count, ask.tier);
    if (planned) request.workflow = kWorkflow;
    return request;
  }
  bool try_take(Id id, double count, Ask ask = {}) {
    core::Tokens out;
    const core::Answer answer = actors[id].member->try_tokens(for_tokens(count, ask), out);
    CHECK(answer == core::Answer::kOk || answer == core::Answer::kBusy || answer == core::Answer::kNoSlots ||
          (nevers && answer == core::Answer::kNever));
    if (answer == core::Answer::kOk) admit(count);
    return answer == core::Answer::kOk;
  }
  void take(Id id, double count, Ask ask = {}) {
    core::Request request = for_tokens(count, ask);
    if (ask.timeout != 0) request.deadline = world.host.time + ask.timeout * core::kNanosPerMilli;
    core::Granted granted;
    const core::Answer answer = actors[id].member->tokens(request, granted);
    CHECK(answer == core::Answer::kOk || answer == core::Answer::kWait || (nevers && answer == core::Answer::kNever));
    if (answer == core::Answer::kOk) admit(count);
    if (answer == core::Answer::kWait)
      actors[id].waits.push_back({u"bucket", bucket, granted.waiter, ask, core::Kind::kBucket, request.amounts});
  }
  void empty_bucket() {
    while (try_take(2, 1)) {
    }
  }
  void refund(Id id, double count) { actors[id].member->give_back_tokens(bucket.index, count); }

  core::Request for_units(const core::Amounts& wanted, Ask ask) const {
    core::Request request = units(pool, {}, ask.tier, 100 + ask.ttl);  // the ttl stands for the tenant
    request.amounts = wanted;
    request.revocable = planned;
    if (ask.timeout != 0) request.deadline = world.host.time + ask.timeout * core::kNanosPerMilli;
    return request;
  }
  bool try_allocate(Id id, core::Amounts wanted, Ask ask = {}) {
    core::Granted granted;
    const core::Answer answer = actors[id].member->try_units(for_units(wanted, ask), granted);
    CHECK(answer == core::Answer::kOk || answer == core::Answer::kBusy || (nevers && answer == core::Answer::kNever));
    if (answer == core::Answer::kOk) allocated_to(actors[id], pool, granted, wanted);
    return answer == core::Answer::kOk;
  }
  void allocate(Id id, core::Amounts wanted, Ask ask = {}) {
    core::Granted granted;
    const core::Answer answer = actors[id].member->units(for_units(wanted, ask), granted);
    CHECK(answer == core::Answer::kOk || answer == core::Answer::kWait || (nevers && answer == core::Answer::kNever));
    if (answer == core::Answer::kOk) allocated_to(actors[id], pool, granted, wanted);
    if (answer == core::Answer::kWait) actors[id].waits.push_back({u"pool", pool, granted.waiter, ask, core::Kind::kPool, wanted});
    pass_time(1);
  }
  void shrink(Id id, core::Amounts less) {
    Hold& hold = actors[id].holds.at(0);
    CHECK(actors[id].member->shrink(hold.grant.waiter, hold.grant.sequence, less) == core::Answer::kOk);
    hold.amounts = less;
  }
  void resize(Id id, std::uint64_t capacity) {
    const core::Answer answer = change_pool(*actors[id].member, pool, pool_terms(capacity));
    CHECK(answer == core::Answer::kOk || (!stepped_alone && answer == core::Answer::kBusy));
  }

  // ---- plans

  static constexpr std::uint32_t kWorkflow = 77;
  static constexpr std::uint32_t kStranger = 9;

  // Its fields go together, so that one that is of two plans shows.
  core::Plan plan(core::PlanKind kind, core::ElementIndex of, std::uint32_t tier, std::uint64_t ms, std::uint32_t variant = 0) const {
    core::Plan plan;
    plan.kind = kind;
    plan.what = kind == core::PlanKind::kEscalation ? 0 : of + 1;
    plan.who = kind == core::PlanKind::kReserve || kind == core::PlanKind::kEscalation ? kWorkflow : 0;
    plan.tier = tier;
    plan.source = static_cast<std::uint32_t>(kind);
    plan.amount = kind == core::PlanKind::kReserve ? 3 : kind == core::PlanKind::kShare || kind == core::PlanKind::kKeep ? 0.9 : 0;
    plan.from = world.host.time + (kind == core::PlanKind::kHold ? ms * core::kNanosPerMilli : 0) + variant;
    plan.until = world.host.time + ms * core::kNanosPerMilli + variant;
    return plan;
  }
  core::PlanId write(Id id, const core::Plan& plan) {
    CHECK(actors[id].member->write_plan(plan, written) == core::Written::kOk);
    return written;
  }
  core::PlanId hold(Id id, const std::u16string& name, std::uint32_t tier, std::uint64_t ms, std::uint32_t variant = 0) {
    return write(id, plan(core::PlanKind::kHold, handle(2, name).index, tier, ms, variant));
  }
  // Whatever is read of plans is whole.
  void check_plans() {
    if (!planned) return;
    int holds = 0;
    core::Plans(*world.arena).for_each(0, [&](core::PlanId, const core::Plan& plan) {
      CHECK(plan.kind >= core::PlanKind::kHold && plan.kind <= core::PlanKind::kKeep);
      CHECK_EQUAL(plan.source, static_cast<std::uint32_t>(plan.kind));
      const bool of_workflow = plan.kind == core::PlanKind::kReserve || plan.kind == core::PlanKind::kEscalation;
      CHECK(plan.who == (of_workflow ? kWorkflow : 0u) || (plan.kind == core::PlanKind::kHold && plan.who == kStranger));
      CHECK_EQUAL((plan.until - plan.from) % core::kNanosPerMilli, 0u);
      CHECK(plan.kind == core::PlanKind::kHold ? plan.until == plan.from : plan.until > plan.from);
      holds += plan.kind == core::PlanKind::kHold ? 1 : 0;
    });
    CHECK(holds >= expected_holds);
    // None that is live is hidden, wherever somebody stopped.
    const std::uint64_t offset = world.arena->header().plans.load();
    if (offset == 0) return;
    const core::PlanTable& table = world.arena->record<core::PlanTable>(offset);
    for (std::uint32_t at = 0; at < core::kPlans; at++) {
      if (core::PlanControl::of(table.entries[at].control.load()).live) CHECK((table.used[at / 64].load() >> (at % 64) & 1) == 1);
    }
  }
  // What a waker does at each tick for those who wait where there are plans.
  void look_at_plans(Id id) {
    if (!planned) return;
    core::Lane waker(*world.arena, id, core::Thread::kWaker);
    for (core::ElementIndex index = 0; index < world.arena->capacity().elements; index++) {
      const std::uint64_t meta = world.arena->element(index).meta.load();
      if (core::Meta::state(meta) == core::Meta::kLive && (meta & core::Meta::kPlanned) != 0) core::GateKeeper(waker, index).visit(true);
    }
  }

  // ---- going on

  // One turn of a participant: looks at what was announced (`when_rung`: only if somebody rang), then lets go of one grant.
  bool turn(Id id, bool when_rung) {
    Actor& actor = actors[id];
    const std::size_t waited = actor.waits.size();
    const bool told = ring_of(id) != actor.ring || actor.member->lane().own_wake || actor.member->has_settled();
    if (told || !when_rung) collect(id);
    for (const core::ElementIndex index : actor.member->take_leftovers()) {
      core::Lane waker(*world.arena, id, core::Thread::kWaker);
      while (core::GateKeeper(waker, index).visit(true) == core::Visit::kMore) {
      }
    }
    const bool moved = waited != actor.waits.size() || !actor.holds.empty();
    if (!actor.holds.empty()) release(id);
    return moved;
  }
  bool at_rest(Id id) const { return actors[id].waits.empty() && actors[id].holds.empty(); }

  // ---- the judge

  // `dead` are out; all others serve and release until nobody waits.
  void settle(const std::vector<Id>& dead) {
    for (int stalls = 0; stalls <= 3;) {
      bool moved = false;
      bool waiting = false;
      for (Id id = 1; id <= kActors; id++) {
        if (std::find(dead.begin(), dead.end(), id) != dead.end()) continue;
        moved |= turn(id, false);
        waiting |= !at_rest(id);
      }
      if (moved) continue;
      if (!waiting) return;
      CHECK(timed);  // else: a live waiter is never served
      pass_time(1'000);
      for (Id id = 1; id <= kActors; id++) {
        if (std::find(dead.begin(), dead.end(), id) != dead.end()) continue;
        actors[id].member->expire();
        look_at_plans(id);
      }
      stalls++;
    }
    throw Failure("a live waiter is never served");
  }

  void note_tokens(const std::vector<Id>& dead) {
    for (core::ElementIndex index = 0; index < world.arena->capacity().elements; index++) {
      const core::Element& element = world.arena->element(index);
      if (core::Meta::state(element.meta.load()) != core::Meta::kLive) continue;
      const core::Fast fast = core::Fast::of(element.fast.load());
      const std::uint64_t token = element.base.load() + fast.sequence;
      const std::u16string name = core::Table::name_of(*world.arena, index);
      if (std::find(names_.begin(), names_.end(), name) == names_.end()) continue;
      auto& floor = std::find(dead.begin(), dead.end(), fast.owner) != dead.end() ? last_exclusive_[name] : seen_[name];
      floor = std::max(floor, token);
    }
  }

  // Nothing may be left of anybody; every name is found, once, and its tokens go on above all that were seen.
  void verify(const std::vector<Id>& dead) {
    for (const Id id : dead) {
      CHECK(world.join(id) != nullptr);  // its place is free
      world.kill(id);
      CHECK(sweep_all(survivor(dead)));
    }
    CHECK(world.join(kFresh) != nullptr);
    world.kill(kFresh);
    CHECK(sweep_all(survivor(dead)));
    auto fresh = world.join(kFresh);
    if (planned) verify_plans(*fresh);
    if (supplied) verify_supplies(*fresh);
    for (const std::u16string& name : names_) {
      for (int twice = 0; twice < 2; twice++) {
        const core::Handle found = look_up(*fresh, name);
        core::Request request;
        request.handle = found;
        core::Granted granted;
        CHECK(fresh->lock(request, granted) == core::Answer::kOk);
        const std::uint64_t token = world.arena->element(found.index).base.load() + granted.sequence;
        CHECK(token > seen_[name]);
        CHECK(token > last_exclusive_[name]);
        last_exclusive_[name] = token;
        expect_told(name, granted);
        CHECK(fresh->release(found.index, granted.sequence) == core::Answer::kOk);
      }
    }
    verify_table(*fresh);
    verify_elements();
    verify_slots(dead);
    verify_participants(dead);
    verify_telemetry();
    verify_room(*fresh);
    verify_elements();
  }

  SharedClock clock;
  World world;
  const bool supplied;
  const bool planned;
  core::PlanId written{};  // the last plan
  int expected_holds = 0;  // of X: so many there are whatever happens to the one that acts
  core::Handle above{}, bucket{}, pool{};
  bool nevers = false;           // something is made smaller than what somebody waits for
  std::uint64_t pool_limit = 8;  // the largest capacity that the pool had
  double burst_limit = kBurst;
  double rate_limit = kRate;
  double refundable = 0;  // tokens that are given back, by whoever
  Actor actors[kActors + 1];
  bool revokes = false;       // somebody steals, or a ttl ends: grants may be lost
  bool timed = false;         // somebody has a deadline
  bool stepped_alone = true;  // nobody runs beside the one that acts
  std::u16string untold;      // the holder of this name died: its next grant says so

  void remember(const std::u16string& name) {
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.push_back(name);
  }
  static Id survivor(const std::vector<Id>& dead) {
    for (Id id = 2; id <= kActors; id++) {
      if (std::find(dead.begin(), dead.end(), id) == dead.end()) return id;
    }
    throw std::logic_error("nobody is left");
  }

  // What a process knows of others is old as soon as they run beside it.
  void forget_holds_but(Id own) {
    for (Actor& actor : actors) {
      if (actor.id != own) actor.holds.clear();
    }
  }

  std::string dump() const {
    std::ostringstream out;
    for (core::ElementIndex i = 0; i < world.arena->capacity().elements; i++) {
      const core::Element& e = world.arena->element(i);
      const core::Fast fast = core::Fast::of(e.fast.load());
      const core::Gate gate = core::Gate::of(e.gate.load());
      if (e.meta.load() == 0) continue;
      out << "    element " << i << " meta " << std::hex << e.meta.load() << std::dec << " queued " << fast.queued << " owner "
          << fast.owner << " sequence " << fast.sequence << " gate " << gate.holder << (gate.poke ? " poked" : "") << " inbox " << gate.head
          << " heads";
      for (const auto& head : e.heads) out << ' ' << head.load();
      out << " holders " << e.holders.load() << " maker " << e.maker.load() << " ttl " << e.ttl.load() << '\n';
    }
    for (core::SlotId id = 1; id <= world.arena->capacity().slots; id++) {
      const core::Slot& s = world.arena->slot(id);
      const core::SlotState state = core::SlotState::of(s.state.load());
      if (state.status == core::Status::kFree) continue;
      out << "    slot " << id << " of " << world.arena->owner_of(id).participant << " status " << static_cast<int>(state.status)
          << " sequence " << state.sequence << " element " << s.element.get() << " next " << s.next.load() << " flags " << s.flags.get()
          << '\n';
    }
    for (Id id = 1; id <= world.arena->capacity().participants; id++) {
      const core::Participant& p = world.arena->participant(id);
      out << "    participant " << id << " life " << std::hex << p.life.load() << " hints " << p.hint[0].load() << ' ' << p.hint[1].load()
          << std::dec << " wake " << p.wake.load() << " notice " << p.notice.load() << " ring " << p.ring.load() << '\n';
    }
    return out.str();
  }

 private:
  bool somebody_waits(core::ElementIndex index) const {
    for (const auto& head : world.arena->element(index).heads) {
      if (head.load() != 0) return true;
    }
    return false;
  }
  void expect_told(const std::u16string& name, const core::Granted& granted) {
    if (name != untold) return;
    CHECK(granted.owner_died);
    untold.clear();
  }
  std::uint32_t ring_of(Id id) const { return world.arena->participant(id).ring.load() >> 1; }

  bool still_holds(const Actor& actor, const Hold& hold) const {
    return hold.shared ? actor.member->holds_shared(hold.grant.waiter, hold.grant.sequence)
                       : actor.member->holds(hold.handle.index, hold.grant.sequence);
  }

  void granted_to(Actor& actor, const std::u16string& name, core::Handle handle, const core::Granted& grant, bool shared) {
    const core::Element& element = world.arena->element(handle.index);
    const std::uint64_t token = element.base.load() + grant.sequence;
    const Hold hold{name, handle, grant, shared, token};
    CHECK(core::Table::name_of(*world.arena, handle.index) == name);  // not what its place was used for next
    if (!revokes) {
      // Who holds is in the element; that no other thinks it holds is asked of each.
      CHECK(still_holds(actor, hold));
      if (shared) {
        CHECK_EQUAL(core::Fast::of(element.fast.load()).owner, 0u);
      } else {
        CHECK_EQUAL(element.holders.load(), 0u);
      }
      for (const Actor& other : actors) {
        for (const Hold& theirs : other.holds) {
          if (theirs.name == name && !gone(other.id)) CHECK(shared && theirs.shared);
        }
      }
    }
    if (revokes && !still_holds(actor, hold)) {  // lost before it was looked at; later ones may have been seen already
      actor.holds.push_back(hold);
      return;
    }
    expect_told(name, grant);
    CHECK(token > last_exclusive_[name]);
    if (!shared) {
      CHECK(token > last_shared_[name]);
      last_exclusive_[name] = token;
    }
    last_shared_[name] = std::max(last_shared_[name], token);
    seen_[name] = std::max(seen_[name], token);
    actor.holds.push_back(hold);
  }
  void allocated_to(Actor& actor, core::Handle handle, const core::Granted& grant, const core::Amounts& amounts) {
    CHECK(actor.member->holds_shared(grant.waiter, grant.sequence));
    actor.holds.push_back({u"pool", handle, grant, true, 0, amounts});
    check_capacity();
  }
  // Neither what is linked nor what the living believe to have is ever more than there is.
  void check_capacity() {
    const core::Amounts linked = held_units(*world.arena, pool);
    core::Amounts believed{};
    for (const Actor& actor : actors) {
      if (gone(actor.id)) continue;
      for (const Hold& hold : actor.holds) {
        for (int d = 0; d < core::kDimensions; d++) believed[d] += hold.amounts[d];
      }
    }
    for (std::uint64_t d = 0; d < 2; d++) {
      CHECK(linked[d] <= pool_limit * (d + 1));
      CHECK(believed[d] <= pool_limit * (d + 1));
    }
  }
  // Of what this side knows.
  void admit(double count) {
    admitted_ += count;
    const double seconds = static_cast<double>(world.host.time - since_) / 1e9;
    CHECK(admitted_ <= rate_limit * seconds + burst_limit + refundable + 1e-6);
  }
  // All of it is there again, once, and its words are at rest.
  void verify_supplies(core::Member& fresh) {
    core::Arena& arena = *world.arena;
    check_books(arena, pool);
    check_capacity();
    const core::PoolRecord& record = core::Pool(arena, pool.index).record();
    for (int d = 0; d < core::kDimensions; d++) CHECK_EQUAL(record.used[d].get(), 0u);
    const core::PoolTerms& terms = core::Pool(arena, pool.index).terms();
    core::Amounts all{};
    for (int d = 0; d < 2; d++) all[d] = terms.capacity[d].get();
    CHECK_EQUAL(all[1], 2 * all[0]);  // they were changed together
    core::Granted granted, more;
    core::Request request = for_units(all, {.tier = 3});
    CHECK(fresh.try_units(request, granted) == core::Answer::kOk);
    request.amounts = amounts({1, 1});
    CHECK(fresh.try_units(request, more) == core::Answer::kBusy);
    check_books(arena, pool);
    CHECK(fresh.release_shared(granted.waiter, granted.sequence) == core::Answer::kOk);
    check_books(arena, pool);
    pass_time(10'000);
    core::Tokens out;
    for (const core::Handle& each : {bucket, above}) {
      // One who changes both paces may have died between.
      const double burst = std::min(core::Bucket(arena, each.index).pace().size, core::Bucket(arena, above.index).pace().size);
      CHECK(fresh.try_tokens(tokens(each, burst), out) == core::Answer::kOk);
      CHECK(fresh.try_tokens(tokens(each, 1), out) == core::Answer::kBusy);
      CHECK(out.ready > world.host.time);
      CHECK(!core::Bucket(arena, each.index).has_waiters());
      pass_time(10'000);
    }
    CHECK(!core::Fast::of(arena.element(pool.index).fast.load()).queued);
  }
  // They end, nobody writes one, and each can be written anew.
  void verify_plans(core::Member& fresh) {
    core::Arena& arena = *world.arena;
    expected_holds = 0;
    check_plans();
    pass_time(10'000);
    fresh.sweep_plans();
    CHECK_EQUAL(fresh.next_plan_end(), 0u);
    if (arena.header().plans.load() == 0) return;
    for (const core::PlanEntry& entry : arena.record<core::PlanTable>(arena.header().plans.load()).entries) {
      const core::PlanControl control = core::PlanControl::of(entry.control.load());
      CHECK_EQUAL(control.writer, 0u);
      CHECK(!control.live);
      CHECK_EQUAL(entry.blocked_since.load(), 0u);
    }
    for (std::uint32_t i = 0; i < core::kPlanWindow; i++) {
      core::Plan one = plan(core::PlanKind::kShare, pool.index, i % core::kTiers, 1'000);
      one.who = 200 + i;
      core::PlanId id{};
      CHECK(fresh.write_plan(one, id) == core::Written::kOk);
      one.until++;
      CHECK(fresh.write_plan(one, id) == core::Written::kOk);
    }
    pass_time(2'000);
    fresh.sweep_plans();
    CHECK_EQUAL(fresh.next_plan_end(), 0u);
  }
  bool gone(Id id) const { return id == 0 || core::LifeWord::of(world.arena->participant(id).life.load()).life != core::Life::kAlive; }

  void verify_table(core::Member& fresh) {
    core::Arena& arena = *world.arena;
    std::map<core::ElementIndex, int> reached;
    for (std::uint32_t bucket = 0; bucket < arena.layout().bucket_count; bucket++) {
      std::uint32_t steps = 0;
      for (std::uint32_t x = core::Link::target(arena.bucket(bucket).load()); x != 0;
           x = core::Link::target(arena.element(x - 1).link.load())) {
        CHECK(++steps <= arena.capacity().elements);
        reached[x - 1]++;
      }
    }
    std::vector<std::u16string> reachable;
    for (const auto& [index, times] : reached) {
      CHECK_EQUAL(times, 1);
      CHECK_EQUAL(core::Meta::state(arena.element(index).meta.load()), core::Meta::kLive);
      CHECK(!core::Link::marked(arena.element(index).link.load()));
      if (kind_of(index) != core::Kind::kLock) continue;
      const std::u16string name = core::Table::name_of(arena, index);
      CHECK(std::find(reachable.begin(), reachable.end(), name) == reachable.end());  // one element a name
      reachable.push_back(name);
      CHECK_EQUAL(look_up(fresh, name).index, index);
    }
  }

  core::Kind kind_of(core::ElementIndex index) const { return core::Meta::kind(world.arena->element(index).meta.load()); }
  // What is no lock stays, also what a dead maker left.
  std::uint32_t places_for_locks() const {
    std::uint32_t places = 0;
    for (core::ElementIndex index = 0; index < world.arena->capacity().elements; index++) places += kind_of(index) == core::Kind::kLock;
    return places;
  }

  void verify_elements() {
    for (core::ElementIndex index = 0; index < world.arena->capacity().elements; index++) {
      const core::Element& element = world.arena->element(index);
      const core::Fast fast = core::Fast::of(element.fast.load());
      const core::Gate gate = core::Gate::of(element.gate.load());
      const std::uint64_t state = core::Meta::state(element.meta.load());
      CHECK(state == core::Meta::kFree || state == core::Meta::kLive);
      CHECK_EQUAL(element.maker.load(), 0u);
      CHECK_EQUAL(gate.holder, 0u);
      if (kind_of(index) != core::Kind::kBucket) CHECK_EQUAL(fast.owner, 0u);
      for (const auto& head : element.heads) CHECK_EQUAL(head.load(), 0u);
      CHECK_EQUAL(element.holders.load(), 0u);
      if (state != core::Meta::kLive) continue;
      CHECK_EQUAL(gate.head, 0u);
      CHECK(!gate.poke);
      CHECK(!fast.queued || !in_use(index));
    }
  }
  // One whose recycling was begun by the dead opens its gate when it is next used or when the recycling hand comes by; one
  // that lost the race for its name, or whose maker died, is live without being in the table until then.
  bool in_use(core::ElementIndex index) const {
    const core::Arena& arena = *world.arena;
    const std::u16string name = core::Table::name_of(arena, index);
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) return false;
    const auto& bucket = arena.bucket(arena.element(index).hash[0].get());
    for (std::uint32_t x = core::Link::target(bucket.load()); x != 0; x = core::Link::target(arena.element(x - 1).link.load())) {
      if (x == index + 1) return true;
    }
    return false;
  }

  void verify_slots(const std::vector<Id>& dead) {
    std::map<Id, std::uint32_t> kept;
    for (core::SlotId id = 1; id <= world.arena->capacity().slots; id++) {
      if (supplied && core::SlotState::of(world.arena->slot(id).state.load()).status == core::Status::kExtension) {
        kept[world.arena->owner_of(id).participant]++;
        continue;
      }
      CHECK_EQUAL(static_cast<int>(core::SlotState::of(world.arena->slot(id).state.load()).status), static_cast<int>(core::Status::kFree));
    }
    // What a request is for has a place beside its slot, which stays there until the two are parted.
    for (const auto& [id, count] : kept) {
      CHECK(!gone(id));
      // Whoever looks on from outside of the cast has asked for things too.
      CHECK(id > kActors || count <= actors[id].member->slots_with_wants());
    }
    for (std::uint32_t chunk = 0; chunk < world.arena->layout().chunk_count; chunk++) {
      const Id owner = core::ChunkOwner::of(world.arena->chunk_owner(chunk).load()).participant;
      CHECK(owner == 0 || std::find(dead.begin(), dead.end(), owner) == dead.end());
    }
  }

  void verify_participants(const std::vector<Id>& dead) {
    for (Id id = 1; id <= kActors; id++) {
      if (std::find(dead.begin(), dead.end(), id) != dead.end()) continue;
      CHECK_EQUAL(actors[id].member->waiting(), 0u);
      CHECK_EQUAL(world.arena->held(id)[0].load(), 0u);
      CHECK_EQUAL(world.arena->participant(id).hint[0].load(), 0u);
      CHECK_EQUAL(world.arena->participant(id).hint[1].load(), 0u);
      CHECK(!actors[id].lost || actors[id].revoked);  // what was taken was told
    }
  }

  // Whatever is published is whole, and those who observe are counted.
  void verify_telemetry() {
    std::uint32_t observing = 0;
    for (Id id = 1; id <= world.arena->capacity().participants; id++) {
      if (world.arena->is_alive(id) && world.arena->participant(id).observes.load() != 0) observing++;
      for (const core::Thread thread : {core::Thread::kScript, core::Thread::kWaker}) {
        const core::RecordRing ring(*world.arena, id, thread);
        CHECK(ring.claim() >= ring.head());
        for (std::uint64_t n = ring.intact_from(); n < ring.head(); n++) verify_record(ring, n);
      }
      verify_notes(core::NoteRing(*world.arena, id));
    }
    CHECK_EQUAL(core::observers(*world.arena), observing);
  }
  void verify_record(const core::RecordRing& ring, std::uint64_t number) {
    std::uint64_t words[core::kRecordWords];
    ring.copy(number, words);
    core::Record record;
    std::memcpy(&record, words, sizeof record);
    CHECK(record.event >= core::Event::kRequest && record.event <= core::Event::kPlan);
    CHECK(record.time >= 1'000'000'000 && record.time <= world.host.time);
    CHECK(record.element < world.arena->capacity().elements);
    CHECK(record.participant >= 1 && record.participant <= kNewcomer);
    CHECK(record.names.workflow == record.names.client && record.names.tenant == record.names.client);
    CHECK(record.amount == 1);
    CHECK(record.held <= record.time && record.waited <= record.time);
  }
  void verify_notes(const core::NoteRing& ring) {
    for (std::uint64_t at = ring.tail(); at < ring.head();) {
      const core::NoteHead note = ring.head_at(at);
      CHECK(note.length <= 64 && note.length == note.kind);
      unsigned char bytes[64];
      ring.copy(at, note.length, bytes);
      for (std::uint32_t i = 0; i < note.length; i++) CHECK(bytes[i] == static_cast<unsigned char>(note.kind));
      at += core::NoteRing::words_for(note.length);
    }
  }

  // The whole capacity can be used: elements, and text for names.
  void verify_room(core::Member& fresh) {
    std::vector<std::pair<core::Handle, core::Granted>> held;
    for (std::uint32_t i = 0, places = places_for_locks(); i < places; i++) {
      const core::Handle handle = look_up(fresh, u"room" + std::u16string(1, static_cast<char16_t>(u'a' + i)));
      core::Request request;
      request.handle = handle;
      core::Granted granted;
      CHECK(fresh.lock(request, granted) == core::Answer::kOk);
      held.emplace_back(handle, granted);
    }
    for (const auto& [handle, granted] : held) CHECK(fresh.release(handle.index, granted.sequence) == core::Answer::kOk);
    for (const std::u16string& name : names_) {
      const core::Handle found = look_up(fresh, name);
      core::Request request;
      request.handle = found;
      core::Granted granted;
      CHECK(fresh.lock(request, granted) == core::Answer::kOk);
      CHECK(world.arena->element(found.index).base.load() + granted.sequence > last_exclusive_[name]);
      CHECK(fresh.release(found.index, granted.sequence) == core::Answer::kOk);
    }
    look_up(fresh, std::u16string(world.arena->capacity().texts * core::Text::kBytes, u't'));
  }

  core::Nanos since_ = 0;
  double admitted_ = 0;
  std::vector<std::u16string> names_;
  std::map<std::u16string, std::uint64_t> last_exclusive_, last_shared_, seen_;
};

}  // namespace forelock::test
