// Units and small types of the core. Times are nanoseconds of the arena's clock (CLOCK_MONOTONIC, or virtual).
#pragma once

#include <cstdint>

namespace forelock::core {

using Nanos = std::uint64_t;

inline constexpr Nanos kNanosPerMilli = 1'000'000;
inline constexpr int kTiers = 4;

// 0 is "none" in all of these; the first real one is 1. An ElementIndex is the exception: it counts from 0, and where
// "none" is needed it is stored plus one.
using ElementIndex = std::uint32_t;
using SlotId = std::uint32_t;
using ParticipantId = std::uint32_t;

// A lane is one thread of a participant: its JavaScript thread or its waker thread. Only lanes enter gates.
using LaneId = std::uint32_t;
enum class Thread : std::uint32_t { kScript = 0, kWaker = 1 };

inline constexpr LaneId lane_of(ParticipantId participant, Thread thread) { return participant * 2 + static_cast<std::uint32_t>(thread); }
inline constexpr ParticipantId participant_of(LaneId lane) { return lane / 2; }

// 13 bits name a lane in the gate word, so 12 a participant; slot ids have 24 bits, of which the last value closes an inbox.
inline constexpr std::uint32_t kMaxParticipants = (1u << 12) - 1;
inline constexpr std::uint32_t kMaxSlots = (1u << 24) - 2;
inline constexpr std::uint32_t kMaxElements = 1u << 26;
static_assert(lane_of(kMaxParticipants, Thread::kWaker) < (1u << 13));

// Each kind has a name space of its own. Locks come and go with their use; everything else has a record in the arena's heap
// (core/record.h) or an identity that others keep, and stays for the arena's life. kRoom is where those wait who want room in
// the queue of the same name.
enum class Kind : std::uint32_t { kLock = 0, kBucket = 1, kPool = 2, kQueue = 3, kKeyed = 4, kName = 5, kRoom = 6, kLast = kRoom };
inline constexpr std::uint32_t kKinds = static_cast<std::uint32_t>(Kind::kLast) + 1;

}  // namespace forelock::core
