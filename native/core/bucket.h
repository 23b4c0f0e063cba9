// Token buckets: the rate algorithm (gcra.h) on the word of an element, and a record with the paces it may run at. Taking and
// giving back tokens is one CAS for each bucket of a hierarchy; who waits for them does so in the element's gate (gate.cc).
#pragma once

#include <optional>

#include "core/corrupt.h"
#include "core/gcra.h"
#include "core/plan.h"
#include "core/record.h"

namespace forelock::core {

// A Pace in the arena. Written in private, or as the spare one under the gate; shown by the word that names it.
struct alignas(64) PaceCell {
  plain<std::uint64_t> scale, shape, burst, rate, per, size;

  void set(const Pace& pace);
  // Throws Corrupt where it is none.
  Pace get() const {
    const std::uint64_t packed = shape.get();
    Pace pace{};
    pace.scale = scale.get();
    pace.shift = static_cast<std::uint32_t>(packed & 127);
    pace.k = static_cast<std::uint32_t>(packed >> 32) & 63;
    pace.burst = burst.get();
    // Also where a change writes it just now: each word is of a sound one.
    if (!pace.sound()) throw Corrupt("the pace of a bucket");
    return pace;
  }
  // With what the user gave, too.
  Pace whole() const;
};

struct alignas(64) BucketRecord {
  plain<std::uint32_t> parent;  // element + 1, 0 none
  plain<std::uint32_t> depth;   // buckets above it
  // Tokens that a full bucket would have discarded, kept apart under a plan; nothing is ever taken from the bucket for it.
  atomic<std::uint64_t> reserve;        // of 2^-20 tokens, whatever the pace: who keeps some may still go by the last one
  atomic<std::uint64_t> reserve_until;  // they are nobody's after that
  PaceCell cells[4];                    // the first is not used: see Tat
};

inline constexpr std::uint32_t kBucketDepth = 8;  // of a hierarchy
inline constexpr int kReserveShift = 20;          // of a token in a reserve

enum class Spent {
  kOk,
  kRefused,
  kQueued,  // somebody waits: only the gate says who is next
  kNever,   // more than a burst, of this bucket or of one above it
};

// Whom a request is for: ids of names, 0 none. Plans look at it.
struct Who {
  std::uint32_t workflow = 0;
  std::uint32_t tenant = 0;
  std::uint32_t tier = kTiers - 1;
  Nanos arrival = 0;  // of one that waits, and so ages; 0: it does not
};

struct Tokens {
  Nanos ready = 0;              // refused: when it would be granted if nobody else came
  std::uint64_t remaining = 0;  // whole tokens, of this bucket alone, but what is kept from such a request
  double drawn = 0;             // of those granted, how many came from the reserve of the plan
  std::uint32_t plan = 0;       // its number
  std::uint32_t of_kept = 0;    // granted with tokens that this plan keeps from lower tiers: its number
  bool kept_back = false;       // refused for a plan alone
  std::uint32_t source = 0;     // of that one
};

// That tokens are there, and a plan alone keeps them from somebody who waits.
struct KeptBack {
  PlanEntry* entry;
  std::uint32_t source;
  Nanos since;
};

class Bucket {
 public:
  // Throws Corrupt when the element is none, or has no record.
  Bucket(Arena& arena, ElementIndex index)
      : arena_(arena),
        index_(index),
        element_(arena.element(index)),
        // (p1) acquires the record's fields.
        record_(arena.record<BucketRecord>(element_.base.load(memory_order_acquire))),
        epoch_(arena.header().epoch) {}
  static bool is(const Arena& arena, ElementIndex index) {
    if (index >= arena.capacity().elements) return false;
    const Element& element = arena.element(index);
    const std::uint64_t meta = element.meta.load(memory_order_acquire);
    return Meta::kind(meta) == Kind::kBucket && Meta::state(meta) == Meta::kLive && element.base.load(memory_order_acquire) != 0;
  }

  // Takes from this bucket and from all above it, or from none.
  Spent take(double tokens, Nanos now, Tokens& out, Who who = {}) { return take(tokens, now, out, who, true); }
  // The same of whole tokens, with no plan and no bucket above: how many are left, or kNotAtOnce where it is not as plain, or they are not
  // there now, and then nothing was done. In line wherever it stands: what it keeps in registers need not be written before the
  // compare-and-swap, which waits for all that was.
  static constexpr std::uint64_t kNotAtOnce = ~0ull;
  [[gnu::always_inline]] std::uint64_t take_at_once(double tokens, Nanos now) {
    std::uint64_t seen = word();
    if ((seen & Tat::kQueued) != 0 || is_planned() || record_.parent.get() != 0) return kNotAtOnce;
    const Pace pace = record_.cells[Tat::cell(seen)].get();
    const std::uint64_t amount = pace.units_of_whole(tokens);
    if (amount == 0 || amount > pace.burst) return kNotAtOnce;
    const std::uint64_t at = pace.units(since_epoch(now));
    const Taken taken = core::take(pace, Tat::time(seen), at, amount);
    // (b1)
    if (!taken.ok || !element_.fast.compare_exchange_strong(seen, Tat::at(seen, taken.tat), memory_order_acq_rel, memory_order_relaxed))
      return kNotAtOnce;
    return (pace.burst - (taken.tat - at)) >> pace.k;
  }
  // The same for whoever stands in its gate: the one it serves waits there.
  Spent take_for_waiter(double tokens, Nanos now, Tokens& out, Who who) { return take(tokens, now, out, who, false); }
  Spent peek(double tokens, Nanos now, Tokens& out) const;
  void give_back(double tokens);
  // When all of the hierarchy would grant it, if nobody else came. `unkept`: whatever is kept of this bucket itself.
  Nanos ready_at(double tokens, Nanos now, Who who = {}, bool unkept = false) const;
  // The same of this bucket alone, with its word at `tat`.
  Nanos ready_of(const Pace& pace, std::uint64_t tat, std::uint64_t amount, Nanos from, Who who) const;
  // Of this bucket alone: in the gate of one that is above others nobody of those stands.
  std::optional<KeptBack> kept_back(double tokens, Nanos now, Who who) const;
  // There may be plans of it.
  bool is_planned() const { return (element_.meta.load(memory_order_relaxed) & Meta::kPlanned) != 0; }
  // Not more than a burst, of this bucket or of one above it.
  bool possible(double tokens) const;
  // The word of the rate algorithm, and the pace that it names, of one moment.
  std::uint64_t state(Pace& pace) const;
  // How many of so many tokens such a request would have of this bucket's own reserve, where that holds so many.
  double drawable(double tokens, double reserve, Nanos now, Who who) const;
  // After a plan of it was written: what is kept lasts as long as the longest of its plans.
  void prolong(Nanos now);
  // Whole tokens that a plan keeps apart now.
  std::uint64_t reserved(Nanos now) const;
  // When it will be full.
  Nanos full_at(Nanos now) const;
  Pace pace() const { return record_.cells[Tat::cell(word())].whole(); }
  // Without what the user gave.
  Pace pace_at(std::uint64_t word) const { return record_.cells[Tat::cell(word)].get(); }
  std::uint32_t parent() const { return record_.parent.get(); }
  ElementIndex index() const { return index_; }
  bool has_waiters() const { return (word() & Tat::kQueued) != 0; }

  // Under the gate: from now on at another pace, with the debt there is.
  void change(const Pace& pace, Nanos now);

 private:
  Spent take(double tokens, Nanos now, Tokens& out, Who who, bool respect_queue);
  Bucket above() const;
  Spent take_own(const Pace& pace, std::uint64_t& seen, std::uint64_t amount, std::uint64_t at, std::uint64_t rest, bool respect_queue);
  template <typename Visitor>
  void for_each_keep(const Pace& pace, std::uint64_t amount, Nanos now, Visitor visitor) const;
  // What plans keep from such a request, and what they keep for it.
  struct Kept {
    std::uint64_t units = 0;
    PlanEntry* entry = nullptr;
    std::uint32_t source = 0;
    std::uint32_t number = 0;
  };
  struct Keeps {
    Kept from_it, for_it;
  };
  Keeps keeps(const Pace& pace, std::uint64_t amount, Nanos now, Who who) const;
  Nanos passes_at(const Plan& plan, Who who) const;
  bool find_reserve(Nanos now, Who who, Plan& plan) const;
  std::uint64_t cap(const Pace& pace, double tokens) const;
  std::uint64_t draw(const Pace& pace, std::uint64_t amount, Nanos now, Who who, std::uint32_t& number);
  static constexpr std::uint64_t kNotOfTime = ~0ull;
  void credit(const Pace& pace, std::uint64_t amount, Nanos now, std::uint64_t since = kNotOfTime);
  void keep_discarded(std::uint64_t& seen, Nanos now);
  void give_back_own(const Pace& pace, std::uint64_t amount);
  std::uint64_t word() const { return element_.fast.load(memory_order_acquire); }
  Nanos since_epoch(Nanos now) const { return now > epoch_ ? now - epoch_ : 0; }

  Arena& arena_;
  const ElementIndex index_;
  Element& element_;
  BucketRecord& record_;
  const Nanos epoch_;
};

struct BucketTerms {
  Pace pace;
  ElementIndex parent = 0;
  bool has_parent = false;
};

// Gives the element its record; kOther: it has one that says something else.
Defined define_bucket(Arena& arena, ElementIndex index, const BucketTerms& terms);

}  // namespace forelock::core
