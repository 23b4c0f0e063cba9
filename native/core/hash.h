// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012), keyed with the arena's random seed: names are chosen
// by users, so an unkeyed hash would let one of them fill a chain. It reads the name as UTF-16 code units (Web Locks names
// may hold lone surrogates). Two names with one hash would be one element: at 2^26 elements the chance is below 2^-76.
#pragma once

#include <cstddef>
#include <cstdint>

namespace forelock::core {

struct Hash {
  std::uint64_t low, high;
};

class SipHasher {
 public:
  SipHasher(const std::uint64_t key[2])
      : v0_(0x736f6d6570736575ull ^ key[0]),
        v1_(0x646f72616e646f6dull ^ key[1] ^ 0xee),
        v2_(0x6c7967656e657261ull ^ key[0]),
        v3_(0x7465646279746573ull ^ key[1]) {}

  void word(std::uint64_t m) {
    v3_ ^= m;
    round();
    round();
    v0_ ^= m;
  }
  Hash end() {
    v2_ ^= 0xee;
    for (int i = 0; i < 4; i++) round();
    const std::uint64_t low = v0_ ^ v1_ ^ v2_ ^ v3_;
    v1_ ^= 0xdd;
    for (int i = 0; i < 4; i++) round();
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

}  // namespace forelock::core
