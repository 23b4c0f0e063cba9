#include "shm/attachment.h"

#include <algorithm>

#include "core/participants.h"
#include "core/sweep.h"
#include "shm/error.h"
#include "shm/futex.h"
#include "shm/liveness.h"

namespace forelock::shm {

namespace {

// The last two places are kept for clearing up when all others are taken by the dead.
constexpr core::ParticipantId kSpare = 2;

// Where a virtual clock stops: 292 years, and any time that a request can name after that (kLongestMs) still fits 64 bits.
constexpr core::Nanos kVirtualEnd = 1ull << 63;

}  // namespace

Attachment::Attachment(std::unique_ptr<Region> region, std::function<void()> signal) : region_(std::move(region)) {
  watch_forks();
  arena_.emplace(region_->base(), *this);
  // Read again after mapping: what was checked before is what others may have changed since.
  if (arena_->layout().size != region_->size()) throw OpenError("ERR_FORELOCK_CORRUPT", "the arena's capacity changed while it was opened");
  virtual_ = arena_->header().is_virtual != 0;
  join();
  waker_ = std::make_unique<Waker>(*arena_, *region_, participant_, std::move(signal));
  core::Lane lane(*arena_, participant_, core::Thread::kScript);
  probe_everybody(lane, *region_);
}

Attachment::~Attachment() {
  waker_->stop();
  try {
    member_->abandon_all();
    member_->telemetry().flush();
    if (arena_->participant(participant_).observes.load(std::memory_order_relaxed) != 0) core::observe(*arena_, participant_, false);
  } catch (const std::exception&) {
    // The arena is beyond repair; what is ours in it is nobody's any more.
  }
  leave(participant_);
}

std::string Attachment::client() const {
  return std::to_string(arena_->participant(participant_).pid.peek()) + ":" + std::to_string(participant_) + ":" +
         std::to_string(member_->incarnation());
}

bool Attachment::join_at(core::ParticipantId id, std::uint32_t& incarnation) {
  if (core::LifeWord::of(arena_->participant(id).life.load(std::memory_order_acquire)).life != core::Life::kFree) return false;
  if (!take_byte(region_->descriptor(), id)) return false;
  if (!core::begin_join(*arena_, id, incarnation)) {
    give_byte(region_->descriptor(), id);
    return false;
  }
  core::Participant& place = arena_->participant(id);
  const ProcessId self = this_process();
  place.pid.set(self.pid);
  place.tid.set(this_thread());
  place.pid_start.set(self.start);
  place.pid_namespace.set(self.pid_namespace);
  place.joined.set(now());
  if (core::finish_join(*arena_, id, incarnation)) return true;
  core::mark_dead(*arena_, id, arena_->participant(id).life.load(std::memory_order_acquire));
  give_byte(region_->descriptor(), id);
  throw OpenError("ERR_FORELOCK_MEMORY", "no memory for a participant (tmpfs full or memory limit reached)");
}

void Attachment::join() {
  const core::ParticipantId places = arena_->capacity().participants - kSpare;
  for (int attempt = 0; attempt < 2; attempt++) {
    for (core::ParticipantId id = 1; id <= places; id++) {
      std::uint32_t incarnation;
      if (!join_at(id, incarnation)) continue;
      participant_ = id;
      member_.emplace(*arena_, id, incarnation);
      return;
    }
    make_room();
  }
  throw OpenError("ERR_FORELOCK_CAPACITY", "all places for participants are taken; raise capacity.participants", "capacity.participants",
                  std::to_string(arena_->capacity().participants), "");
}

void Attachment::make_room() {
  const core::ParticipantId places = arena_->capacity().participants;
  for (core::ParticipantId id = places - kSpare + 1; id <= places; id++) {
    std::uint32_t incarnation;
    if (!join_at(id, incarnation)) continue;
    core::Lane lane(*arena_, id, core::Thread::kScript);
    probe_everybody(lane, *region_);
    leave(id);
    return;
  }
}

void Attachment::leave(core::ParticipantId id) {
  core::mark_dead(*arena_, id, arena_->participant(id).life.load(std::memory_order_acquire));
  // Those who wait sweep at once instead of at their next tick.
  core::Lane lane(*arena_, id, core::Thread::kScript);
  for (core::ParticipantId other = 1; other <= arena_->capacity().participants; other++) {
    if (other == id) continue;
    if (core::LifeWord::of(arena_->participant(other).life.load(std::memory_order_acquire)).life == core::Life::kAlive) lane.ring(other);
  }
  give_byte(region_->descriptor(), id);
}

void Attachment::wake(core::ParticipantId participant) { futex_wake(&arena_->participant(participant).ring); }

void Attachment::publish_changes() {
  const core::Nanos next = member_->next_deadline();
  if ((member_->waiting() != 0) != published_waiting_ || next != published_deadline_ || member_->has_leftovers()) publish(next);
}

void Attachment::publish(core::Nanos next) {
  published_waiting_ = member_->waiting() != 0;
  published_deadline_ = next;
  if (virtual_) arena_->participant(participant_).next_event.store(next, std::memory_order_release);
  if (member_->has_leftovers()) waker_->visit_later(member_->take_leftovers());
  waker_->publish(member_->waiting(), next);
}

core::Nanos Attachment::earliest_event(core::Nanos after) const {
  core::Nanos earliest = 0;
  for (core::ParticipantId id = 1; id <= arena_->capacity().participants; id++) {
    const core::Participant& place = arena_->participant(id);
    if (core::LifeWord::of(place.life.load(std::memory_order_acquire)).life != core::Life::kAlive) continue;
    const core::Nanos at = place.next_event.load(std::memory_order_acquire);
    if (at > after && (earliest == 0 || at < earliest)) earliest = at;
  }
  return earliest;
}

void Attachment::advance(core::Nanos ns) {
  auto& clock = arena_->header().virtual_now;
  const core::Nanos began = std::min(clock.load(std::memory_order_acquire), kVirtualEnd);
  const core::Nanos target = began + std::min(ns, kVirtualEnd - began);
  core::Lane lane(*arena_, participant_, core::Thread::kScript);
  for (;;) {
    const core::Nanos current = clock.load(std::memory_order_acquire);
    core::Nanos event = earliest_event(current);
    const core::Nanos plan = member_->next_plan_end();
    if (plan > current && (event == 0 || plan < event)) event = plan;
    const core::Nanos next = event != 0 && event < target ? event : target;
    core::Nanos seen = current;
    while (seen < next && !clock.compare_exchange_strong(seen, next, std::memory_order_acq_rel)) {
    }
    member_->sweep_plans();
    member_->expire();
    member_->serve_leftovers();
    member_->collect();
    member_->inherit_tiers();
    for (core::ParticipantId id = 1; id <= arena_->capacity().participants; id++) {
      if (id == participant_) continue;
      if (core::LifeWord::of(arena_->participant(id).life.load(std::memory_order_acquire)).life == core::Life::kAlive) lane.ring(id);
    }
    if (next >= target) break;
    publish_changes();
  }
}

}  // namespace forelock::shm
