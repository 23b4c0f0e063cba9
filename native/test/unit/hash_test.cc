#include "core/hash.h"

#include <set>
#include <string>
#include <utility>

#include "test/check.h"

using namespace forelock::core;

namespace {

constexpr std::uint64_t kSeed[2] = {1, 2};

Hash of(const std::u16string& name, std::uint32_t kind = 0, const std::uint64_t* seed = kSeed) {
  return hash_name(seed, kind, name.data(), name.size());
}

bool same(Hash a, Hash b) { return a.low == b.low && a.high == b.high; }

}  // namespace

// The vectors of the reference implementation: key 00 01 .. 0f; the message in words of eight bytes, its length on top of
// the last.
TEST_CASE("SipHash-2-4 with 128 bits gives the published values") {
  const std::uint64_t key[2] = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
  SipHasher empty(key);
  empty.word(0);
  const Hash none = empty.end();
  CHECK_EQUAL(none.low, 0xe6a825ba047f81a3ull);
  CHECK_EQUAL(none.high, 0x930255c71472f66dull);
  SipHasher fifteen(key);
  fifteen.word(0x0706050403020100ull);
  fifteen.word(0x0f0e0d0c0b0a0908ull);  // 08 .. 0e, and the length 15
  const Hash some = fifteen.end();
  CHECK_EQUAL(some.low, 0x11a8b03399e99354ull);
  CHECK_EQUAL(some.high, 0xd9c3cf970fec087eull);
}

TEST_CASE("names that differ in one unit, in length or in trailing zeros have different hashes") {
  std::set<std::uint64_t> seen;
  std::u16string name;
  for (int length = 0; length < 40; length++) {
    CHECK(seen.insert(of(name).low).second);
    for (std::size_t i = 0; i < name.size(); i++) {
      std::u16string other = name;
      other[i] ^= 1;
      CHECK(seen.insert(of(other).low).second);
    }
    name += u'\0';
  }
}

TEST_CASE("a lone surrogate is a name like any other") {
  CHECK(!same(of(std::u16string(1, 0xd800)), of(std::u16string(1, 0xdc00))));
  CHECK(same(of(std::u16string(1, 0xd800)), of(std::u16string(1, 0xd800))));
}

TEST_CASE("the kind and the seed take part in the hash") {
  CHECK(!same(of(u"x", 0), of(u"x", 1)));
  const std::uint64_t other[2] = {1, 3};
  CHECK(!same(of(u"x"), of(u"x", 0, other)));
}

TEST_CASE("keys that differ in one unit, in length, in trailing zeros or in width have different hashes") {
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  const auto is_new = [&](const std::u16string& key) {
    const Hash hash = hash_key(kSeed, key.data(), key.size());
    return seen.insert({hash.low, hash.high}).second;
  };
  for (const char16_t filling : {u'\0', u'a', static_cast<char16_t>(0xff), static_cast<char16_t>(0x100), static_cast<char16_t>(0xd800)}) {
    std::u16string key(1, filling);
    for (int length = 1; length < 40; length++) {
      CHECK(is_new(key));
      for (std::size_t i = 0; i < key.size(); i++) {
        for (const int bit : {1, 0x80, 0x200, 0x8000}) {
          std::u16string other = key;
          other[i] ^= static_cast<char16_t>(bit);
          CHECK(is_new(other));
        }
      }
      key += filling;
    }
  }
  CHECK(is_new(u""));
}

TEST_CASE("the hash of a key takes each unit from its own place, whatever is behind it") {
  const std::u16string key = u"abcdefghijklmnopqrs";
  for (std::size_t length = 0; length <= key.size(); length++) {
    const std::u16string copy = key.substr(0, length);
    const Hash whole = hash_key(kSeed, key.data(), length);
    CHECK(same(whole, hash_key(kSeed, copy.data(), length)));
  }
  const std::uint64_t other[2] = {1, 3};
  CHECK(!same(hash_key(kSeed, u"x", 1), hash_key(other, u"x", 1)));
}

TEST_MAIN()
