// Plans: what a planner wants kept ready. All it can do is write them, each with a deadline, into a table; what they come to is
// decided in the gates, within bounds that no plan can move (max_reserve), or past them where a hold neither keeps a request nor is for it.
// With no plan an element's meta word, which is read anyway, says so; with one, it is found in a window of the table.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "core/record.h"

namespace forelock::core {

enum class PlanKind : std::uint32_t {
  kHold = 1,        // of a lock: kept for requests of `tier` and above
  kReserve = 2,     // of a bucket: up to `amount` tokens that would be discarded are kept for the workflow `who`
  kShare = 3,       // of a pool: the tier's share is `amount` (0 to 1) of each dimension; with `who`, the tenant's weight is `amount`
  kEscalation = 4,  // requests of the workflow `who` count as of `tier`
  kKeep = 5,        // of a pool or a bucket: `amount` (0 to 1) of each dimension, or of the burst, is for requests of `tier` and above
};

struct Plan {
  PlanKind kind = PlanKind::kHold;
  std::uint32_t what = 0;  // element + 1; 0 for an escalation
  std::uint32_t who = 0;   // id of a workflow's or tenant's name, 0 any
  std::uint32_t tier = 0;
  std::uint32_t source = 0;
  double amount = 0;  // of a hold: how long in ms others hold the lock, as learnt; 0 unknown
  Nanos from = 0;     // of a hold: when the request is expected
  Nanos until = 0;
  std::uint32_t number = 0;  // of the entry and the low bits of its version, as telemetry names it; 0: it was not read from the table
};

// {version:32, writer lane:13, current:1, live:1}. Two cells: a writer that dies half-way leaves the old one as it was.
struct PlanControl {
  std::uint32_t version;
  LaneId writer;
  std::uint32_t current;
  bool live;

  static constexpr PlanControl of(std::uint64_t word) {
    return {static_cast<std::uint32_t>(word >> 32), static_cast<LaneId>(word >> 2) & 0x1fff, static_cast<std::uint32_t>(word >> 1) & 1,
            (word & 1) != 0};
  }
  constexpr std::uint64_t word() const {
    return (static_cast<std::uint64_t>(version) << 32) | (static_cast<std::uint64_t>(writer) << 2) | (current << 1) | (live ? 1 : 0);
  }
};

struct alignas(64) PlanEntry {
  atomic<std::uint64_t> control;
  struct Cell {
    // (p4) Released by a writer and acquired by readers: who reads a word of the next writer but one here sees the version
    // that the one before it has shown, and reads again.
    atomic<std::uint64_t> what;  // {source:16, tier:8, kind:8, what:32}
    atomic<std::uint64_t> who, amount, from, until;
  } cells[2];
  // Of the holds of a lock and the keeps of a pool or bucket, by whoever stands in its gate: since when it has been free and kept from
  // somebody, and for how long in this half of the window and in the one before. They stay when the hold ends, so that the next one does
  // not begin from nothing; `of` says whose they are: element + 1.
  atomic<std::uint64_t> blocked_since, kept_now, kept_before, half, of;
};
static_assert(sizeof(PlanEntry) == 128);

struct PlanLoss {
  atomic<std::uint64_t> waits;  // requests that only a plan of this source kept waiting
  atomic<std::uint64_t> nanos;  // how long a free lock was kept from somebody
  atomic<std::uint64_t> hits;   // plans that were used
  atomic<std::uint64_t> written;
};

inline constexpr std::uint32_t kPlans = 1024;
inline constexpr std::uint32_t kPlanWindow = 16;  // entries in which the plans of one thing are
inline constexpr std::uint32_t kPlanSources = 64;
// What all plans together may keep from lower tiers, whatever stands in the arena.
inline double max_reserve(const Arena& arena) {
  const double most = std::bit_cast<double>(arena.header().max_reserve.load(memory_order_relaxed));
  return most > 0 ? std::min(most, 1.0) : 0;
}

inline constexpr Nanos kReserveWindow = 10'000 * kNanosPerMilli;

struct PlanTable {
  PlanEntry entries[kPlans];
  PlanLoss losses[kPlanSources];
  // Places of which a plan may be live, a bit each: so that few plans are found among many places. Only who has claimed a place changes its
  // bit, sets it before it shows a plan there and takes it off after: at worst one that died left a bit too many.
  atomic<std::uint64_t> used[kPlans / 64];
  // Counted up after a plan is shown or taken back: who finds it as it was has seen all plans that there are.
  atomic<std::uint64_t> changes;
};
static_assert(kPlans % 64 == 0 && kPlanWindow < 64);

struct PlanId {
  std::uint32_t entry;
  std::uint32_t version;

  // For telemetry: a version comes back after 4 million plans in one place.
  constexpr std::uint32_t number() const { return (version << 10) | entry; }
};
static_assert(kPlans == 1 << 10);

enum class Written { kOk, kFull, kNoHeap, kOutOfMemory };

class Plans {
 public:
  explicit Plans(Arena& arena) : arena_(arena) {}

  // Replaces the plan of the same kind, thing, tier, who and source; else takes a place in the window. Of two that are written at the same
  // moment one replaces the other; who writes in the place of one that is being written need not wait for that one.
  Written write(Lane& lane, const Plan& plan, PlanId& out);
  // False when it is not there any more. `plan` is what it was.
  bool withdraw(Lane& lane, PlanId id, Plan& plan);

  // Those that hold now and are of this thing.
  template <typename Visitor>
  void for_each_of(PlanKind kind, std::uint32_t key, Nanos now, Visitor visitor) const {
    PlanTable* table = this->table();
    if (table == nullptr) return;
    for (std::uint64_t bits = window(key); bits != 0; bits &= bits - 1) {
      const std::uint32_t at = place(key, static_cast<std::uint32_t>(std::countr_zero(bits)));
      Plan plan;
      if (read(at, plan) && plan.kind == kind && key_of(plan) == key && now < plan.until) visitor(table->entries[at], plan);
    }
  }
  // All that hold now, by place.
  template <typename Visitor>
  void for_each(Nanos now, Visitor visitor) const {
    for_each_used([&](std::uint32_t at) {
      Plan plan;
      std::uint32_t version = 0;
      if (read(at, plan, &version) && now < plan.until) visitor(PlanId{at, version}, plan);
    });
  }
  bool has(PlanKind kind, std::uint32_t key, Nanos now) const {
    bool found = false;
    for_each_of(kind, key, now, [&](PlanEntry&, const Plan&) { found = true; });
    return found;
  }
  // Says at its element that there may be such a plan. By who writes one, before and after it is there: a gate holder that found none yet
  // may have taken the marks off.
  static void mark(Element& element, const Plan& plan);
  // Whether a request may take a free lock past its holds without anybody's decision: none is for it, which uses that hold up, and for none
  // it would have to wait. `hold`: how long it will take, in ms, 0 unknown.
  bool let_pass(std::uint32_t key, std::uint32_t tier, std::uint32_t workflow, std::uint32_t hold, Nanos now) const;
  // Takes away what has ended; calls back with what it was.
  template <typename Visitor>
  void sweep(Lane& lane, Nanos now, Visitor visitor) {
    for_each_used([&](std::uint32_t at) {
      Plan plan;
      std::uint32_t version = 0;
      if (!read(at, plan, &version) || plan.until > now) return;
      // What a hold kept is added up where it ends: in the gate of its lock.
      if (plan.kind == PlanKind::kHold || end(lane, at, version)) visitor(plan);
    });
  }
  // To be asked before a look at all of them: while it stays the same none was written or taken back since, and the ends that were seen
  // hold.
  std::uint64_t changes() const {
    const PlanTable* table = this->table();
    return table == nullptr ? 0 : table->changes.load(memory_order_acquire);  // (p7)
  }
  // It was used up.
  void use(Lane& lane, PlanEntry& entry, const Plan& plan);
  // Entries that a dead participant was writing are anybody's again, with what they said before.
  void let_go_of(ParticipantId dead);

  // ---- holds and keeps, under the gate of their element
  // Whether the share of time in which all holds of a lock may keep it from others while it is free is used up.
  bool spent(std::uint32_t key, Nanos now) const;
  // The same for whoever only looks, from outside: for how long they have kept it in the present window. `running`: they do now.
  Nanos kept(std::uint32_t key, Nanos now, bool& running) const;
  // It, or what somebody asks for of a pool or bucket, is free and kept from him, from now on, or since a moment before, or no longer.
  void block(PlanEntry& entry, std::uint32_t key, Nanos now) { block(entry, key, now, now); }
  void block(PlanEntry& entry, std::uint32_t key, Nanos now, Nanos since);
  void unblock(std::uint32_t key, Nanos now);
  // Those of this lock whose time is over.
  void end_holds(Lane& lane, std::uint32_t key, Nanos now);

  // Whether others of a lower tier will be done with the lock before the expected request comes. `said`: ms by their own account, 0 none.
  static bool ends_before(const Plan& plan, std::uint32_t said, Nanos now) {
    const double hold = said > 0 ? static_cast<double>(said) : plan.amount;
    return hold > 0 && static_cast<double>(now) + hold * static_cast<double>(kNanosPerMilli) <= static_cast<double>(plan.from);
  }

  PlanLoss* loss(std::uint32_t source) const;
  // The plan that a workflow's requests count as of a higher tier by, the highest; false: there is none above `tier`.
  bool escalates(std::uint32_t workflow, std::uint32_t tier, Nanos now, Plan& plan) const;

 private:
  PlanTable* table() const;
  static std::uint32_t key_of(const Plan& plan) { return plan.kind == PlanKind::kEscalation ? plan.who | 0x80000000u : plan.what; }
  static std::uint32_t place(std::uint32_t key, std::uint32_t i) { return (key * 2654435761u / 64 + i) % kPlans; }
  template <typename Visitor>
  void for_each_used(Visitor visitor) const {
    PlanTable* table = this->table();
    if (table == nullptr) return;
    for (std::uint32_t word = 0; word < kPlans / 64; word++) {
      for (std::uint64_t bits = table->used[word].load(memory_order_acquire); bits != 0; bits &= bits - 1) {
        visitor(64 * word + static_cast<std::uint32_t>(std::countr_zero(bits)));
      }
    }
  }
  std::uint64_t window(std::uint32_t key) const;
  void mark_used(std::uint32_t at, bool used);
  bool read(std::uint32_t at, Plan& plan, std::uint32_t* version = nullptr) const;
  bool claim(Lane& lane, std::uint32_t at, std::uint32_t version, std::uint64_t& seen);
  bool end(Lane& lane, std::uint32_t at, std::uint32_t version);
  // The versions of a window's places, and the one that was chosen.
  struct Choice {
    std::array<std::uint32_t, kPlanWindow> versions{};
    std::uint32_t chosen = 0;
  };
  bool choose(const Lane& lane, const Plan& plan, Nanos now, Choice& choice) const;
  void leave_one(Lane& lane, const Plan& plan, const Choice& choice, PlanId id);
  bool is_being_written(const PlanControl& control, const Lane& lane) const;
  static void turn_half(PlanEntry& entry, Nanos now);
  static bool has_kept(const PlanEntry& entry, Nanos now);
  void unblock(PlanEntry& entry, Nanos now) const;

  Arena& arena_;
};

}  // namespace forelock::core
