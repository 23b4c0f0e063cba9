// Two numbers at a time: each as if it were alone, so that results are the same to the last bit.
#pragma once

#include <cstring>

namespace forelock::predict {

using Pair [[gnu::vector_size(16)]] = double;

inline Pair pair_at(const double* from) {
  Pair pair;
  std::memcpy(&pair, from, sizeof pair);
  return pair;
}

inline void put(Pair pair, double* into) { std::memcpy(into, &pair, sizeof pair); }

inline Pair both(double value) { return Pair{value, value}; }

}  // namespace forelock::predict
