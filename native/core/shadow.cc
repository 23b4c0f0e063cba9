#include "core/shadow.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "core/hash.h"
#include "core/moment.h"

namespace forelock::core {

namespace {

constexpr int kTries = 6;  // two in a row must agree: an element that changes in all of them is busy, and so is what it says

// One reading of an element: what it says, and the words that say it.
class Reading {
 public:
  Reading(const Arena& arena, Kind kind, Handle handle, Nanos now)
      : arena_(arena), element_(arena.element(handle.index)), kind_(kind), handle_(handle), now_(now) {}

  // False: the element is another by now.
  bool run() {
    if (!same(note(element_.meta.load(memory_order_acquire)))) return false;
    const std::uint64_t fast = note(element_.fast.load(memory_order_acquire));
    view.handle = handle_;
    if (kind_ == Kind::kLock) owner(Fast::of(fast));
    if (kind_ != Kind::kBucket) walk(element_.holders, [&](SlotId id) { return holder(id); });
    for (std::uint32_t tier = 0; tier < kTiers; tier++) {
      walk(element_.heads[tier], [&](SlotId id) { return waiter(id, tier, Fast::of(fast)); });
    }
    inbox();
    note(element_.fast.load(memory_order_acquire));
    return same(note(element_.meta.load(memory_order_acquire)));
  }

  ShadowView view;
  std::vector<std::uint64_t> words;
  bool odd = false;  // a slot stood where it does not belong: it moved while it was read, or the arena is damaged

 private:
  std::uint64_t note(std::uint64_t word) {
    words.push_back(word);
    return word;
  }
  bool same(std::uint64_t meta) const {
    return Meta::generation(meta) == handle_.generation && Meta::kind(meta) == kind_ && Meta::state(meta) == Meta::kLive;
  }

  template <typename Visitor>
  void walk(const atomic<std::uint32_t>& head, Visitor visitor) {
    SlotId x = static_cast<SlotId>(note(head.load(memory_order_acquire)));
    while (x != 0) {
      if (++steps_ > arena_.walk_bound()) throw Corrupt("slot list");
      if (!visitor(x)) {
        odd = true;
        return;
      }
      x = static_cast<SlotId>(note(arena_.slot(x).next.load(memory_order_acquire)));
    }
  }

  // Behind no slot that was ever used there need be memory.
  const Slot& slot_of(SlotId id) const {
    const Slot& slot = arena_.slot(id);
    if (!arena_.is_backed(arena_.layout().slots + sizeof(Slot) * (id - 1), sizeof(Slot))) throw Corrupt("a slot that was never used");
    return slot;
  }

  // The chain runs from newest to oldest, and ends at the first that was put into a list.
  void inbox() {
    std::vector<std::pair<std::uint32_t, ShadowParty>> newest_first;
    SlotId x = Gate::of(note(element_.gate.load(memory_order_acquire))).head;
    while (x != 0 && x != Gate::kClosed) {
      if (++steps_ > arena_.walk_bound()) throw Corrupt("inbox chain");
      const Slot& slot = slot_of(x);
      const SlotState state = SlotState::of(note(slot.state.load(memory_order_acquire)));
      if (state.status != Status::kPrepared && state.status != Status::kAbortedInInbox) break;
      if (slot.element.peek() != handle_.index) {
        odd = true;
        return;
      }
      const bool listed = std::find(listed_.begin(), listed_.end(), x) != listed_.end();
      if (state.status == Status::kPrepared && !listed && !arena_.is_dead(arena_.owner_of(x))) {
        newest_first.emplace_back(slot.flags.peek() & SlotFlag::kTierMask, describe(x, slot));
      }
      x = static_cast<SlotId>(note(slot.link.load(memory_order_acquire)));
    }
    for (auto at = newest_first.rbegin(); at != newest_first.rend(); ++at) stand(at->first, std::move(at->second), at->second.steal);
  }

  // The places of those that steal, or keep an earlier arrival, are made when they come in: as GateKeeper::enlist().
  void stand(std::uint32_t tier, ShadowParty party, bool steal) {
    auto& list = view.waiters[tier];
    auto place = list.end();
    // Nearly all belong at the end, so that is where the search begins: a long inbox is not looked through for each of its own.
    while (place != list.begin() && !(place - 1)->steal && (steal || (party.since < (place - 1)->since && party.since < now_))) --place;
    list.insert(place, std::move(party));
  }

  void owner(Fast fast) {
    if (fast.owner == 0) return;
    if (fast.owner > arena_.capacity().participants) throw Corrupt("a lock is held by nobody");
    ShadowParty party;
    if (!identify(fast.owner, party)) return;
    const auto since = static_cast<std::uint32_t>(note(element_.since.load(memory_order_acquire)));
    const auto ttl = static_cast<std::uint32_t>(note(element_.ttl.load(memory_order_acquire)));
    party.tier = since >> 30;
    party.since = now_ - std::min(now_, held_for(arena_.header(), now_, since));
    party.until = ttl == 0 || !fast.queued ? 0 : at_ms(ttl);
    view.holders.push_back(party);
  }

  // 32 bits of ms since the epoch, compared by difference.
  Nanos at_ms(std::uint32_t ms) const {
    const auto left = static_cast<std::int32_t>(ms - ms_floor(arena_.header(), now_));
    return left > 0 ? now_ + static_cast<Nanos>(left) * kNanosPerMilli : std::max<Nanos>(now_, 1);
  }

  bool holder(SlotId id) {
    const Slot& slot = slot_of(id);
    const SlotState state = SlotState::of(note(slot.state.load(memory_order_acquire)));
    if (slot.element.peek() != handle_.index) return false;
    if (state.status != Status::kHeld && state.status != Status::kReady && state.status != Status::kOffered) {
      return state.status == Status::kReleased || state.status == Status::kRevoked || state.status == Status::kAbandoned;
    }
    if (arena_.is_dead(arena_.owner_of(id))) return true;
    ShadowParty party = describe(id, slot);
    const Nanos deadline = note(slot.deadline.peek());
    const Nanos arrival = party.since;
    if (kind_ == Kind::kPool) {
      party.since = deadline >= arrival && deadline <= now_ ? deadline : arrival;
      party.until = 0;
    } else if (party.ttl_ms != 0 && deadline != 0) {
      party.until = deadline;
      party.since = deadline - std::min(deadline, party.ttl_ms * kNanosPerMilli);
    } else {
      party.since_is_exact = false;
    }
    view.holders.push_back(party);
    return slot.state.load(memory_order_acquire) == state.word();
  }

  bool waiter(SlotId id, std::uint32_t tier, Fast fast) {
    const Slot& slot = slot_of(id);
    const SlotState state = SlotState::of(note(slot.state.load(memory_order_acquire)));
    if (slot.element.peek() != handle_.index) return false;
    if (state.status != Status::kQueued && state.status != Status::kOffered && state.status != Status::kPrepared) {
      return state.status == Status::kAbortedInQueue || state.status == Status::kAbortedInInbox || state.status == Status::kAbandoned ||
             state.status == Status::kReady;
    }
    if (state.status == Status::kPrepared) listed_.push_back(id);  // it is in the inbox still
    const ChunkOwner owner = arena_.owner_of(id);
    if (arena_.is_dead(owner)) return true;
    ShadowParty party = describe(id, slot);
    // The hand-off to it is decided: it is the owner, and was seen as that.
    if (state.status == Status::kOffered && !party.shared && fast.owner == owner.participant &&
        static_cast<std::uint32_t>(fast.sequence) == state.sequence) {
      return true;
    }
    if (party.until != 0 && party.until <= now_) return true;
    view.waiters[tier].push_back(party);
    return slot.state.load(memory_order_acquire) == state.word();
  }

  ShadowParty describe(SlotId id, const Slot& slot) {
    ShadowParty party;
    const auto flags = static_cast<std::uint32_t>(note(slot.flags.peek() & ~SlotFlag::kHeldBack));
    const ChunkOwner owner = arena_.owner_of(id);
    party.participant = owner.participant;
    party.incarnation = owner.incarnation;
    party.tier = flags & SlotFlag::kTierMask;
    party.shared = (flags & SlotFlag::kShared) != 0 && kind_ == Kind::kLock;
    party.steal = (flags & SlotFlag::kSteal) != 0;
    party.revocable = (flags & SlotFlag::kRevocable) != 0;
    party.recalled = (slot.wish.load(memory_order_acquire) & Wish::kRecalled) != 0;
    party.since = note(slot.arrival.peek());
    party.until = note(slot.deadline.peek());
    party.ttl_ms = slot.ttl.peek();
    party.hold_ms = flags >> SlotFlag::kHoldShift;
    if (kind_ == Kind::kLock) {
      party.workflow = slot.element_generation.peek();
      return party;
    }
    const auto wanted = static_cast<SlotId>(note(slot.enclosing.peek()));
    if (wanted == 0) {
      odd = true;
      return party;
    }
    slot_of(wanted);
    const Wants& wants = arena_.wants(wanted);
    party.tenant = wants.tenant.peek();
    party.workflow = wants.workflow.peek();
    for (int d = 0; d < kDimensions; d++) party.amounts[d] = std::min<std::uint64_t>(note(wants.amounts[d].peek()), kMostUnits);
    if (kind_ == Kind::kBucket) party.tokens = std::bit_cast<double>(wants.amounts[0].peek());
    return party;
  }

  // False: it is dead, and what it has is anybody's.
  bool identify(ParticipantId id, ShadowParty& party) {
    const LifeWord life = LifeWord::of(note(arena_.participant(id).life.load(memory_order_acquire)));
    party.participant = id;
    party.incarnation = life.incarnation;
    return life.life != Life::kDead;
  }

  const Arena& arena_;
  const Element& element_;
  const Kind kind_;
  const Handle handle_;
  const Nanos now_;
  std::uint32_t steps_ = 0;
  std::vector<SlotId> listed_;
};

}  // namespace

// As Table::find, which unlinks what is going on its way.
bool find_element(const Arena& arena, Kind kind, const char16_t* name, std::size_t length, Handle& out) {
  if (length > kNameMaxUnits) return false;
  const Hash hash = hash_name(arena.header().seed, static_cast<std::uint32_t>(kind), name, length);
  const std::uint32_t backed = std::min(arena.header().backed_elements.load(memory_order_acquire), arena.capacity().elements);
  std::uint64_t steps = 0;
  constexpr std::uint64_t kChains = 1024;  // restarts, each after a change by somebody else
  for (std::uint64_t chain = 0; chain < kChains; chain++) {
    const atomic<std::uint64_t>* link = &arena.bucket(hash.low);
    std::uint64_t word = link->load(memory_order_acquire);
    bool again = false;
    std::uint32_t of_this = 0;
    while (!again) {
      const std::uint32_t target = Link::target(word);
      if (target == 0) return false;
      if (target > backed && target > arena.header().backed_elements.load(memory_order_acquire)) throw Corrupt("hash chain");
      if (++of_this > arena.capacity().elements || ++steps > 16ull * arena.capacity().elements) throw Corrupt("hash chain");
      const Element& element = arena.element(target - 1);
      const std::uint64_t next = element.link.load(memory_order_acquire);
      const std::uint64_t meta = element.meta.load(memory_order_acquire);
      const bool same = element.hash[0].peek() == hash.low && element.hash[1].peek() == hash.high;
      const bool going = Link::marked(next) || Gate::of(element.gate.load(memory_order_acquire)).head == Gate::kClosed;
      if (link->load(memory_order_acquire) != word) {
        again = true;
      } else if (same && !going) {
        out = {target - 1, Meta::generation(meta)};
        return Meta::kind(meta) == kind;
      } else {
        link = &element.link;
        word = next;
      }
    }
  }
  throw Corrupt("a hash chain never comes to rest");
}

bool look(const Arena& arena, Kind kind, Handle handle, Nanos now, ShadowView& out) {
  std::vector<std::uint64_t> before;
  for (int attempt = 0; attempt < kTries; attempt++) {
    Reading reading(arena, kind, handle, now);
    if (!reading.run()) return false;
    const bool stands = attempt != 0 && reading.words == before;
    if (stands && reading.odd) throw Corrupt("a slot is linked to another element");
    if (stands || attempt + 1 == kTries) {
      out = std::move(reading.view);
      out.consistent = stands;
      return true;
    }
    before = std::move(reading.words);
  }
  return false;
}

std::vector<Standing> order_of(const ShadowView& view, std::uint64_t ageing) {
  const std::uint64_t step = ageing != 0 ? ageing : kNever;
  std::array<std::uint32_t, kTiers> place{};
  std::vector<Standing> order;
  for (;;) {
    std::uint32_t best = kTiers;
    std::uint64_t best_key = 0;
    for (std::uint32_t tier = 0; tier < kTiers; tier++) {
      if (place[tier] == view.waiters[tier].size()) continue;
      const ShadowParty& first = view.waiters[tier][place[tier]];
      const std::uint64_t key = first.steal ? 0 : first.since + (kTiers - 1 - tier) * step;
      if (best != kTiers && key >= best_key) continue;
      best = tier;
      best_key = key;
    }
    if (best == kTiers) return order;
    order.push_back({best, place[best]++});
  }
}

// ---- tokens ----------------------------------------------------------------------------------------------------------

namespace {

// A bucket and those above it, as they will be.
class Levels {
 public:
  Levels(Arena& arena, ElementIndex index, Nanos now) : epoch_(arena.header().epoch) {
    ElementIndex at = index;
    for (std::uint32_t depth = 0;; depth++) {
      if (depth == kBucketDepth || !Bucket::is(arena, at)) throw Corrupt("a bucket above itself");
      const Bucket bucket(arena, at);
      Level level{bucket, {}, 0, 0};
      level.tat = Tat::time(bucket.state(level.pace));
      level.reserve = static_cast<double>(bucket.reserved(now));
      levels_.push_back(level);
      if (bucket.parent() == 0) return;
      at = bucket.parent() - 1;
    }
  }

  std::uint64_t remaining(Nanos now) const {
    const Level& own = levels_.front();
    return left(own.pace, own.tat, own.pace.units(since(now))) >> own.pace.k;
  }
  bool possible(double tokens) const {
    return std::all_of(levels_.begin(), levels_.end(), [&](const Level& level) {
      const std::uint64_t amount = level.pace.units_of(tokens);
      return amount != 0 && amount <= level.pace.burst;
    });
  }
  // From when on all of them have it, if nobody else comes.
  Nanos ready(double tokens, Who who, Nanos from) const {
    Nanos latest = from;
    for (const Level& level : levels_) {
      const std::uint64_t amount = needed(level, tokens, who, from);
      if (amount == 0) continue;
      latest = std::max(latest, level.bucket.ready_of(level.pace, level.tat, amount, from, who));
    }
    return latest;
  }
  void take(double tokens, Who who, Nanos at) {
    for (Level& level : levels_) {
      const std::uint64_t amount = needed(level, tokens, who, at);
      level.reserve -= level.bucket.drawable(tokens, level.reserve, at, who);
      if (amount == 0) continue;
      const std::uint64_t now = level.pace.units(since(at));
      level.tat = std::max(level.tat, now) + amount;
    }
  }

 private:
  struct Level {
    Bucket bucket;
    Pace pace;
    std::uint64_t tat;
    double reserve;
  };
  Nanos since(Nanos at) const { return at > epoch_ ? at - epoch_ : 0; }
  static std::uint64_t needed(const Level& level, double tokens, Who who, Nanos at) {
    const double drawn = level.bucket.drawable(tokens, level.reserve, at, who);
    return drawn >= tokens ? 0 : level.pace.units_of(tokens - drawn);
  }

  const Nanos epoch_;
  std::vector<Level> levels_;
};

// When each of them is served, in this order; 0: its wait ends before. One that has not come yet does not stand in the way of those who
// are served before it comes.
class Line {
 public:
  Line(Levels levels, Nanos now) : levels_(std::move(levels)), at_(now) {}

  Nanos serve(const ShadowParty& party) {
    if (!levels_.possible(party.tokens)) return 0;
    const Nanos ready = ready_for(party);
    if (party.until != 0 && ready >= party.until) {
      at_ = std::max(at_, party.until);  // until then it stands in front of those behind it
      return 0;
    }
    at_ = ready;
    levels_.take(party.tokens, who(party), at_);
    return at_;
  }
  bool is_served_before(const ShadowParty& party, Nanos time) const {
    if (!levels_.possible(party.tokens)) return true;
    const Nanos ready = ready_for(party);
    return party.until != 0 && ready >= party.until ? party.until <= time : ready <= time;
  }

 private:
  static Who who(const ShadowParty& party) { return {party.workflow, party.tenant, party.tier, party.since}; }
  Nanos ready_for(const ShadowParty& party) const { return levels_.ready(party.tokens, who(party), std::max(at_, party.since)); }

  Levels levels_;
  Nanos at_;
};

}  // namespace

ShadowTokens foresee_tokens(Arena& arena, const ShadowView& view, double tokens, std::uint32_t tier, Who who, Nanos now, Nanos comes) {
  const Levels levels(arena, view.handle.index, now);
  ShadowTokens out;
  out.possible = levels.possible(tokens);
  out.remaining = levels.remaining(now);
  ShadowView joined = view;
  ShadowParty own;
  own.tier = tier;
  own.since = std::max(now, comes);
  own.tokens = tokens;
  own.workflow = who.workflow;
  own.tenant = who.tenant;
  const auto place = static_cast<std::uint32_t>(joined.waiters[tier].size());
  joined.waiters[tier].push_back(own);
  Line without(levels, now), with(levels, now);
  std::optional<Nanos> ready;
  bool its_turn = false;  // all that is left stands behind it, or it has been served
  for (const Standing& one : order_of(joined, arena.header().ageing.load(memory_order_relaxed))) {
    if (one.tier == tier && one.place == place) {
      its_turn = true;
      continue;
    }
    const ShadowParty& party = joined.waiters[one.tier][one.place];
    if (its_turn && !ready && !with.is_served_before(party, own.since)) ready = with.serve(own);
    out.waiters.push_back({one, !ready, without.serve(party), with.serve(party)});
  }
  out.ready = ready ? *ready : with.serve(own);
  return out;
}

}  // namespace forelock::core
