// One environment in an arena: its requests. Everything here runs on the environment's script thread; the waker thread
// has a lane of its own and only visits gates (sweep.h). What is not in the arena is bookkeeping that dies with the process.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/moment.h"
#include "core/queue.h"
#include "core/table.h"
#include "core/telemetry.h"

namespace forelock::core {

using QueueId = std::uint32_t;  // a queue that this member uses, counted from 0

enum class Answer {
  kOk,
  kBusy,
  kStale,  // the element was recycled
  kWait,
  kLost,
  kNoSlots,
  kOutOfMemory,
  kBadArgument,
  kNever,  // more than there will ever be
};

struct EnclosingGrant {
  ElementIndex element;
  std::uint64_t sequence;
  WaiterId waiter;  // of a shared grant, else kNoWaiter
};

struct Request {
  Handle handle;
  std::uint32_t tier = 0;
  bool shared = false;
  bool steal = false;
  std::uint32_t ttl = 0;  // ms, 0 none
  Nanos deadline = 0;     // 0 none
  Nanos arrival = 0;      // 0: now
  const EnclosingGrant* enclosing = nullptr;
  std::uint32_t enclosing_count = 0;
  std::uint32_t workflow = 0;  // id of a name, 0 none
  std::uint32_t hold = 0;      // ms, as its owner expects; 0 unknown
  // Of buckets and pools only.
  Kind kind = Kind::kLock;
  Amounts amounts{};  // of a bucket: the first, a double's bits
  std::uint32_t tenant = 0;
  bool revocable = false;
};

struct Granted {
  std::uint64_t sequence = 0;   // of tokens: how many more could be taken
  WaiterId waiter = kNoWaiter;  // of a shared grant, or of the wait
  bool owner_died = false;
};

enum class Outcome : std::uint32_t { kGranted = 0, kTimedOut = 1, kDeadlock = 2, kCorrupt = 3, kRetired = 4, kNever = 5 };

struct Settled {
  WaiterId waiter;
  Outcome outcome;
  Granted grant;  // its waiter is kNoWaiter for an exclusive grant
};

enum class Attached { kOk, kNoElements, kNoNames, kNameTooLong, kOutOfMemory, kNoHeap, kConfig };

// A record in hand. The bytes stay as they are until it is acknowledged or given back.
struct Item {
  const unsigned char* bytes;
  std::uint32_t length;
  std::uint32_t tier;
  std::uint32_t attempt;  // 1 the first time it is delivered
};

class Member {
 public:
  Member(Arena& arena, ParticipantId participant, std::uint32_t incarnation);

  Found lookup(Kind kind, const char16_t* name, std::size_t length, Handle& out) { return Table(lane_).lookup(kind, name, length, out); }

  // The time of a grant, for try_fast() and pass(): it only tells how old the grant is, so it may lag by the coarse clock's tick while
  // nobody observes.
  Nanos instant() { return telemetry_.on() ? arena_.host().ticks() : arena_.host().coarse_now(); }

  // The lock without waiting, one CAS. kBusy says only that this path is shut. Of the request `workflow` and `hold` matter to plans only.
  Answer try_fast(Handle handle, std::uint32_t tier, Nanos coarse, Granted& out, std::uint32_t workflow = 0, std::uint32_t hold = 0);
  // The lock without waiting by whatever path. kBusy may be said while a waiter or a hand-off is in flight.
  Answer try_lock(const Request& request, Granted& out) {
    const Answer answer = attempt(request, out);
    if (answer == Answer::kBusy) telemetry_.refused(request.handle, request.tier, Ending::kBusy, 1, request.shared);
    return answer;
  }
  // The lock, or a place in the queue (kWait).
  Answer lock(const Request& request, Granted& out);

  // Whether a grant that was taken holds the lock exclusively for this participant, and nobody waits for it or is to look at it. A grant
  // that was made and not taken yet does not count: it may be given back, or be taken back, unnoticed. It is announced before the
  // queued bit is cleared, so with that bit clear (f1) it shows here.
  bool holds_alone(ElementIndex index) const {
    const Fast fast = Fast::of(arena_.element(index).fast.load(memory_order_acquire));
    if (fast.owner != participant_ || fast.queued || is_planned(index)) return false;
    return arena_.participant(participant_).wake.load(memory_order_acquire) == 0 && pending_.empty() && lane_.own_served.empty();
  }
  // Ends an exclusive grant of ours and begins our next in one CAS, so that nobody can come between. kBusy: somebody waits, or the
  // lock is to be looked at, and it must be released.
  Answer pass(ElementIndex index, std::uint64_t sequence, std::uint32_t tier, Nanos coarse, Granted& out);

  // Tokens without waiting. kBusy: `out` says when to come again. kNever: more than a burst.
  Answer try_tokens(const Request& request, Tokens& out) { return try_tokens(request, spend(request, out), out); }
  // In two steps, of which the first needs no request: what it answers and shows goes into the second. Where that would only say kOk and
  // nobody observes, it can be left out.
  Spent spend(const Request& request, Tokens& out) {
    lane_.refresh();
    return spend_then(request, out);
  }
  // In the same moment as what this lane did last.
  Spent spend_then(const Request& request, Tokens& out);
  // The same where there is nothing else to decide: how many are left, or Bucket::kNotAtOnce where that is not so, or they are not there,
  // and nothing was done.
  [[gnu::always_inline]] std::uint64_t spend_at_once(ElementIndex index, double tokens, Nanos now) {
    return Bucket(arena_, index).take_at_once(tokens, now);
  }
  Answer try_tokens(const Request& request, Spent spent, Tokens& out);
  // Tokens, or a place in the queue (kWait).
  Answer tokens(const Request& request, Granted& out);
  void give_back_tokens(ElementIndex index, double tokens);
  // Under the gate. kBusy: somebody stays inside.
  Answer change_pace(ElementIndex index, const Pace& pace);
  Answer change_pool(ElementIndex index, const PoolTerms& terms);

  // Plans: written, taken back, and the ended ones swept; whoever they concern is looked at at once.
  Written write_plan(const Plan& plan, PlanId& out);
  bool withdraw_plan(PlanId id);
  void sweep_plans();
  // When the next of them ends, after now; 0: none does.
  Nanos next_plan_end() { return look_at_plans(arena_.host().now()).next_end; }

  // Units without waiting, or a place in the queue. kBusy may also be said while somebody stays inside the gate.
  Answer try_units(const Request& request, Granted& out) { return try_units(request, arena_.host().coarse_now(), out); }
  // The same, granted at a time that is known.
  Answer try_units(const Request& request, Nanos coarse, Granted& out);
  Answer units(const Request& request, Granted& out);
  // Less than a grant had, at once. Nothing where it is not less.
  Answer shrink(WaiterId waiter, std::uint64_t sequence, const Amounts& amounts);
  bool is_recalled(WaiterId waiter, std::uint64_t sequence) const;

  // One CAS, where nobody waits or is to be told; false says only that this path is shut.
  bool release_fast(ElementIndex index, std::uint64_t sequence);
  Answer release(ElementIndex index, std::uint64_t sequence);
  Answer release_shared(WaiterId waiter, std::uint64_t sequence);
  bool holds(ElementIndex index, std::uint64_t sequence) const;
  bool holds_shared(WaiterId waiter, std::uint64_t sequence) const;

  // Ends a wait. A grant on its way is handed on.
  Answer abort(WaiterId waiter);
  Answer upgrade(WaiterId waiter, std::uint32_t tier);
  // Ends a wait with an outcome of its own (deadlock), if it still waits in that generation.
  bool refuse(WaiterId waiter, std::uint32_t generation, Outcome outcome);
  // Ends all waits without touching the arena: it is damaged, or gone.
  void fail_all(Outcome outcome);

  // ---- queues: core/member_queue.cc

  // Finds the queue of this name or makes it. Zeros in `wanted` stand for what it has, or else for the defaults; kConfig: it has
  // something else, told in `stored`.
  Attached attach(const char16_t* name, std::size_t length, QueueConfig wanted, QueueId& out, QueueConfig& stored);
  bool uses(QueueId id) const { return id < queues_.size(); }
  const Queue& queue(QueueId id) const { return queues_[id]; }

  // Adds a record. kBusy: there is no room, or producers wait for it.
  Answer offer(QueueId id, std::uint32_t tier, const void* bytes, std::uint32_t length);
  // Takes the first record. kBusy: there is none, or consumers wait.
  Answer poll(QueueId id, Granted& out);
  // The same, and what it is.
  Answer poll(QueueId id, Granted& out, Item& item);
  // A record, or a place in the queue of those who wait for one. What is granted is in hand, by the sequence of the grant.
  Answer wait_for_item(QueueId id, const Request& request, Granted& out);
  // A free cell in hand, or a place among those who wait for one. It is to be filled, or given back.
  Answer wait_for_room(QueueId id, const Request& request, Granted& out);
  Answer fill(QueueId id, std::uint64_t sequence, std::uint32_t tier, const void* bytes, std::uint32_t length);
  // False when it is not in hand any more.
  bool look(QueueId id, std::uint64_t sequence, Item& out) const;
  Answer acknowledge(QueueId id, std::uint64_t sequence);
  Answer put_back(QueueId id, std::uint64_t sequence);

  // Waits that ended, oldest first. Call while lane().own_wake, and after each ring.
  void collect();
  bool has_settled() const { return settled_at_ < settled_.size(); }
  const Settled& next_settled() { return settled_[settled_at_++]; }
  // True once after a grant of ours may have been taken from us.
  bool take_revoked();
  bool has_revoked() const { return revoked_; }

  // Deadlines of waits and of grants with a ttl.
  Nanos next_deadline();
  void expire();
  // Waits enclosed by a grant inherit the highest tier that waits for it.
  void inherit_tiers();

  // All that is left when the environment goes: locks are passed on as its death would pass them, waits end.
  void abandon_all();

  std::uint32_t waiting() const { return waiting_; }
  std::uint32_t slots_in_use() const { return static_cast<std::uint32_t>(local_.size() - free_.size() - 2 * pairs_.size()); }
  // Slots that have one beside them for what is wanted, in use or not.
  std::uint32_t slots_with_wants() const {
    return static_cast<std::uint32_t>(std::count_if(local_.begin(), local_.end(), [](const Local& local) { return local.wants != 0; }));
  }
  std::uint32_t incarnation() const { return incarnation_; }
  Lane& lane() { return lane_; }
  Telemetry& telemetry() { return telemetry_; }
  // Elements whose visit was cut short by its limit of grants: the waker thread goes on with them.
  std::vector<ElementIndex> take_leftovers() { return std::exchange(leftovers_, {}); }
  bool has_leftovers() const { return !leftovers_.empty(); }
  // The same at once, where there is no hurry: in virtual time, of which what comes must not depend on when another thread runs.
  void serve_leftovers();
  template <typename Visitor>
  void for_each_waiting(Visitor visitor) const {
    for (WaiterId id = 0; id < local_.size(); id++) {
      if (local_[id].use == Use::kWaiting) visitor(id, slot_of(id));
    }
  }
  SlotId slot_of(WaiterId waiter) const { return chunks_[waiter / kChunkSlots] * kChunkSlots + waiter % kChunkSlots + 1; }
  WaiterId waiter_of(SlotId slot) const;

 private:
  enum class Use : std::uint8_t { kFree, kWaiting, kHolding, kGoing, kExtension };
  struct Local {
    Use use = Use::kFree;
    bool pending = false;  // in pending_
    bool popped = false;   // was on the wake list and is off it: it will not be linked there again in this use
    bool owed = false;     // the caller was told to wait, and not yet how that ended: whatever the arena says, it will be
    std::uint32_t generation = 0;
    SlotId wants = 0;  // the slot that goes with it, of a request at a bucket or a pool
    std::uint64_t sequence = 0;
  };
  struct Deadline {
    Nanos at;
    WaiterId waiter;           // that waits, or of a shared grant
    std::uint32_t generation;  // of the wait
    ElementIndex element;      // of a ttl
    std::uint64_t sequence;    // of the grant that a ttl ends; 0: the deadline of a wait
    bool operator<(const Deadline& other) const { return at > other.at; }
  };

  void hold_bit(ElementIndex index) {
    auto& word = held_[index / 64];
    word.store(word.load(memory_order_relaxed) | (1ull << (index % 64)), memory_order_release);
  }
  void drop_bit(ElementIndex index) {
    auto& word = held_[index / 64];
    word.store(word.load(memory_order_relaxed) & ~(1ull << (index % 64)), memory_order_release);
  }
  bool current(const Element& element, std::uint32_t generation) const {
    const std::uint64_t meta = element.meta.load(memory_order_acquire);
    return Meta::generation(meta) == generation && Meta::state(meta) != Meta::kFree;
  }

  bool is_planned(ElementIndex index) const {
    return (arena_.element(index).meta.load(memory_order_acquire) & Meta::kPlanned) != 0;  // (p6)
  }
  // A hold keeps back lower tiers, and ends when whom it is for has come: neither is decided here.
  bool passes_holds(std::uint64_t meta, ElementIndex index, std::uint32_t tier, std::uint32_t workflow, std::uint32_t hold);
  bool in_hand(const Queue& queue, std::uint64_t sequence, CellStatus status, Queue::Seen& out) const;
  void written(const Queue& queue, const Queue::Seen& seen, std::uint32_t tier, const void* bytes, std::uint32_t length);
  Item item_in(const Queue& queue, std::uint32_t index) const;
  void give_on(const Queue& queue);
  bool take_cell(WaiterId waiter, Granted& out);
  void return_cell(ElementIndex index, std::uint64_t sequence);
  bool let_pass(ElementIndex index);

  Visit visit(ElementIndex index, bool poke, SlotId mine = 0);
  Answer attempt(const Request& request, Granted& out);
  Answer enqueue(const Request& request, WaiterId& out);
  void prepare(const Request& request, WaiterId waiter, SlotId enclosing, Nanos now);
  Answer units_at_once(const Request& request, Nanos coarse, Granted& out);
  static constexpr std::size_t kPairs = 2 * kChunkSlots;
  static constexpr std::uint64_t kAtOnce = 1ull << (Fast::kOwnerShift - 1);
  Answer push(Element& element, SlotId id, Slot& slot);
  void end_wait(WaiterId waiter);
  void give_up(WaiterId waiter);
  Answer give_back(ElementIndex index, std::uint64_t sequence, bool through_gate);
  bool matters(const Deadline& deadline) const;
  bool take(WaiterId waiter, Granted& out);
  // Of one that is ready: what is ready is the answer that it will never be granted.
  bool is_refused(WaiterId waiter) const { return (arena_.slot(slot_of(waiter)).flags.get() & SlotFlag::kRefused) != 0; }
  Nanos end_of_grant(const Slot& slot, const Element& element, bool shared);
  void settle(WaiterId waiter, Outcome outcome, const Granted& grant);
  void deliver(WaiterId waiter);
  void empty_wake_list();
  void rescan();
  bool valid(WaiterId waiter, Use use) const { return waiter < local_.size() && local_[waiter].use == use; }

  Answer take_slot(WaiterId& out);
  void retire_slot(WaiterId waiter);
  void retire_units(WaiterId waiter, const Slot& slot);
  void free_extensions(SlotId first);
  Answer store_enclosing(const Request& request, SlotId& first);
  Answer take_slot_within(const Request& request, WaiterId& out, SlotId& enclosing);
  Answer take_slot_for(const Request& request, WaiterId& out, SlotId& wants);
  Answer make_pair(WaiterId& out);
  void part(WaiterId waiter);
  Answer begin_wait(const Request& request, Granted& out);
  Answer enqueue_and_try(const Request& request, Granted& out);
  void make_free(WaiterId waiter);
  void hurry(ElementIndex index);
  bool is_raised(const Request& request, Plan& plan);
  std::uint32_t tier_of(const Request& request);
  Handle handle_of(ElementIndex index) const { return {index, Meta::generation(arena_.element(index).meta.load(memory_order_acquire))}; }
  double amount_of(const Request& request) const;
  void note_granted(const Request& request, const Granted& granted);
  Answer tell(const Request& request, Answer answer);
  void note_spent(const Request& request, const Tokens& out);
  struct SeenPlans;
  const SeenPlans& look_at_plans(Nanos now);
  void look_again(const Plan& plan);
  bool reuse_going();
  Answer claim_chunk();
  void done_with(WaiterId waiter);
  void add_deadline(const Deadline& deadline);

  Arena& arena_;
  Lane lane_;
  Telemetry telemetry_;
  const ParticipantId participant_;
  const std::uint32_t incarnation_;
  atomic<std::uint64_t>* const held_;
  std::vector<std::uint32_t> chunks_;   // ours, in the order of claiming
  std::vector<std::uint32_t> ordinal_;  // chunk -> its place in chunks_, plus one
  std::vector<Local> local_;            // by waiter id
  std::vector<WaiterId> free_;
  std::vector<WaiterId> pairs_;    // free, each with one for what is wanted
  std::vector<WaiterId> going_;    // given up; the gate holder will free them
  std::vector<WaiterId> pending_;  // announced, not yet delivered
  std::vector<Settled> settled_;
  std::size_t settled_at_ = 0;
  std::vector<Deadline> deadlines_;  // a heap, soonest first; entries of waits that ended stay until it is compacted
  std::vector<ElementIndex> leftovers_;
  std::vector<PacedBucket> paced_;  // buckets at which somebody of ours waits, or did a moment ago
  std::vector<Queue> queues_;
  // What there is of plans, as of the last look at all of them: it stays so until another is written, or one ends.
  struct SeenPlans {
    std::uint64_t changes = ~0ull;
    Nanos next_end = 0;                // 0: none does
    bool over = false;                 // the time of one is over, and it is still there
    std::vector<ElementIndex> things;  // that they are of, in the order of their places
  } seen_plans_;
  std::uint32_t extensions_ = 0;  // slots that keep the grants which waits belong to
  std::size_t compact_at_ = 1024;
  std::size_t reuse_at_ = 2 * kChunkSlots;
  std::uint32_t waiting_ = 0;
  std::uint32_t chunk_hand_ = 0;
  bool revoked_ = false;
};

// ---- the fast path -------------------------------------------------------------------------------------------------

inline bool Member::passes_holds(std::uint64_t meta, ElementIndex index, std::uint32_t tier, std::uint32_t workflow, std::uint32_t hold) {
  if (workflow == 0 && tier >= Meta::hold_tier(meta) && (meta & Meta::kHoldForAll) == 0) return true;
  lane_.refresh();
  return Plans(arena_).let_pass(index + 1, tier, workflow, hold, lane_.now());
}

inline Answer Member::try_fast(Handle handle, std::uint32_t tier, Nanos coarse, Granted& out, std::uint32_t workflow, std::uint32_t hold) {
  Element& element = arena_.element(handle.index);
  std::uint64_t word = element.fast.load(memory_order_relaxed);
  if ((word & (Fast::kQueued | Fast::kOwnerMask)) != 0) return Answer::kBusy;
  const std::uint64_t meta = element.meta.load(memory_order_acquire);  // (p6) before the CAS
  if ((meta & Meta::kPlanned) != 0 && !passes_holds(meta, handle.index, tier, workflow, std::min(hold, SlotFlag::kHoldMost))) [[unlikely]]
    return Answer::kBusy;
  hold_bit(handle.index);  // write-ahead: a sweep of ours looks at it even if we die right after the CAS
  const std::uint64_t sequence = Fast::of(word).sequence + 1;
  // (f1) acquires what the last holder released, and with it, on a recycled element, the new generation (t1).
  if (!element.fast.compare_exchange_strong(word, Fast::word(false, participant_, sequence), memory_order_acq_rel, memory_order_relaxed)) {
    drop_bit(handle.index);
    return Answer::kBusy;
  }
  if (!current(element, handle.generation)) {
    give_back(handle.index, sequence & Fast::kSequenceMask, false);
    return Answer::kStale;
  }
  element.since.store(since_word(arena_.header(), coarse, tier), memory_order_relaxed);
  out = {sequence & Fast::kSequenceMask, kNoWaiter, false};
  if (telemetry_.on()) [[unlikely]]
    telemetry_.granted(handle, out.sequence, kNoWaiter, tier, coarse);
  return Answer::kOk;
}

inline bool Member::release_fast(ElementIndex index, std::uint64_t sequence) {
  Element& element = arena_.element(index);
  std::uint64_t held = Fast::word(false, participant_, sequence);
  if (element.fast.load(memory_order_relaxed) != held) return false;
  // (f1) releases what was done under the lock.
  if (!element.fast.compare_exchange_strong(held, Fast::word(false, 0, sequence), memory_order_acq_rel, memory_order_relaxed)) return false;
  drop_bit(index);
  if (telemetry_.on()) [[unlikely]]
    telemetry_.ended(index, sequence, telemetry_.ending);
  return true;
}

inline Answer Member::pass(ElementIndex index, std::uint64_t sequence, std::uint32_t tier, Nanos coarse, Granted& out) {
  Element& element = arena_.element(index);
  // Whom a hold lets pass is not for its holder to say.
  if (is_planned(index)) return holds(index, sequence) ? Answer::kBusy : Answer::kLost;
  std::uint64_t held = Fast::word(false, participant_, sequence);
  // (f1) as a release and an acquire in one; the held bit stays.
  if (!element.fast.compare_exchange_strong(held, Fast::word(false, participant_, sequence + 1), memory_order_acq_rel,
                                            memory_order_relaxed)) {
    const Fast fast = Fast::of(held);
    return fast.owner == participant_ && fast.sequence == sequence ? Answer::kBusy : Answer::kLost;
  }
  element.since.store(since_word(arena_.header(), coarse, tier), memory_order_relaxed);
  out = {(sequence + 1) & Fast::kSequenceMask, kNoWaiter, false};
  if (telemetry_.on()) [[unlikely]]
    telemetry_.ended(index, sequence, telemetry_.ending);
  return Answer::kOk;
}

inline Answer Member::release(ElementIndex index, std::uint64_t sequence) {
  const Answer answer = give_back(index, sequence, false);
  if (telemetry_.on()) [[unlikely]]
    telemetry_.ended(index, sequence, answer == Answer::kOk ? telemetry_.ending : Ending::kLost);
  return answer;
}

// through_gate: whoever comes next must pass the gate, where something is to be told.
inline Answer Member::give_back(ElementIndex index, std::uint64_t sequence, bool through_gate) {
  Element& element = arena_.element(index);
  std::uint64_t word = element.fast.load(memory_order_relaxed);
  for (;;) {
    const Fast fast = Fast::of(word);
    if (fast.owner != participant_ || fast.sequence != sequence) {
      if (fast.owner != participant_) drop_bit(index);
      return Answer::kLost;
    }
    // (f1) releases what was done under the lock.
    if (element.fast.compare_exchange_strong(word, Fast::word(fast.queued || through_gate, 0, sequence), memory_order_acq_rel,
                                             memory_order_relaxed)) {
      break;
    }
  }
  if ((word & Fast::kQueued) != 0 || through_gate) visit(index, true);
  drop_bit(index);  // never before the visit: until then our sweep must look here
  return Answer::kOk;
}

}  // namespace forelock::core
