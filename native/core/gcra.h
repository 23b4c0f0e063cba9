// The generic cell rate algorithm (ITU-T I.371; ATM Forum TM 4.0), turned round so that its state is one word: the theoretical
// arrival time (TAT), when the bucket will be full again. Tokens n are taken at time t if max(TAT, t) + n T - t <= burst T,
// and TAT becomes max(TAT, t) + n T. So in any time W at most rate W + burst tokens are taken, idle time costs nothing, and a
// crash leaves nothing to repair. Times are kept in units of T / 2^k, so that a token is 2^k units exactly and nothing drifts. Two
// readings of the clock within one unit look the same, and so W may be longer than it looks by less than two units.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/units.h"

namespace forelock::core {

__extension__ using Wide = unsigned __int128;

// {queued:1, cell:2, tat:61}. queued stands where Fast has it: somebody waits for tokens, come in through the gate. The cell is 1 to 3:
// to whoever has a handle of the lock that the element was in a former life, it is held.
struct Tat {
  static constexpr std::uint64_t kQueued = 1ull << 63;
  static constexpr int kCellShift = 61;
  static constexpr std::uint64_t kTimeMask = (1ull << kCellShift) - 1;

  static constexpr std::uint64_t kFull = 1ull << kCellShift;  // of a new bucket

  static constexpr std::uint32_t next_cell(std::uint32_t cell) { return cell % 3 + 1; }
  static constexpr std::uint64_t time(std::uint64_t word) { return word & kTimeMask; }
  static constexpr std::uint32_t cell(std::uint64_t word) { return static_cast<std::uint32_t>(word >> kCellShift) & 3; }
  static constexpr std::uint64_t at(std::uint64_t word, std::uint64_t time) { return (word & ~kTimeMask) | time; }
};

// A rate as the algorithm wants it. Plain numbers: who shares them sees to their publication.
struct Pace {
  std::uint64_t scale;  // units per nanosecond, times 2^shift, 2^62 <= scale <= 2^63 + 1
  std::uint32_t shift;
  std::uint32_t k;         // a token is 2^k units
  std::uint64_t burst;     // units
  double rate, per, size;  // as the user gave them: tokens per `per` ms, and burst in tokens

  static constexpr std::uint64_t kMaxBurst = 1ull << 59;  // units: twice that still lies below the end of a Tat
  static constexpr double kShortestNanos = 10;            // between two tokens: 100 million a second
  static constexpr double kLongestNanos = 3.2e18;         // 100 years
  static constexpr long double kUnitNanos = 16, kCoarseUnitNanos = 1'000;
  static constexpr std::uint64_t kEnd = Tat::kTimeMask - 2 * kMaxBurst;  // here units() stands still, decades from the epoch
  static constexpr Nanos kForever = 9'000'000'000'000'000'000;           // since the epoch: a time that does not come
  static constexpr std::uint32_t kLeastShift = 62, kMostShift = 72;      // of the periods above

  // False where the numbers are outside of what the word can hold: then nothing was written.
  static bool of(double rate, double per_ms, double burst, Pace& out) {
    if (!(rate > 0) || !(per_ms > 0) || !(burst >= 1)) return false;
    const long double period = static_cast<long double>(per_ms) * 1e6L / static_cast<long double>(rate);
    if (!(period >= kShortestNanos) || !(period <= kLongestNanos)) return false;
    // Fine against a short period, and against the clock: 16 ns or less. Not finer, for the word must last decades; a burst of many years'
    // worth makes it coarser, up to a microsecond.
    const std::uint32_t least = period < 256 ? 4 : 8;
    std::uint32_t k = least;
    while (std::ldexp(kUnitNanos, static_cast<int>(k)) < period) k++;
    while (k > least && std::ldexp(static_cast<long double>(burst), static_cast<int>(k)) > static_cast<long double>(kMaxBurst) &&
           std::ldexp(kCoarseUnitNanos, static_cast<int>(k) - 1) >= period)
      k--;
    const long double units = std::ldexp(static_cast<long double>(burst), static_cast<int>(k));
    if (!(units <= static_cast<long double>(kMaxBurst))) return false;
    const long double per_nano = std::ldexp(1.0L, static_cast<int>(k)) / period;
    int exponent = 0;
    const long double fraction = std::frexp(per_nano, &exponent);  // in [0.5, 1)
    // Above the truth by 2^-60 at most, never below it: a token is back after exactly its period, where that is whole nanoseconds.
    out = {static_cast<std::uint64_t>(std::ldexp(fraction, 63)) + 2,
           static_cast<std::uint32_t>(63 - exponent),
           k,
           static_cast<std::uint64_t>(std::ceil(units)),
           rate,
           per_ms,
           burst};
    return true;
  }

  // False for what no version of of() makes: where one is read from the arena, whatever stands there.
  bool sound() const {
    return scale >= 1ull << 62 && shift >= kLeastShift && shift <= kMostShift && k < 64 && burst >= 1 && burst <= kMaxBurst;
  }

  // Whether a time of the one is a time of the other, with the same burst.
  bool same_units(const Pace& other) const { return scale == other.scale && shift == other.shift && k == other.k && burst == other.burst; }

  // Units since the arena's epoch: rises with the time, and stands still at the end of the word, decades from now.
  std::uint64_t units(Nanos since_epoch) const {
    // In two steps, of which the first takes the upper half of a product as it stands: a shift across both halves takes as long as that.
    static_assert(kLeastShift == 62);
    if (since_epoch >> 62 == 0 && shift - kLeastShift < 64) [[likely]] {
      const auto upper = static_cast<std::uint64_t>((static_cast<Wide>(since_epoch << 2) * scale) >> 64) >> (shift - kLeastShift);
      return upper > kEnd ? kEnd : upper;
    }
    const Wide units = (static_cast<Wide>(since_epoch) * scale) >> shift;
    return units > kEnd ? kEnd : static_cast<std::uint64_t>(units);
  }

  // The first nanosecond from `from` on whose units() reach this many; kForever or later: none.
  Nanos when(std::uint64_t wanted, Nanos from) const {
    if (units(from) >= wanted) return from;
    if (wanted > kEnd || !sound()) return from > kForever ? from : kForever;
    // The least t with t scale >= wanted 2^shift, in two steps, because that may have 133 bits.
    const Wide first = static_cast<Wide>(wanted) << kLeastShift;
    const Wide rest = (first % scale) << (shift - kLeastShift);
    const Wide at = (first / scale << (shift - kLeastShift)) + rest / scale + (rest % scale != 0 ? 1 : 0);
    return at < kForever ? static_cast<Nanos>(at) : from > kForever ? from : kForever;
  }

  // Of a whole number of tokens, which it nearly always is, without library calls. 0: it is none, or more than any burst.
  std::uint64_t units_of_whole(double tokens) const {
    if (!(tokens >= 1 && tokens < 4294967296.0)) return 0;
    const auto whole = static_cast<std::int64_t>(tokens);  // signed: one instruction
    return static_cast<double>(whole) == tokens && static_cast<std::uint64_t>(whole) <= kMaxBurst >> k
               ? static_cast<std::uint64_t>(whole) << k
               : 0;
  }

  // Rounded up to whole units: a fraction of a token never costs less than it is. 0: more than any burst.
  std::uint64_t units_of(double tokens) const {
    if (const std::uint64_t units = units_of_whole(tokens); units != 0) return units;
    const double wanted = std::ceil(std::ldexp(tokens, static_cast<int>(k)));
    return wanted >= 1 && wanted <= static_cast<double>(kMaxBurst) ? static_cast<std::uint64_t>(wanted) : 0;
  }
  double tokens_of(std::uint64_t units) const { return std::ldexp(static_cast<double>(units), -static_cast<int>(k)); }
};

// What one decision came to, of units. Whole words in, whole words out: where they are kept is not its business.
struct Taken {
  bool ok;
  std::uint64_t tat;    // afterwards, or as it was
  std::uint64_t ready;  // refused: the units of the clock at which it would be granted if nobody else came
};

// `amount` <= burst. `rest`, <= burst - amount: what must be left for others.
inline Taken take(const Pace& pace, std::uint64_t tat, std::uint64_t now, std::uint64_t amount, std::uint64_t rest = 0) {
  const std::uint64_t next = (tat > now ? tat : now) + amount;
  if (next - now + rest <= pace.burst) return {true, next, 0};
  return {false, tat, next + rest - pace.burst};
}

// Tokens given back. Of a bucket that is full meanwhile there is nothing to give back to: full is full.
inline std::uint64_t refund(std::uint64_t tat, std::uint64_t amount) { return tat > amount ? tat - amount : 0; }

// Units that could be taken now.
inline std::uint64_t left(const Pace& pace, std::uint64_t tat, std::uint64_t now) {
  const std::uint64_t debt = tat > now ? tat - now : 0;
  return debt >= pace.burst ? 0 : pace.burst - debt;
}

// The same debt under another pace, rounded up.
inline std::uint64_t convert(const Pace& from, const Pace& to, std::uint64_t tat, Nanos since_epoch) {
  const std::uint64_t then = from.units(since_epoch);
  const std::uint64_t now = to.units(since_epoch);
  const std::uint64_t debt = tat > then ? tat - then : 0;
  const Wide wide = to.k >= from.k ? static_cast<Wide>(debt) << (to.k - from.k)
                                   : (static_cast<Wide>(debt) + ((1ull << (from.k - to.k)) - 1)) >> (from.k - to.k);
  const Wide most = 2 * Pace::kMaxBurst - 1;
  return now + static_cast<std::uint64_t>(wide < most ? wide : most);
}

}  // namespace forelock::core
