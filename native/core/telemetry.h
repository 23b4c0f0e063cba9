// What one participant tells of its requests: records for whoever reads them, and counts. Each event is one call, behind one load:
//
//   if (telemetry.on()) telemetry.granted(...)       the fast path: nothing but that load while nobody observes
//   telemetry.waits(...) / taken(...) / refused(...)  the slow path: waits are always timed, and counted once anybody asked
//
// A lock granted and given back without waiting is counted in a register of its own and moved to the shared counts when
// something else comes, at the latest with the first event a millisecond later: two locked additions a pair would cost
// as much as the pair. Of the script thread only, but for record_reclaim().
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "core/observers.h"
#include "core/records.h"
#include "core/stats.h"

namespace forelock::core {

using WaiterId = std::uint32_t;  // a slot of ours, counted from 0 in the order in which we claimed its chunk
inline constexpr WaiterId kNoWaiter = 0xffffffff;

class Telemetry {
 public:
  Telemetry(Lane& lane, std::uint32_t incarnation)
      : arena_(lane.arena),
        participant_(lane.participant()),
        incarnation_(static_cast<std::uint16_t>(incarnation)),
        stats_(lane.arena, lane.participant(), incarnation) {}

  // Somebody observes. One load.
  bool on() const { return observers(arena_) != 0; }

  // Who makes the request of the present call; for all that it leads to.
  Names asking;

  // ---- without a wait
  void granted(Handle handle, std::uint64_t sequence, WaiterId waiter, std::uint32_t tier, Nanos now, double amount = 1,
               bool shared = false);
  void ended(ElementIndex index, std::uint64_t sequence, Ending how);
  // Something taken for good, as tokens are.
  void spent(Handle handle, std::uint32_t tier, double amount);
  // What was in hand, of which nobody knows since when.
  void over(Handle handle, std::uint32_t tier, Ending how);
  void refused(Handle handle, std::uint32_t tier, Ending why, double amount = 1, bool shared = false);
  void used_plan(Handle handle, std::uint32_t tier, std::uint32_t plan, double amount);

  // ---- with one: a waiter's id stands for its request until it is over, and for a shared grant until that has ended
  void waits(WaiterId waiter, Handle handle, std::uint32_t tier, Nanos arrival, double amount = 1, bool shared = false);
  void moved(WaiterId waiter, std::uint32_t tier);
  // Its wait ended with a grant; `sequence` of an exclusive one, or kShared.
  void taken(WaiterId waiter, std::uint64_t sequence);
  void not_taken(WaiterId waiter, Event event, Ending why);
  void ended_shared(WaiterId waiter, Ending how);
  static constexpr std::uint64_t kShared = ~0ull;
  // The same for a wait that the arena knew nothing of.
  void handed_on(Handle handle, std::uint64_t sequence, std::uint32_t tier, Nanos arrival);

  // Any record, completed with time and place.
  void record(Record record);

  // Moves what is counted here only to where everybody sees it.
  void flush() {
    if (pending_.hold != nullptr) flush_pending();
  }

  // How the next end is to be called; success again afterwards.
  Ending ending = Ending::kSuccess;

 private:
  // A grant without a slot, known by its element. Where two share a place, the earlier one's end is coarse.
  struct Hold {
    Handle handle;
    std::uint64_t sequence;  // 0: none
    Nanos since;
    std::uint32_t row;  // of the statistics, as remembered; 0 none
    std::uint32_t tier;
    double amount;
    Names names;

    // Field by field: as one assignment it is put together on the stack in small pieces and read back in large ones, which stalls.
    void begin(Handle of, std::uint64_t with, Nanos now, std::uint32_t in, double units, const Names& by) {
      if (handle.index != of.index || handle.generation != of.generation) row = 0;
      handle.index = of.index;
      handle.generation = of.generation;
      sequence = with;
      since = now;
      tier = in;
      amount = units;
      names.workflow = by.workflow;
      names.tenant = by.tenant;
      names.client = by.client;
    }
    bool is_of(Handle of) const { return handle.index == of.index && handle.generation == of.generation; }
  };
  // The request of a waiter, or its grant.
  struct Asker {
    Handle handle{};
    Nanos arrival = 0;
    Nanos since = 0;  // 0: not timed
    double amount = 1;
    Names names;
    std::uint32_t row = 0;
    std::uint32_t tier = 0;
    bool shared = false;
  };
  // Grants and ends of one element, tier and bucket.
  struct Pending {
    Hold* hold = nullptr;
    Handle handle{};
    std::uint32_t tier = 0;
    std::uint32_t bucket = 0;
    std::uint32_t grants = 0;
    std::uint32_t holds = 0;
    Nanos held = 0;
    Nanos longest = 0;
  };

  Hold* hold_of(ElementIndex index);
  Asker& asker(WaiterId waiter);
  Asker* known(WaiterId waiter) { return waiter < askers_.size() ? &askers_[waiter] : nullptr; }
  bool counts() const { return stats_are_on(arena_); }
  std::uint8_t kind_of(ElementIndex index) const;
  Record of(Event event, Handle handle, std::uint32_t tier, double amount, const Names& names, Nanos now) const;
  Record of(Event event, const Asker& asker, Nanos now) const;
  void put(const Record& record);
  bool prepare();
  void pend_grant(Hold& hold, Nanos now);
  void pend_hold(Hold& hold, Nanos held, Nanos now);
  void pend(Hold& hold);
  void flush_pending();
  void count_wait(Handle handle, std::uint32_t tier, Nanos now, Nanos waited, std::uint32_t& row);

  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  Arena& arena_;
  const ParticipantId participant_;
  const std::uint16_t incarnation_;
  StatWriter stats_;
  RecordRing ring_;
  bool refused_memory_ = false;
  std::unique_ptr<Hold[], Free> holds_;
  std::uint32_t hold_mask_ = 0;
  std::vector<Asker> askers_;
  Pending pending_;
  Nanos flushed_ = 0;
};

// What whichever thread stands in the gate tells: that a grant was reclaimed.
void record_reclaim(Lane& lane, ElementIndex index, ParticipantId from, Ending why);

// What a plan was used for.
struct PlanUse {
  std::uint32_t plan = 0;  // its number
  std::uint32_t tier = 0;
  ParticipantId participant = 0;  // whose request it was
  Names names;
  double amount = 1;
};
void record_plan(Lane& lane, ElementIndex index, const PlanUse& use);

}  // namespace forelock::core
