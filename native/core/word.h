// The packed words that decide everything. Each fits one 64-bit CAS; nothing a dying process may leave half-written is wider.
#pragma once

#include <cstdint>

#include "core/units.h"

namespace forelock::core {

// Element, word 1: who holds the lock exclusively. {queued:1, owner:13, sequence:50}.
// queued means "come in through the gate": somebody waits or shares, or a ttl or an owner's death is to be looked at.
// The fencing token is the element's base plus the sequence, which every grant raises by one. At ten million grants a
// second on one element 50 bits last three and a half years of its life; then they wrap into nothing (masked).
struct Fast {
  static constexpr std::uint64_t kQueued = 1ull << 63;
  static constexpr int kOwnerShift = 50;
  static constexpr std::uint64_t kSequenceMask = (1ull << kOwnerShift) - 1;
  static constexpr std::uint64_t kOwnerMask = 0x1fffull << kOwnerShift;

  bool queued;
  ParticipantId owner;
  std::uint64_t sequence;

  static constexpr Fast of(std::uint64_t word) {
    return {(word & kQueued) != 0, static_cast<ParticipantId>((word & kOwnerMask) >> kOwnerShift), word & kSequenceMask};
  }
  static constexpr std::uint64_t word(bool queued, ParticipantId owner, std::uint64_t sequence) {
    return (queued ? kQueued : 0) | (static_cast<std::uint64_t>(owner) << kOwnerShift) | (sequence & kSequenceMask);
  }
  constexpr std::uint64_t word() const { return word(queued, owner, sequence); }
};

// Element, word 2: the gate and its inbox in one. {holder lane:13, poke:1, head:24, pushes:26}.
// pushes makes two inbox states with the same head distinct, so a CAS on the gate has no ABA within 2^26 pushes.
struct Gate {
  static constexpr std::uint32_t kClosed = (1u << 24) - 1;  // head value: the element is being recycled, look it up again

  LaneId holder;
  bool poke;
  std::uint32_t head;
  std::uint32_t pushes;

  static constexpr Gate of(std::uint64_t word) {
    return {static_cast<LaneId>(word >> 51), ((word >> 50) & 1) != 0, static_cast<std::uint32_t>(word >> 26) & 0xffffff,
            static_cast<std::uint32_t>(word) & 0x3ffffff};
  }
  constexpr std::uint64_t word() const {
    return (static_cast<std::uint64_t>(holder) << 51) | (static_cast<std::uint64_t>(poke) << 50) |
           (static_cast<std::uint64_t>(head) << 26) | (pushes & 0x3ffffff);
  }
};

// Slot: {status:8, generation:24, sequence:32}. The generation grows each time the owner uses the slot anew.
enum class Status : std::uint32_t {
  kFree = 0,
  kPrepared,        // filled by its owner; perhaps in the inbox already
  kQueued,          // linked into its tier's list
  kOffered,         // chosen; the grant is being made for the sequence in the word
  kReady,           // granted; its owner has not taken it yet
  kHeld,            // taken, shared (an exclusive holder needs no slot)
  kAbortedInInbox,  // given up by its owner before it was linked
  kAbortedInQueue,  // given up (or past its deadline) while linked
  kAbandoned,       // given up while the grant was being made
  kReleased,        // a shared holder that gave back; still linked
  kRevoked,         // a shared holder that lost it (ttl, steal); still linked
  kExtension,       // not a request: the enclosing grants of one
  kLast = kExtension
};

struct SlotState {
  Status status;
  std::uint32_t generation;
  std::uint32_t sequence;

  static constexpr SlotState of(std::uint64_t word) {
    return {static_cast<Status>(word >> 56), static_cast<std::uint32_t>(word >> 32) & 0xffffff, static_cast<std::uint32_t>(word)};
  }
  constexpr std::uint64_t word() const {
    return (static_cast<std::uint64_t>(status) << 56) | (static_cast<std::uint64_t>(generation & 0xffffff) << 32) | sequence;
  }
  constexpr SlotState with(Status next) const { return {next, generation, sequence}; }
  constexpr SlotState with(Status next, std::uint32_t seq) const { return {next, generation, seq}; }
};

// Element, word 3: {generation:32, name length:13, ..., kind:4, flags}.
struct Meta {
  static constexpr std::uint64_t kStateMask = 3;
  static constexpr std::uint64_t kFree = 0;  // not in the table
  static constexpr std::uint64_t kInit = 1;  // being made by the lane in Element::maker; perhaps in the table already
  static constexpr std::uint64_t kLive = 2;
  static constexpr std::uint64_t kUsed = 1ull << 2;     // looked up since the recycling hand passed
  static constexpr std::uint64_t kDied = 1ull << 3;     // a holder died; the next grant is told so
  static constexpr std::uint64_t kDirty = 1ull << 4;    // something inside the lists wants a scan
  static constexpr std::uint64_t kTwoByte = 1ull << 5;  // the name is UTF-16, not Latin-1
  static constexpr std::uint64_t kPlanned = 1ull << 6;  // a plan may be of it
  static constexpr int kKindShift = 8;
  // Of a lock that a hold may be of: its tier at most, and whether it may be for anybody of that tier (core/plan.h).
  static constexpr int kHoldTierShift = 12;
  static constexpr std::uint64_t kHoldTierMask = 3ull << kHoldTierShift;
  static constexpr std::uint64_t kHoldForAll = 1ull << 14;
  static constexpr std::uint64_t kPlanMarks = kPlanned | kHoldTierMask | kHoldForAll;
  static constexpr std::uint64_t kKindMask = 0xfull << kKindShift;
  static constexpr int kLengthShift = 16;
  static constexpr std::uint64_t kLengthMask = 0x1fff;

  static constexpr std::uint32_t generation(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }
  static constexpr std::uint64_t state(std::uint64_t word) { return word & kStateMask; }
  static constexpr std::uint32_t hold_tier(std::uint64_t word) { return static_cast<std::uint32_t>(word >> kHoldTierShift) & 3; }
  static constexpr std::uint32_t length(std::uint64_t word) { return static_cast<std::uint32_t>((word >> kLengthShift) & kLengthMask); }
  static constexpr Kind kind(std::uint64_t word) { return static_cast<Kind>((word >> kKindShift) & 0xf); }
  static constexpr std::uint64_t word(std::uint32_t generation, std::uint64_t state, Kind kind, std::uint32_t length, bool two_byte) {
    return (static_cast<std::uint64_t>(generation) << 32) | state | (static_cast<std::uint64_t>(kind) << kKindShift) |
           ((length & kLengthMask) << kLengthShift) | (two_byte ? kTwoByte : 0);
  }
};

// Who is making an element: {generation:19, lane:13}. The generation makes two makings by one lane distinct.
struct Maker {
  LaneId maker;
  std::uint32_t generation;

  static constexpr LaneId lane(std::uint32_t word) { return word & 0x1fff; }
  constexpr std::uint32_t word() const { return (generation << 13) | maker; }
};

// Chain link of the element table: {tag:32, mark:1, index + 1:31}. A marked link belongs to an element that is leaving.
struct Link {
  static constexpr std::uint64_t kMark = 1ull << 31;

  static constexpr std::uint32_t target(std::uint64_t word) { return static_cast<std::uint32_t>(word & 0x7fffffff); }
  static constexpr bool marked(std::uint64_t word) { return (word & kMark) != 0; }
  // The same place pointing elsewhere; the tag grows with every change, so no CAS on a link has ABA.
  static constexpr std::uint64_t moved(std::uint64_t word, std::uint32_t target, bool mark = false) {
    return ((word & 0xffffffff00000000ull) + (1ull << 32)) | (mark ? kMark : 0) | target;
  }
};

// Participant: {status:8, incarnation:32}.
enum class Life : std::uint32_t { kFree = 0, kJoining = 1, kAlive = 2, kDead = 3 };

struct LifeWord {
  Life life;
  std::uint32_t incarnation;

  static constexpr LifeWord of(std::uint64_t word) { return {static_cast<Life>(word >> 56), static_cast<std::uint32_t>(word)}; }
  constexpr std::uint64_t word() const { return (static_cast<std::uint64_t>(life) << 56) | incarnation; }
};

// Owner of a chunk of slots: {participant:13, incarnation:32}; 0 is nobody.
struct ChunkOwner {
  ParticipantId participant;
  std::uint32_t incarnation;

  static constexpr ChunkOwner of(std::uint64_t word) {
    return {static_cast<ParticipantId>(word >> 32) & 0x1fff, static_cast<std::uint32_t>(word)};
  }
  constexpr std::uint64_t word() const { return (static_cast<std::uint64_t>(participant) << 32) | incarnation; }
};

// A lane's write-ahead note of what it is about to do: {element + 1:32, slot:32}. kMaking in place of the slot: it is
// making the element.
struct Hint {
  static constexpr std::uint32_t kMaking = 0xffffffff;

  std::uint32_t element_plus_one;
  std::uint32_t slot;

  static constexpr Hint of(std::uint64_t word) { return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint32_t>(word)}; }
  static constexpr std::uint64_t word(ElementIndex element, std::uint32_t slot) {
    return (static_cast<std::uint64_t>(element + 1) << 32) | slot;
  }
};

}  // namespace forelock::core
