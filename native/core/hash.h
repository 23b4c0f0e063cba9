// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012), keyed with the arena's random seed: names are chosen
// by users, so an unkeyed hash would let one of them fill a chain. It reads the name as UTF-16 code units (Web Locks names
// may hold lone surrogates). Two names with one hash would be one element: at 2^26 elements the chance is below 2^-76.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace forelock::core {

struct Hash {
  std::uint64_t low, high;
};

// So many rounds for each word of the message, and so many at the end of it.
template <int kEach, int kLast>
class Sip {
 public:
  explicit Sip(const std::uint64_t key[2])
      : v0_(0x736f6d6570736575ull ^ key[0]),
        v1_(0x646f72616e646f6dull ^ key[1] ^ 0xee),
        v2_(0x6c7967656e657261ull ^ key[0]),
        v3_(0x7465646279746573ull ^ key[1]) {}

  void word(std::uint64_t m) {
    v3_ ^= m;
    for (int i = 0; i < kEach; i++) round();
    v0_ ^= m;
  }
  Hash end() {
    v2_ ^= 0xee;
    for (int i = 0; i < kLast; i++) round();
    const std::uint64_t low = v0_ ^ v1_ ^ v2_ ^ v3_;
    v1_ ^= 0xdd;
    for (int i = 0; i < kLast; i++) round();
    return {low, v0_ ^ v1_ ^ v2_ ^ v3_};
  }

 private:
  static std::uint64_t rotl(std::uint64_t x, int b) { return (x << b) | (x >> (64 - b)); }
  void round() {
    v0_ += v1_;
    v1_ = rotl(v1_, 13) ^ v0_;
    v0_ = rotl(v0_, 32);
    v2_ += v3_;
    v3_ = rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = rotl(v1_, 17) ^ v2_;
    v2_ = rotl(v2_, 32);
  }

  std::uint64_t v0_, v1_, v2_, v3_;
};
using SipHasher = Sip<2, 4>;

// The kind takes part: locks, buckets and pools have name spaces of their own.
inline Hash hash_name(const std::uint64_t seed[2], std::uint32_t kind, const char16_t* units, std::size_t length) {
  SipHasher hasher(seed);
  std::size_t i = 0;
  for (; i + 4 <= length; i += 4) {
    hasher.word(static_cast<std::uint64_t>(units[i]) | (static_cast<std::uint64_t>(units[i + 1]) << 16) |
                (static_cast<std::uint64_t>(units[i + 2]) << 32) | (static_cast<std::uint64_t>(units[i + 3]) << 48));
  }
  std::uint64_t rest = 0;
  for (int shift = 0; i < length; i++, shift += 16) rest |= static_cast<std::uint64_t>(units[i]) << shift;
  hasher.word(rest);
  hasher.word((static_cast<std::uint64_t>(kind) << 32) | length);
  return hasher.end();
}

// Of a key of a bucket family: SipHash-1-3, which is what hash tables that are open to the world use (those of Rust, Python and Ruby),
// because a family is asked at every request. Eight units make a word where all are below 256, as those of most keys are. The two ways
// of reading end differently, and which one is taken follows from the key, so different keys are different messages.
class KeyHasher {
 public:
  static Hash of(const std::uint64_t seed[2], const char16_t* units, std::size_t length) {
    Hash hash;
    return narrow(seed, units, length, hash) ? hash : wide(seed, units, length);
  }

 private:
  static constexpr std::uint64_t kWide = 0x100ull << 32, kNarrow = 0x101ull << 32;
  static constexpr std::uint64_t kHighBytes = 0xff00ff00ff00ff00ull;

  static std::uint64_t four(const char16_t* units) {
    std::uint64_t word;
    std::memcpy(&word, units, sizeof word);  // the first unit lowest: every platform of the addon is little-endian
    return word;
  }
  // The low bytes of four units, in the lower half.
  static std::uint64_t packed(std::uint64_t word) {
    word = (word | word >> 8) & 0x0000ffff0000ffffull;
    return (word | word >> 16) & 0xffffffffull;
  }
  static std::uint64_t rest_of(const char16_t* units, std::size_t count) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; i++) word |= static_cast<std::uint64_t>(units[i]) << (16 * i);
    return word;
  }

  // False when a unit does not fit.
  static bool narrow(const std::uint64_t seed[2], const char16_t* units, std::size_t length, Hash& out) {
    Sip<1, 3> hasher(seed);
    std::uint64_t all = 0;
    std::size_t i = 0;
    for (; i + 8 <= length; i += 8) {
      const std::uint64_t low = four(units + i);
      const std::uint64_t high = four(units + i + 4);
      all |= low | high;
      hasher.word(packed(low) | packed(high) << 32);
    }
    std::uint64_t last = 0;
    int shift = 0;
    if (i + 4 <= length) {
      const std::uint64_t low = four(units + i);
      all |= low;
      last = packed(low);
      shift = 32;
      i += 4;
    }
    const std::uint64_t rest = rest_of(units + i, length - i);
    all |= rest;
    hasher.word(last | packed(rest) << shift);
    hasher.word(kNarrow | length);
    if ((all & kHighBytes) != 0) return false;
    out = hasher.end();
    return true;
  }

  static Hash wide(const std::uint64_t seed[2], const char16_t* units, std::size_t length) {
    Sip<1, 3> hasher(seed);
    std::size_t i = 0;
    for (; i + 4 <= length; i += 4) hasher.word(four(units + i));
    hasher.word(rest_of(units + i, length - i));
    hasher.word(kWide | length);
    return hasher.end();
  }
};

inline Hash hash_key(const std::uint64_t seed[2], const char16_t* units, std::size_t length) { return KeyHasher::of(seed, units, length); }

}  // namespace forelock::core
