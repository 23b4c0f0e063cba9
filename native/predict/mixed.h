// Bits mixed so that each depends on all (the finaliser of SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
#pragma once

#include <cstdint>

namespace forelock::predict {

inline std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

}  // namespace forelock::predict
