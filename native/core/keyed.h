// Keyed buckets: a family of token buckets at one pace, one bucket a key, in a table of the family's record. A cell of the table is
// two words, whose bucket it is and its theoretical arrival time (gcra.h), and changes by one CAS over both. A bucket that is full
// says nothing that its absence would not say, so its cell may go to any other key; one in debt is never given up. Nothing has to be
// repaired after a death, for each CAS leaves the table right. docs/decisions/0010-keyed-buckets.md tells why it is as it is.
#pragma once

#include "core/atomic_pair.h"
#include "core/gcra.h"
#include "core/hash.h"
#include "core/record.h"

namespace forelock::core {

// First word: {tag:48, version:16}; tag 0 is nobody. The version is that of the pace in whose units the time is.
struct KeyWord {
  static constexpr int kTagShift = 16;
  static constexpr std::uint64_t kVersionMask = (1ull << kTagShift) - 1;

  static constexpr std::uint64_t tag(std::uint64_t word) { return word >> kTagShift; }
  static constexpr std::uint64_t version(std::uint64_t word) { return word & kVersionMask; }
  static constexpr std::uint64_t word(std::uint64_t tag, std::uint64_t version) { return tag << kTagShift | version; }
};

// Second word: {claimed:1, more:1, time:62}. Claimed: the key has begun to come in here, and there is no bucket yet. more belongs to the
// line, whose first cell has it: some keys that begin here have had to go further.
struct TimeWord {
  static constexpr std::uint64_t kClaimed = 1ull << 63;
  static constexpr std::uint64_t kMore = 1ull << 62;
  static constexpr std::uint64_t kTimeMask = kMore - 1;
  static constexpr int kNonceBits = 48;  // of a claim, under the lane that made it: no two claims of the same key look alike

  static constexpr std::uint64_t time(std::uint64_t word) { return word & kTimeMask; }
  static constexpr bool claimed(std::uint64_t word) { return (word & kClaimed) != 0; }
};

// A Pace in the arena.
struct alignas(64) KeyedPace {
  atomic<std::uint64_t> scale, shape, burst, rate, per, size;

  void set(const Pace& pace);
  Pace get() const;
};

inline constexpr std::uint32_t kLineCells = 4;  // a cache line
struct alignas(64) KeyedLine {
  atomic_pair cells[kLineCells];
};
static_assert(sizeof(KeyedLine) == 64);

// The lines follow it.
struct alignas(64) KeyedRecord {
  atomic<std::uint64_t> version;
  plain<std::uint64_t> keys;  // as the user asked for
  plain<std::uint64_t> lines;
  KeyedPace paces[2];  // of the version, and of the one before it, by their last bit
};

// Lines a key may be in, one behind the other. At 5 keys in debt for 4 lines the chance that 16 lines in a row are full is 10^-13.
inline constexpr std::uint64_t kKeyedWindow = 16;
inline constexpr std::uint64_t kMaxKeys = 1ull << 28;
constexpr std::uint64_t keyed_lines(std::uint64_t keys) {
  const std::uint64_t lines = (keys * 4 + 4) / 5;
  return lines < kKeyedWindow ? kKeyedWindow : lines;
}
constexpr std::size_t keyed_bytes(std::uint64_t lines) { return sizeof(KeyedRecord) + sizeof(KeyedLine) * lines; }

enum class KeyedMade { kMade, kSame, kOtherPace, kOtherKeys, kNoHeap, kOutOfMemory };

// Gives the element its record, or compares it with the one there is.
KeyedMade define_keyed(Arena& arena, ElementIndex index, const Pace& pace, std::uint64_t keys);

enum class KeyedAnswer {
  kOk,
  kRefused,
  kNever,   // no amount, or more than a burst
  kNoKeys,  // every cell for the key is in debt: more keys are than the table was made for
};

struct KeyedTokens {
  Nanos now = 0;                // at which it was decided
  Nanos ready = 0;              // refused: when it would be granted if nobody else came
  Nanos full = 0;               // peek: when the bucket will be full
  std::uint64_t remaining = 0;  // whole tokens
};

// One lane's view of a family.
class Keyed {
 public:
  // Throws Corrupt when the element is no family.
  Keyed(Arena& arena, ElementIndex index, LaneId lane);

  KeyedAnswer take(const Hash& key, double tokens, KeyedTokens& out);
  KeyedAnswer peek(const Hash& key, double tokens, KeyedTokens& out);
  // Gives back; what the bucket has no room for is gone.
  KeyedAnswer refund(const Hash& key, double tokens);

  Pace pace();
  std::uint64_t keys() const { return record_.keys.get(); }
  std::uint64_t lines() const { return lines_; }

  // From now on at another pace, with the debts there are. One lane at a time: the caller has the element's lock.
  void change(const Pace& pace);

 private:
  struct Home {
    std::uint64_t line, tag;
  };
  struct Place {
    atomic_pair* cell = nullptr;
    Pair seen{};
    bool operator==(const Place&) const = default;
  };
  // What a look at all cells in which the key may be has found.
  struct Look {
    Place at;     // its bucket, or if there is none the first claim
    Place rival;  // a claim behind that one
    std::uint64_t lines = 0;
    bool again = false;
  };
  enum class Room { kClaimed, kAgain, kNone };

  Home home_of(const Hash& key) const;
  KeyedLine& line(const Home& home, std::uint64_t step) const;
  void refresh();
  void reload();
  Look look(const Home& home) const;
  KeyedAnswer take_from(const Place& place, const Home& home, std::uint64_t amount, Nanos now, KeyedTokens& out, bool& done);
  Room claim(const Home& home, std::uint64_t lines, Place& out);
  Room claim_in(KeyedLine& line, const Home& home, Place& out, bool even_claims);
  bool claim_cell(const Place& place, const Home& home, Place& out);
  bool remove(const Place& place) const;
  std::uint64_t time_of(const Place& place, Nanos since_epoch, bool& again) const;
  const Pace* pace_of(std::uint64_t key_word) const;
  void convert_all();
  Nanos since_epoch();

  Arena& arena_;
  KeyedRecord& record_;
  KeyedLine* table_ = nullptr;
  std::uint64_t lines_ = 0;
  const LaneId lane_;
  std::uint64_t nonce_;
  const Nanos epoch_;
  std::uint64_t version_ = 0;  // of the copies below
  Pace paces_[2]{};
};

}  // namespace forelock::core
