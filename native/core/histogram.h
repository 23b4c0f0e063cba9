// Durations in log-linear buckets, as in HdrHistogram (Tene): an octave is cut into eight equal parts, so a value is known to
// 1/16 of itself (6.25 %) between 256 ns and 275 s; what is shorter is "below 256 ns", of what is longer only the largest is known.
#pragma once

#include <bit>
#include <cstdint>

namespace forelock::core {

inline constexpr int kHistogramFirstOctave = 8;  // 256 ns: less than a contended hand-off
inline constexpr int kHistogramOctaves = 30;
inline constexpr int kHistogramPartBits = 3;
inline constexpr int kHistogramParts = 1 << kHistogramPartBits;
inline constexpr std::uint32_t kHistogramBuckets = 2 + kHistogramOctaves * kHistogramParts;

inline constexpr std::uint32_t bucket_of(std::uint64_t ns) {
  if (ns < 1ull << kHistogramFirstOctave) return 0;
  const int octave = std::bit_width(ns) - 1;
  if (octave >= kHistogramFirstOctave + kHistogramOctaves) return kHistogramBuckets - 1;
  const auto part = static_cast<std::uint32_t>(ns >> (octave - kHistogramPartBits)) & (kHistogramParts - 1);
  return 1 + static_cast<std::uint32_t>(octave - kHistogramFirstOctave) * kHistogramParts + part;
}

// The middle of a bucket; `longest` stands for the open last one and bounds all others.
inline constexpr std::uint64_t value_of(std::uint32_t bucket, std::uint64_t longest) {
  std::uint64_t middle = (1ull << kHistogramFirstOctave) / 2;
  if (bucket >= kHistogramBuckets - 1) {
    middle = longest;
  } else if (bucket > 0) {
    const std::uint32_t shift = kHistogramFirstOctave - kHistogramPartBits + (bucket - 1) / kHistogramParts;
    const std::uint64_t low = static_cast<std::uint64_t>(kHistogramParts + (bucket - 1) % kHistogramParts) << shift;
    middle = low + (1ull << shift) / 2;
  }
  return middle < longest ? middle : longest;
}

// The value that a share of `counts` does not exceed; 0 when there are none.
template <typename Counts>
std::uint64_t quantile(const Counts& counts, double share, std::uint64_t longest) {
  double total = 0;
  for (std::uint32_t i = 0; i < kHistogramBuckets; i++) total += static_cast<double>(counts[i]);
  double seen = 0;
  for (std::uint32_t i = 0; i < kHistogramBuckets; i++) {
    seen += static_cast<double>(counts[i]);
    if (counts[i] != 0 && seen >= share * total) return value_of(i, longest);
  }
  return 0;
}

}  // namespace forelock::core
