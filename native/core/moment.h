// Times as an element keeps them: 32 bits since the arena's epoch.
#pragma once

#include <cstdint>

#include "core/layout.h"

namespace forelock::core {

// The handicap of a tier when ageing is off: 2^60 ns is 36 years, and three of them still fit into 64 bits.
inline constexpr Nanos kNever = 1ull << 60;

// Rounded up and never 0, which means "none": a ttl may end a millisecond late, never early. Wraps after 49 days; ttls are
// limited to half of that and compared by difference.
inline std::uint32_t ms_since_epoch(const Header& header, Nanos at) {
  const std::uint32_t ms = static_cast<std::uint32_t>((at - header.epoch + kNanosPerMilli - 1) / kNanosPerMilli);
  return ms == 0 ? 1 : ms;
}

inline std::uint32_t ms_floor(const Header& header, Nanos at) { return static_cast<std::uint32_t>((at - header.epoch) / kNanosPerMilli); }

inline constexpr Nanos kSinceUnit = 4 * kNanosPerMilli;  // the tick of CLOCK_MONOTONIC_COARSE at 250 Hz

// {tier:2, time:30}: who holds for how long, coarse, in one word. Wraps after 49 days.
inline std::uint32_t since_word(const Header& header, Nanos at, std::uint32_t tier) {
  return (tier << 30) | (static_cast<std::uint32_t>((at - header.epoch) / kSinceUnit) & 0x3fffffff);
}

inline Nanos held_for(const Header& header, Nanos now, std::uint32_t since) {
  const std::uint32_t ticks = (static_cast<std::uint32_t>((now - header.epoch) / kSinceUnit) - since) & 0x3fffffff;
  return ticks * kSinceUnit;
}

}  // namespace forelock::core
