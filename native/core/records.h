// The telemetry that a participant leaves for whoever reads it: a ring of 64-byte records for each of its two threads, which drops
// the oldest, so that writing never waits and never fails. The rings go on where they were when a place changes hands, so what a
// dead one left can still be read.
//
//   writer   claim = n + 1; the eight words; head = n + 1
//   reader   head; the words; claim: what stands at or before claim - size may have been overwritten meanwhile, and is not believed
//
// A record that its writer died over is claimed and never published: the next one at this place writes it anew.
#pragma once

#include <bit>
#include <cstdint>

#include "core/arena.h"

namespace forelock::core {

enum class Event : std::uint8_t {
  kRequest = 1,  // it must wait; what is granted at once has no record of its own for having been asked for
  kGrant,
  kRefusal,  // not granted: refused at once, or the wait ended so
  kEnd,      // of a grant
  kAbort,    // of a wait, by its owner
  kReclaim,  // of a grant, by others: its holder is dead, or it was held for too long, or stolen
  kPlan,     // a plan was used
};

enum class Ending : std::uint8_t {
  kSuccess = 0,
  kIgnored,  // how long it was held says nothing
  kDropped,  // given up because of overload
  kLost,     // it had ended before: by ttl, steal or death
  kBusy,     // of a refusal: not free, and not waited for
  kTimedOut,
  kDeadlock,
  kFailed,  // the arena was damaged or removed
  kNever,   // more than there will ever be
  kDied,    // of a reclaim
  kExpired,
  kStolen,
};

// Who asks: ids of names (core/names.h), 0 unknown.
struct Names {
  std::uint32_t workflow = 0;
  std::uint32_t tenant = 0;
  std::uint32_t client = 0;
};

// 64 bytes, all of them numbers; the table in docs/guides/telemetry.md.
struct Record {
  Nanos time = 0;
  ElementIndex element = 0;
  std::uint32_t generation = 0;
  Event event = Event::kRequest;
  std::uint8_t tier = 0;
  Ending outcome = Ending::kSuccess;
  std::uint8_t kind = 0;  // Kind, kShared and kCoarse
  std::uint16_t participant = 0;
  std::uint16_t incarnation = 0;  // low bits
  Names names;
  std::uint32_t plan = 0;
  double amount = 1;
  Nanos waited = 0;
  Nanos held = 0;

  static constexpr std::uint8_t kShared = 0x40;  // of a lock: asked for, or had, beside others
  static constexpr std::uint8_t kCoarse = 0x80;  // `held` is known to 4 ms only, or not at all (0)
};
inline constexpr std::size_t kRecordWords = kRecordBytes / sizeof(std::uint64_t);
static_assert(sizeof(Record) == kRecordBytes);

// The record as words, by shifts: copied as bytes its small fields would be stored one by one and loaded together a moment later, which
// stalls some twelve cycles a word. Little-endian, as the arena is.
struct RecordWords {
  std::uint64_t at[kRecordWords];

  static constexpr RecordWords of(const Record& r) {
    const auto pair = [](std::uint32_t low, std::uint32_t high) { return low | (static_cast<std::uint64_t>(high) << 32); };
    const std::uint32_t what = static_cast<std::uint32_t>(r.event) | (static_cast<std::uint32_t>(r.tier) << 8) |
                               (static_cast<std::uint32_t>(r.outcome) << 16) | (static_cast<std::uint32_t>(r.kind) << 24);
    const std::uint32_t who = r.participant | (static_cast<std::uint32_t>(r.incarnation) << 16);
    return {{r.time, pair(r.element, r.generation), pair(what, who), pair(r.names.workflow, r.names.tenant), pair(r.names.client, r.plan),
             std::bit_cast<std::uint64_t>(r.amount), r.waited, r.held}};
  }
};
static_assert(std::endian::native == std::endian::little);

struct LaneHead {
  struct alignas(64) Positions {
    atomic<std::uint64_t> claim;
    atomic<std::uint64_t> head;
  };
  Positions records[2];  // per thread
  struct alignas(64) {
    atomic<std::uint64_t> tail;  // core/notes.h
    atomic<std::uint64_t> head;
  } notes;
};
inline constexpr std::uint32_t kWakerRecords = 32;
inline constexpr std::size_t kWakerRecordsAt = kPage - kWakerRecords * kRecordBytes;
static_assert(sizeof(LaneHead) <= kWakerRecordsAt);

// Whether a participant's lane may be touched.
inline bool lane_is_backed(const Arena& arena, ParticipantId id) {
  const Layout& layout = arena.layout();
  return layout.lane_bytes != 0 && arena.is_backed(layout.lanes + layout.lane_bytes * id, layout.lane_bytes);
}
inline bool back_lane(const Arena& arena, ParticipantId id) {
  const Layout& layout = arena.layout();
  return layout.lane_bytes != 0 && arena.ensure(layout.lanes + layout.lane_bytes * id, layout.lane_bytes);
}

// One of the two rings of a lane.
class RecordRing {
 public:
  RecordRing() = default;
  RecordRing(const Arena& arena, ParticipantId id, Thread thread) {
    unsigned char* lane = arena.telemetry_of(id);
    positions_ = &reinterpret_cast<LaneHead*>(lane)->records[static_cast<int>(thread)];
    const bool script = thread == Thread::kScript;
    words_ = reinterpret_cast<atomic<std::uint64_t>*>(lane + (script ? kPage : kWakerRecordsAt));
    size_ = script ? arena.capacity().telemetry : kWakerRecords;
  }

  bool usable() const { return positions_ != nullptr; }
  std::uint32_t size() const { return size_; }
  std::uint64_t head() const { return positions_->head.load(memory_order_acquire); }  // (l2)

  std::uint64_t claim() const { return positions_->claim.load(memory_order_relaxed); }  // after the words: (l1)

  // How many were written before this one. By the ring's own thread.
  std::uint64_t write(const Record& record) {
    const std::uint64_t number = positions_->head.load(memory_order_relaxed);
    positions_->claim.store(number + 1, memory_order_relaxed);
    const RecordWords words = RecordWords::of(record);
    atomic<std::uint64_t>* at = place(number);
    // (l1) each releases the claim: who reads one of these words reads the claim afterwards. As a loop it would put them on the stack
    // first, and read them from there.
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kRecordWords; i++) at[i].store(words.at[i], memory_order_release);
    positions_->head.store(number + 1, memory_order_release);  // (l2) releases the record
    prefetch(place(number + 1));                               // it was written last a lap ago
    return number;
  }

  // Copies record `number` as it is now.
  void copy(std::uint64_t number, std::uint64_t* out) const {
    const atomic<std::uint64_t>* at = place(number);
    for (std::size_t i = 0; i < kRecordWords; i++) out[i] = at[i].load(memory_order_acquire);  // (l1)
  }

  // After copying: the first number whose copy can be believed.
  std::uint64_t intact_from() const {
    const std::uint64_t claim = this->claim();
    return claim > size_ ? claim - size_ : 0;
  }

 private:
  atomic<std::uint64_t>* place(std::uint64_t number) const { return words_ + (number & (size_ - 1)) * kRecordWords; }

  LaneHead::Positions* positions_ = nullptr;
  atomic<std::uint64_t>* words_ = nullptr;
  std::uint32_t size_ = 0;
};

}  // namespace forelock::core
