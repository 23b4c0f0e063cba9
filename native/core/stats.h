// Counts and histograms of the elements that are busiest, in memory of fixed size: so many rows, each for one element, with a cell
// per tier; what has no row is counted by kind. A row goes from one element to another by the rule of RAP (Ben Basat, Einziger,
// Friedman, Kassner: Randomized admission policy for efficient top-k, 2017, after the space-saving algorithm of Metwally,
// Agrawal, El Abbadi, 2005): of a few rows the one with the least weight w gives way with probability 1 / (w + 1), so that a
// stream of elements seen once does not drive out those that last. All words are relaxed: a count that falls into the moment of
// such a change may go to the wrong element, and a participant that dies over one leaves a row that the next one takes.
#pragma once

#include <cstdint>
#include <vector>

#include "core/records.h"
#include "core/table.h"

namespace forelock::core {

// {claimed:1, generation:32, index + 1:27}; a claimed one is {1, ..., incarnation:32, participant:13}.
struct StatKey {
  static constexpr std::uint64_t kClaimed = 1ull << 63;
  static constexpr int kGenerationShift = 27;
  static_assert(kMaxElements + 1 < 1u << kGenerationShift);
  static constexpr int kIncarnationShift = 13;

  static constexpr std::uint64_t of(Handle handle) {
    return (static_cast<std::uint64_t>(handle.generation) << kGenerationShift) | (handle.index + 1);
  }
  static constexpr Handle handle(std::uint64_t key) {
    return {static_cast<ElementIndex>(key & ((1ull << kGenerationShift) - 1)) - 1, static_cast<std::uint32_t>(key >> kGenerationShift)};
  }
  static constexpr std::uint64_t claim(ParticipantId by, std::uint32_t incarnation) {
    return kClaimed | (static_cast<std::uint64_t>(incarnation) << kIncarnationShift) | by;
  }
};

inline bool stats_are_on(const Arena& arena) {
  return arena.capacity().rows != 0 && arena.header().stats_on.load(memory_order_relaxed) != 0;
}

// From the first one who asks on, for the arena's life. False when there is no memory.
bool begin_stats(const Arena& arena);

// Counts for one participant; of its script thread.
class StatWriter {
 public:
  StatWriter(const Arena& arena, ParticipantId participant, std::uint32_t incarnation)
      : arena_(arena), claim_(StatKey::claim(participant, incarnation)), random_(claim_ * 0x9e3779b97f4a7c15ull | 1) {}

  // The cell of an element in a tier, for so many events. `row` is what the caller remembers of it, 0 nothing; it is set anew.
  StatCell& cell(Handle handle, std::uint32_t tier, Nanos now, std::uint64_t events, std::uint32_t& row);

  void wait(StatCell& cell, Nanos waited, std::uint64_t times);
  void hold(StatCell& cell, std::uint32_t bucket, std::uint64_t times, Nanos held, Nanos longest);

 private:
  std::uint32_t find_row(Handle handle, Nanos now);
  std::uint32_t fresh_row() const;
  std::uint32_t weakest_row();
  bool take_row(std::uint32_t row, Handle handle, Nanos now);
  bool may_take(std::uint64_t key) const;
  std::uint64_t random();

  const Arena& arena_;
  const std::uint64_t claim_;
  std::uint64_t random_;
};

struct Quantiles {
  std::uint64_t count = 0;
  Nanos p50 = 0, p90 = 0, p99 = 0, max = 0;
};

struct TierStats {
  std::uint32_t tier = 0;
  std::uint64_t grants = 0, refusals = 0, timeouts = 0, aborts = 0, deadlocks = 0;
  std::uint64_t waiting = 0;  // now
  Quantiles wait, hold;
  double in_use = 0;  // grants held at once, on average since observation began
};

struct ElementStats {
  Handle handle{};  // of a kind: none
  Kind kind = Kind::kLock;
  std::u16string name;
  std::uint64_t weight = 0;
  Nanos since = 0;
  std::vector<TierStats> tiers;  // those with anything in them
};

// Those with most counted in them first, at most `top`; then what has no row, by kind. Consistent for no two words.
std::vector<ElementStats> read_stats(const Arena& arena, Nanos now, std::uint32_t top);
std::vector<ElementStats> read_rest(const Arena& arena, Nanos now);
// One element, if it has a row.
bool read_stats_of(const Arena& arena, Handle handle, Nanos now, ElementStats& out);

// How often each hold, and each wait, of an element in a tier, or of all elements of a kind without statistics of their own. Empty
// where nothing was counted. Writes nothing: counts that a participant has not handed over yet are missing.
struct Counted {
  struct Part {
    Nanos value;  // the middle of the histogram's bucket; of the last the longest
    std::uint64_t count;
  };
  std::vector<Part> holds;
  std::uint64_t grants = 0, waited = 0;  // waited: those that were not granted at once
};
Counted counted_of(const Arena& arena, Handle handle, std::uint32_t tier);
Counted counted_of(const Arena& arena, Kind kind, std::uint32_t tier);

}  // namespace forelock::core
